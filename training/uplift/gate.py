"""The gate that decides whether learned effects may choose customers.

Rule: chosen by learned effects, as many customers as are allowed earn more out of sample than the
same number of the riskiest, than the same number drawn by lot, and than nobody; each by a
difference whose 95 % interval lies above 0. Else the average effect speaks, as before.

The number is the same so that a rule does not win by spending less or more; by lot, because beating
"riskiest first" alone may only say that those are the wrong ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

import numpy as np

from training.uplift.held_out import Basis, HeldOut
from training.uplift.policy import Money, by_profit, earned, rivals, treated, values
from training.uplift.resampling import DRAWS, Interval

#: Rules that have to be beaten.
TO_BEAT = ("riskiest first", "at random", "nobody")


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    passed : bool
        Whether learned effects may choose customers.
    why : str
        One sentence with the figures.
    gains : mapping of str to Interval
        Profit above each simple rule, in currency per customer of the trial.
    treated : int
        Customers of the trial that learned effects would treat.
    """

    passed: bool
    why: str
    gains: Mapping[str, Interval] = field(default_factory=dict)
    treated: int = 0

    def to_dict(self) -> dict[str, object]:
        """Return the verdict as JSON-ready values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, object]) -> Verdict:
        """Return the verdict that `to_dict` described."""
        given = dict(stored)
        gains = given.pop("gains")
        assert isinstance(gains, Mapping)  # noqa: S101 - as written by to_dict
        read = {name: Interval(**gain) for name, gain in gains.items()}
        return cls(gains=read, **given)  # type: ignore[arg-type]


def judge(
    deals: Sequence[HeldOut],
    money: Money,
    random: np.random.Generator,
    *,
    basis: Basis = "returned",
    share: float = 1.0,
    draws: int = DRAWS,
) -> Verdict:
    """Compare learned effects with the simple rules on customers that they have not seen.

    Parameters
    ----------
    deals : sequence of HeldOut
        The same trial, dealt into folds in one or more ways.
    money : Money
    random : Generator
        Of the bootstrap.
    basis : {"returned", "spend"}, default="returned"
        What tells customers from one another (`HeldOut.gains`).
    share : float in (0, 1], default=1.0
        Of the customers that can be treated.
    draws : int, default=1000

    Returns
    -------
    Verdict
    """
    chosen = [by_profit(held, money.net(held.gains(basis)), share) for held in deals]
    both = list(zip(deals, chosen, strict=True))
    many = round(float(np.mean([treated(held, own).sum() for held, own in both])))
    if not many:
        return Verdict(
            False, "no effect shown: no customer is predicted to bring more than an action costs"
        )
    earnings = [
        {name: earned(held, rule, money) for name, rule in rules.items()}
        for held, own in both
        for rules in [{"uplift": own, **rivals(held, own, money)}]
    ]
    gains = values(earnings, random, against="uplift", draws=draws)
    unbeaten = [name for name in TO_BEAT if gains[name].lower <= 0]
    place = f"per customer, {many:,} of {len(deals[0].trial):,} treated"
    if unbeaten:
        told = "; ".join(f"above {name} {gains[name]:+.4f}" for name in unbeaten)
        return Verdict(False, f"no effect shown: {told} {place}", gains, many)
    told = ", and ".join(f"{name} by {gains[name]:.4f}" for name in TO_BEAT[:2])
    return Verdict(True, f"uplift beats {told} {place}", gains, many)
