"""Tables about groups of customers: segments, equity and its movement, cohorts, accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

from regulars.tables import table

if TYPE_CHECKING:
    from rich.table import Table

    from features.cohorts import Cohort
    from regulars.settings import Settings
    from serving.groups.migration import Flow
    from serving.groups.rises import Rise
    from serving.groups.standing import Equity, Segments, Since
    from serving.groups.summary import Group
    from serving.satisfaction import Satisfaction

# Months of a triangle that fit beside each other.
_MONTHS = 13


def segments(found: Segments, settings: Settings) -> Iterator[Table]:
    """Tiers, stages, named segments and those of the settings.

    Parameters
    ----------
    found : Segments
    settings : Settings
        Their currency.

    Yields
    ------
    rich.table.Table
    """
    titles = (
        (f"Tiers as of {found.as_of}", found.tiers),
        ("Stages", found.stages),
        ("Named segments (by recency and frequency)", found.named),
        ("Segments of the settings (may overlap)", found.rules),
    )
    for title, groups in titles:
        if groups:
            yield _groups(title, groups, settings.currency)


def equity(found: Equity, settings: Settings) -> Iterator[Table]:
    """Equity by tier and stage, the worth of retention, and what changed.

    Parameters
    ----------
    found : Equity
    settings : Settings
        Their currency.

    Yields
    ------
    rich.table.Table
    """
    currency = settings.currency
    yield _groups(f"Customer equity as of {found.as_of}, by tier", found.tiers, currency)
    yield _groups("By stage", found.stages, currency)
    yield table(
        f"What {found.raised:+.1%} retention is worth",
        ("tier", "customers", f"equity {currency}", f"gain {currency}", "elasticity"),
        [(g.tier, g.customers, g.equity, g.gain, g.elasticity) for g in found.gains],
    )
    if found.since is not None:
        yield from _since(found.since, currency)


def worth(found: Equity, settings: Settings) -> str:
    """The whole equity with its interval as a sentence; empty where none is said.

    Parameters
    ----------
    found : Equity
    settings : Settings
        Their currency.

    Returns
    -------
    str
    """
    whole = found.total
    if whole.equity is None:
        return ""
    between = "" if whole.lower is None else f" (80 %: {whole.lower:,.0f} to {whole.upper:,.0f})"
    return f"Customer equity as of {found.as_of}: {whole.equity:,.0f} {settings.currency}{between}."


def cohorts(as_of: date, triangle: Sequence[Cohort]) -> Table:
    """The triangle of retention, the last year of it.

    Parameters
    ----------
    as_of : date
    triangle : sequence of Cohort

    Returns
    -------
    rich.table.Table
    """
    from features.cohorts import average

    width = min(_MONTHS, max((len(cohort.active) for cohort in triangle), default=1))
    rows: list[list[object]] = []
    for cohort in triangle[-_MONTHS:]:
        told = [
            f"{share:.0%}" if since < cohort.finished else f"({share:.0%})"
            for since, share in enumerate(cohort.retention[:width])
        ]
        rows.append([f"{cohort.month:%Y-%m}", cohort.customers, *told, *[""] * (width - len(told))])
    mean = [f"{share:.0%}" for share in average(triangle)[:width]]
    rows.append(["all", sum(c.customers for c in triangle), *mean, *[""] * (width - len(mean))])
    heads = ("first bought", "customers", *map(str, range(width)))
    return table(f"Who bought how many months later, before {as_of}", heads, rows)


def accounts(
    as_of: date, number: int, rows: Sequence[Mapping[str, Any]], settings: Settings
) -> Table:
    """Accounts with the most lifetime value at risk.

    Parameters
    ----------
    as_of : date
    number : int
        Accounts in all.
    rows : sequence of mapping
        The first of them, as of `serving.groups.accounts.accounts`.
    settings : Settings
        Their currency.

    Returns
    -------
    rich.table.Table
    """
    currency = settings.currency
    heads = ("account", "customers", "key", f"worth {currency}", f"at risk {currency}", "all leave")
    told = [
        (
            row["account"],
            row["customers"],
            row["is_key"],
            row["clv"],
            row["clv_at_risk"],
            _percent(row["churn_probability"]),
        )
        for row in rows
    ]
    return table(f"Most at risk of {number:,} accounts as of {as_of}", heads, told)


def satisfaction(as_of: date, found: Satisfaction, settings: Settings) -> Iterator[Table]:
    """The four fields beside who said nothing, and the three lists.

    Parameters
    ----------
    as_of : date
    found : Satisfaction
    settings : Settings
        Their currency.

    Yields
    ------
    rich.table.Table
    """
    value = f"lifetime value {settings.currency}"
    yield table(
        f"Satisfaction and loyalty as of {as_of}",
        ("", "forecast", "customers", "of all", "mean risk", value),
        [
            (
                one.mood,
                "stays" if one.staying else "leaves",
                one.customers,
                _percent(one.share),
                _percent(one.churn_probability),
                one.equity,
            )
            for one in found.fields.values()
        ],
    )
    lists = (
        (f"Open complaints: {found.open} customers", found.complaints),
        ("Satisfied, and at risk", found.leaving),
        ("Unhappy, and still staying", found.staying),
    )
    for title, rows in lists:
        if rows:
            yield table(
                title,
                ("customer", "stage", "risk", value, "open complaints", "last mark"),
                [
                    (
                        row["customer_id"],
                        row["stage"],
                        _percent(row["churn_probability"]),
                        row["clv"],
                        row["complaints_open"],
                        row["satisfaction_last"],
                    )
                    for row in rows
                ],
            )


def _groups(title: str, groups: Sequence[Group], currency: str) -> Table:
    heads = (
        "",
        "customers",
        "of all",
        f"lifetime value {currency}",
        "of all ",
        "mean risk",
        f"expected spend {currency}",
    )
    rows = [
        (
            group.name,
            group.customers,
            _percent(group.share),
            group.equity,
            _percent(group.equity_share),
            _percent(group.churn_probability),
            group.expected_spend,
        )
        for group in groups
    ]
    return table(title, heads, rows)


def _since(since: Since, currency: str) -> Iterator[Table]:
    from serving.groups.ledger import number

    moved = since.movement
    rows = [
        (p.kind, p.customers, number(p.before), number(p.now), number(p.change))
        for p in moved.parts
    ]
    total = sum(part.customers for part in moved.parts)
    rows.append(("all", total, number(moved.before), number(moved.now), number(moved.change)))
    heads = ("", "customers", f"then {currency}", f"now {currency}", f"change {currency}")
    yield table(f"How the equity moved since {since.as_of}", heads, rows)
    yield _flows("Customers by stage, then (rows) and now", since.stages)
    yield _flows("Customers by tier, then (rows) and now", since.tiers)
    if since.rises:
        yield table(
            "Key accounts whose risk rose, most money at stake first",
            ("customer", "risk then", "now", f"at stake {currency}", "what changed"),
            [
                (
                    rise.customer_id,
                    _percent(rise.churn_before),
                    _percent(rise.churn_now),
                    rise.at_stake,
                    "; ".join(_changed(rise)),
                )
                for rise in since.rises
            ],
        )


def _changed(rise: Rise) -> Iterator[str]:
    """What is known to have changed: the silence, and reasons that weigh more."""
    if rise.silence is not None:
        yield rise.silence.text
    for turn in rise.turns:
        yield turn.now + (f" (then: {turn.then})" if turn.then else "")


def _flows(title: str, flows: Sequence[Flow]) -> Table:
    from serving.groups.migration import WORDS

    told = {flow.now for flow in flows}
    usual = [word for words in WORDS.values() for word in words if word in told]
    ends = [*usual, *sorted(told.difference(usual))]
    starts = list(dict.fromkeys(flow.before for flow in flows))
    cells = {(flow.before, flow.now): flow for flow in flows}
    rows = []
    for start in starts:
        here = [cells.get((start, end)) for end in ends]
        rows.append(
            [start, *(f"{one.customers:,} ({one.share:.0%})" if one else None for one in here)]
        )
    return table(title, ("", *ends), rows)


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{share:.1%}"
