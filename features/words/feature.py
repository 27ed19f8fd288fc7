"""One column of the behaviour table, described."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Feature:
    """One column of the behaviour table.

    Parameters
    ----------
    name, family : str
    kind : {"int64", "float64", "string"}
    unit : str
        ``occasions``, ``days``, ``currency``, ``ratio``, ``share``, ...
    low, high : float or None
        Smallest and greatest value, both allowed; None for no bound.
    nullable : bool
        Whether a customer with an occasion may have a null.
    meaning : str
        Plain words, with the null rule.
    without : int or None
        Value for a customer who has no row in a source that exists.
    """

    name: str
    family: str
    kind: Literal["int64", "float64", "string"]
    unit: str
    low: float | None
    high: float | None
    nullable: bool
    meaning: str
    without: int | None = None
