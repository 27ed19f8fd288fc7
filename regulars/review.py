"""The work behind the verbs about groups, without any printing: all of it from the store.

Nothing is read from the sources and no model is asked: the answers are those of score tables that
are there, and of the behaviour and customer-days that they were made from.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regulars import jobs
from serving.errors import OutputError, ScoreTableError

if TYPE_CHECKING:
    from features.cohorts import Cohort
    from features.store import Store
    from regulars.settings import Settings
    from serving.groups.standing import Equity, Segments
    from serving.satisfaction import Satisfaction


def segments(settings: Settings, as_of: date | None) -> Segments:
    """Sizes, worth and risk of every group.

    Parameters
    ----------
    settings : Settings
        Store and rule segments.
    as_of : date or None
        Of the score table; the last one when not given.

    Returns
    -------
    Segments

    Raises
    ------
    ScoreTableError
        If there is no such score table.
    InputError, SettingsError
        If a rule segment does not fit the tables.
    """
    from serving.groups import standing

    place = jobs.store(settings)
    return standing.segments(place, _scored(place, as_of), settings.segments)


def members(settings: Settings, as_of: date | None, name: str, out: Path) -> int:
    """Write the score rows of one segment.

    Parameters
    ----------
    settings : Settings
    as_of : date or None
    name : str
        Of a rule segment, or of a named one.
    out : Path
        ``.parquet`` or ``.csv``.

    Returns
    -------
    int
        Rows written, by customer.

    Raises
    ------
    OutputError
        If no segment has the name.
    ScoreTableError
        If there is no such score table.
    """
    from dataclasses import replace

    from features.compat import arrow
    from features.opening import connection
    from serving import scores
    from serving.groups import ledger, named, rules

    known = (*settings.segments, *named.NAMES)
    if name not in known:
        raise OutputError(f"got the segment {name!r}; expected one of {', '.join(known)}")
    day, engine = _scored(jobs.store(settings), as_of), connection.duckdb()
    path = jobs.store(settings).scores(day)
    table = ledger.scores(engine, path)
    if name in settings.segments:
        table = _together(settings, engine, table, day)
        inside = rules.belongs(table, name, settings.segments[name])
    else:
        inside = table[rules.NAMED] == name
    ids = arrow(table.filter(inside).select("customer_id"))["customer_id"].to_pandas()
    frame = scores.read(path)
    chosen = frame[frame["customer_id"].isin(ids)].reset_index(drop=True)
    return scores.write(chosen, replace(scores.read_meta(path), counts=scores.counts(chosen)), out)


def equity(settings: Settings, as_of: date | None, since: date | None, *, raised: float) -> Equity:
    """Customer equity, what better retention is worth, and what changed.

    Parameters
    ----------
    settings : Settings
    as_of : date or None
        Of the score table; the last one when not given.
    since : date or None
        Of the earlier one; the one before `as_of` when not given.
    raised : float
        Relative raise of retention.

    Returns
    -------
    Equity

    Raises
    ------
    ScoreTableError
        If a score table is missing, or the two cannot be compared.
    """
    from serving.groups import standing

    place = jobs.store(settings)
    day = _scored(place, as_of)
    earlier = max((d for d in place.dates("scores") if d < day), default=None)
    before = earlier if since is None else _scored(place, since)
    return standing.equity(place, day, before, settings.value, raised=raised)


def cohorts(settings: Settings, as_of: date | None) -> tuple[date, tuple[Cohort, ...]]:
    """Cohort retention from the customer-days of the store.

    Parameters
    ----------
    settings : Settings
    as_of : date or None
        Of a `build` or `score`; the last one when not given.

    Returns
    -------
    tuple of (date, tuple of Cohort)

    Raises
    ------
    ScoreTableError
        If there are no customer-days of the date.
    """
    from features import cohorts as triangle
    from features.opening import connection
    from serving.groups import ledger

    place = jobs.store(settings)
    day = _dated(place.dates("occasions"), as_of, "customer-days", "regulars build")
    days = ledger.behaviour(connection.duckdb(), place.occasions(day))
    return day, triangle.cohorts(days, day)


def accounts(settings: Settings, as_of: date | None) -> tuple[date, Any]:
    """Scores rolled up to accounts.

    Parameters
    ----------
    settings : Settings
    as_of : date or None
        Of the score table; the last one when not given.

    Returns
    -------
    tuple of (date, ibis table)
        As `serving.groups.accounts.accounts`; the engine lives as long as the table.

    Raises
    ------
    SettingsError
        If the customers source names no account.
    ScoreTableError
        If there is no such score table, or no accounts beside it.
    """
    from features.errors import SettingsError
    from features.opening import connection
    from serving.groups import accounts as rolled
    from serving.groups import ledger

    customers = settings.sources.customers
    if customers is None or customers.account is None:
        raise SettingsError(
            "The customers source names no account; write its column as `account` in "
            "[sources.customers], then `regulars score`."
        )
    place, engine = jobs.store(settings), connection.duckdb()
    day = _scored(place, as_of)
    belonging = ledger.behaviour(engine, place.accounts(day))
    return day, rolled.accounts(ledger.scores(engine, place.scores(day)), belonging)


def satisfaction(
    settings: Settings, as_of: date | None, number: int
) -> tuple[date, Satisfaction | None]:
    """Set satisfaction beside loyalty.

    Parameters
    ----------
    settings : Settings
        Whose store.
    as_of : date or None
        Of the score table; the last one when not given.
    number : int
        Customers of a list at most.

    Returns
    -------
    date
        Of the score table.
    Satisfaction or None
        None where nothing is known of events.

    Raises
    ------
    ScoreTableError
        If there is no such score table, or not the behaviour table that it was made from.
    """
    from serving import satisfaction as room

    place = jobs.store(settings)
    day = _scored(place, as_of)
    return day, room.of_store(place, day, number)


def _together(settings: Settings, engine: Any, table: Any, day: date) -> Any:
    from serving.groups import ledger

    path = jobs.store(settings).behaviour(day)
    return ledger.together(table, ledger.behaviour(engine, path))


def _scored(place: Store, as_of: date | None) -> date:
    return _dated(place.dates("scores"), as_of, "score table", "regulars score")


def _dated(dates: tuple[date, ...], as_of: date | None, what: str, verb: str) -> date:
    """The date asked for, or the last one that is there."""
    if as_of is None and dates:
        return dates[-1]
    if as_of in dates:
        assert as_of is not None  # noqa: S101
        return as_of
    there = f"there are {', '.join(map(str, dates[-5:]))}" if dates else "there is none yet"
    wanted = f"{what} of {as_of}" if as_of else what
    option = f" --as-of {as_of}" if as_of else ""
    raise ScoreTableError(f"The store has no {wanted}; {there}. `{verb}{option}` makes one.")
