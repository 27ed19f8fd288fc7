"""Which ends are a payment that failed: the involuntary part of the risk to leave.

In: snapshots of subscribers with what became of them. Out: of those who will end, the share that
will because a payment failed; apart for those to whom it has happened before.

Null rule: NaN where no end has had a reason. An end without one is taken to be like the others.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from training import parts
from training.subscriptions.periods import Floats

FILE = "failures.json"
#: Ends at the share of all that those of a few are weighed down with.
SHRINK = 20.0
_BEFORE = "subscription_involuntary_ends"


@dataclass(frozen=True)
class Failures:
    """Share of the ends that are involuntary.

    Parameters
    ----------
    never, again : float in [0, 1] or None
        For subscribers without and with an involuntary end before; None where nothing was seen.
    """

    never: float | None = None
    again: float | None = None

    @classmethod
    def learn(cls, snapshots: Sequence[pd.DataFrame]) -> Failures:
        """Learn from the ends that were seen, each once.

        Parameters
        ----------
        snapshots : sequence of pandas.DataFrame
            With ``ended_after`` and ``end_reason``, oldest first.

        Returns
        -------
        Failures
            (k + 20 s)/(n + 20), with k of n ends of a kind and the share s of all.
        """
        rows = pd.concat(list(snapshots), ignore_index=True) if snapshots else pd.DataFrame()
        if rows.empty or not rows["end_reason"].notna().any():
            return cls()
        rows = rows[rows["end_reason"].notna()]
        stop = pd.to_datetime(rows["as_of"]) + pd.to_timedelta(
            rows["ended_after"].astype("float64"), unit="D"
        )
        # Snapshots overlap: the latest word on an end counts.
        last = ~rows[["customer_id"]].assign(stop=stop).duplicated(keep="last")
        failed = (rows.loc[last, "end_reason"] == "involuntary").to_numpy(dtype=np.float64)
        before = rows.loc[last, _BEFORE].to_numpy(dtype=np.float64, na_value=0.0) > 0
        shares = [
            (failed[kind].sum() + SHRINK * failed.mean()) / (kind.sum() + SHRINK)
            for kind in (~before, before)
        ]
        return cls(*map(float, shares))

    def share(self, frame: pd.DataFrame) -> Floats:
        """Share of the risk of each subscriber.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows.

        Returns
        -------
        ndarray of shape (n_customers,)
            NaN where nothing was seen.
        """
        before = frame[_BEFORE].to_numpy(dtype=np.float64, na_value=0.0) > 0
        never, again = (np.nan if one is None else one for one in (self.never, self.again))
        return np.where(before, again, never)

    def in_words(self) -> list[str]:
        """A sentence for the card; none where nothing was seen."""
        if self.never is None or self.again is None:
            return []
        return [
            f"Of the ends with a reason, {self.never:.0%} were involuntary (a payment failed), and "
            f"{self.again:.0%} where it had happened before: those need a new payment, not an "
            "argument."
        ]

    def save(self, folder: Path) -> None:
        """Write as JSON into a folder."""
        parts.write(self, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> Failures:
        """Read what `save` wrote."""
        return cls(**json.loads((folder / FILE).read_text(encoding="utf-8")))
