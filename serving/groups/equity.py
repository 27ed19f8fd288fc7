"""Customer equity: how it moved between two dates, and why; the parts add up exactly.

In: two score tables side by side (`ledger.beside`). Out: a `Movement`: equity then and
now, and what each kind of customer put to the difference. Equity is the sum of the lifetime values
(`clv`); of one table, by tier and stage, `summary` adds it up.

Null rule: a lifetime value that is not said adds nothing; customers of whom it is said at one date
only are told apart, so that an abstention is not taken for a loss. Where nobody's is said, the sum
is null, and so is a change from or to a date at which nothing is said of anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from features.compat import arrow
from serving.groups.ledger import MONEY, added

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
    before, now : Decimal or None
        Their equity then and now, in currency; None where it is said of none of them, 0 where
        none was on record.
    change : Decimal or None
        Now less before, in currency, one of whom nothing is said as 0; None where both are None,
        or where a date says nothing of anybody.
    """

    kind: str
    customers: int
    before: Decimal | None
    now: Decimal | None
    change: Decimal | None


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
    def before(self) -> Decimal | None:
        """Equity then, in currency; None where it is said of nobody."""
        return self._sum("before", apart="won")

    @property
    def now(self) -> Decimal | None:
        """Equity now, in currency; None where it is said of nobody."""
        return self._sum("now", apart="gone")

    @property
    def change(self) -> Decimal | None:
        """Now less before: exactly the sum of the parts' changes; None where one is not said."""
        if self.before is None or self.now is None:
            return None
        return self.now - self.before

    def _sum(self, end: str, *, apart: str) -> Decimal | None:
        there = [getattr(part, end) for part in self.parts if part.kind != apart]
        return added(there) if there else Decimal(0)


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
        beside.mutate(kind=kind)
        .group_by("kind")
        .aggregate(
            customers=lambda t: t.count(),
            before=lambda t: t.clv_before.sum(),
            now=lambda t: t.clv_now.sum(),
        )
    )
    rows = {row["kind"]: row for row in arrow(summed).to_pylist()}
    # Of those who were not on record then, or are not now, it is known: nothing.
    for name, end in (("won", "before"), ("gone", "now")):
        if name in rows:
            rows[name][end] = Decimal(0)
    silent = {
        end: all(row[end] is None for name, row in rows.items() if name != apart)
        for end, apart in (("before", "won"), ("now", "gone"))
    }
    return Movement(
        tuple(
            Part(**rows[name], change=_change(rows[name], silent))
            for name, _ in KINDS
            if name in rows
        )
    )


def _change(row: Mapping[str, Any], silent: Mapping[str, bool]) -> Decimal | None:
    """What a part put to the change; None where nothing can be held against something."""
    before, now = row["before"], row["now"]
    unsaid = (before is None and silent["before"]) or (now is None and silent["now"])
    if unsaid or before is now is None:
        return None
    return Decimal((now or 0) - (before or 0))
