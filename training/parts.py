"""Parts of a scorer that are JSON files of their own and need not be there.

In: a dataclass of numbers, words and mappings. Out: its file, and what is in it again. JSON knows
no tuples: whoever needs them makes them of the lists.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def write(part: DataclassInstance, path: Path) -> None:
    """Write a part.

    Parameters
    ----------
    part : dataclass
        Without NaN and infinite numbers.
    path : Path
        In a folder that is there.
    """
    path.write_text(json.dumps(asdict(part), allow_nan=False), encoding="utf-8")


def read(path: Path) -> dict[str, Any] | None:
    """Read what `write` wrote.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str or None
        By attribute; None where there is no such file.
    """
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
