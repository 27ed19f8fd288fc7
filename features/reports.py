"""What became of the rows of a source, counted in one pass over the judged rows.

Besides the counts there are notes: what was accepted but may not be what was meant, and an
example of what could not be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from features.compat import arrow
from features.contract import (
    DUPLICATE,
    MALFORMED,
    REASONS,
    UNPARSEABLE_AMOUNT,
    UNPARSEABLE_DATE,
    UNPARSEABLE_VALUE,
    UNREADABLE_LABEL,
)
from features.inputs import SourceReport

if TYPE_CHECKING:
    import ibis.expr.types as ir

_EXAMPLES = {
    UNPARSEABLE_DATE: (
        "timestamp",
        "Expected an ISO date such as 2024-03-31 or a timestamp_format.",
    ),
    UNPARSEABLE_AMOUNT: ("amount", "Expected a plain number such as 1234.50."),
    UNPARSEABLE_VALUE: ("value", "Expected a plain number such as 4 or 4.5."),
    UNREADABLE_LABEL: ("label", "Expected yes or no (also true/false, 1/0, y/n)."),
}


def report(source: str, judged: ir.Table, settings: Any, *, malformed: int = 0) -> SourceReport:
    """Count the judged rows of a source.

    Parameters
    ----------
    source : str
        ``transactions``, ``customers`` or ``events``.
    judged : ibis table
        As `features.contract` leaves it, materialised.
    settings : TransactionsSource, CustomersSource or EventsSource
    malformed : int
        Lines that did not fit their header.

    Returns
    -------
    SourceReport
    """
    found = arrow(judged.aggregate(**_measures(judged, settings))).to_pylist()[0]
    # Spark counts null where there is nothing to count.
    counts = {name: 0 if value is None else value for name, value in found.items()}
    if source == "customers" and counts["read"]:
        counts["differing"] = _differing(judged)
    rejected = {r: counts[f"rejected_{place}"] for place, r in enumerate(REASONS)}
    rejected[MALFORMED] += malformed
    rejected = {reason: rows for reason, rows in rejected.items() if rows}
    return SourceReport(
        source=source,
        read=counts["read"] + malformed,
        accepted=counts["accepted"],
        rejected=MappingProxyType(rejected),
        notes=tuple(_notes(source, counts, rejected, settings)),
        first_day=found.get("first_day"),
        last_day=found.get("last_day"),
        customers=counts["customers"],
    )


def _measures(judged: ir.Table, settings: Any) -> dict[str, Any]:
    accepted = judged.reason_.isnull()
    measures: dict[str, Any] = {
        "read": judged.count(),
        "accepted": judged.count(where=accepted),
        "customers": judged.customer_id.nunique(where=accepted),
    }
    for place, reason in enumerate(REASONS):
        measures[f"rejected_{place}"] = judged.count(where=judged.reason_ == reason)
    if "day" in judged.columns:
        measures["first_day"] = judged.day.min(where=accepted)
        measures["last_day"] = judged.day.max(where=accepted)
        measures["zoned"] = judged.count(where=accepted & judged.zoned_)
    if "amount" in judged.columns:
        measures["positive"] = judged.count(where=accepted & (judged.amount > 0))
        if not settings.deduplicate:
            measures["distinct"] = judged.row_.nunique()
    if "churned" in judged.columns:
        measures["labelled"] = judged.churned.count(where=accepted)
    return measures | _example_measures(judged, settings)


def _differing(judged: ir.Table) -> int:
    """Count the ids that stand on rows that differ."""
    known = judged.filter(judged.reason_.isnull() | (judged.reason_ == DUPLICATE))
    by_id = known.group_by("customer_id").aggregate(rows_=known.row_.nunique())
    return int(arrow(by_id.filter(by_id.rows_ > 1).count().as_table())[0][0].as_py())


def _example_measures(judged: ir.Table, settings: Any) -> dict[str, Any]:
    """Smallest value, as text, of each kind that could not be read."""
    found = {}
    for place, (reason, (setting, _)) in enumerate(_EXAMPLES.items()):
        name = getattr(settings, setting, None)
        if name in judged.raw_.type().names:
            written = judged.raw_[name].cast("string")
            found[f"example_{place}"] = written.min(where=judged.reason_ == reason)
    return found


def _notes(
    source: str,
    counts: Mapping[str, Any],
    rejected: Mapping[str, int],
    settings: Any,
) -> list[str]:
    notes = []
    for place, (reason, (setting, expected)) in enumerate(_EXAMPLES.items()):
        if reason in rejected and (example := counts.get(f"example_{place}")):
            name = getattr(settings, setting)
            notes.append(f"{name!r} holds for instance {example[:60]!r}. {expected}")
    if "distinct" in counts and (repeats := counts["read"] - counts["distinct"]):
        notes.append(
            f"{_counted(repeats, 'exact repeat')} of other rows kept; "
            "set deduplicate = true if they are errors."
        )
    zoned = counts.get("zoned", 0)
    if 0 < zoned < counts["accepted"]:
        notes.append(
            f"{_counted(zoned, 'moment')} with a zone and "
            f"{_counted(counts['accepted'] - zoned, 'moment')} without; "
            "those without were taken as business local time."
        )
    if counts["accepted"]:
        notes += _doubts(source, counts, rejected, settings)
    return notes


def _doubts(
    source: str, counts: Mapping[str, Any], rejected: Mapping[str, int], settings: Any
) -> list[str]:
    notes = []
    if counts.get("positive") == 0:
        notes.append("No accepted row has a positive amount: there are only refunds.")
    if source != "customers" and counts["customers"] == 1:
        notes.append("All accepted rows belong to one customer.")
    if DUPLICATE in rejected and (differing := counts.get("differing")):
        notes.append(
            f"{_counted(differing, 'repeated customer')} with rows that differ: "
            "one of the rows was kept."
        )
    missing_labels = counts["accepted"] - counts.get("labelled", counts["accepted"])
    if source == "customers" and settings.label is not None and missing_labels:
        notes.append(f"{_counted(missing_labels, 'customer')} without a label.")
    return notes


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
