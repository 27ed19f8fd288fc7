"""What was asked of the models, kept with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from training.errors import TrainingError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from training.margins import Margins
    from training.subscriptions.margins import TermMargins


@dataclass(frozen=True)
class Terms:
    """What a scorer promises.

    Attributes
    ----------
    rule : str
        Churn rule of the settings.
    horizon_days : int
        Outcome window of the scores, in days.
    clv_horizon_days : int
        Span of the customer lifetime value, in days.
    margin : float
        Share of spend that is profit; of who has no margins of its own, see `OnTerms`.
    annual_discount_rate : float
        Discount a year, as a fraction.
    trained_as_of : str
        ISO date; nothing from it on was seen in training.
    window_days : int
        Length of the windows that the blend learned from, in days; at most `horizon_days`.
    """

    rule: str
    horizon_days: int
    clv_horizon_days: int
    margin: float
    annual_discount_rate: float
    trained_as_of: str
    window_days: int

    def profit(self, spend: float) -> float:
        """What is left of the horizon's spend, discounted as if all of it came at its end."""
        years = self.horizon_days / 365.0
        return self.margin * spend * (1.0 + self.annual_discount_rate) ** -years


class OnTerms:
    """What every scorer has, whatever model speaks.

    Attributes
    ----------
    terms : Terms
    families : mapping of str to str
        Family of each column that its models read.
    margins : Margins, TermMargins or None
        Rates of the customers where the log, or the subscriptions, state margins; None where all
        have that of the terms.
    """

    terms: Terms
    families: Mapping[str, str]
    margins: Margins | TermMargins | None = None

    def margin_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """Share of each customer's spend that is profit: what every figure of profit rests on.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            Finite; below zero for a customer who is sold to at a loss.
        """
        from training.margins import Margins

        return (self.margins or Margins(self.terms.margin)).rates(frame)

    @property
    def horizon_days(self) -> int:
        """Outcome window of the scores, in days."""
        return self.terms.horizon_days

    @property
    def clv_horizon_days(self) -> int:
        """Span of the lifetime value, in days."""
        return self.terms.clv_horizon_days

    @property
    def trained_as_of(self) -> date:
        """Nothing from this date on was seen in training."""
        return date.fromisoformat(self.terms.trained_as_of)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Customer attributes that the models read, as ``attribute_*`` columns."""
        return tuple(name for name in self.families if name.startswith("attribute_"))

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Score behaviour rows; each scorer has its own way."""
        raise NotImplementedError

    def between(self, frame: pd.DataFrame, as_of: date, start: date, end: date) -> pd.DataFrame:
        """Expected purchases and spend of the days [start, end).

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows at `as_of`.
        as_of : date
        start, end : date
            as_of <= start <= end.

        Returns
        -------
        pandas.DataFrame
            Index of `frame`; expected_purchases and expected_spend (currency), at least 0.
            Neighbouring windows add up; those of [as_of, as_of + h) are `predict`'s over h days.

        Raises
        ------
        TrainingError
            If the days are not in order.
        RegistryError
            If this takes another horizon than the scorer knows.
        """
        if not as_of <= start <= end:
            raise TrainingError(
                f"Got the days from {start} to {end} as of {as_of}; expected as_of <= start <= "
                "end: what came before the as-of date is on record, not expected."
            )
        columns = ["expected_purchases", "expected_spend"]

        def until(day: date) -> pd.DataFrame:
            length = (day - as_of).days
            found = self.predict(frame, length or None)[columns]
            return found if length else found * 0.0

        # Figures rise with the horizon; equal ones may differ by their last digit.
        return (until(end) - until(start)).clip(lower=0.0)


def by_family(columns: pd.DataFrame, families: Mapping[str, str]) -> pd.DataFrame:
    """Sum what columns contribute by the family that they are of.

    Parameters
    ----------
    columns : pandas.DataFrame of shape (n_customers, n_columns)
        Contributions, as log-odds.
    families : mapping of str to str
        Family of each column that counts.

    Returns
    -------
    pandas.DataFrame of shape (n_customers, n_families)
        In the order in which the families come up.
    """
    import pandas as pd

    members: dict[str, list[str]] = {}
    for name, family in families.items():
        members.setdefault(family, []).append(name)
    return pd.DataFrame({family: columns[names].sum(axis=1) for family, names in members.items()})
