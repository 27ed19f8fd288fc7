"""What was asked of the models, kept with them."""

from __future__ import annotations

from dataclasses import dataclass


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
        Share of spend that is profit.
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
