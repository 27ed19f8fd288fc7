"""What share of a subscriber's price is profit, where the subscriptions state a margin.

In: behaviour rows of subscribers with the price and the margin of a term. Out: a rate for each. A
margin that is stated is a fact of the contract, as the price is: it is taken as it is, and nothing
is drawn to a mean (other than `training.margins`, where purchases tell a rate by luck). Who states
none has the rate of the plan, and of a plan that states none that of all plans.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from training import parts
from training.subscriptions.periods import Floats

FILE = "margins.json"
MARGIN, PRICE, PLAN = "subscription_margin", "subscription_price", "subscription_plan"


@dataclass(frozen=True)
class TermMargins:
    """Margin rates of subscribers.

    Parameters
    ----------
    rate : float
        Of all who state a margin: share of what they pay that is profit; may be negative.
    plans : mapping of str to float
        The same by plan.
    """

    rate: float
    plans: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def learn(cls, frame: pd.DataFrame) -> TermMargins | None:
        """Learn the rates of those who do not state their own.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows of subscribers.

        Returns
        -------
        TermMargins or None
            Σ margin / Σ price over the subscribers who pay and state one; None where none does.
        """
        stated = _stated(frame)
        if not stated.any():
            return None
        rows = frame.loc[stated, [MARGIN, PRICE, PLAN]].astype({MARGIN: float, PRICE: float})
        sums = rows.dropna(subset=[PLAN]).groupby(PLAN)[[MARGIN, PRICE]].sum()
        plans = {str(plan): float(m / p) for plan, m, p in sums.itertuples()}
        return cls(float(rows[MARGIN].sum() / rows[PRICE].sum()), plans)

    def rates(self, frame: pd.DataFrame) -> Floats:
        """Margin rate of each subscriber.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows.

        Returns
        -------
        ndarray of shape (n_customers,)
            margin / price of the current row; of the plan, or of all, where that is not stated.
            Finite; may be negative, or above 1.
        """
        usual = frame[PLAN].map(self.plans).to_numpy(dtype=np.float64, na_value=np.nan)
        usual = np.where(np.isfinite(usual), usual, self.rate)
        stated = _stated(frame)
        with np.errstate(invalid="ignore", divide="ignore"):
            own = _numbers(frame, MARGIN) / _numbers(frame, PRICE)
        return np.where(stated, own, usual)

    def in_words(self) -> str:
        """The rates as a sentence for the model card."""
        told = ", ".join(f"{plan} {rate:.1%}" for plan, rate in sorted(self.plans.items()))
        by_plan = f" (by plan: {told})" if told else ""
        return (
            f"The subscriptions state margins: {self.rate:.1%} of what is paid is profit{by_plan}. "
            "Each subscriber has the one of its own row, as far as that states one."
        )

    def save(self, folder: Path) -> None:
        """Write as JSON into a folder."""
        parts.write(self, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> TermMargins | None:
        """Read what `save` wrote; None where nothing was."""
        kept = parts.read(folder / FILE)
        return None if kept is None else cls(**kept)


def _stated(frame: pd.DataFrame) -> np.ndarray:
    """Who pays and states a margin."""
    with np.errstate(invalid="ignore"):
        return np.isfinite(_numbers(frame, MARGIN)) & (_numbers(frame, PRICE) > 0)


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
