"""The score table as a page: its columns, and the rules behind what is decided in it.

`python -m serving.handbook > docs/scores.md` writes the page that the project ships. Columns are
described in `serving.catalogue`; the limits in the rules are those of the code that applies them.
"""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Iterable, Sequence

import pyarrow as pa

from features.catalogue import FAMILIES
from serving import abstention, drivers, reasons
from serving.catalogue import COLUMNS, REASON, Column
from serving.groups import named, potential, segments, subscribers, tiers, watchlist
from serving.groups.lifecycle import Rhythm
from serving.groups.tiers import Cuts
from serving.scores import REASON as REASON_TYPE
from serving.scores import SCHEMA
from training.reach import FURTHEST, HELD
from training.scorer import LONGEST

_HEAD = """# Scores

One row a customer, with the same columns from `regulars score`, the API and the page. Money is in
the `currency` of the settings. An *occasion* is a day with a purchase, refunds of the day taken
off. Scored is, under the rule `inactivity`, every customer with a paid purchase before `as_of`;
under the rule `subscription`, everyone whose subscription runs, late payers within the grace
among them; under the rule `label`, every customer of the customers source.

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
        "clv < 0, or spend_total ≤ 0, or margin to date < cost_to_serve",
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
        _tiers,
        _potential,
        _segments,
        _reasons,
        _drivers,
        _abstained,
    )
    return "\n".join([_HEAD, *(chapter() for chapter in chapters)])


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
    return _chapter("Columns", _table(heads, rows))


def _span(column: Column) -> str:
    low, high = ("" if bound is None else f"{bound:g}" for bound in (column.low, column.high))
    return f"{low} … {high}".strip() if low or high else ""


def _stages() -> str:
    weight, late, gone = Rhythm.population_weight, Rhythm.at_risk_after, Rhythm.lapsed_after
    formulas = (
        _prose(
            f"- g, the expected gap in days: g = (n · gap_mean + {weight:g} · G) / (n +",
            f"{weight:g}), with the customer's own n gaps, and G the median over all who came",
            "back of their mean gap (where nobody did, the horizon). It is G for who bought",
            "once, and tends to the own mean gap.",
        ),
        _prose(
            "- o = days_since_last / g: how overdue the customer is. g′ is g as it was before the",
            "latest gap.",
        ),
        _prose(
            "- Who buys at random, once in g days on average, is silent for longer than",
            f"{late:g} g with probability e^−{late:g} = {math.exp(-late):.1%}, and for longer",
            f"than {gone:g} g with e^−{gone:g} = {math.exp(-gone):.1%}.",
        ),
    )
    return _chapter(
        "Stages",
        _prose(
            "Where a customer is, measured against its own rhythm and not by a fixed number of",
            "days. The first rule that holds decides.",
        ),
        _rules("stage", STAGE_RULES),
        "\n".join(formulas),
        _prose(
            "The stage says that a customer is late; `churn_probability` says how likely it",
            f"leaves. The first list that people see takes both: *{watchlist.HEADING}* is stage",
            f"`{watchlist.STAGE}` with a `churn_probability` of at least {watchlist.LEAST:g}, by",
            "falling `clv`.",
        ),
    )


def _next_purchase() -> str:
    return _chapter(
        "Next purchase",
        _prose(
            "`next_purchase_by` says when, not whether: it is as_of + ⌈d⌉ − 1 days, where d is the",
            f"median time to the next purchase of who comes back within {LONGEST} days (or the",
            "trained horizon, if that is longer):",
        ),
        "    P(X(d) ≥ 1) = ½ · P(X(h) ≥ 1)",
        _prose(
            f"with X(t) the occasions of the value model in the next t days and h = {LONGEST}. Of",
            "customers with this history who do come back within h days, half have come by then.",
            "It does not depend on `horizon_days`, and moves on with each day without a purchase.",
        ),
        _prose(
            "Where no value model speaks, it is the day at which the own rhythm has the next",
            "purchase due, the day of the last occasion + g, a part of a day counted as a day;",
            "stages always go by the rhythm.",
        ),
    )


def _subscribers() -> str:
    loyal, likelier = subscribers.LOYAL_RENEWALS, subscribers.MORE_LIKELY_THAN_NOT
    return _chapter(
        "Subscribers",
        _prose(
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
        _prose(
            "A subscription ends when the grace after it went by without a new row. `p_alive` is",
            "not asked: a subscriber is one until the day it ends. `rfm` and `potential_value` are",
            "said where there are purchases besides; `involuntary_probability` and",
            "`expected_months` of subscribers alone. An interval is the shortest that holds 80 %",
            "of what can come: of the number of renewals that are paid and, for money, of prices",
            "that move as often as they did. Who nearly surely renews each time has no room below,",
            "so that both ends are the same, and what is expected, a mean, lies a little under it.",
        ),
    )


def _tiers() -> str:
    key, small = f"{tiers.KEY_SHARE:.0%}", f"{tiers.SMALL_SHARE:.0%}"
    return _chapter(
        "Tiers",
        _prose(
            "How much of the expected profit a customer holds, or could hold. The first rule that",
            "holds decides.",
        ),
        _rules("tier", TIER_RULES),
        _prose(
            "The expected profit is the sum of the positive `clv` of all who are not costly.",
            "The key cut is the largest value v such that those worth v or more hold at least",
            f"{key} of it; the small cut is the largest value v below the key cut such that",
            f"those worth v or less hold at most {small} of it (0 where there is none). Ties",
            "fall on the same side.",
        ),
        _prose(
            "cost_to_serve = `cost_per_order` · occasions + `cost_per_contact` · (complaints +",
            "contacts), to date, with the costs of [value]; 0 where none is set.",
        ),
    )


def _potential() -> str:
    return _chapter(
        "Potential value",
        _prose(
            "potential_value = max(clv, best of the profile). A profile is one of",
            f"{potential.ORDER_BANDS} bands of the net spend of the first occasion and of",
            f"{potential.AGE_BANDS} bands of the days since it, with equally many customers in",
            "each band as far as ties allow; its best is the 90th percentile of `clv` in it. A",
            f"profile of fewer than {potential.ENOUGH} customers takes the 90th percentile of all.",
        ),
    )


def _segments() -> str:
    return _chapter(
        "Segment",
        _prose(
            f"`rfm` is R-F-M, each from 1 to {segments.QUINTILES}: the band of the customer by",
            "days since the last occasion (R, fewer is better), by repeat occasions (F) and by",
            "net spend to date (M), with equally many customers in each band as far as ties",
            "allow. A value at an edge belongs to the band below it, so the many who bought",
            "once have a low F.",
        ),
        _prose(
            "`regulars segments` gives each a name, by R and F; segments of your own go into",
            "[segments.<name>] of the settings, where `named_segment` is this name:",
        ),
        _table(
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


def _reasons() -> str:
    double = f"{math.log(2):.2f}"
    active = ", ".join(f"`{name}`" for name in reasons.ACTIVE)
    families = ", ".join(f"`{family.name}` ({family.label.lower()})" for family in FAMILIES)
    return _chapter(
        "Reasons",
        _table(("part", "meaning"), [(f"`{part}`", words) for part, words in REASON.items()]),
        _prose(
            "weight = what the family puts to the customer's log-odds of leaving − what it puts to",
            "those of a typical loyal customer: the median over all `loyal` ones or, where",
            f"they are fewer than {reasons.ENOUGH}, over all in the stages {active}. So",
            f"{double} doubles the odds of leaving beside a loyal customer's, and −{double}",
            f"halves them. Weights nearer to 0 than {reasons.LEAST:g} are not told, and of the",
            f"others only the {reasons.TOP} heaviest: they do not add up to the score. They",
            "speak of the horizon that the model was trained for. A reason tells what the",
            "score rests on, not why the customer leaves.",
        ),
        _prose(
            f"The families, described column by column in [columns.md](columns.md): {families}."
        ),
    )


def _drivers() -> str:
    def families(name: str) -> str:
        told = [f"`{one}`" for one, of in drivers.OF_FAMILY.items() if of == name]
        words = [f"“{one}”" for one in drivers.OF_WORDS.get(name, ())]
        return "; ".join(", ".join(some) for some in (told, words) if some)

    return _chapter(
        "Drivers",
        _prose(
            "Classes of the reasons that raise the risk, for actions (`reasons` of",
            "[actions.<name>] takes families and drivers) and for the page. The words of a reason",
            "go before its family. A customer's driver is the class with the greatest sum of",
            "weights. It says where to look first, not why the customer leaves.",
        ),
        _table(
            ("driver", "families; words", "what may fit"),
            [(f"`{one.name}`", families(one.name), one.advice) for one in drivers.DRIVERS],
        ),
    )


# With what is made of the model's numbers.
_MODELLED = (*abstention.MODELLED, "potential_value", "next_purchase_by", "tier")


def _abstained() -> str:
    told = (
        (
            abstention.NO_PURCHASES,
            "The customer never bought, as can be under the rule `label`.",
            ("p_alive", "expected_purchases", "expected_spend", "clv", *abstention.DECIDED),
        ),
        (
            abstention.NO_NUMBER,
            "The model does not answer it, or not for this customer.",
            _MODELLED,
        ),
        (
            f"{', '.join(HELD.values())} over {FURTHEST:g} times the most that the model has seen",
            "One of these is far beyond every customer that the model learned from; a training on "
            "a log that holds such customers mends it.",
            _MODELLED,
        ),
        (
            "the log is silent for the … days before the as-of date",
            "Of the whole table: nobody bought for much longer than ever in training, so a part of "
            "the log is missing; an earlier as-of date or the missing rows mend it.",
            _MODELLED,
        ),
        (
            abstention.NO_POPULATION,
            "Nobody had a purchase on record, or nobody a lifetime value.",
            abstention.DECIDED,
        ),
    )
    rows = [(f"`{why}`", when, ", ".join(f"`{name}`" for name in gone)) for why, when, gone in told]
    return _chapter(
        "Abstained",
        "What cannot be said is null; `abstained` names each such column behind its reason.",
        _table(("reason", "when", "columns it can name"), rows),
    )


def _rules(kind: str, rules: Iterable[tuple[str, str, str]]) -> str:
    rows = [
        (str(place), f"`{name}`", words, formula)
        for place, (name, words, formula) in enumerate(rules, start=1)
    ]
    return _table(("", kind, "in words", "rule"), rows)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [" | ".join(heads), "|".join(["---"] * len(heads)), *map(" | ".join, rows)]
    head, rule, *body = lines
    return "\n".join([f"| {head} |", f"|{rule}|", *(f"| {line} |" for line in body)])


def _prose(*parts: str) -> str:
    """Sentences as lines of the width that the other pages have."""
    text, inner = " ".join(parts), "  " if parts[0].startswith("- ") else ""
    return textwrap.fill(
        text, 100, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False
    )


def _chapter(title: str, *parts: str) -> str:
    return "\n\n".join([f"## {title}", *parts]) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page())
