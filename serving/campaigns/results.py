"""What a measured plan says: differences with their intervals, verdicts, and the words for them.

Records only; `serving.campaigns.measured` works them out. Shares are in [0, 1], purchases in
occasions, money in the settings' currency, all for each assigned customer.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from serving.campaigns.belief import Belief
from serving.campaigns.delivery import Delivery
from serving.campaigns.sample_ratio import SampleRatio

RISE, FALL, NONE, TOO_LITTLE = "rise", "fall", "none", "too_little"
VERDICTS = (RISE, FALL, NONE, TOO_LITTLE)
#: Standard errors that an effect needs to be shown with a chance of 80 %: 1.96 + 0.84.
_SHOWN = 2.8


#: Share of a holdout that may have been treated all the same before a measurement teaches nothing.
MOST_TREATED = 0.1


@dataclass(frozen=True)
class Difference:
    """One outcome of both arms.

    Attributes
    ----------
    outcome : str
    treated, holdout : float
        Means, the strata weighed alike; with the scores taken into account where `adjusted`.
    difference, lower, upper : float or None
        By how much more there is among the treated, with the 95 % interval; None where there is
        too little to say anything.
    error : float or None
        Standard error of the difference.
    adjusted : bool
        Whether the scores of the day of the plan were taken into account.
    plain : tuple of three floats, or None
        Difference and interval without the scores.
    verdict : str
        One of `VERDICTS`: the interval is above 0, below 0, covers 0; or too little to say.
    needed : int or None
        Of too little: how many customers more there would have to be, about; None where nothing
        happened from which it could be told.
    """

    outcome: str
    treated: float
    holdout: float
    difference: float | None = None
    lower: float | None = None
    upper: float | None = None
    error: float | None = None
    adjusted: bool = False
    plain: tuple[float, float, float] | None = None
    verdict: str = TOO_LITTLE
    needed: int | None = None

    @property
    def smallest(self) -> float | None:
        """Smallest difference that such a campaign shows in four cases of five."""
        return None if self.error is None else _SHOWN * self.error


@dataclass(frozen=True)
class ActionResult:
    """What an action changed.

    Attributes
    ----------
    action : str or None
        None for the plan as a whole.
    ratio : SampleRatio
        Sizes of the arms against what was drawn.
    outcomes : tuple of Difference
        What it is for; empty where the arms are broken.
    guardrails : tuple of Difference
        What it should not bring: the share of customers with a complaint, a refund, an
        unsubscribing; a rise raises the flag.
    learned : dict of str to Belief
        Estimates of ``kept`` and ``lift`` with their standard errors, as far as they can be made.
    unknown : int
        Assigned customers whom the sources no longer know.
    left_out : int
        Customers of strata that lack an arm.
    others : int
        Treated customers who got another action of the plan too: their effect is of both.
    delivery : Delivery or None
        Who was contacted of both arms; None where no source tells.
    """

    action: str | None
    ratio: SampleRatio
    outcomes: tuple[Difference, ...] = ()
    guardrails: tuple[Difference, ...] = ()
    learned: dict[str, Belief] = field(default_factory=dict)
    unknown: int = 0
    left_out: int = 0
    others: int = 0
    delivery: Delivery | None = None

    @property
    def flagged(self) -> tuple[str, ...]:
        """Guardrails whose interval lies above 0."""
        return tuple(one.outcome for one in self.guardrails if one.verdict == RISE)


@dataclass(frozen=True)
class Measurement:
    """What a plan changed.

    Attributes
    ----------
    plan_id : str
    as_of : date
        First day of the campaign.
    horizon_days : int
        Days that it was planned for.
    days : int
        Days that were observed; fewer than planned in a measurement so far.
    measured_on : date
        The day after the last observed one.
    misdrawn : int
        Customers whose arm is not the one drawn; above 0 nothing is concluded.
    actions : tuple of ActionResult
    held_out, treated_elsewhere : int
        Customers held out, and those of them whom other plans treated in these days: the more
        there are, the smaller the effect looks.
    """

    plan_id: str
    as_of: date
    horizon_days: int
    days: int
    measured_on: date
    misdrawn: int
    actions: tuple[ActionResult, ...]
    held_out: int = 0
    treated_elsewhere: int = 0

    @property
    def broken(self) -> bool:
        """Whether the arms of the plan or of an action are not as they were drawn."""
        return bool(self.misdrawn) or any(one.ratio.broken for one in self.actions)

    def spoilt(self, one: ActionResult) -> bool:
        """Whether so many of the held out were treated all the same that it measures no action.

        Parameters
        ----------
        one : ActionResult
            Of an action of the plan.

        Returns
        -------
        bool
            True above `MOST_TREATED` of them, by other plans or as the treatments tell.
        """
        sent = one.delivery
        reached = sent is not None and sent.contaminated > MOST_TREATED * sent.held_out
        return reached or self.treated_elsewhere > MOST_TREATED * self.held_out

    @property
    def over(self) -> bool:
        """Whether the whole campaign was observed."""
        return self.days >= self.horizon_days

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for files and machines; no customer is in them."""
        told = asdict(self)
        told |= {"as_of": str(self.as_of), "measured_on": str(self.measured_on), "over": self.over}
        for mine, one in zip(told["actions"], self.actions, strict=True):
            mine["ratio"]["broken"] = one.ratio.broken
            mine["flagged"] = list(one.flagged)
            for kind in ("outcomes", "guardrails"):
                for row, which in zip(mine[kind], getattr(one, kind), strict=True):
                    row["smallest"] = which.smallest
        return told

    @classmethod
    def from_dict(cls, told: dict[str, Any]) -> Measurement:
        """Return the measurement that `to_dict` described.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is none.
        """
        return cls(
            plan_id=str(told["plan_id"]),
            as_of=date.fromisoformat(told["as_of"]),
            horizon_days=int(told["horizon_days"]),
            days=int(told["days"]),
            measured_on=date.fromisoformat(told["measured_on"]),
            misdrawn=int(told["misdrawn"]),
            actions=tuple(_action(one) for one in told["actions"]),
            # Earlier versions did not count them.
            held_out=int(told.get("held_out", 0)),
            treated_elsewhere=int(told.get("treated_elsewhere", 0)),
        )


def _action(told: dict[str, Any]) -> ActionResult:
    ratio = {name: told["ratio"][name] for name in SampleRatio.__dataclass_fields__}
    return ActionResult(
        told["action"],
        SampleRatio(**ratio),
        tuple(_difference(one) for one in told["outcomes"]),
        tuple(_difference(one) for one in told["guardrails"]),
        {name: Belief(**one) for name, one in told["learned"].items()},
        **{name: int(told[name]) for name in ("unknown", "left_out", "others")},
        # Earlier versions did not look.
        delivery=Delivery(**sent) if (sent := told.get("delivery")) else None,
    )


def _difference(told: dict[str, Any]) -> Difference:
    given = {name: told[name] for name in Difference.__dataclass_fields__}
    if given["verdict"] not in VERDICTS:
        raise ValueError(f"got the verdict {given['verdict']!r}")
    plain = given["plain"]
    return Difference(**given | {"plain": None if plain is None else tuple(plain)})
