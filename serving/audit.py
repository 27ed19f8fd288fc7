"""The audit file of a store: who did what, when; lines are added and never changed.

One JSON object a line. No customer's id is ever in it.
"""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any


def note(path: Path, *, who: str, what: str, now: datetime, **facts: Any) -> None:
    """Add a line; it is on disk when this returns.

    Parameters
    ----------
    path : Path
        The file; made when missing, readable by the user alone.
    who, what : str
        As "ann" and "plan".
    now : datetime
        With a time zone.
    **facts
        Plain values: counts, sums, names of files. Never a customer's id.
    """
    line = json.dumps(
        {"at": now.isoformat(), "who": who, "what": what, **facts},
        default=str,
        allow_nan=False,
        ensure_ascii=False,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "ab") as out:
        # Several processes write: a line is whole or waits.
        fcntl.flock(out, fcntl.LOCK_EX)
        out.write(f"{line}\n".encode())
        out.flush()
        os.fsync(out.fileno())
