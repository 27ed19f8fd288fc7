"""Every column of the score table in words: unit, range, meaning, and when it is null.

The one place where a column is described: the OpenAPI document shows these words, and
`serving.handbook` makes docs/scores.md of them. In: nothing. Out: ``COLUMNS``, in the order of
the table, and ``REASON``, the parts of a reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS
from serving.insight.reasons import LOWERS, RAISES, TOP


@dataclass(frozen=True)
class Column:
    """One column of the score table.

    Parameters
    ----------
    name : str
    unit : str
        ``days``, ``currency``, ``probability``, ...; empty for words.
    low, high : float or None
        Smallest and greatest value, both allowed; None for no bound.
    meaning : str
        Plain words.
    null : str
        When it is null, going on from "null"; empty for never.
    words : tuple of str
        All that a column of words can hold; empty for any text.
    """

    name: str
    unit: str
    low: float | None
    high: float | None
    meaning: str
    null: str = ""
    words: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Meaning and null rule."""
        return f"{self.meaning} Null {self.null}." if self.null else self.meaning


_NO_NUMBER = "where the model gives no number"
_NO_PURCHASE = "without a purchase on record"
_NO_VALUE = f"{_NO_PURCHASE}, and {_NO_NUMBER}"
_NO_INTERVAL = (
    "where the figure is, and where no past window tells how far outcomes lie from predictions"
)


def _text(name: str, meaning: str, null: str = "", words: tuple[str, ...] = ()) -> Column:
    return Column(name, "", None, None, meaning, null, words)


def _probability(name: str, meaning: str, null: str) -> Column:
    return Column(name, "probability", 0, 1, meaning, null)


def _bounded(name: str, unit: str, meaning: str, low: float | None = 0) -> tuple[Column, ...]:
    """A figure with the ends of its prediction interval."""
    ends = (
        Column(
            f"{name}_{end}",
            unit,
            low,
            None,
            f"{side} end of the 80 % prediction interval: what comes of such customers lies in it "
            "in eight of ten cases. It begins at 0 for those who may well buy nothing; where "
            "nearly all do nothing it ends there too, although a few keep the expectation above. "
            f"`{name}` is a mean, and can lie outside.",
            f"{_NO_PURCHASE}, and {_NO_INTERVAL}",
        )
        for end, side in (("lower", "Lower"), ("upper", "Upper"))
    )
    return (Column(name, unit, low, None, meaning, _NO_VALUE), *ends)


def _listed(words: tuple[str, ...]) -> str:
    quoted = [f"`{word}`" for word in words]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"


COLUMNS: tuple[Column, ...] = (
    _text("customer_id", "The customer, as in the source."),
    _text(
        "as_of",
        "What happened before this day, where the business is, was known; what happens from this "
        "day on is predicted.",
    ),
    Column(
        "horizon_days",
        "days",
        1,
        730,
        "Length of the window, from `as_of` on, that risk, purchases and spend are predicted for.",
    ),
    _probability(
        "churn_probability",
        "Chance that the customer leaves: no purchase within the horizon; under the rule "
        "`subscription` that the subscription ends in it and is not renewed in the grace; under "
        "the rule `label` what the label says.",
        _NO_NUMBER,
    ),
    *(
        _probability(
            f"churn_probability_{end}",
            f"{side} end of the 80 % confidence interval of `churn_probability`: where the rate "
            "of customers alike is taken to lie in eight of ten windows, by what past windows and "
            "kinds of customers in them did; the luck of a few customers comes on top.",
            _NO_INTERVAL,
        )
        for end, side in (("lower", "Lower"), ("upper", "Upper"))
    ),
    _probability(
        "return_probability",
        "1 − `churn_probability`: chance of at least one purchase within the horizon or, under "
        "the rules `subscription` and `label`, to stay.",
        _NO_NUMBER,
    ),
    _probability(
        "p_alive",
        "P(alive) of the value model: chance that the customer is still one at all, however "
        "seldom it buys. Under BG/NBD it is 1 for everyone who bought once only, so it is no "
        "ranking of who will buy: for that there is `return_probability`, which a blend of models "
        "gives and which may be higher.",
        f"{_NO_VALUE}; always of subscribers",
    ),
    *_bounded(
        "expected_purchases",
        "occasions",
        "Days with a purchase that are expected within the horizon; of subscribers, renewals that "
        "are paid.",
    ),
    *_bounded(
        "expected_spend",
        "currency",
        "Revenue that is expected within the horizon, refunds taken off; of subscribers, that of "
        "the subscription at today's price.",
    ),
    *_bounded(
        "clv",
        "currency",
        "Customer lifetime value: profit, not revenue, that is expected over `clv_horizon_days` "
        "from `as_of` on. Spend times `margin_rate`, later money discounted; below zero for a "
        "customer who is sold to at a loss.",
        None,
    ),
    Column("clv_horizon_days", "days", 1, 3650, "Length of the window of `clv`, from `as_of` on."),
    Column(
        "margin_rate",
        "share",
        None,
        None,
        "Share of the customer's spend that is profit. Where the transactions state a margin, the "
        "customer's own rate as far as its purchases are enough to tell, drawn to the rate of the "
        "business by as much as they are not; where the subscriptions do, the margin of the term "
        "over its price, or that of the plan; else the `margin` of [value].",
    ),
    Column(
        "potential_value",
        "currency",
        None,
        None,
        "What the customer could be worth: the `clv` that the best tenth of the customers with a "
        "similar start reach, at least the own one. The distance to `clv` is the room to grow.",
        "where `clv` is null, and of subscribers who buy nothing besides",
    ),
    _text(
        "next_purchase_by",
        "Day by which the next purchase is as likely as not to have come, of customers alike who "
        "come back within 365 days at all; whether they do is `return_probability`. By the value "
        "model; where there is none, the day at which the own rhythm has it due, which lies before "
        "`as_of` for overdue customers. Of subscribers, the day of the next renewal.",
        f"{_NO_PURCHASE}, and where the model gives no return",
    ),
    _probability(
        "involuntary_probability",
        "Of subscribers, the part of `churn_probability` that is a payment that fails: the share "
        "of past ends that was, told apart for those to whom it had happened before. It needs a "
        "new way to pay, not an argument.",
        "under other rules, and where no past end has a reason",
    ),
    Column(
        "expected_months",
        "months",
        0,
        None,
        "Of subscribers, months that the subscription is expected to run on within "
        "`clv_horizon_days`: at most all of them.",
        "under other rules, and without a running subscription",
    ),
    _text(
        "stage",
        f"{_listed(STAGES)}: where the customer is, measured against its own rhythm or, of "
        "subscribers, its renewals.",
        _NO_PURCHASE,
        STAGES,
    ),
    _text(
        "tier",
        f"{_listed(TIERS)}: how much of the expected profit the customer holds, or could.",
        "where `clv` is null",
        TIERS,
    ),
    _text(
        "rfm",
        "Recency, frequency and net spend to date, each from 1 to 5 by fifths of the customers, "
        "as 5-4-5; 5 is best.",
        _NO_PURCHASE,
    ),
    _text(
        "reasons",
        f"What moves the risk most, heaviest first, {TOP} at most: how the customer differs from a "
        "typical loyal one. Drivers of the score, never causes. Empty where nothing stands out, "
        "and of subscribers where no renewal comes within the horizon, so that the risk is 0.",
    ),
    _text(
        "abstained",
        "Which columns are null, and why, as `no purchases on record: clv, stage, tier`. The ends "
        "of intervals are not counted.",
        "where everything is said",
    ),
    _text("model_version", "Version of the registered model that gave the numbers."),
    _text("scored_at", "When the customer was scored, in UTC."),
)

#: Parts of a reason, as they are in the column ``reasons``.
REASON: Mapping[str, str] = MappingProxyType(
    {
        "family": "Group of features that the reason comes from, such as `rhythm` or `spend`.",
        "text": "What is on record, in plain words.",
        "direction": f"`{RAISES}` or `{LOWERS}`: which way the customer differs from a typical "
        "loyal one.",
        "weight": "How much, in log-odds of leaving: the odds are e^weight times those of a "
        "customer who is as a typical loyal one here. Positive raises the risk.",
    }
)

_BY_NAME: Mapping[str, Column] = MappingProxyType({column.name: column for column in COLUMNS})


def column(name: str) -> Column:
    """Description of a column by its name.

    Parameters
    ----------
    name : str
        One of ``serving.scores.SCHEMA``.

    Returns
    -------
    Column
    """
    return _BY_NAME[name]
