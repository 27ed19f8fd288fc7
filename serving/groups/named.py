"""Named segments: the usual names of the cells of recency and frequency.

In: RFM segments as "5-4-5" (`segments`). Out: one of ``NAMES`` for each customer with a
segment. Recency and frequency decide; the spend of a segment is shown beside its name, and a rule
segment (`rules`) can ask for it.

Null rule: no RFM segment, no name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from serving.groups.segments import SEGMENTS

if TYPE_CHECKING:
    import ibis.expr.types as ir


@dataclass(frozen=True)
class Named:
    """A named segment.

    Parameters
    ----------
    name : str
    recency, frequency : tuple of int
        Scores from 1 to 5 that belong to it, every one with every one.
    words : str
        What to make of such customers.
    """

    name: str
    recency: tuple[int, ...]
    frequency: tuple[int, ...]
    words: str


#: Every cell of recency and frequency is in exactly one.
TABLE: tuple[Named, ...] = (
    Named("champions", (5,), (4, 5), "Bought just now, and often."),
    Named("loyal", (3, 4), (4, 5), "Buy often, and not long ago."),
    Named("potential_loyalists", (4, 5), (2, 3), "Bought lately, and came back."),
    Named("new", (5,), (1,), "Bought just now, as seldom as can be."),
    Named("promising", (4,), (1,), "Bought lately, as seldom as can be."),
    Named("need_attention", (3,), (3,), "In the middle of both."),
    Named("about_to_sleep", (3,), (1, 2), "Seldom, and not lately."),
    Named("cannot_lose", (1, 2), (5,), "Bought most often, and long ago."),
    Named("at_risk", (1, 2), (3, 4), "Bought often, and long ago."),
    Named("hibernating", (1, 2), (1, 2), "Seldom, and long ago."),
)
NAMES = tuple(one.name for one in TABLE)

#: Name by RFM segment, all 125 of them.
BY_RFM: Mapping[str, str] = MappingProxyType(
    {
        segment: one.name
        for segment in SEGMENTS
        for one in TABLE
        if int(segment[0]) in one.recency and int(segment[2]) in one.frequency
    }
)


def named(rfm: ir.StringColumn) -> ir.StringColumn:
    """Name of each customer's segment.

    Parameters
    ----------
    rfm : string column
        "R-F-M", or null.

    Returns
    -------
    string column
        One of ``NAMES``; null where `rfm` is.
    """
    import ibis

    cells = {segment[:3]: name for segment, name in BY_RFM.items()}
    return ibis.cases(
        *((rfm.left(3) == cell, name) for cell, name in cells.items()),
        else_=ibis.null("string"),
    )
