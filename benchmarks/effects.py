"""Effects of campaigns: Hillstrom's e-mails by the textbook, and made campaigns of known effects.

    python benchmarks/effects.py > docs/effects.md
    python benchmarks/effects.py --campaigns 100

Hillstrom: 64,000 customers by lot to men's, women's or no e-mail, visits and spend of the two weeks
after. Made campaigns: customers whose chance to return and spend are known, a plan's holdout.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
import pandas as pd

from benchmarks.data_sets import DATA
from benchmarks.printed import heading, table, tell
from serving.campaigns.effects import compare
from serving.campaigns.measured import interval, measure
from serving.campaigns.records import OUTCOMES, Records

FILE = DATA / "hillstrom" / "hillstrom.csv.gz"
NONE, MENS, WOMENS = "No E-Mail", "Mens E-Mail", "Womens E-Mail"
KNOWN = ["recency", "history", "mens", "womens", "newbie"]
CAMPAIGNS, MARGIN, COST = 500, 0.3, 0.5
PACKAGES = ("numpy", "pandas", "scipy")
ABOUT = """What `regulars measure` says, where it is known what it should say."""
HILLSTROM = """64,000 customers of a shop, by lot to a men's e-mail, a women's or none, and what
they did in the two weeks after. Differences are shares of customers (visits) and dollars a customer
(spend, over all customers, most of whom spend nothing), ± half of the 95 % interval. By hand is
the difference of the file's means. Adjusted takes out recency, history, mens, womens and newbie.
The last rows compare customers of the same arm, halved by lot: there is no effect, and one in
twenty such rows will seem to have one."""
MADE = """{campaigns} campaigns each. Spend is zero for who does not return and log-normal for who
does; the heavy one has a coefficient of variation of 3 given return. Effects: none, or a fifth
of the leaving kept and spend up by 5 %. Coverage is the share of campaigns whose 95 % interval
holds the true effect, as far as anything was concluded. Three standard errors are
± {noise:.1f} points: of shares of exactly 95 %, luck puts {outside:.0%} outside of 93 to 97.
Own: each arm with its own variance (Welch), as it would be if arms of very different size did not
share their spread (adr/0022). Profit is a share of the spend less a cost, so it is covered alike.
Shown: the share in which the interval leaves out 0, which is power where there is an effect, and a
false alarm where there is none."""
BROKEN = """2,000 customers with a tenth held out, of whom the log loses some: the share of
{campaigns} campaigns in which the check of the arms bars any conclusion."""


@dataclass(frozen=True)
class Made:
    """A made campaign and what is true of it.

    Attributes
    ----------
    records : Records
    truth : dict of str to float
        Mean effect on each outcome, of these customers.
    """

    records: Records
    truth: dict[str, float]


def campaign(
    random: np.random.Generator,
    customers: int,
    *,
    holdout: float,
    kept: float,
    lift: float,
    sigma: float,
) -> Made:
    """Draw customers, the holdout, and what they do with the action and without it.

    Parameters
    ----------
    random : Generator
    customers : int
    holdout : float
        Share, in (0, 1).
    kept, lift : float
        Share of the leaving that is kept, and relative change of everybody's spend.
    sigma : float
        Of the logarithm of the spend given return and the customer's level.

    Returns
    -------
    Made
        Truth is the expected effect over the population that customers are drawn from.
    """
    chance, level = random.beta(2, 3, customers), np.exp(random.normal(3, 0.6, customers))
    strata = np.searchsorted(np.quantile(chance, [1 / 3, 2 / 3]), chance)
    place = np.empty(customers)
    place[np.lexsort((random.random(customers), strata))] = np.arange(customers)
    treated = (place + random.random() / holdout) % (1 / holdout) >= 1
    after = chance + kept * (1 - chance) * treated
    returned = (random.random(customers) < after).astype(float)
    often = 1 + random.poisson(0.5, customers)
    noise = np.exp(sigma * random.normal(size=customers) - sigma**2 / 2)
    spend = returned * level * noise * (1 + lift * treated)
    outcomes = {
        "returned": returned,
        "purchases": returned * often,
        "spend": spend,
        "profit": MARGIN * spend - COST * treated,
    }
    scores = np.column_stack([chance, 1.5 * chance, chance * level])
    mean, worth = 0.4, float(np.exp(3 + 0.18))
    more = kept * (1 - mean)
    gained = worth * ((mean + more) * (1 + lift) - mean)
    truth = {
        "returned": more,
        "purchases": 1.5 * more,
        "spend": gained,
        "profit": MARGIN * gained - COST,
    }
    shares = np.full(customers, 1 - holdout)
    return Made(Records("made", treated, strata, shares, outcomes, {}, scores), truth)


def hillstrom_rows(rows: pd.DataFrame) -> Iterator[dict[str, str]]:
    """A line for each comparison and outcome."""
    pairs = [(MENS, NONE), (WOMENS, NONE), (MENS, WOMENS)]
    for first, second in pairs:
        some = rows[rows["segment"].isin((first, second))]
        yield from _compared(f"{first} − {second}", some, some["segment"] == first)
    halves = np.random.default_rng(0)
    for arm in (NONE, MENS):
        some = rows[rows["segment"] == arm]
        yield from _compared(f"{arm}, halved", some, halves.random(len(some)) < 0.5)


def _compared(name: str, some: pd.DataFrame, treated: pd.Series | np.ndarray) -> Iterator[dict]:
    arm = np.asarray(treated, dtype=bool)
    outcomes = some[["visit", "spend"]].to_numpy(np.float64)
    given = np.zeros(len(some), dtype=int), np.full(len(some), 0.5)
    known = some[KNOWN].to_numpy(np.float64)
    plain, told = (compare(outcomes, arm, *given, scores) for scores in (None, known))
    for place, outcome in enumerate(("visit", "spend")):
        by_hand = some.loc[arm, outcome].mean() - some.loc[~arm, outcome].mean()
        _, _, lower, upper = interval(told, place)
        yield {
            "compared": name,
            "outcome": outcome,
            "by hand": f"{by_hand:+.5f}",
            "plain": _reach(*interval(plain, place)),
            "adjusted": _reach(*interval(told, place)),
            "said": "more" if lower > 0 else "less" if upper < 0 else "no effect shown",
        }


def _reach(difference: float, _: float, lower: float, upper: float) -> str:
    return f"{difference:+.5f} ± {(upper - lower) / 2:.5f}"


def coverage_rows(campaigns: int) -> Iterator[dict[str, str]]:
    """A line for each size, tail and effect."""
    cases = [
        (customers, holdout, sigma, effect)
        for customers, holdout in ((300, 0.1), (1000, 0.1), (2000, 0.1), (5000, 0.1), (1000, 0.5))
        for sigma in (0.6, 1.5)
        for effect in ((0.0, 0.0), (0.2, 0.05))
    ]
    for place, (customers, holdout, sigma, (kept, lift)) in enumerate(cases):
        tell(f"{place + 1} of {len(cases)}")
        random = np.random.default_rng(place)
        shape = {"holdout": holdout, "kept": kept, "lift": lift, "sigma": sigma}
        drawn = [campaign(random, customers, **shape) for _ in range(campaigns)]
        hits = [_hits(one) for one in drawn]
        told = {
            "customers": f"{customers:,}",
            "held out": f"{holdout:.0%}",
            "tail": "heavy" if sigma > 1 else "usual",
            "effect": "yes" if kept else "none",
        }
        for name in OUTCOMES:
            told[name] = _share([hit[name] for hit in hits])
        told["own, spend"] = _share([hit["own"] for hit in hits])
        yield told | {"return shown": _share([hit["shown"] for hit in hits])}


def _hits(made: Made) -> dict[str, bool | None]:
    """Whether each interval holds the truth; None where nothing was concluded."""
    found = {one.outcome: one for one in measure(made.records).outcomes}
    hits: dict[str, bool | None] = {}
    for name, true in made.truth.items():
        one = found[name]
        said = one.lower is not None and one.upper is not None
        hits[name] = one.lower <= true <= one.upper if said else None
    given = made.records
    spend = given.outcomes["spend"][:, None]
    own = compare(spend, given.treated, given.strata, given.shares, given.scores)
    _, _, lower, upper = interval(own, 0)
    returned = found["returned"].verdict
    return hits | {"own": lower <= made.truth["spend"] <= upper, "shown": returned == "rise"}


def _share(hits: list[bool | None]) -> str:
    said = [hit for hit in hits if hit is not None]
    return f"{100 * np.mean(said):.1f}" if said else "too little"


def broken_rows(campaigns: int) -> Iterator[dict[str, str]]:
    """A line for each way to lose customers."""
    losses = {"nobody": (0.0, 0.0), "5 % of both": (0.05, 0.05)}
    losses |= {"5 % of the treated": (0.05, 0.0), "10 % of the treated": (0.1, 0.0)}
    losses |= {"5 % of the held out": (0.0, 0.05), "10 % of the held out": (0.0, 0.1)}
    for place, (name, (of_treated, of_held)) in enumerate(losses.items()):
        random, caught = np.random.default_rng(1000 + place), 0
        for _ in range(campaigns):
            shape = {"holdout": 0.1, "kept": 0.0, "lift": 0.0, "sigma": 0.6}
            given = campaign(random, 2000, **shape).records
            lost = np.where(given.treated, of_treated, of_held)
            caught += measure(_left(given, random.random(2000) >= lost)).ratio.broken
        yield {"lost": name, "nothing concluded, %": f"{100 * caught / campaigns:.1f}"}


def _left(given: Records, left: np.ndarray) -> Records:
    return replace(
        given,
        treated=given.treated[left],
        strata=given.strata[left],
        shares=given.shares[left],
        outcomes={name: values[left] for name, values in given.outcomes.items()},
        scores=given.scores[left],
        lost=(int((given.treated & ~left).sum()), int((~given.treated & ~left).sum())),
    )


def main() -> None:
    """Print the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--campaigns", type=int, default=CAMPAIGNS)
    campaigns = parser.parse_args().campaigns
    command = "python benchmarks/effects.py"
    print(heading("Measured effects", ABOUT, command, PACKAGES, date.today()))
    print(f"## Hillstrom's e-mails\n\n{HILLSTROM}\n")
    if FILE.is_file():
        print(table(list(hillstrom_rows(pd.read_csv(FILE)))))
    else:
        print("(Hillstrom's file is not there: set REGULARS_DATA)")
    error = (0.95 * 0.05 / campaigns) ** 0.5
    given = {"noise": 300 * error, "outside": math.erfc(0.02 / error / math.sqrt(2))}
    print(f"\n## Coverage of the intervals\n\n{MADE.format(campaigns=campaigns, **given)}\n")
    print(table(list(coverage_rows(campaigns))))
    print(f"\n## Arms that lost customers\n\n{BROKEN.format(campaigns=campaigns)}\n")
    print(table(list(broken_rows(campaigns))))


if __name__ == "__main__":
    main()
