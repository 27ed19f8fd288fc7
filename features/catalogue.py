"""Every column of the behaviour table: name, unit, range, null rule, plain words.

The one place where a feature is described. The contract of the table (`features.schema`), the
reasons shown to people (`features.words.phrases`), the documents and the workbench read it from
here. Each table has all columns, in this order, whatever sources exist; `attribute_<name>` columns
from the customers source follow them.

Where money is `currency`, it is that of the log. Windows are [as_of − n days, as_of). An occasion
is a day with positive net spend. Null rules are in `meaning`; besides them, every column is null
where the whole source is missing, and for customers without an occasion in a table of all
customers counts and sums are 0 (`without` = 0) and the rest is null.
"""

from __future__ import annotations

from dataclasses import replace

from features.words.feature import Feature
from features.words.phrases import FAMILIES, Family, Phrase
from features.words.subscription_columns import SUBSCRIPTION

__all__ = ["ATTRIBUTE", "FAMILIES", "FEATURES", "Family", "Feature", "Phrase", "family_of", "names"]

WINDOWS = (30, 60, 90, 180, 365)
ATTRIBUTE = "attribute_"


def _count(name: str, family: str, unit: str, meaning: str, high: float | None = None) -> Feature:
    """Build a whole number of something: never null, 0 for a customer without rows."""
    return Feature(name, family, "int64", unit, 0, high, False, meaning, without=0)


def _days(name: str, family: str, low: int, nullable: bool, meaning: str) -> Feature:
    """Build a whole number of days."""
    return Feature(name, family, "int64", "days", low, None, nullable, meaning)


def _real(
    name: str, family: str, unit: str, low: float | None, nullable: bool, meaning: str
) -> Feature:
    """Build a real number without an upper bound."""
    return Feature(name, family, "float64", unit, low, None, nullable, meaning)


def _money(name: str, meaning: str) -> Feature:
    """Build a net sum of money: may be negative, 0 for a customer without rows."""
    return Feature(name, "spend", "float64", "currency", None, None, False, meaning, without=0)


def _ids(name: str, unit: str, meaning: str) -> Feature:
    """Build a count of different ids: null where the customer's lines name none."""
    meaning = f"{meaning} before as-of; null when the customer's purchase lines name none."
    return Feature(name, "basket", "int64", unit, 1, None, True, meaning)


def _care(feature: Feature) -> Feature:
    """Let a feature of the events be null, as it is without an events source."""
    return replace(feature, nullable=True)


_RFM = (
    Feature(
        "frequency",
        "rfm",
        "int64",
        "occasions",
        0,
        None,
        False,
        "Repeat occasions: occasions after the first (x in the papers).",
    ),
    _days("recency", "rfm", 0, False, "Days from the first to the last occasion (t_x)."),
    _days("T", "rfm", 0, False, "Days from the first occasion to the day before as-of."),
    _real(
        "monetary_value",
        "rfm",
        "currency",
        0,
        False,
        "Mean net spend of the repeat occasions (m_x); 0 when there are none.",
    ),
)

_RHYTHM = (
    _days("days_since_last", "rhythm", 1, False, "Days from the last occasion to as-of."),
    _real(
        "gap_mean",
        "rhythm",
        "days",
        1,
        True,
        "Mean days between occasions; null with a single occasion.",
    ),
    _real(
        "gap_std",
        "rhythm",
        "days",
        0,
        True,
        "Sample standard deviation of the days between occasions; null below three occasions.",
    ),
    _days("gap_max", "rhythm", 1, True, "Longest gap; null with a single occasion."),
    _days("gap_last", "rhythm", 1, True, "Last gap; null with a single occasion."),
    _real(
        "overdue_ratio",
        "rhythm",
        "ratio",
        0,
        True,
        "Days since the last occasion / mean gap; null with a single occasion.",
    ),
    _real(
        "overdue_score",
        "rhythm",
        "standard deviations",
        None,
        True,
        "(Days since the last occasion − mean gap) / spread of the gaps; null below three "
        "occasions or when all gaps are alike.",
    ),
    _real(
        "gap_trend",
        "rhythm",
        "ratio",
        0,
        True,
        "Last gap / mean gap: above 1 the customer slows down; null with a single occasion.",
    ),
    *(
        _count(f"occasions_{n}", "rhythm", "occasions", f"Occasions in the last {n} days.", n)
        for n in WINDOWS
    ),
    _count(
        "active_months_365",
        "rhythm",
        "months",
        "Calendar months with an occasion in the last 365 days (a window may touch 13).",
        13,
    ),
)

_SPEND = (
    _money("spend_total", "Net spend before as-of."),
    *(_money(f"spend_{n}", f"Net spend in the last {n} days.") for n in WINDOWS),
    _money("spend_trend_90", "Net spend in the last 90 days less that in the 90 before."),
    _money("spend_trend_180", "Net spend in the last 180 days less that in the 180 before."),
    _real("order_mean", "spend", "currency", 0, False, "Mean net spend of an occasion."),
    _real(
        "order_std",
        "spend",
        "currency",
        0,
        True,
        "Sample standard deviation of the net spend of the occasions; null with a single "
        "occasion, or when one is 1e10 or more.",
    ),
    _real("order_max", "spend", "currency", 0, False, "Net spend of the greatest occasion."),
    _real("order_last", "spend", "currency", 0, False, "Net spend of the last occasion."),
    _real(
        "order_last_ratio",
        "spend",
        "ratio",
        0,
        False,
        "Last occasion / mean occasion: below 1 the last one was smaller than usual.",
    ),
    _real("first_order", "spend", "currency", 0, False, "Net spend of the first occasion."),
    _real(
        "margin_total",
        "spend",
        "currency",
        None,
        True,
        "What the lines that state a margin left after the cost of the goods; below zero for a "
        "loss; null when no line of the customer states one.",
    ),
    _real(
        "margin_spend",
        "spend",
        "currency",
        None,
        True,
        "Net spend of the lines that state a margin: what `margin_total` is the margin of; null by "
        "the same rule.",
    ),
)

_BASKET = (
    _real("lines_mean", "basket", "lines", 1, False, "Mean purchase lines of an occasion."),
    Feature(
        "lines_last",
        "basket",
        "int64",
        "lines",
        1,
        None,
        False,
        "Purchase lines of the last occasion.",
    ),
    _ids("products_distinct", "products", "Different products bought"),
    _real(
        "products_per_occasion",
        "basket",
        "products",
        0,
        True,
        "Different products of a day, summed over days, per occasion; null when the customer's "
        "purchase lines name no product.",
    ),
    _ids("categories_distinct", "categories", "Different categories bought"),
    _ids("orders_total", "orders", "Different orders with a purchase line"),
)

_REFUNDS = (
    _count("refund_lines", "refunds", "lines", "Lines with a negative amount before as-of."),
    Feature(
        "refund_amount",
        "refunds",
        "float64",
        "currency",
        0,
        None,
        False,
        "Money given back before as-of, as a positive number.",
        without=0,
    ),
    _real(
        "refund_share",
        "refunds",
        "share",
        0,
        False,
        "Money given back / money of the purchase lines; above 1 when purchases are from before "
        "the log. Null for a customer without purchase lines.",
    ),
    _count("refunds_90", "refunds", "lines", "Refund lines in the last 90 days."),
    Feature(
        "unmatched_refunds",
        "refunds",
        "float64",
        "currency",
        None,
        0,
        False,
        "Net of the days that are no occasions: what is left of refunds after netting within "
        "the day.",
        without=0,
    ),
    _days("days_since_refund", "refunds", 1, True, "Days since the last refund; null for none."),
)

_SEASON = (
    Feature(
        "same_season_occasions",
        "season",
        "int64",
        "occasions",
        0,
        365,
        True,
        "Occasions in the horizon's window one year (365 days) earlier, up to as-of at most; "
        "null when the first occasion is later than as-of − 365 days.",
    ),
    _real(
        "same_season_spend",
        "season",
        "currency",
        None,
        True,
        "Net spend in the same window; null by the same rule.",
    ),
    Feature(
        "weekend_share",
        "season",
        "float64",
        "share",
        0,
        1,
        False,
        "Share of the occasions on Saturdays and Sundays.",
    ),
    Feature(
        "first_month",
        "season",
        "string",
        "month",
        None,
        None,
        False,
        'Calendar month of the first occasion, "1" to "12".',
    ),
)

_CARE = (
    _count("complaints_total", "care", "complaints", "Complaints before as-of."),
    _count(
        "complaints_open",
        "care",
        "complaints",
        "Complaints less resolutions before as-of, at least 0.",
    ),
    _count("complaints_90", "care", "complaints", "Complaints in the last 90 days."),
    _days("days_since_complaint", "care", 1, True, "Days since the last complaint; null for none."),
    _real("satisfaction_last", "care", "mark", None, True, "Last mark given; null for none."),
    _real("satisfaction_mean", "care", "mark", None, True, "Mean mark; null for none."),
    _real(
        "satisfaction_trend",
        "care",
        "mark",
        None,
        True,
        "Last mark less the mean mark; null for none.",
    ),
    _count("contacts_90", "care", "contacts", "Contacts in the last 90 days."),
    _count("contacts_total", "care", "contacts", "Contacts before as-of."),
    Feature(
        "usage_90",
        "care",
        "float64",
        "usage",
        None,
        None,
        False,
        "Usage in the last 90 days: sum of the values, an event without a value counting as 1.",
        without=0,
    ),
)

FEATURES: tuple[Feature, ...] = (
    *_RFM,
    *_RHYTHM,
    *_SPEND,
    *_BASKET,
    *_REFUNDS,
    *_SEASON,
    *(_care(feature) for feature in _CARE),
    *SUBSCRIPTION,
)
_FAMILY_OF = {feature.name: feature.family for feature in FEATURES}


def names() -> tuple[str, ...]:
    """Columns of every behaviour table, in their order, `attribute_<name>` columns apart."""
    return tuple(_FAMILY_OF)


def family_of(column: str) -> str:
    """Family of a column.

    Parameters
    ----------
    column : str
        A name from `names`, or ``attribute_<name>``.

    Returns
    -------
    str

    Raises
    ------
    KeyError
        For a column that is not in the catalogue.
    """
    if column.startswith(ATTRIBUTE):
        return "attributes"
    return _FAMILY_OF[column]
