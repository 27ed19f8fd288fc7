"""The data report: what the sources hold, and whether that is enough for each question."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.inputs import Inputs, SourceReport
from regulars import doubts, jobs, tables

if TYPE_CHECKING:
    from rich.table import Table

    from features.contracts.losses import Obstacle
    from features.store import Store
    from regulars.doubts import Doubts
    from regulars.settings import Settings
    from training.readiness import Answer


@dataclass(frozen=True)
class DataReport:
    """What the sources hold, and what can be answered from them.

    Parameters
    ----------
    sources : tuple of SourceReport
        One for each source.
    as_of : date
        The day after the last accepted row.
    customers, returned : int
        Customers with an occasion, and those of them with a second one; 0 without a log.
    answers : tuple of Answer
        Question by question.
    rejects : Path
        Folder with the rejected rows.
    obstacle : Obstacle or None
        Why nothing should be answered from these rows, however many they are.
    doubts : Doubts or None
        How fresh the sources are, and whom the last scores do not answer.
    """

    sources: tuple[SourceReport, ...]
    as_of: date
    customers: int
    returned: int
    answers: tuple[Answer, ...]
    rejects: Path
    obstacle: Obstacle | None = None
    doubts: Doubts | None = None

    @property
    def repeat_rate(self) -> float | None:
        """Share of the customers that came back, in [0, 1]; None without customers."""
        return self.returned / self.customers if self.customers else None

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for machines."""
        return {
            "as_of": self.as_of.isoformat(),
            "sources": [
                vars(source) | {"rejected": dict(source.rejected), "advice": dict(source.advice)}
                for source in self.sources
            ],
            "customers": self.customers,
            "returned": self.returned,
            "repeat_rate": self.repeat_rate,
            "answers": [asdict(answer) for answer in self.answers],
            "rejects": str(self.rejects),
            "obstacle": None if self.obstacle is None else str(self.obstacle),
            **({} if self.doubts is None else self.doubts.to_dict()),
        }


def make(inputs: Inputs, settings: Settings, as_of: date, rejects: Path) -> DataReport:
    """Count what matters for the questions and assess it.

    Parameters
    ----------
    inputs : Inputs
        Accepted rows and the reports of their sources.
    settings : Settings
        Rule, horizon and sources.
    as_of : date
        The day after the last accepted row.
    rejects : Path
        Folder with the rejected rows.

    Returns
    -------
    DataReport
    """
    customers, returned = _returned(inputs, as_of)
    told = _assessed(inputs, settings, as_of, customers, returned)
    obstacle = jobs.obstacle(settings, inputs)
    if obstacle is not None:
        # Enough rows of the wrong kind are not enough.
        told = tuple(replace(one, ready=False, why=obstacle.why) for one in told)
    found = doubts.find(settings, inputs, as_of)
    return DataReport(inputs.reports, as_of, customers, returned, told, rejects, obstacle, found)


def keep(report: DataReport, store: Store) -> None:
    """Leave the report in the store, whole or not at all, where the workbench shows it.

    Parameters
    ----------
    report : DataReport
    store : Store
    """
    from features.store import write_text

    told = json.dumps(report.to_dict(), default=str, allow_nan=False, ensure_ascii=False)
    write_text(store.report(), told)


def sources(report: DataReport) -> Table:
    """What was read from each source."""
    rows = [
        (
            source.source,
            source.read,
            source.accepted,
            sum(source.rejected.values()),
            source.customers,
            source.first_day,
            source.last_day,
        )
        for source in report.sources
    ]
    heads = ("source", "rows read", "accepted", "rejected", "customers", "first day", "last day")
    return tables.table("What was read", heads, rows)


def rejected(report: DataReport) -> Table | None:
    """Why rows were rejected, most frequent first; None when none was."""
    rows = [
        (source.source, reason, number)
        for source in report.sources
        for reason, number in sorted(source.rejected.items(), key=lambda item: -item[1])
    ]
    return tables.table("What was rejected", ("source", "reason", "rows"), rows) if rows else None


def answers(report: DataReport) -> Table:
    """Whether there is enough for each question, and why not."""
    rows = [(answer.question, answer.ready, answer.why) for answer in report.answers]
    return tables.table("What can be answered", ("question", "enough", "why"), rows)


def repeat_rate(report: DataReport) -> str | None:
    """How many customers came back, in a sentence; None without customers."""
    if report.repeat_rate is None:
        return None
    return (
        f"{report.returned:,} of {report.customers:,} customers came back at least once "
        f"({report.repeat_rate:.0%})."
    )


def _assessed(
    inputs: Inputs, settings: Settings, as_of: date, customers: int, returned: int
) -> tuple[Answer, ...]:
    """Whether there is enough for the questions of the churn rule."""
    horizon_days = settings.churn.horizon_days
    if settings.churn.rule == "label":
        return (_labels(inputs, settings, as_of),)
    if settings.churn.rule == "subscription":
        from training.subscriptions import readiness as retention

        return retention.assess(inputs.subscriptions, as_of=as_of, horizon_days=horizon_days)
    from training import readiness

    first = {report.source: report.first_day for report in inputs.reports}.get("transactions")
    return readiness.assess(
        first_day=first or as_of,
        as_of=as_of,
        customers=customers,
        repeat_customers=returned,
        horizon_days=horizon_days,
    )


def _returned(inputs: Inputs, as_of: date) -> tuple[int, int]:
    """Customers with an occasion before a date, and those with two or more."""
    from features.occasions import occasions

    if inputs.transactions is None:
        return 0, 0
    days = occasions(inputs.transactions, as_of)
    bought = days.filter(days.is_occasion)
    each = bought.group_by("customer_id").aggregate(occasions=bought.count())
    counted = each.aggregate(all=each.count(), again=each.count(where=each.occasions > 1))
    found = counted.to_pyarrow().to_pylist()[0]
    return found["all"], found["again"]


def _labels(inputs: Inputs, settings: Settings, as_of: date) -> Answer:
    """Whether enough customers of either fate are labelled, and which columns know the answer."""
    from training.labels.label_snapshot import MIN_PER_CLASS
    from training.readiness import Answer

    listed = inputs.customers
    assert listed is not None  # noqa: S101 - the settings of this rule need the source
    known = listed.aggregate(
        left=listed.count(where=listed.churned), stayed=listed.count(where=~listed.churned)
    )
    found = known.to_pyarrow().to_pylist()[0]
    told = f"{found['left']:,} labelled customers left and {found['stayed']:,} stayed"
    if min(found.values()) < MIN_PER_CLASS:
        return Answer("risk", False, f"{told}; it takes {MIN_PER_CLASS} of each")
    return Answer("risk", True, f"{told}: enough to learn from{_leaks(inputs, settings, as_of)}")


def _leaks(inputs: Inputs, settings: Settings, as_of: date) -> str:
    """What training will say of attributes that know the answer, behind a full stop."""
    from features.catalogue import ATTRIBUTE
    from training.labels import leaks

    listed = inputs.customers
    assert listed is not None  # noqa: S101 - as above
    names = [name for name in listed.columns if name.startswith(ATTRIBUTE)]
    rows = listed.filter(listed.churned.notnull()).order_by("customer_id")
    frame = rows.select(*names, "churned").to_pyarrow().to_pandas()
    said = leaks.find(frame[names], frame["churned"].astype(int), as_of, settings.churn.keep)
    return "".join(f". {sentence.rstrip('.')}" for sentence in said.sentences())
