"""Customer equity: how it moved between two dates, and why; the parts add up exactly.

In: two score tables side by side (`ledger.beside`). Out: a `Movement`: equity then and
now, and what each kind of customer put to the difference. Equity is the sum of the lifetime values
(`clv`); of one table, by tier and stage, `summary` adds it up.

Null rule: a lifetime value that is not said counts as 0; customers of whom it is said at one date
only are told apart, so that an abstention is not taken for a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from features.compat import arrow
from serving.groups.ledger import MONEY

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: The kinds, in the order in which they are tried: kind, words.
KINDS: tuple[tuple[str, str], ...] = (
    ("won", "Not on record before."),
    ("gone", "On record before, no customer of the population any more."),
    ("unsaid", "A lifetime value is said at one of the dates only."),
    ("lapsed", "Lapsed now, and not before."),
    ("won_back", "Lapsed before, and not now."),
    ("grew", "Worth more than before."),
    ("shrank", "Worth less than before."),
    ("unchanged", "Worth the same, or nothing said at both dates."),
)


@dataclass(frozen=True)
class Part:
    """What one kind of customer put to the change.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    customers : int
    before, now : Decimal
        Their equity then and now, in currency.
    """

    kind: str
    customers: int
    before: Decimal
    now: Decimal

    @property
    def change(self) -> Decimal:
        """Now less before, in currency."""
        return self.now - self.before


@dataclass(frozen=True)
class Movement:
    """Equity at two dates, and the parts of its change.

    Parameters
    ----------
    parts : tuple of Part
        Those with a customer, in the order of ``KINDS``.
    """

    parts: tuple[Part, ...]

    @property
    def before(self) -> Decimal:
        """Equity then, in currency."""
        return sum((part.before for part in self.parts), Decimal(0))

    @property
    def now(self) -> Decimal:
        """Equity now, in currency."""
        return sum((part.now for part in self.parts), Decimal(0))

    @property
    def change(self) -> Decimal:
        """Now less before: exactly the sum of the parts' changes."""
        return self.now - self.before


def movement(beside: ir.Table) -> Movement:
    """Take the change of equity apart.

    Parameters
    ----------
    beside : ibis table
        From `serving.groups.ledger.beside`.

    Returns
    -------
    Movement

    Notes
    -----
    With the lifetime values v₀ and v₁ of a customer, 0 where there is none, each customer is of
    the first kind of ``KINDS`` that holds, and ΔE = Σ (v₁ − v₀) = Σ over kinds of Σ (v₁ − v₀).
    Values are decimals of six places, so nothing is lost on the way.
    """
    import ibis

    zero = ibis.literal(0).cast(MONEY)
    before, now = beside.clv_before.fill_null(zero), beside.clv_now.fill_null(zero)
    lapsed_before, lapsed_now = (beside[f"stage_{end}"] == "lapsed" for end in ("before", "now"))
    tests = {
        "won": ~beside.there_before,
        "gone": ~beside.there_now,
        "unsaid": beside.clv_before.isnull() != beside.clv_now.isnull(),
        "lapsed": lapsed_now & ~lapsed_before,
        "won_back": lapsed_before & ~lapsed_now,
        "grew": now > before,
        "shrank": now < before,
    }
    kind = ibis.cases(*((test, name) for name, test in tests.items()), else_="unchanged")
    summed = (
        beside.mutate(kind=kind, before=before, now=now)
        .group_by("kind")
        .aggregate(
            customers=lambda t: t.count(),
            before=lambda t: t.before.sum(),
            now=lambda t: t.now.sum(),
        )
    )
    rows = {row["kind"]: row for row in arrow(summed).to_pylist()}
    return Movement(tuple(Part(**rows[name]) for name, _ in KINDS if name in rows))
