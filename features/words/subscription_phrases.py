"""The words in which the family `subscription` speaks; see `features.words.phrases`."""

from __future__ import annotations

from features.words.wording import Family, at_least, at_most, only, phrase

_TENURE, _RENEWALS = "subscription_tenure_days", "subscription_renewals"
_DUE, _FAILED = "subscription_days_to_renewal", "subscription_involuntary_ends"
_RATIO, _PRICED = "subscription_price_ratio", "subscription_days_since_price_change"
_LATE, _REPLANNED = "subscription_late_renewals", "subscription_days_since_plan_change"
_PLAN, _PRICE = "subscription_plan", "subscription_price"
_RUNS = at_least(_TENURE, 0)
#: A change longer ago is no news.
_RECENT_DAYS = 180

SUBSCRIPTION = Family(
    "subscription",
    "Subscription",
    (
        phrase("renewal 1 day overdue", only(_DUE, -1), leans=1),
        phrase(
            f"renewal {{{_DUE}:.0f}} days overdue",
            at_most(_DUE, -1.5),
            leans=1,
        ),
        phrase("1 payment failed before", only(_FAILED, 1), _RUNS, leans=1, about=(_FAILED,)),
        phrase(
            f"{{{_FAILED}:.0f}} payments failed before",
            at_least(_FAILED, 1.5),
            _RUNS,
            leans=1,
            about=(_FAILED,),
        ),
        phrase(
            f"price went up {{{_PRICED}:.0f}} days ago",
            at_least(_RATIO, 1.005),
            (_PRICED, 1.5, _RECENT_DAYS),
            leans=1,
        ),
        phrase(
            f"price went down {{{_PRICED}:.0f}} days ago",
            at_most(_RATIO, 0.995),
            (_PRICED, 1.5, _RECENT_DAYS),
            leans=-1,
        ),
        phrase("renewed late once before", only(_LATE, 1), leans=1),
        phrase(f"renewed late {{{_LATE}:.0f}} times before", at_least(_LATE, 1.5), leans=1),
        phrase(
            f"came back {{{_TENURE}:.0f}} days ago, after {{subscription_pause_days:.0f}} days "
            "without a subscription",
            at_least(_TENURE, 1.5),
            at_least("subscription_pause_days", 1.5),
        ),
        phrase(f"changed the plan {{{_REPLANNED}:.0f}} days ago", (_REPLANNED, 1.5, _RECENT_DAYS)),
        phrase("a new subscriber, since yesterday", at_most(_TENURE, 1.5)),
        phrase(f"subscriber for {{{_TENURE}:.0f}} days; no renewal yet", only(_RENEWALS, 0)),
        phrase(f"subscriber for {{{_TENURE}:.0f}} days; renewed once", only(_RENEWALS, 1)),
        phrase(f"subscriber for {{{_TENURE}:.0f}} days; renewed {{{_RENEWALS}:.0f}} times"),
        # Where it is known which column moved the score, one of these may be it.
        phrase("next renewal today", only(_DUE, 0)),
        phrase("next renewal tomorrow", only(_DUE, 1)),
        phrase(f"next renewal in {{{_DUE}:.0f}} days", at_least(_DUE, 1.5)),
        phrase(f"on the plan {{{_PLAN}}}"),
        phrase(f"pays {{{_PRICE}:,.0f}} for a term"),
        phrase("no subscription"),
    ),
)
