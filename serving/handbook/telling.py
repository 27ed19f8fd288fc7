"""Chapters about what is told of a customer, and what is not: reasons, drivers, silence."""

from __future__ import annotations

import math

from features.catalogue import FAMILIES
from features.freshness import SHORT_DAYS
from serving import abstention
from serving.catalogue import REASON
from serving.handbook.text import chapter, prose, table
from serving.insight import drivers, reasons
from training.silence import unsaid
from training.silence.reach import FURTHEST, HELD
from training.silence.shape import FACTOR


def of_reasons() -> str:
    """What a reason is made of."""
    double = f"{math.log(2):.2f}"
    active = ", ".join(f"`{name}`" for name in reasons.ACTIVE)
    families = ", ".join(f"`{family.name}` ({family.label.lower()})" for family in FAMILIES)
    return chapter(
        "Reasons",
        table(("part", "meaning"), [(f"`{part}`", words) for part, words in REASON.items()]),
        prose(
            "weight = what the family puts to the customer's log-odds of leaving − what it puts to",
            "those of a typical loyal customer: the median over all `loyal` ones or, where",
            f"they are fewer than {reasons.ENOUGH}, over all in the stages {active}. So",
            f"{double} doubles the odds of leaving beside a loyal customer's, and −{double}",
            f"halves them. Weights nearer to 0 than {reasons.LEAST:g} are not told, and of the",
            f"others only the {reasons.TOP} heaviest: they do not add up to the score. They",
            "speak of the horizon that the model was trained for. A reason tells what the",
            "score rests on, not why the customer leaves.",
        ),
        prose(
            "Of subscribers the words are those of the columns of the family that moved the risk",
            "most the way the family does, measured as the family is; where purchases are scored,",
            "those of the first phrase that fits.",
        ),
        prose(f"The families, described column by column in [columns.md](columns.md): {families}."),
    )


def of_drivers() -> str:
    """The classes of reasons."""

    def families(name: str) -> str:
        told = [f"`{one}`" for one, of in drivers.OF_FAMILY.items() if of == name]
        words = [f"“{one}”" for one in drivers.OF_WORDS.get(name, ())]
        return "; ".join(", ".join(some) for some in (told, words) if some)

    return chapter(
        "Drivers",
        prose(
            "Classes of the reasons that raise the risk, for actions (`reasons` of",
            "[actions.<name>] takes families and drivers) and for the page. The words of a reason",
            "go before its family. A customer's driver is the class with the greatest sum of",
            "weights. It says where to look first, not why the customer leaves.",
        ),
        table(
            ("driver", "families; words", "what may fit"),
            [(f"`{one.name}`", families(one.name), one.advice) for one in drivers.DRIVERS],
        ),
    )


def _unbacked() -> tuple[tuple[str, str, tuple[str, ...]], ...]:
    """What the model would answer and cannot back: reason, when, and columns."""
    return (
        (
            f"{unsaid.WORDS[unsaid.SOURCE_STALE]} (…)",
            "Of the whole table: the source has no row for longer before the as-of date than its "
            f"own past makes believable, and for more than {SHORT_DAYS} days. The missing rows or "
            "an earlier as-of date mend it.",
            (*abstention.MODELLED, *unsaid.STANDING, "potential_value", "tier"),
        ),
        (
            f"{unsaid.WORDS[unsaid.COLUMN_MISSING]} (…)",
            "Of the whole table: columns that the model reads, or a whole source, are empty or "
            "hold words that training never saw. The columns as they were, or a training without "
            "them, mend it.",
            (*abstention.MODELLED, "stage", "potential_value", "tier"),
        ),
        (
            f"{unsaid.WORDS[unsaid.AMOUNTS_CHANGED]} (…)",
            f"Of the whole table: the middle of the amounts lies over {FACTOR:g} times as high or "
            "low as in training, and further than it ever moved there, as when cents come for "
            "euros. The unit of the training, or a new training, mends it.",
            (*unsaid.RISK, *unsaid.FIGURES, "potential_value", "tier"),
        ),
        (
            f"{unsaid.WORDS[unsaid.OUTSIDE]} (…)",
            f"Of a customer: {', '.join(HELD.values())}: one of these is over {FURTHEST:g} times "
            "the most that the model has seen. The risk is said, as it ends at 1, and so are "
            "purchases where the amounts alone are too large. A training on a log that holds such "
            "customers mends it.",
            (*unsaid.FIGURES, "potential_value", "tier"),
        ),
    )


# With what is made of the model's numbers.
_MODELLED = (*abstention.MODELLED, "potential_value", "next_purchase_by", "tier")


def of_silence() -> str:
    """What is null, and the words for why."""
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
        *_unbacked(),
        (
            abstention.NO_SUBSCRIPTION,
            "Under the rule `subscription`, no subscription of the customer runs.",
            tuple(name for name in abstention.ANSWERS if name not in abstention.BOUGHT),
        ),
        (
            abstention.NO_PRICE,
            "Of a subscriber, the row that runs has no price.",
            abstention.PRICED,
        ),
        (
            abstention.OF_PURCHASES,
            "Of a subscriber, it rests on purchases: `p_alive` always, the others of who buys "
            "nothing besides, or where `clv` is null.",
            abstention.BOUGHT,
        ),
        (
            abstention.NO_POPULATION,
            "Nobody had a purchase on record, or nobody a lifetime value.",
            abstention.DECIDED,
        ),
    )
    rows = [(f"`{why}`", when, ", ".join(f"`{name}`" for name in gone)) for why, when, gone in told]
    return chapter(
        "Abstained",
        "What cannot be said is null; `abstained` names each such column behind its reason.",
        table(("reason", "when", "columns it can name"), rows),
    )
