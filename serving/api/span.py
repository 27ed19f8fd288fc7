"""Days of one's own that purchases and spend are asked about, in place of a horizon.

In: `from` and `until` of a request. Out: the days, or what is wrong with them; and what a score row
says of them. Neighbouring spans add up; an interval is told of none, as what past windows missed
was measured from the as-of date on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from serving.api.failures import Failure
from serving.api.messages import ValueRequest

if TYPE_CHECKING:
    import pandas as pd

#: The last day ends this many days after as-of, at most; the longest horizon that can be asked.
FURTHEST = 730
#: Figures of a score row that are of the days.
FIGURES = ("expected_purchases", "expected_spend")
NOTE = (
    "expected_purchases and expected_spend are of these days, and those of neighbouring spans add "
    "up. Their intervals are null: what past windows missed is known from as_of on only."
)


@dataclass(frozen=True)
class Days:
    """The days [start, until).

    Parameters
    ----------
    start, until : date
        as_of <= start < until.
    """

    start: date
    until: date

    def told(self) -> dict[str, Any]:
        """As `messages.Span`."""
        return {"from": self.start, "until": self.until, "note": NOTE}


def of(request: ValueRequest, as_of: date) -> Days | None:
    """The days of a request.

    Parameters
    ----------
    request : ValueRequest
    as_of : date
        Of the score table.

    Returns
    -------
    Days or None
        None where the request names none.

    Raises
    ------
    Failure
        400 for one end without the other or a horizon beside them, for days in the past or in no
        order, and for an end beyond `FURTHEST`.
    """
    start, until = request.start, request.until
    if start is None and until is None:
        return None
    if start is None or until is None:
        raise Failure(400, "Got one of from and until; expected both, or neither.")
    if request.horizon_days is not None:
        raise Failure(400, "Got horizon_days beside from and until; expected one or the other.")
    if not as_of <= start < until:
        raise Failure(
            400,
            f"Got days that do not lie ahead in order; expected {as_of} <= from < until: what came "
            "before is on record, not expected.",
        )
    if until > (last := as_of + timedelta(days=FURTHEST)):
        raise Failure(400, f"until is more than {FURTHEST} days ahead; expected {last} or earlier.")
    return Days(start, until)


def put(rows: dict[str, dict[str, Any]], customers: pd.Series, figures: pd.DataFrame) -> None:
    """Put the figures of days in the place of those of a horizon.

    Parameters
    ----------
    rows : dict of str to dict
        Score rows by customer; changed. What is null there stays so, and intervals become it.
    customers : pandas.Series
        Ids of the rows of `figures`.
    figures : pandas.DataFrame
        `FIGURES` of the days, as `training.scorer.Scorer.between` gives them.
    """
    for name in FIGURES:
        for one, figure in zip(customers, figures[name].tolist(), strict=True):
            row = rows[one]
            row[name] = None if row[name] is None else figure
            row[f"{name}_lower"] = row[f"{name}_upper"] = None
