"""One past window, as predictions are held against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Window:
    """One past window: what was predicted of it, and what came.

    Attributes
    ----------
    predicted : pandas.DataFrame
        ``return_probability``, ``expected_purchases`` and ``expected_spend``.
    came : pandas.DataFrame
        ``returned``, ``occasions`` and ``spend``, row for row.
    """

    predicted: pd.DataFrame
    came: pd.DataFrame
