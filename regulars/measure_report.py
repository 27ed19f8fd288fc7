"""A measured plan for people: what each action changed, how sure that is, and what was learned."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from regulars import tables

if TYPE_CHECKING:
    from rich.table import Table

    from serving.campaigns.belief import Effect
    from serving.campaigns.results import ActionResult, Difference, Measurement

_SHARES = ("returned", "complaints", "refunds", "unsubscribes")
_WORDS = {
    "returned": "came back",
    "complaints": "complained",
    "refunds": "sent back",
    "unsubscribes": "unsubscribed",
}
_WHOLE = "in all"
_VERDICTS = {"rise": "more", "fall": "less", "none": "no effect shown"}


def effects(measured: Measurement, currency: str) -> Table | None:
    """Table of what each action changed; None where nothing could be compared."""
    return _table(
        f"Plan {measured.plan_id}: what it changed for each customer, money in {currency}",
        [(one, row) for one in measured.actions for row in one.outcomes],
    )


def guardrails(measured: Measurement) -> Table | None:
    """Table of what the actions should not bring; None where no source tells."""
    return _table("Guardrails", [(one, row) for one in measured.actions for row in one.guardrails])


def delivery(measured: Measurement) -> Table | None:
    """Table of who was contacted of both arms; None where no source tells."""
    rows = [
        [one.action or _WHOLE, sent.treated, sent.reached, sent.held_out, sent.contaminated]
        for one in measured.actions
        if (sent := one.delivery) is not None
    ]
    heads = ["action", "treated", "of them contacted", "held out", "of them contacted "]
    return tables.table("What was sent", heads, rows) if rows else None


def sentences(measured: Measurement) -> Iterator[str]:
    """What to know before anything is made of it."""
    if not measured.over:
        yield (
            f"So far: {measured.days} of {measured.horizon_days} days. Who looks often sees "
            "effects that are none; conclude when the campaign is over."
        )
    if measured.misdrawn:
        yield (
            f"Nothing is concluded: {measured.misdrawn:,} customers are not in the arm that the "
            "plan's key draws. Either the assignments or the key were changed."
        )
    if measured.treated_elsewhere:
        yield (
            f"{measured.treated_elsewhere:,} of {measured.held_out:,} held out were treated by "
            "other plans: the effect is diluted."
        )
    for one in measured.actions:
        yield from _about(one)
    if measured.broken and not measured.misdrawn:
        yield "Of the other actions nothing is concluded either, nor is anything kept."


def learned(found: dict[str, Effect]) -> Iterator[str]:
    """What the next plans reckon with."""
    for name, effect in found.items():
        yield (
            f"{name}: the next plans reckon with {_unsure(effect.kept.mean, effect.kept.sd)} of "
            f"the leaving kept and {_unsure(effect.lift.mean, effect.lift.sd)} of spend "
            f"(measured {effect.since}, {effect.treated or 0:,} treated)."
        )


def _table(title: str, listed: list[tuple[ActionResult, Difference]]) -> Table | None:
    if not listed:
        return None
    heads = ["action", "outcome", "treated", "held out", "difference", "95 % interval", "shown"]
    return tables.table(title, heads, [_row(one, row) for one, row in listed])


def _row(one: ActionResult, row: Difference) -> list[str | None]:
    name = one.action or _WHOLE
    means = [_figure(row.outcome, mean) for mean in (row.treated, row.holdout)]
    told = [name, _WORDS.get(row.outcome, row.outcome), *means]
    if row.difference is None or row.lower is None or row.upper is None:
        return [*told, None, None, _too_little(row)]
    between = f"{_change(row.outcome, row.lower)} to {_change(row.outcome, row.upper)}"
    return [*told, _change(row.outcome, row.difference), between, _VERDICTS[row.verdict]]


def _too_little(row: Difference) -> str:
    if row.needed is None:
        return "too little to say: it hardly happened"
    return f"too little to say: about {row.needed:,} customers more"


def _about(one: ActionResult) -> Iterator[str]:
    """Sentences on one action."""
    name, ratio = one.action or _WHOLE, one.ratio
    if ratio.broken:
        yield (
            f"{name}: nothing is concluded. {ratio.treated:,} treated and {ratio.holdout:,} held "
            f"out are left, by the drawn shares {ratio.expected:,.0f} treated; chance does that in "
            f"fewer than one case of a thousand (p = {ratio.probability:.1g}). Find out whom one "
            "of the arms has lost."
        )
    if one.unknown:
        yield f"{name}: {one.unknown:,} customers are left out, as the sources do not know them."
    if one.left_out:
        yield f"{name}: {one.left_out:,} customers are left out: their stratum lacks an arm."
    if one.others:
        yield f"{name}: {one.others:,} of the treated got more than this; the effect is of all."
    yield from _sent(name, one)
    for row in one.outcomes:
        if row.verdict == "none" and row.smallest is not None:
            yield (
                f"{name}: no effect on {row.outcome} is shown; one of "
                f"{_change(row.outcome, row.smallest)} would be in four cases of five."
            )
    for harm in one.flagged:
        yield f"{name}: more customers {_WORDS[harm]} than without it. Stop and look why."


def _sent(name: str, one: ActionResult) -> Iterator[str]:
    """Sentences on who was contacted other than planned."""
    sent = one.delivery
    if sent is None:
        return
    if sent.contaminated:
        yield (
            f"{name}: {sent.contaminated:,} of {sent.held_out:,} held out were contacted all the "
            f"same ({sent.contaminated / sent.held_out:.1%}): the effect is of the assignment and "
            "smaller than that of the contact. Keep the held out away from who sends."
        )
    if sent.treated and not sent.reached:
        yield (
            f"{name}: no treated customer was contacted in these days by [sources.treatments]. "
            "Was it sent, and is it written there under this name?"
        )
    elif sent.reached < sent.treated:
        yield (
            f"{name}: {sent.reached:,} of {sent.treated:,} treated were contacted "
            f"({sent.reached / sent.treated:.1%}); the effect is of all who were assigned."
        )


def _figure(outcome: str, mean: float) -> str:
    return f"{mean:.1%}" if outcome in _SHARES else f"{mean:,.2f}"


def _change(outcome: str, amount: float) -> str:
    return f"{100 * amount:+.2f} points" if outcome in _SHARES else f"{amount:+,.2f}"


def _unsure(mean: float, sd: float) -> str:
    return f"{100 * mean:+.1f} ± {100 * sd:.1f} %"
