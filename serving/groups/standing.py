"""Where the customers of a store stand: groups of one score table, its equity, what changed.

In: a store with score tables, the rules of the segments and the terms of the lifetime values.
Out: the figures that the command line prints, the API answers with and the workbench shows, so
that all three say the same. Nothing is read from the sources and no model is asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.store import Store
    from serving.groups.equity import Movement
    from serving.groups.migration import Flow
    from serving.groups.retention import Gain, Terms
    from serving.groups.rises import Rise
    from serving.groups.rules import SegmentSettings
    from serving.groups.summary import Group
    from serving.scores import Meta
    from training.settings import ValueSettings

#: Key accounts of the list of rises.
RISES = 20


@dataclass(frozen=True)
class Segments:
    """Groups of one score table.

    Parameters
    ----------
    as_of : date
    tiers, stages, named, rules : tuple of Group
    """

    as_of: date
    tiers: tuple[Group, ...]
    stages: tuple[Group, ...]
    named: tuple[Group, ...]
    rules: tuple[Group, ...]


@dataclass(frozen=True)
class Since:
    """What changed since an earlier score table.

    Parameters
    ----------
    as_of : date
        The earlier one's.
    movement : Movement
    stages, tiers : tuple of Flow
    rises : tuple of Rise
        Key accounts whose risk rose.
    notes : tuple of str
        Doubts about the comparison.
    """

    as_of: date
    movement: Movement
    stages: tuple[Flow, ...]
    tiers: tuple[Flow, ...]
    rises: tuple[Rise, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Total:
    """The sum of the lifetime values of a score table.

    Parameters
    ----------
    equity : float or None
        In currency; None where none is said.
    lower, upper : float or None
        80 % interval (`serving.totals.equity`); None where no past window tells, or a version
        without it made the table.
    """

    equity: float | None
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class Equity:
    """Customer equity of one score table.

    Parameters
    ----------
    as_of : date
    total : Total
    tiers, stages : tuple of Group
    raised : float
        Relative raise of retention that `gains` are of.
    gains : tuple of Gain
    since : Since or None
        None where there is no earlier score table.
    """

    as_of: date
    total: Total
    tiers: tuple[Group, ...]
    stages: tuple[Group, ...]
    raised: float
    gains: tuple[Gain, ...]
    since: Since | None


def segments(place: Store, day: date, rules: Mapping[str, SegmentSettings]) -> Segments:
    """Sizes, worth and risk of every group.

    Parameters
    ----------
    place : Store
    day : date
        Of a score table that is there.
    rules : mapping of str to SegmentSettings
        Segments of the settings.

    Returns
    -------
    Segments

    Raises
    ------
    ScoreTableError
        If there is no such score table, or no behaviour beside it that a rule asks for.
    InputError, SettingsError
        If a rule does not fit the tables.
    """
    from features.opening import connection
    from serving.groups import ledger, named
    from serving.groups import summary as groups
    from serving.groups.rules import NAMED

    engine = connection.duckdb()
    table = ledger.scores(engine, place.scores(day))
    tiers, stages = parts(table)
    own: tuple[Group, ...] = ()
    if rules:
        beside = ledger.behaviour(engine, place.behaviour(day))
        own = groups.of_rules(ledger.together(table, beside), rules)
    return Segments(day, tiers, stages, groups.by(table, NAMED, named.NAMES), own)


def parts(table: Any) -> tuple[tuple[Group, ...], tuple[Group, ...]]:
    """Tiers and stages of a score table in the engine."""
    from serving.groups import summary as groups
    from serving.groups.lifecycle import STAGES
    from serving.groups.tiers import TIERS

    return groups.by(table, "tier", TIERS), groups.by(table, "stage", STAGES)


def total(meta: Meta, tiers: Iterable[Group]) -> Total:
    """Customer equity of a score table with its interval.

    Parameters
    ----------
    meta : Meta
        Of the table.
    tiers : iterable of Group
        Of the table; they add up to it.

    Returns
    -------
    Total
    """
    from serving.groups.ledger import added

    told = meta.counts.get("expected", {}).get("clv", {})
    equity = added(one.equity for one in tiers)
    return Total(equity, told.get("lower"), told.get("upper"))


def gains(place: Store, day: date, value: ValueSettings, *, raised: float) -> tuple[Gain, ...]:
    """What raised retention is worth, by tier.

    Parameters
    ----------
    place : Store
    day : date
        Of a score table that is there.
    value : ValueSettings
        Margin and discount of the lifetime values.
    raised : float
        Relative raise of retention, at least 0.

    Returns
    -------
    tuple of Gain
    """
    from features.opening import connection
    from serving import scores
    from serving.groups import ledger, retention

    path = place.scores(day)
    table = ledger.scores(connection.duckdb(), path)
    return retention.gains(table, terms(scores.read_meta(path), value), raised=raised)


def terms(meta: Any, value: ValueSettings) -> Terms:
    """What the lifetime values of a score table were reckoned with."""
    from serving.groups import retention

    return retention.Terms(
        meta.horizon_days, meta.clv_horizon_days, value.margin, value.annual_discount_rate
    )


def since(place: Store, day: date, before: date, *, listed: int = RISES) -> Since:
    """What changed between two score tables.

    Parameters
    ----------
    place : Store
    day, before : date
        Of the later and the earlier one, both there.
    listed : int
        Key accounts whose risk rose, at most.

    Returns
    -------
    Since

    Raises
    ------
    ScoreTableError
        If the two cannot be compared.
    """
    from features.opening import connection
    from serving import scores
    from serving.groups import equity as worth
    from serving.groups import ledger, migration, rises
    from serving.insight import silence

    engine, paths = connection.duckdb(), (place.scores(before), place.scores(day))
    notes = ledger.doubts(*(scores.read_meta(path) for path in paths))
    earlier, now = (ledger.scores(engine, path) for path in paths)
    whole = ledger.beside(earlier, now)
    # Joined once for all; the reasons, which are most of a table, for the list alone.
    found = rises.rises(whole, listed)
    ids = [one.customer_id for one in found]
    with whole.drop("reasons_before", "reasons_now").cache() as both:
        return Since(
            before,
            worth.movement(both),
            migration.migration(both, "stage"),
            migration.migration(both, "tier"),
            rises.told(found, silence.silences(place, before, day, ids)),
            notes,
        )


def equity(
    place: Store, day: date, before: date | None, value: ValueSettings, *, raised: float
) -> Equity:
    """Customer equity, what better retention is worth, and what changed.

    Parameters
    ----------
    place : Store
    day : date
        Of the score table.
    before : date or None
        Of the earlier one; None compares with nothing.
    value : ValueSettings
        Margin and discount of the lifetime values.
    raised : float
        Relative raise of retention, at least 0.

    Returns
    -------
    Equity

    Raises
    ------
    ScoreTableError
        If a score table is missing, or the two cannot be compared.
    """
    from features.opening import connection
    from serving import scores
    from serving.groups import ledger

    path = place.scores(day)
    tiers, stages = parts(ledger.scores(connection.duckdb(), path))
    return Equity(
        day,
        total(scores.read_meta(path), tiers),
        tiers,
        stages,
        raised,
        gains(place, day, value, raised=raised),
        None if before is None else since(place, day, before),
    )


def plain(found: Equity) -> dict[str, Any]:
    """Equity as JSON values; money of the movement as numbers."""
    from serving.groups.ledger import number

    given = asdict(found)
    if found.since is not None:
        moved = found.since.movement
        told = [
            {
                "kind": part.kind,
                "customers": part.customers,
                "before": number(part.before),
                "now": number(part.now),
                "change": number(part.change),
            }
            for part in moved.parts
        ]
        ends = {name: number(getattr(moved, name)) for name in ("before", "now", "change")}
        given["since"]["movement"] = {**ends, "parts": told}
    return given
