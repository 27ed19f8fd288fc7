"""What was asked of the models, kept with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from training.margins import Margins


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
    """What every scorer says of its terms, whatever model speaks.

    Attributes
    ----------
    terms : Terms
    families : mapping of str to str
        Family of each column that its models read.
    margins : Margins or None
        Rates of the customers where the log states margins; None where all have that of the terms.
    """

    terms: Terms
    families: Mapping[str, str]
    margins: Margins | None = None

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
