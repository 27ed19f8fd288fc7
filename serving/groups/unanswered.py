"""Who could not be answered in full: reasons, groups, and what data would mend it.

In: a score table and what was found of its whole population. Out: one line a reason, with the
columns that it silences, the stages of the customers, and what to do. No model is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from serving import abstention
from training.silence.unsaid import OUTSIDE, WORDS

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from training.silence.unsaid import Finding

NO_STAGE = "(none)"
_MENDS = {
    abstention.NO_PURCHASES: "A log that holds their purchases.",
    abstention.NO_NUMBER: "A longer log, or a transaction log where there is none, and `regulars "
    "train`.",
    abstention.NO_POPULATION: "A full scoring of customers who bought.",
    abstention.NO_SUBSCRIPTION: "Nothing: who has left is no subscriber.",
    abstention.NO_PRICE: "`price` in [sources.subscriptions], filled for these customers.",
    abstention.OF_PURCHASES: "Nothing: it rests on purchases, and these customers have contracts.",
}
_BEYOND = (
    "A look at these customers (resellers, test accounts, slips of the comma); if they are real, "
    "`regulars train` on a log that holds them."
)


@dataclass(frozen=True)
class Unanswered:
    """What is not said, for one reason.

    Parameters
    ----------
    reason : str
        As `abstained` has it.
    answers : tuple of str
        Columns of the score table that are not said, of any of the customers.
    customers : int
    share : float
        Of all customers, in [0, 1].
    stages : tuple of (str, int)
        Customers by stage, most first.
    mend : str
        What data would mend it.
    """

    reason: str
    answers: tuple[str, ...]
    customers: int
    share: float
    stages: tuple[tuple[str, int], ...]
    mend: str

    @property
    def is_unbacked(self) -> bool:
        """Whether the model would answer, but what it rests on is unlike the training."""
        return self.reason.startswith(tuple(WORDS.values()))

    def to_dict(self) -> dict[str, Any]:
        """The line as JSON values."""
        return asdict(self)

    def in_words(self) -> str:
        """The line in a sentence or two."""
        who = f"{self.customers:,} customer{'' if self.customers == 1 else 's'} ({self.share:.1%})"
        return f"{who}: {', '.join(self.answers)} not said: {self.reason}. {self.mend}"


def unanswered(table: ir.Table, findings: Sequence[Finding] = ()) -> tuple[Unanswered, ...]:
    """Gather what is not said in a score table.

    Parameters
    ----------
    table : ibis table
        From `serving.groups.ledger.scores`.
    findings : sequence of Finding
        Those of its thresholds.

    Returns
    -------
    tuple of Unanswered
        Most customers first, then by reason; empty where everything is said.
    """
    from features.compat import arrow

    counted = table.group_by(["abstained", "stage"]).aggregate(customers=table.count())
    rows = arrow(counted).to_pylist()
    everybody = sum(row["customers"] for row in rows)
    advice = {
        one.in_brief(): f"{one.seen}; expected {one.expected}. {one.advice}" for one in findings
    }
    gathered: dict[str, tuple[set[str], dict[str, int]]] = {}
    for row in rows:
        for reason, names in _parts(row["abstained"]):
            answers, stages = gathered.setdefault(reason, (set(), {}))
            answers.update(names)
            stage = row["stage"] or NO_STAGE
            stages[stage] = stages.get(stage, 0) + row["customers"]
    lines = [
        Unanswered(
            reason,
            tuple(name for name in abstention.ANSWERS if name in answers),
            sum(stages.values()),
            sum(stages.values()) / everybody,
            tuple(sorted(stages.items(), key=lambda item: (-item[1], item[0]))),
            advice.get(reason) or _mend(reason),
        )
        for reason, (answers, stages) in gathered.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.customers, line.reason)))


def of_file(path: Any) -> tuple[Unanswered, ...]:
    """Gather what is not said in a score table's file.

    Parameters
    ----------
    path : Path
        Parquet file that a full scoring wrote.

    Returns
    -------
    tuple of Unanswered

    Raises
    ------
    ScoreTableError
        If it is missing or no score table.
    """
    from features.opening import connection
    from serving import scores
    from serving.groups import ledger

    findings = scores.read_meta(path).thresholds.findings
    return unanswered(ledger.scores(connection.duckdb(), path), findings)


def causes(abstained: Mapping[str, int], names: Collection[str]) -> tuple[str, ...]:
    """Why some columns are not said.

    Parameters
    ----------
    abstained : mapping of str to int
        Texts of ``abstained``, and how many customers have each.
    names : collection of str
        The columns.

    Returns
    -------
    tuple of str
        Reasons, that of the most customers first.

    Examples
    --------
    >>> causes({"no price on record: clv": 3, "source stale (events): clv, tier": 9}, ["clv"])
    ('source stale (events)', 'no price on record')
    """
    found: dict[str, int] = {}
    for text, customers in abstained.items():
        for reason, silenced in _parts(text):
            if set(silenced) & set(names):
                found[reason] = found.get(reason, 0) + customers
    return tuple(sorted(found, key=lambda reason: (-found[reason], reason)))


def _parts(abstained: str | None) -> list[tuple[str, list[str]]]:
    """Reasons of one text with their columns."""
    parts = [part.rpartition(": ") for part in (abstained or "").split("; ") if part]
    return [(reason, names.split(", ")) for reason, _, names in parts]


def _mend(reason: str) -> str:
    if reason.startswith(WORDS[OUTSIDE]):
        return _BEYOND
    return _MENDS.get(reason, "The data as they were when the model was trained.")
