"""What became of the rows of a source, counted in one pass over the judged rows.

Besides the counts there are notes: what was accepted but may not be what was meant, and an
example of what could not be read.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from features import ends
from features.compat import arrow
from features.contracts.contract import DUPLICATE, MALFORMED, REASONS
from features.contracts.specimens import has_other_sign, measures, sentences, specimens
from features.inputs import SourceReport
from features.kinds import unread

if TYPE_CHECKING:
    import ibis.expr.types as ir


def report(
    source: str,
    judged: ir.Table,
    settings: Any,
    *,
    malformed: int = 0,
    commas: Container[str] = (),
) -> SourceReport:
    """Count the judged rows of a source.

    Parameters
    ----------
    source : str
        ``transactions``, ``customers``, ``events``, ``subscriptions`` or ``treatments``.
    judged : ibis table
        As `features.contracts.contract` leaves it, materialised.
    settings : a section of `features.settings.Sources`
    malformed : int
        Lines that did not fit their header.
    commas : container of str
        Columns whose text has a decimal comma.

    Returns
    -------
    SourceReport
    """
    looked = specimens(judged, settings, key=f"sources.{source}", commas=commas)
    asked = _measures(judged, settings, commas) | measures(judged, looked)
    found = arrow(judged.aggregate(**asked)).to_pylist()[0]
    # Spark counts null where there is nothing to count.
    counts = {name: 0 if value is None else value for name, value in found.items()}
    if source == "customers" and counts["read"]:
        counts["differing"] = _differing(judged)
    rejected = {r: counts[f"rejected_{place}"] for place, r in enumerate(REASONS)}
    rejected[MALFORMED] += malformed
    rejected = {reason: rows for reason, rows in rejected.items() if rows}
    advice = sentences(looked, found)
    notes = [*advice.values(), *_notes(source, counts, rejected, settings)]
    if source == "events" and (others := unread(judged.filter(judged.reason_.isnull()))):
        notes.append(others)
    if source == "subscriptions":
        notes += _of_subscriptions(judged.filter(judged.reason_.isnull()), counts, settings)
    return SourceReport(
        source=source,
        read=counts["read"] + malformed,
        accepted=counts["accepted"],
        rejected=MappingProxyType(rejected),
        notes=tuple(notes),
        advice=MappingProxyType(advice),
        first_day=found.get("first_day"),
        last_day=found.get("last_day"),
        customers=counts["customers"],
    )


def _measures(judged: ir.Table, settings: Any, commas: Container[str]) -> dict[str, Any]:
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
        last = judged.last_ if "last_" in judged.columns else judged.day
        measures["last_day"] = last.max(where=accepted)
        measures["zoned"] = judged.count(where=accepted & judged.zoned_)
    if "amount" in judged.columns:
        measures["positive"] = judged.count(where=accepted & (judged.amount > 0))
    if "margin" in judged.columns:
        measures["stated"] = judged.margin.count(where=accepted)
        paid = judged.amount if "amount" in judged.columns else judged.price
        measures["above"] = judged.count(where=accepted & (paid > 0) & (judged.margin > paid))
    if not getattr(settings, "deduplicate", True):
        measures["distinct"] = judged.row_.nunique(where=accepted)
    if "end" in judged.columns:
        measures["running"] = judged.count(where=accepted & judged.end.isnull())
        measures["priced"] = judged.price.count(where=accepted)
    if "churned" in judged.columns:
        measures["labelled"] = judged.churned.count(where=accepted)
    for place, name in enumerate(getattr(settings, "attributes", ())):
        values = judged[f"attribute_{name}"]
        if values.type().is_string():
            there = accepted & values.notnull()
            other = there & has_other_sign(values, comma=name in commas)
            measures[f"differs_{place}"] = other.any() & ~(there & ~other).any()
    return measures


def _differing(judged: ir.Table) -> int:
    """Count the ids that stand on rows that differ."""
    known = judged.filter(judged.reason_.isnull() | (judged.reason_ == DUPLICATE))
    by_id = known.group_by("customer_id").aggregate(rows_=known.row_.nunique())
    return int(arrow(by_id.filter(by_id.rows_ > 1).count().as_table())[0][0].as_py())


def _notes(
    source: str,
    counts: Mapping[str, Any],
    rejected: Mapping[str, int],
    settings: Any,
) -> list[str]:
    notes = []
    if "distinct" in counts and (repeats := counts["accepted"] - counts["distinct"]):
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
    if "stated" in counts:
        notes += _of_margins(source, counts)
    if DUPLICATE in rejected and (differing := counts.get("differing")):
        notes.append(
            f"{_counted(differing, 'repeated customer')} with rows that differ: "
            "one of the rows was kept."
        )
    missing_labels = counts["accepted"] - counts.get("labelled", counts["accepted"])
    if source == "customers" and settings.label is not None and missing_labels:
        notes.append(f"{_counted(missing_labels, 'customer')} without a label.")
    return notes + _attributes_as_text(counts, settings)


def _of_margins(source: str, counts: Mapping[str, Any]) -> list[str]:
    """What a person should know of margins that were accepted."""
    notes, paid, row, costs = [], "amount", "row", "the cost of the goods"
    if source == "subscriptions":
        paid, row, costs = "price", "term", "its costs"
    if without := counts["accepted"] - counts["stated"]:
        notes.append(f"{_counted(without, 'row')} without a margin.")
    if counts["above"]:
        notes.append(
            f"{_counted(counts['above'], 'row')} with a margin above the {paid}; `margin` is what "
            f"a {row} leaves after {costs}, and not the cost."
        )
    return notes


def _of_subscriptions(accepted: ir.Table, counts: Mapping[str, Any], settings: Any) -> list[str]:
    """What a person should know of subscriptions that were accepted."""
    notes = []
    if counts["accepted"] and settings.rows == "subscription" and not counts["running"]:
        notes.append(
            "Every subscription has an end: if that is the day up to which it is paid, set "
            'rows = "period".'
        )
    without = counts["accepted"] - counts["priced"]
    if settings.price is not None and without:
        notes.append(f"{_counted(without, 'row')} without a price.")
    if settings.end_reason is not None and (others := ends.unread(accepted)):
        notes.append(others)
    return notes


def _attributes_as_text(counts: Mapping[str, Any], settings: Any) -> list[str]:
    """Attributes that would be numbers with the other decimal sign."""
    sign = "without decimal" if settings.decimal == "," else "with decimal"
    return [
        f'{name!r} is read as text; {sign} = "," in [sources.customers] it would be numbers.'
        for place, name in enumerate(getattr(settings, "attributes", ()))
        if counts.get(f"differs_{place}")
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
