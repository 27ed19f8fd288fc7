"""What cannot be said, and why: findings about a whole table, each with the answers it silences.

In: the freshness of the sources and the shape of a table of behaviour rows, beside the scorer that
is asked. Out: findings, the gravest first; each names what was seen, what was expected and what to
do, and the columns of the score table that rest on it. A finding silences an answer only if the
model that gives it reads what the finding is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from features.freshness import Freshness

SOURCE_STALE = "source_stale"
COLUMN_MISSING = "column_missing"
AMOUNTS_CHANGED = "amounts_changed"
OUTSIDE = "outside_training_range"

#: The reasons in words, the gravest first; `outside_training_range` is of single customers.
WORDS: Mapping[str, str] = MappingProxyType(
    {
        SOURCE_STALE: "source stale",
        COLUMN_MISSING: "column missing",
        AMOUNTS_CHANGED: "amounts changed",
        OUTSIDE: "outside training range",
    }
)

RISK = ("churn_probability", "return_probability")
SPEND = ("expected_spend", "clv")
FIGURES = ("expected_purchases", *SPEND)
ALIVE = ("p_alive",)
#: What is told from the last purchase on record, or the last renewal, as if it were the last.
STAGE = "stage"
NEXT = "next_purchase_by"
STANDING = (NEXT, STAGE)
#: What the value model reads: the counts for everything, the amounts for spend alone.
COUNTS = frozenset({"frequency", "recency", "T"})
AMOUNTS = frozenset({"monetary_value", "subscription_price"})
#: What the rates of customers are reckoned from, where the log states margins.
MARGINS = frozenset({"margin_total", "margin_spend"})
TERM_MARGINS = frozenset({"subscription_margin"})
#: What the retention of plans reads, whether or not trees speak too.
RENEWALS = frozenset(
    {
        "subscription_plan",
        "subscription_renewals",
        "subscription_term_days",
        "subscription_days_to_renewal",
    }
)
# Families of the sources; every other one comes from the log.
_SOURCES: Mapping[str, str] = MappingProxyType(
    {"care": "events", "attributes": "customers", "subscription": "subscriptions"}
)
_NAMED = 3


@dataclass(frozen=True)
class Finding:
    """Something about a whole table that a model cannot work with.

    Parameters
    ----------
    reason : str
        A key of `WORDS`.
    subject : str
        The source or the columns, in words.
    columns : tuple of str
        Columns of the behaviour table that it is about.
    seen, expected, advice : str
        What there is, what the past lets one expect, and what to do.
    answers : tuple of str
        Columns of the score table that are not said.
    """

    reason: str
    subject: str
    columns: tuple[str, ...]
    seen: str
    expected: str
    advice: str
    answers: tuple[str, ...] = ()

    def in_brief(self) -> str:
        """Reason and subject, as the score table names them."""
        return f"{WORDS[self.reason]} ({self.subject})"

    def in_words(self) -> str:
        """What was seen, what was expected and what to do."""
        return f"{self.in_brief()}: {self.seen}; expected {self.expected}. {self.advice}"

    def to_dict(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Finding:
        """Read what `to_dict` gave."""
        lists = {name: tuple(given[name]) for name in ("columns", "answers")}
        return cls(**{**given, **lists})


def find(
    scorer: Any, frame: pd.DataFrame, freshness: Sequence[Freshness] = ()
) -> tuple[Finding, ...]:
    """Find what a scorer cannot back of a whole population.

    Parameters
    ----------
    scorer : Scorer or SubscriptionScorer
        Whose ``shape`` tells what its training looked like, where it has one.
    frame : pandas.DataFrame
        Behaviour rows of all customers.
    freshness : sequence of Freshness
        Of the sources, at the date of the rows.

    Returns
    -------
    tuple of Finding
        The gravest first, with the answers that rest on each; without those that none rests on.
    """
    shape = getattr(scorer, "shape", None)
    found = [_stale(one, frame.columns, scorer) for one in freshness if one.is_stale]
    if shape is not None and len(frame):
        told = shape.compare(frame)
        found += [replace(one, answers=answers_of(scorer, one.columns)) for one in told]
    return tuple(one for one in found if one.answers)


def answers_of(scorer: Any, columns: Iterable[str]) -> tuple[str, ...]:
    """Columns of the score table that rest on columns of the behaviour table.

    Parameters
    ----------
    scorer : Scorer or SubscriptionScorer
    columns : iterable of str
        Columns of the behaviour table.

    Returns
    -------
    tuple of str
        In the order of the score table. A blend gives every figure but ``p_alive``, a learner
        under the label rule the risk alone, and the value model the rest.
    """
    asked, subscribed = set(columns), getattr(scorer, "rule", None) == "subscription"
    read = asked & set(getattr(scorer, "families", {}))
    if subscribed:
        read |= asked & RENEWALS
    learnt = FIGURES if getattr(scorer, "speaker", "") in ("blend", "hazard", "sbg") else ()
    told: set[str] = set()
    if read:
        told |= {*RISK, *learnt}
    if getattr(scorer, "value", None) is not None:
        # Its return probability speaks, or is among what the learners read.
        told |= {*RISK, *ALIVE, *FIGURES, NEXT} if asked & COUNTS else set()
        told |= {*SPEND} if asked & AMOUNTS else set()
    if getattr(scorer, "margins", None) is not None:
        told |= {"clv"} if asked & (TERM_MARGINS if subscribed else MARGINS) else set()
    if subscribed:
        told |= {*SPEND} if asked & AMOUNTS else set()
        # Their stage goes by the risk.
        told |= {STAGE} if read else set()
    return _ordered(told)


def _ordered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in (*RISK, *ALIVE, *FIGURES, *STANDING) if name in {*names})


def source_of(column: str) -> str:
    """Source that a column of the behaviour table comes from; empty for any other column."""
    from features.catalogue import family_of

    try:
        return _SOURCES.get(family_of(column), "transactions")
    except KeyError:
        return ""


def columns_of(source: str, columns: Iterable[str]) -> tuple[str, ...]:
    """Those of some columns that come from a source."""
    return tuple(name for name in columns if source_of(name) == source)


def named(columns: Sequence[str]) -> str:
    """The first few of some columns, and how many more there are."""
    more = len(columns) - _NAMED
    return ", ".join(columns[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _stale(fresh: Freshness, columns: Iterable[str], scorer: Any) -> Finding:
    source = fresh.source
    advice = f"Bring the {source} up to the as-of date, or ask as of the day after their last row."
    about = columns_of(source, columns)
    answers = answers_of(scorer, about)
    subscribed = getattr(scorer, "rule", None) == "subscription"
    if source == ("subscriptions" if subscribed else "transactions"):
        answers = _ordered((*answers, *STANDING))
    return Finding(SOURCE_STALE, source, about, fresh.seen(), fresh.expected(), advice, answers)
