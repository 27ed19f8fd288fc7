"""The score table as a page: its columns, and the rules behind what is decided in it.

`python -m serving.handbook > docs/scores.md` writes the page that the project ships. Columns are
described in `serving.catalogue`; the limits in the rules are those of the code that applies them.
"""

from __future__ import annotations

import math

import pyarrow as pa

from serving.catalogue import COLUMNS, Column
from serving.groups import named, potential, segments, subscribers, tiers, watchlist
from serving.groups.lifecycle import Rhythm
from serving.groups.tiers import Cuts
from serving.handbook import telling
from serving.handbook.text import chapter, prose, rules, table
from serving.scores import REASON as REASON_TYPE
from serving.scores import SCHEMA
from training.scorer import LONGEST

_HEAD = """# Scores

One row a customer, with the same columns from `regulars score`, the API and the page. Money is in
the `currency` of the settings. An *occasion* is a day with a purchase, refunds of the day taken
off. Scored is, under the rule `inactivity`, every customer with a paid purchase before `as_of`;
under the rule `subscription`, everyone whose subscription runs: where a row is a paid period, late
payers within the grace among them; where it is a subscription, nobody from the day it ended on.
Under the rule `label`, every customer of the customers source.

An interval is of what may come, and the figure beside it is a mean. Where a few may bring far more,
or far less, than the many, a mean lies beside what nearly all do: **a figure can lie outside its
own interval**, and neither is wrong. Add up figures, not ends of intervals.

Stage, tier, segment and potential compare a customer with all others. What they compare with is
learned in each full scoring (`regulars score`) and kept in the file of the score table: a customer
who is asked about alone, or scored through `/score`, is measured by the same limits.
"""
_KINDS = {
    pa.string(): "text",
    pa.date32(): "date",
    pa.int64(): "whole number",
    pa.float64(): "number",
    pa.timestamp("us", tz="UTC"): "instant",
    pa.list_(REASON_TYPE): "list (in CSV one text)",
}

#: The rules of the stages, in the order in which they are tried: stage, words, formula.
STAGE_RULES = (
    (
        "lapsed",
        f"Silent for more than {Rhythm.lapsed_after:g} of the customer's expected gaps.",
        f"o > {Rhythm.lapsed_after:g}",
    ),
    (
        "at_risk",
        f"Silent for more than {Rhythm.at_risk_after:g} expected gaps: late, not lost.",
        f"o > {Rhythm.at_risk_after:g}",
    ),
    (
        "won_back",
        "In rhythm, and back after a silence that had meant lapsed.",
        f"gap_last > {Rhythm.lapsed_after:g} · g′",
    ),
    (
        "new",
        "In rhythm, with one occasion only, or with the first one within one expected gap.",
        "frequency = 0, or days_since_first ≤ g",
    ),
    (
        "loyal",
        f"In rhythm, came back {Rhythm.loyal_repeats} times or more, and has been a customer for "
        f"{Rhythm.lapsed_after:g} expected gaps or more.",
        f"frequency ≥ {Rhythm.loyal_repeats}, and days_since_first ≥ {Rhythm.lapsed_after:g} · g",
    ),
    ("growing", "In rhythm, came back, not loyal yet.", "everyone else"),
)
#: The rules of the tiers, likewise.
TIER_RULES = (
    (
        "costly",
        "Refunds to date as large as the purchases, a loss expected, or a margin to date below the "
        "cost to serve.",
        "clv < 0, or spend_total ≤ 0, or earned < cost_to_serve",
    ),
    (
        "key",
        f"The few who together hold {tiers.KEY_SHARE:.0%} of the expected profit.",
        "clv ≥ key cut",
    ),
    (
        "growth",
        "Not lapsed, worth little today, and the best of similar customers are key.",
        f"potential_value ≥ {Cuts.growth_ratio:g} · clv, and potential_value ≥ key cut, and stage "
        "≠ lapsed",
    ),
    (
        "small",
        f"The many who together hold {tiers.SMALL_SHARE:.0%} of the expected profit.",
        "clv ≤ small cut",
    ),
    ("core", "In between.", "everyone else"),
)


def page() -> str:
    """The page as Markdown.

    Returns
    -------
    str
        Columns, then a chapter for each thing that is decided or told in them.
    """
    chapters = (
        _columns,
        _stages,
        _next_purchase,
        _subscribers,
        _margin_rate,
        _tiers,
        _potential,
        _segments,
        telling.of_reasons,
        telling.of_drivers,
        telling.of_silence,
    )
    return "\n".join([_HEAD, *(told() for told in chapters)])


def _columns() -> str:
    heads = ("column", "type", "unit", "range", "meaning", "null")
    rows = [
        (
            f"`{column.name}`",
            _KINDS[SCHEMA.field(column.name).type],
            column.unit,
            _span(column),
            column.meaning,
            column.null or "never",
        )
        for column in COLUMNS
    ]
    return chapter("Columns", table(heads, rows))


def _span(column: Column) -> str:
    low, high = ("" if bound is None else f"{bound:g}" for bound in (column.low, column.high))
    return f"{low} … {high}".strip() if low or high else ""


def _stages() -> str:
    weight, late, gone = Rhythm.population_weight, Rhythm.at_risk_after, Rhythm.lapsed_after
    formulas = (
        prose(
            f"- g, the expected gap in days: g = (n · gap_mean + {weight:g} · G) / (n +",
            f"{weight:g}), with the customer's own n gaps, and G the median over all who came",
            "back of their mean gap (where nobody did, the horizon). It is G for who bought",
            "once, and tends to the own mean gap.",
        ),
        prose(
            "- o = days_since_last / g: how overdue the customer is. g′ is g as it was before the",
            "latest gap.",
        ),
        prose(
            "- Who buys at random, once in g days on average, is silent for longer than",
            f"{late:g} g with probability e^−{late:g} = {math.exp(-late):.1%}, and for longer",
            f"than {gone:g} g with e^−{gone:g} = {math.exp(-gone):.1%}.",
        ),
    )
    return chapter(
        "Stages",
        prose(
            "Where a customer is, measured against its own rhythm and not by a fixed number of",
            "days. The first rule that holds decides.",
        ),
        rules("stage", STAGE_RULES),
        "\n".join(formulas),
        prose(
            "The stage says that a customer is late; `churn_probability` says how likely it",
            f"leaves. The first list that people see takes both: *{watchlist.HEADING}* is stage",
            f"`{watchlist.STAGE}` with a `churn_probability` of at least {watchlist.LEAST:g}, by",
            "falling `clv`.",
        ),
    )


def _next_purchase() -> str:
    return chapter(
        "Next purchase",
        prose(
            "`next_purchase_by` says when, not whether: it is as_of + ⌈d⌉ − 1 days, where d is the",
            f"median time to the next purchase of who comes back within {LONGEST} days (or the",
            "trained horizon, if that is longer):",
        ),
        "    P(X(d) ≥ 1) = ½ · P(X(h) ≥ 1)",
        prose(
            f"with X(t) the occasions of the value model in the next t days and h = {LONGEST}. Of",
            "customers with this history who do come back within h days, half have come by then.",
            "It does not depend on `horizon_days`, and moves on with each day without a purchase.",
        ),
        prose(
            "Where no value model speaks, it is the day at which the own rhythm has the next",
            "purchase due, the day of the last occasion + g, a part of a day counted as a day;",
            "stages always go by the rhythm.",
        ),
    )


def _subscribers() -> str:
    loyal, likelier = subscribers.LOYAL_RENEWALS, subscribers.MORE_LIKELY_THAN_NOT
    return chapter(
        "Subscribers",
        prose(
            "Under the rule `subscription` a contract stands in the place of the rhythm.",
            "`next_purchase_by` is the day of the next renewal, and the stage is the first of:",
        ),
        "\n".join(
            (
                f"- at_risk: the renewal is overdue, or `churn_probability` is above {likelier:g};",
                f"- won_back: came back after an earlier subscription ended, and has renewed less "
                f"than {loyal} times since;",
                "- new: no renewal yet;",
                f"- loyal: renewed {loyal} times or more;",
                "- growing: everyone else.",
            )
        ),
        prose(
            "An end counts as one when the grace after it went by without a new row. Until then,",
            "who pays by the period is scored as a late payer; where a row is a subscription, its",
            "end is on record, and nobody is scored from that day on. `p_alive` is",
            "not asked: a subscriber is one until the day it ends. `rfm` and `potential_value` are",
            "said where there are purchases besides; `involuntary_probability` and",
            "`expected_months` of subscribers alone.",
        ),
        prose(
            "An interval is the shortest that holds 80 % of what can come: of the number of",
            "renewals that are paid and, for money, of prices that move as often as they did. Who",
            "nearly surely renews each time has no room below, so that both ends can be the same;",
            "what is expected is a mean, over those few who leave as well, and then lies below the",
            "interval: of renewals by a fifth at most, as 80 % of the outcomes are that number. Of",
            "who most likely leaves it lies above. Where no renewal comes within the horizon and",
            "nobody ends between renewals, `churn_probability` and both its ends are 0, and there",
            "are no reasons: nothing moves what cannot be.",
        ),
        prose(
            "`POST /reasons` and the page split the value by renewals: those expected to be paid",
            "times the price of a term, and for `clv` those of its span, later ones counting less,",
            "times the profit of a term. What was paid before `as_of` is in no figure. A what-if",
            "to another plan supposes that the latest payment was for it: after a year that was",
            "paid at once little is left to come within the horizon; what was paid is not shown.",
        ),
    )


def _margin_rate() -> str:
    return chapter(
        "Margin rate",
        prose(
            "What turns spend into profit, in `clv`, tiers, plans, measured effects and the worth",
            "of retention: of each customer its own where the transactions or the subscriptions",
            "state margins, else the `margin` of [value] for all. Where `[sources.transactions]`",
            "names a `margin`, with the `margin_total` of the customer's rows that state one and",
            "the `margin_spend` that it is of:",
        ),
        prose("margin_rate = Z · margin_total / margin_spend + (1 − Z) · μ,"),
        prose(
            "Z = margin_spend / (margin_spend + v / a), and 0 where nothing is left of the spend."
        ),
        prose(
            "μ is the rate of the business, v how much the rates of a customer's purchase days",
            "scatter for a unit of spend, and a how much those of customers do: Bühlmann and",
            "Straub's credibility, learned in each training and told on the model card. A customer",
            "with few purchases has nearly the rate of the business, and none that a single loss",
            "leader would give.",
        ),
        prose(
            "Of subscribers, where `[sources.subscriptions]` names a `margin`, it is the margin of",
            "a term over its price by the row that runs: a fact of the contract, which nothing is",
            "drawn to. Where the row states none it is that of the others on the plan, and of a",
            "plan without any that of all who state one.",
        ),
    )


def _tiers() -> str:
    key, small = f"{tiers.KEY_SHARE:.0%}", f"{tiers.SMALL_SHARE:.0%}"
    return chapter(
        "Tiers",
        prose(
            "How much of the expected profit a customer holds, or could hold. The first rule that",
            "holds decides.",
        ),
        rules("tier", TIER_RULES),
        prose(
            "The expected profit is the sum of the positive `clv` of all who are not costly.",
            "The key cut is the largest value v such that those worth v or more hold at least",
            f"{key} of it; the small cut is the largest value v below the key cut such that",
            f"those worth v or less hold at most {small} of it (0 where there is none). Ties",
            "fall on the same side.",
        ),
        prose(
            "cost_to_serve = `cost_per_order` · occasions + `cost_per_contact` · (complaints +",
            "contacts), to date, with the costs of [value]; 0 where none is set. earned is the",
            "margin to date: `margin_total`, and of spend without a margin in its rows",
            "`margin_rate` times as much.",
        ),
    )


def _potential() -> str:
    return chapter(
        "Potential value",
        prose(
            "potential_value = max(clv, best of the profile). A profile is one of",
            f"{potential.ORDER_BANDS} bands of the net spend of the first occasion and of",
            f"{potential.AGE_BANDS} bands of the days since it, with equally many customers in",
            "each band as far as ties allow; its best is the 90th percentile of `clv` in it. A",
            f"profile of fewer than {potential.ENOUGH} customers takes the 90th percentile of all.",
        ),
    )


def _segments() -> str:
    return chapter(
        "Segment",
        prose(
            f"`rfm` is R-F-M, each from 1 to {segments.QUINTILES}: the band of the customer by",
            "days since the last occasion (R, fewer is better), by repeat occasions (F) and by",
            "net spend to date (M), with equally many customers in each band as far as ties",
            "allow. A value at an edge belongs to the band below it, so the many who bought",
            "once have a low F.",
        ),
        prose(
            "`regulars segments` gives each a name, by R and F; segments of your own go into",
            "[segments.<name>] of the settings, where `named_segment` is this name:",
        ),
        table(
            ("R", "F", "name", "in words"),
            [
                (
                    ", ".join(map(str, one.recency)),
                    ", ".join(map(str, one.frequency)),
                    f"`{one.name}`",
                    one.words,
                )
                for one in named.TABLE
            ],
        ),
    )
