"""The words in which a family of features speaks to people.

In: the values of one customer's columns. Out: a fact about the customer ("last purchase 94 days
ago; usually every 21 days"), true whichever way it moves a score; the direction is said beside
it. Words that speak for one direction ("spent 120 less") are kept for it: where a family moves
the score the other way, the next phrase that fits speaks. Nothing here is a cause. Signed numbers
are spoken as sizes: the words carry the sign.
"""

from __future__ import annotations

from features.words.subscription_phrases import SUBSCRIPTION
from features.words.wording import Family, Phrase
from features.words.wording import at_least as _from
from features.words.wording import at_most as _to
from features.words.wording import only as _only
from features.words.wording import phrase as _phrase

__all__ = ["FAMILIES", "Family", "Phrase"]

_NOTHING = _phrase("no purchase so far")
_RFM = Family(
    "rfm",
    "Purchase history",
    (
        _phrase("a new customer with one purchase so far", _only("frequency", 0), _to("T", 6)),
        _phrase("one purchase only in {T:.0f} days as a customer", _only("frequency", 0)),
        _phrase("a new customer who has already come back", _from("frequency", 1), _to("T", 6)),
        _phrase(
            "came back once in {T:.0f} days as a customer, spending {monetary_value:,.0f}",
            _only("frequency", 1),
        ),
        _phrase(
            "came back {frequency:.0f} times in {T:.0f} days as a customer, "
            "spending {monetary_value:,.0f} each time"
        ),
        _NOTHING,
    ),
)
_LATE, _IN_TIME = _from("overdue_ratio", 1.0), _to("overdue_ratio", 1.0)
_RHYTHM = Family(
    "rhythm",
    "Buying rhythm",
    (
        _phrase(
            "last purchase 1 day ago; usually every day or two",
            _only("days_since_last", 1),
            _to("gap_mean", 1.5),
            leans=-1,
        ),
        _phrase(
            "last purchase 1 day ago; usually every {gap_mean:.0f} days",
            _only("days_since_last", 1),
            leans=-1,
        ),
        _phrase(
            "last purchase {days_since_last:.0f} days ago; usually every day or two",
            _to("gap_mean", 1.5),
            leans=1,
        ),
        _phrase(
            "last purchase {days_since_last:.0f} days ago; usually every {gap_mean:.0f} days",
            _LATE,
            leans=1,
        ),
        _phrase(
            "last purchase {days_since_last:.0f} days ago; usually every {gap_mean:.0f} days",
            _IN_TIME,
            leans=-1,
        ),
        _phrase("usually buys every day or two", _to("gap_mean", 1.5)),
        _phrase("usually buys every {gap_mean:.0f} days"),
        _phrase("first purchase 1 day ago; no second one yet", _only("days_since_last", 1)),
        _phrase("first purchase {days_since_last:.0f} days ago; no second one yet"),
        _NOTHING,
    ),
)
_SPEND = Family(
    "spend",
    "Spending",
    (
        _phrase(
            "spent {spend_trend_90:,.0f} less in the last 90 days than in the 90 before",
            _to("spend_trend_90", -0.5),
            leans=1,
        ),
        _phrase(
            "spent {spend_trend_90:,.0f} more in the last 90 days than in the 90 before",
            _from("spend_trend_90", 0.5),
            leans=-1,
        ),
        _phrase(
            "spent {spend_90:,.0f} in the last 90 days, as much as in the 90 before",
            _from("spend_90", 0.5),
            _only("spend_trend_90", 0),
        ),
        _phrase(
            "spent nothing in the last 180 days; {spend_total:,.0f} in all",
            _only("spend_90", 0),
            _only("spend_trend_90", 0),
            _from("spend_total", 0),
            leans=1,
        ),
        _phrase(
            "spent {spend_90:,.0f} in the last 90 days; {spend_total:,.0f} in all",
            _from("spend_90", 0.5),
            _from("spend_total", 0),
        ),
        _phrase("spent {spend_total:,.0f} in all", _from("spend_total", 0)),
        _phrase("got back {spend_total:,.0f} more than was spent"),
        _NOTHING,
    ),
)
_BASKET = Family(
    "basket",
    "Basket",
    (
        _phrase("last basket of 1 line; usually {lines_mean:.1f}", _only("lines_last", 1)),
        _phrase("last basket of {lines_last:.0f} lines; usually {lines_mean:.1f}"),
        _NOTHING,
    ),
)
_REFUNDS = Family(
    "refunds",
    "Refunds",
    (
        _phrase("no refund so far", _only("refund_lines", 0)),
        _phrase(
            "1 refund in the last 90 days; {refund_share:.0%} of all purchases refunded",
            _only("refunds_90", 1),
        ),
        _phrase(
            "{refunds_90:.0f} refunds in the last 90 days; "
            "{refund_share:.0%} of all purchases refunded",
            _from("refunds_90", 1),
        ),
        _phrase(
            "last refund {days_since_refund:.0f} days ago; "
            "{refund_share:.0%} of all purchases refunded"
        ),
        _phrase("{refund_amount:,.0f} refunded in all", _from("refund_amount", 0.5)),
        _phrase("refunds of next to nothing", _from("refund_lines", 1)),
        _NOTHING,
    ),
)
_SEASON = Family(
    "season",
    "Season",
    (
        _phrase(
            "no purchase in the same period last year",
            _only("same_season_occasions", 0),
            leans=1,
        ),
        _phrase(
            "1 purchase in the same period last year",
            _only("same_season_occasions", 1),
            leans=-1,
        ),
        _phrase(
            "{same_season_occasions:.0f} purchases in the same period last year",
            _from("same_season_occasions", 1),
            leans=-1,
        ),
        _phrase(
            "{weekend_share:.0%} of purchases at weekends",
            _from("same_season_occasions", 0),
        ),
        _phrase("not yet a customer a year ago", _from("weekend_share", 0)),
        _NOTHING,
    ),
)
_ATTRIBUTES = Family("attributes", "Profile", (_phrase("the customer's profile"),))
_CARE = Family(
    "care",
    "Service",
    (
        _phrase("1 complaint still open", _only("complaints_open", 1), leans=1),
        _phrase(
            "{complaints_open:.0f} complaints still open", _from("complaints_open", 1), leans=1
        ),
        _phrase(
            "last satisfaction {satisfaction_last:.1f}, below the usual {satisfaction_mean:.1f}",
            _to("satisfaction_trend", -0.1),
            _from("satisfaction_last", 0),
            leans=1,
        ),
        _phrase(
            "last satisfaction {satisfaction_last:.1f}, above the usual {satisfaction_mean:.1f}",
            _from("satisfaction_trend", 0.1),
            _from("satisfaction_mean", 0),
            leans=-1,
        ),
        _phrase("1 complaint so far", _from("complaints_open", 1), _only("complaints_total", 1)),
        _phrase("{complaints_total:.0f} complaints so far", _from("complaints_open", 1)),
        _phrase(
            "1 complaint in the last 90 days, closed",
            _only("complaints_90", 1),
            _only("complaints_open", 0),
        ),
        _phrase(
            "{complaints_90:.0f} complaints in the last 90 days, all closed",
            _from("complaints_90", 1),
            _only("complaints_open", 0),
        ),
        _phrase("contacted the service once in the last 90 days", _only("contacts_90", 1)),
        _phrase(
            "contacted the service {contacts_90:.0f} times in the last 90 days",
            _from("contacts_90", 1),
        ),
        _phrase(
            "last satisfaction {satisfaction_last:.1f}, as usual", _from("satisfaction_last", 0)
        ),
        _phrase(
            "last complaint {days_since_complaint:.0f} days ago, closed",
            _only("complaints_open", 0),
        ),
        _phrase(
            "no contact with the service in the last 90 days",
            _only("contacts_90", 0),
            _from("contacts_total", 1),
        ),
        _phrase(
            "no complaint and no contact so far",
            _only("complaints_total", 0),
            _only("contacts_total", 0),
        ),
        _phrase("nothing known of contacts with the service"),
    ),
)

FAMILIES: tuple[Family, ...] = (
    _RFM,
    _RHYTHM,
    _SPEND,
    _BASKET,
    _REFUNDS,
    _SEASON,
    _ATTRIBUTES,
    _CARE,
    SUBSCRIPTION,
)
