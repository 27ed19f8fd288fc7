"""Rule segments: groups of customers that the settings describe by an expression.

In: sections ``[segments.<name>]`` with a condition over the score table and the behaviour table of
the same date. Out: expressions of the engine. A customer may be in several, or in none. The
conditions are parsed and built piece by piece (`features.opening.expressions`): no text of the
settings reaches the engine, and a condition that cannot be is found when the settings are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import Field

from features.section import Section
from serving.groups.named import NAMES

if TYPE_CHECKING:
    import ibis.expr.types as ir

_NAME = re.compile("[a-z][a-z0-9_]*")
#: Columns of the score table that a condition cannot ask for: lists, and when it was made.
UNASKED = ("reasons", "scored_at")
#: The named segment stands beside the columns of the tables.
NAMED = "named_segment"


class SegmentSettings(Section):
    """Section [segments.<name>]: a group of customers of the business's own."""

    where: str = Field(
        min_length=1,
        description="Who belongs to it: a condition over the columns of docs/scores.md and "
        "docs/columns.md, as `tier = 'key' and churn_probability > 0.5`, with the signs that "
        "`where` of a source has. `named_segment` is the name of the RFM segment. A customer may "
        "be in several.",
    )
    description: str = Field(default="", description="What it is for, shown beside its name.")


def kinds(attributes: Iterable[str] = ()) -> dict[str, str]:
    """Type of every column that a condition can ask for.

    Parameters
    ----------
    attributes : iterable of str
        Attributes of the customers source; taken for text, which reads as a number beside one.

    Returns
    -------
    dict of str to str
        Ibis types by name.
    """
    import ibis

    from features.catalogue import ATTRIBUTE, FEATURES
    from serving.scores import SCHEMA

    scores = ibis.Schema.from_pyarrow(SCHEMA)
    return {
        **{f"{ATTRIBUTE}{name}": "string" for name in attributes},
        **{feature.name: str(feature.kind) for feature in FEATURES},
        **{name: str(kind) for name, kind in scores.items() if name not in UNASKED},
        NAMED: "string",
    }


def belongs(table: ir.Table, name: str, rule: SegmentSettings) -> ir.BooleanValue:
    """Who belongs to a segment.

    Parameters
    ----------
    table : ibis table
        Score rows with their behaviour (`serving.groups.ledger.together`).
    name : str
        The segment's name, for errors.
    rule : SegmentSettings

    Returns
    -------
    boolean column
        False where the condition cannot be told, as where a column is null.

    Raises
    ------
    InputError
        If a column is missing; the nearest one is named.
    SettingsError
        If the text is no such condition.
    """
    from features.opening.expressions import condition

    return condition(table, rule.where, f"segments.{name}.where").fill_null(False)


def faults(
    segments: Mapping[str, SegmentSettings], attributes: Iterable[str] = ()
) -> Iterator[str]:
    """What is wrong with the segments of the settings, before any table is there.

    Parameters
    ----------
    segments : mapping of str to SegmentSettings
    attributes : iterable of str
        Attributes of the customers source.

    Yields
    ------
    str
        A sentence for each.
    """
    if not segments:
        return
    import ibis

    from features.errors import FeaturesError

    table = ibis.table(kinds(attributes), name="scores")
    for name, rule in segments.items():
        if not _NAME.fullmatch(name):
            yield f"[segments.{name}]: name it with small letters, digits and underscores."
        if name in NAMES:
            yield f"[segments.{name}] has the name of an RFM segment; choose another."
        try:
            belongs(table, name, rule)
        except FeaturesError as error:
            yield str(error)
