"""Whether two contenders gave the same answers: a race between different jobs says nothing."""

from __future__ import annotations

import pandas as pd


class DisagreementError(Exception):
    """The contenders did not do the same job."""


def same(ours: pd.DataFrame, theirs: pd.DataFrame, *, within: float = 1e-9) -> str:
    """Compare all columns that the other contender gives.

    Parameters
    ----------
    ours, theirs : DataFrame
        By customer id; ours may have more columns.
    within : float
        Largest difference, relative to the value where that is above 1.

    Returns
    -------
    str
        How much was compared, for the table.

    Raises
    ------
    DisagreementError
        With the rows or the columns that differ.
    """
    ours, theirs = _by_id(ours), _by_id(theirs)
    if not ours.index.equals(theirs.index):
        raise DisagreementError(f"Got {len(ours)} and {len(theirs)} customers, not the same ones.")
    apart = {name: _distance(ours[name], theirs[name]) for name in theirs.columns}
    wrong = {name: distance for name, distance in apart.items() if not distance <= within}
    if wrong:
        raise DisagreementError(f"Columns that differ, and by how much: {wrong}.")
    return f"all {theirs.shape[1]} columns"


def _by_id(frame: pd.DataFrame) -> pd.DataFrame:
    if "customer_id" in frame.columns:
        frame = frame.set_index("customer_id")
    frame.index = frame.index.astype("str")
    return frame.sort_index()


def _distance(ours: pd.Series, theirs: pd.Series) -> float:
    """Largest relative difference; infinite where one is null and the other not."""
    if not pd.api.types.is_numeric_dtype(theirs):
        return 0.0 if ours.astype("str").equals(theirs.astype("str")) else float("inf")
    ours, theirs = ours.astype("float64"), theirs.astype("float64")
    if not ours.isna().equals(theirs.isna()):
        return float("inf")
    gap = (ours - theirs).abs() / theirs.abs().clip(lower=1.0)
    return float(gap.max()) if gap.notna().any() else 0.0
