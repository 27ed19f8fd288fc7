"""What an action is believed to do, and how sure one is of it.

Two effects, both against doing nothing: the share of those who would leave that the action keeps
(`kept`), and the relative change of what those who stay spend (`lift`). Each is a normal
distribution: assumed in the settings, or measured against a holdout.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date

from serving.errors import CampaignError


@dataclass(frozen=True)
class Belief:
    """A number that is not known exactly.

    Attributes
    ----------
    mean : float
    sd : float >= 0
        Standard deviation; 0 for what is taken for certain.

    Raises
    ------
    CampaignError
        If one of them is not finite, or the deviation negative.
    """

    mean: float
    sd: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.sd) and self.sd >= 0):
            raise CampaignError(
                f"Got an effect of {self.mean} with a deviation of {self.sd}; expected finite "
                "numbers, the deviation at least 0."
            )

    def learning(self, estimate: float, error: float) -> Belief:
        """What is believed after a measurement.

        Parameters
        ----------
        estimate : float
        error : float > 0
            Its standard error.

        Returns
        -------
        Belief
            The normal posterior: precisions 1/sd² add up, means are weighted by them (Gelman et
            al., Bayesian Data Analysis, 3rd ed., eq. 2.10). A certain belief stays as it is.
        """
        if self.sd == 0:
            return self
        ours, theirs = self.sd**-2, error**-2
        mean = (ours * self.mean + theirs * estimate) / (ours + theirs)
        return Belief(mean, (ours + theirs) ** -0.5)

    def distance(self, estimate: Belief) -> float:
        """How far a measurement lies from what was believed before it.

        Parameters
        ----------
        estimate : Belief
            With its standard error.

        Returns
        -------
        float
            z = |m₁ − m₂| / √(s₁² + s₂²), in deviations of both together; inf where both are certain
            of different numbers.

        Examples
        --------
        >>> Belief(1.0, 3.0).distance(Belief(31.0, 4.0))
        6.0
        """
        gap, joint = abs(self.mean - estimate.mean), math.hypot(self.sd, estimate.sd)
        return gap / joint if joint else (math.inf if gap else 0.0)


#: Nothing is changed, for certain.
NOTHING = Belief(0.0, 0.0)


@dataclass(frozen=True)
class Effect:
    """What an action is believed to do.

    Attributes
    ----------
    kept : Belief
        Share of those who would leave that it keeps; negative drives customers away.
    lift : Belief
        Relative change of what those who stay spend; 0.05 is five per cent more.
    source : str
        "assumed", or the plan that it was measured in.
    since : date or None
        When it was measured; None where it is assumed.
    treated : int or None
        Customers treated in all that was measured of it; None where that is not known.
    """

    kept: Belief = NOTHING
    lift: Belief = NOTHING
    source: str = "assumed"
    since: date | None = None
    treated: int | None = None
