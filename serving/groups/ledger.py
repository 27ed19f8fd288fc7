"""Score tables in the engine: one date with its behaviour beside it, or two dates side by side.

In: files of the store. Out: lazy tables that `summary`, `migration`,
`equity` and `rises` count and add up. Money is a decimal of six places, so that
sums are exact: parts add up to the whole, whatever the order of the rows.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from serving.errors import ScoreTableError
from serving.groups.named import named
from serving.groups.rules import NAMED, UNASKED

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from serving.scores import Meta

MONEY = "decimal(38, 6)"
#: In the place of a stage or a tier: not on record before, not in the table now, nothing said.
NEW, GONE, NONE = "(new)", "(gone)", "(none)"


def scores(connection: Any, path: Path) -> ir.Table:
    """Score table of one date.

    Parameters
    ----------
    connection : ibis DuckDB backend
        From `features.opening.connection.duckdb`.
    path : Path
        Parquet file that a full scoring wrote.

    Returns
    -------
    Table with the columns of ``serving.scores.SCHEMA`` but ``scored_at``, and ``named_segment``.

    Raises
    ------
    ScoreTableError
        If it is missing or no score table.
    """
    from serving.scores import read_meta

    read_meta(path)
    # DuckDB needs a further package for instants with a zone; nobody asks for this one.
    table = _parquet(connection, path).drop("scored_at")
    return table.mutate(**{NAMED: named(table.rfm)})


def together(scores: ir.Table, behaviour: ir.Table) -> ir.Table:
    """Score rows with their behaviour, as conditions over both ask for.

    Parameters
    ----------
    scores : ibis table
        From `scores`.
    behaviour : ibis table
        Behaviour table of the same date.

    Returns
    -------
    Table with the rows of `scores`; where both have a column, the score table's.
    """
    both = [name for name in behaviour.columns if name in scores.columns and name != "customer_id"]
    joined = scores.left_join(behaviour.drop(*both), "customer_id").drop("customer_id_right")
    return joined.drop(*(name for name in UNASKED if name in joined.columns and name != "reasons"))


def behaviour(connection: Any, path: Path) -> ir.Table:
    """Behaviour table, or customer-days, of one date.

    Parameters
    ----------
    connection : ibis DuckDB backend
    path : Path

    Returns
    -------
    ibis table

    Raises
    ------
    ScoreTableError
        If it is missing.
    """
    if not path.exists():
        raise ScoreTableError(
            f"got no {path.parent.name} table {path.name} beside the scores; expected the one that "
            "they were made from: run `regulars score` for this date again"
        )
    return _parquet(connection, path)


def beside(before: ir.Table, now: ir.Table) -> ir.Table:
    """Two score tables side by side, one row for each customer of either.

    Parameters
    ----------
    before, now : ibis table
        From `scores`, of one connection.

    Returns
    -------
    Table with ``customer_id``; ``there_before``, ``there_now`` boolean; and of both dates, with
    the endings ``_before`` and ``_now``: ``stage``, ``tier`` (a word in brackets where there is
    none), ``clv`` (decimal, null where not said), ``churn_probability`` and ``reasons``.
    """
    import ibis

    sides = {end: _side(table, end) for end, table in (("before", before), ("now", now))}
    joined = sides["before"].outer_join(sides["now"], "customer_id")
    there = {end: joined[f"there_{end}"].fill_null(False) for end in sides}
    words = {"before": NEW, "now": GONE}
    kinds = {
        f"{kind}_{end}": ibis.cases(
            (~there[end], words[end]), else_=joined[f"{kind}_{end}"].fill_null(NONE)
        )
        for kind in ("stage", "tier")
        for end in sides
    }
    rest = [f"{name}_{end}" for name in ("clv", "churn_probability", "reasons") for end in sides]
    return joined.select(
        customer_id=ibis.coalesce(joined.customer_id, joined.customer_id_right),
        **{f"there_{end}": there[end] for end in sides},
        **kinds,
        **{name: joined[name] for name in rest},
    )


def doubts(before: Meta, now: Meta) -> tuple[str, ...]:
    """What keeps two score tables from being compared as they stand.

    Parameters
    ----------
    before, now : Meta

    Returns
    -------
    tuple of str
        Sentences for people; empty where one model scored both by the same terms.

    Raises
    ------
    ScoreTableError
        If `before` is not the earlier one, or their lifetime values are of different spans.
    """
    if before.as_of >= now.as_of:
        raise ScoreTableError(
            f"got scores of {before.as_of} to compare those of {now.as_of} with; expected an "
            "earlier date"
        )
    if before.clv_horizon_days != now.clv_horizon_days:
        raise ScoreTableError(
            f"got lifetime values over {before.clv_horizon_days} and {now.clv_horizon_days} days; "
            f"expected one span: score {before.as_of} again with today's champion"
        )
    said = []
    if before.model_version != now.model_version:
        said.append(
            f"Version {before.model_version} scored {before.as_of}, version {now.model_version} "
            f"scored {now.as_of}: a part of the change is the models'. Scoring {before.as_of} "
            "again takes it out."
        )
    if before.horizon_days != now.horizon_days:
        said.append(
            f"The risk is that of {before.horizon_days} days then and of {now.horizon_days} now."
        )
    return tuple(said)


def money(column: ir.Column) -> ir.DecimalColumn:
    """Money as a decimal whose sums are exact, rounded to a millionth."""
    return column.cast(MONEY)


def number(amount: Decimal | None) -> float | None:
    """Exact money as a number for machines; None stays None."""
    return None if amount is None else float(amount)


def added(amounts: Iterable[Any]) -> Any:
    """Sum of the amounts that are said, None where none is.

    Examples
    --------
    >>> added([1, None, 2]), added([None, None])
    (3, None)
    """
    said = [amount for amount in amounts if amount is not None]
    return sum(said[1:], said[0]) if said else None


def _side(table: ir.Table, end: str) -> ir.Table:
    import ibis

    return table.select(
        "customer_id",
        **{f"there_{end}": ibis.literal(True), f"clv_{end}": money(table.clv)},
        **{
            f"{name}_{end}": table[name]
            for name in ("stage", "tier", "churn_probability", "reasons")
        },
    )


def _parquet(connection: Any, path: Path) -> ir.Table:
    return connection.read_parquet(glob.escape(str(path)), hive_partitioning=False)
