"""Whom to treat: learned effects against simple rules, on Hillstrom's e-mails and made trials.

    python benchmarks/uplift.py > docs/uplift.md
    python benchmarks/uplift.py --repeats 1 --draws 200
    REGULARS_DATA=/data python benchmarks/uplift.py --charts build/

Hillstrom: 64,000 customers by lot to men's, women's or no e-mail; a visit counts as a return. All
figures are out of fold. Money: margin 30 %; costs of an e-mail from one cent to twenty.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from benchmarks import options
from benchmarks.data_sets import DATA
from benchmarks.printed import heading, table, tell
from training.grading.plots import save
from training.uplift import policy
from training.uplift.calibration import uplift_table
from training.uplift.gate import Verdict, judge
from training.uplift.held_out import Basis, HeldOut, hold_out
from training.uplift.learners import KINDS, Kind
from training.uplift.model import trees_for
from training.uplift.plots import profit_chart, qini_chart
from training.uplift.policy import Money
from training.uplift.profit import profit_curve
from training.uplift.qini import qini
from training.uplift.resampling import Interval
from training.uplift.simulate import simulate
from training.uplift.trial import OUTCOMES, RETURNED, SPEND, Trial

FILE = DATA / "hillstrom" / "hillstrom.csv.gz"
ARMS = ("No E-Mail", "Mens E-Mail", "Womens E-Mail")
COLUMNS = ["recency", "history", "mens", "womens", "newbie", "zip_code", "channel"]
MARGIN, COSTS, SHARES = 0.30, (0.01, 0.05, 0.10, 0.20), (0.3, 0.5, 1.0)
BASES: tuple[Basis, ...] = ("returned", "spend")
PACKAGES = ("lightgbm", "numpy", "pandas")
ABOUT = """Who gets an action by what it changes, against simpler rules, on customers that no
model had seen. Intervals are 95 %, by bootstrap over customers with the models as they are."""
HILLSTROM = """64,000 customers of a shop, by lot to a men's e-mail, a women's or none; a visit
to the shop in two weeks counts as a return. Models read recency, history, mens, womens, newbie,
zip_code and channel. Assumed: a margin of 30 %, and a cost per e-mail that is stated. All
figures are per 1,000 customers, treated or not."""
RULES = """"uplift" gives each customer the more profitable e-mail, best first, up to the share
that may be mailed and nobody at a loss; treated are those who get it (men's, women's). Columns say
how much more profit it makes than another rule by inverse-propensity weighting: the riskiest (least
likely to visit) first and customers by lot at the same number, everyone, nobody, all of which send
the e-mail that did best in all 64,000; and everyone with one of the two by lot, as the shop did. An
interval above 0 has a star."""
VISITS = """The same where a visit is what counts, priced at the {price:.2f} dollars that it brought
on average: what visitors spend differs so widely that the table above sees little else.
Three trials: both e-mails, and each alone against none."""
MADE = """Trials of `training/uplift/simulate.py`. Rank is Spearman's correlation of predicted
and true effects over all customers, slope that of the observed on the predicted effect (1 is
right), earned the part of the true best profit (above nobody's) that the rule makes in truth.
The gate is asked for 30 % of the customers at a cost of 0.50 and a margin of 30 %. Without
effects (strength 0) the gain above a lot is a mean over trials ± its standard error, and must be
near 0, or folds leak."""


def hillstrom(path: Path) -> Trial:
    """The e-mail trial.

    Parameters
    ----------
    path : Path
        Of ``hillstrom.csv.gz``.

    Returns
    -------
    Trial
    """
    rows = pd.read_csv(path)
    arm = pd.Index(ARMS).get_indexer(rows["segment"])
    outcomes = {
        RETURNED: rows["visit"].to_numpy(np.float64),
        SPEND: rows["spend"].to_numpy(np.float64),
    }
    return Trial(rows[COLUMNS], ARMS, arm, np.full((len(rows), 3), 1 / 3), outcomes)


def effect_rows(held: HeldOut, draws: int) -> Iterator[dict[str, str]]:
    """A line for each action and outcome: average, Qini, slope."""
    for outcome in OUTCOMES:
        for action, name in enumerate(held.trial.actions, 1):
            predicted = held.rank(held.predicted[outcome][:, action - 1])
            random = np.random.default_rng(0)
            found = qini(held.trial, action, outcome, predicted, random, draws)
            line = held.line(outcome, action)
            yield {
                "learner": f"{held.kind}-learner",
                "action": name,
                "outcome": "visits" if outcome == RETURNED else "spend",
                "average effect": _thousand(found.overall),
                "Qini": _thousand(found.coefficient),
                "slope": f"{line.slope:.2f} ± {line.slope_error:.2f}",
            }


def rule_rows(
    deals: Sequence[HeldOut], basis: Basis, cost: float, share: float, draws: int
) -> Iterator[dict[str, str]]:
    """A line for a learner, basis, cost and share; and the gate's word."""
    money = Money(MARGIN, (cost,) * len(deals[0].trial.actions))
    chosen = [policy.by_profit(one, money.net(one.gains(basis)), share) for one in deals]
    earnings = [
        {name: policy.earned(one, rule, money, "ipw") for name, rule in rules.items()}
        for one, own in zip(deals, chosen, strict=True)
        for rules in [{"uplift": own, **policy.rivals(one, own, money), **_either(one)}]
    ]
    random = np.random.default_rng(0)
    value = policy.values([{"uplift": one["uplift"]} for one in earnings], random, draws=draws)
    gains = policy.values(earnings, random, against="uplift", draws=draws)
    verdict = judge(deals, money, np.random.default_rng(0), basis=basis, share=share, draws=draws)
    given = np.mean([own[:, 1:].mean(axis=0) for own in chosen], axis=0)
    yield {
        "learner, by": f"{deals[0].kind}, {'visits' if basis == 'returned' else 'spend'}",
        "cost": f"{cost:.2f}",
        "may": f"{share:.0%}",
        "treated": ", ".join(f"{part:.0%}" for part in given),
        "profit": _thousand(value["uplift"], 0),
        **{f"above {name}": _starred(gain) for name, gain in gains.items()},
        "gate": "passes" if verdict.passed else "no effect shown",
    }


def visit_rows(trial: Trial, repeats: int, draws: int) -> Iterator[dict[str, str]]:
    """A line for a trial, cost and share, visits being what is paid for."""
    price = spend_per_visit(trial)
    priced = replace(trial, outcomes={**trial.outcomes, SPEND: price * trial.outcomes[RETURNED]})
    trials = {"both": priced, "men's": alone(priced, 1), "women's": alone(priced, 2)}
    for name, one in trials.items():
        tell(f"hillstrom: visits, {name}")
        deals = [hold_out(one, "X", trees_for(len(one)), seed=seed) for seed in range(repeats)]
        for cost in COSTS:
            for share in SHARES:
                for row in rule_rows(deals, "returned", cost, share, draws):
                    row.pop("above either", None)
                    yield {"e-mails": name, **row}


def spend_per_visit(trial: Trial) -> float:
    """Dollars that a visit brought on average, over all arms."""
    return float(trial.outcomes[SPEND].sum() / trial.outcomes[RETURNED].sum())


def alone(trial: Trial, action: int) -> Trial:
    """One of the actions against nothing, as if the other had not been sent."""
    one = trial.rows(trial.against_nothing(action))
    chance = one.propensity[:, [0, action]]
    return replace(
        one,
        arms=(one.arms[0], one.arms[action]),
        arm=(one.arm == action).astype(np.int64),
        propensity=chance / chance.sum(axis=1, keepdims=True),
    )


def made_rows(trials: int) -> Iterator[dict[str, str]]:
    """Known effects found again, and none found where there are none."""
    for kind in KINDS:
        for customers, strength in ((6_000, 1.0), (20_000, 1.0), (3_000, 0.0)):
            many = trials if strength else 10 * trials
            tell(f"made trials: {kind}, {customers}, {strength}")
            found = [_made(kind, customers, strength, seed) for seed in range(many)]
            columns = {name: np.array([one[name] for one in found]) for name in found[0]}
            lot = columns["above lot"]
            error = lot.std(ddof=1) / np.sqrt(many)
            shown = {
                name: f"{columns[name].mean():.2f}" if strength else "–"
                for name in ("rank", "slope", "earned")
            }
            yield {
                "learner": f"{kind}-learner",
                "customers": f"{customers:,}",
                "strength": f"{strength:g}",
                "trials": str(many),
                **shown,
                "above lot": f"{lot.mean():+.3f} ± {error:.3f}",
                "gate passes": f"{int(columns['passed'].sum())} of {many}",
            }


def _made(kind: Kind, customers: int, strength: float, seed: int) -> dict[str, float]:
    made = simulate(customers, np.random.default_rng(seed), strength=strength)
    held = hold_out(made.trial, kind, trees_for(customers), seed=seed)
    money = Money(MARGIN, (0.5, 0.5))
    verdict = judge([held], money, np.random.default_rng(seed), share=0.3, draws=400)
    lot = verdict.gains.get("at random", Interval(0.0, 0.0, 0.0)).estimate
    found = {"passed": float(verdict.passed), "above lot": lot}
    if not strength:
        return found
    told, true = held.predicted[RETURNED], made.effects[RETURNED]
    net = money.net(made.effects[SPEND])
    rule = policy.by_profit(held, money.net(held.gains()))
    best = policy.by_profit(held, net)
    ranks = [spearmanr(told[:, k], true[:, k])[0] for k in (0, 1)]
    return found | {
        "rank": float(np.mean(ranks)),
        "slope": float(np.mean([held.line(RETURNED, k).slope for k in (1, 2)])),
        "earned": float((rule[:, 1:] * net).sum() / (best[:, 1:] * net).sum()),
    }


def permuted(trial: Trial, draws: int) -> Verdict:
    """The gate's word where arms were dealt again after the fact, so that nothing works."""
    arm = np.random.default_rng(0).permutation(trial.arm)
    held = hold_out(replace(trial, arm=arm), "X", trees_for(len(trial)))
    return judge([held], Money(MARGIN, (0.01, 0.01)), np.random.default_rng(0), share=0.5,
                 draws=draws)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> None:
    """Run both parts and print the page."""
    given = _parse(arguments)
    command = options.command("uplift", arguments)
    print(heading("Whom to treat", ABOUT, command, PACKAGES, date.today()))
    if FILE.is_file():
        _hillstrom(hillstrom(FILE), given)
    else:
        tell(f"hillstrom: skipped: there is no {FILE}")
    print(f"## Made trials\n\n{MADE}\n")
    print(table(list(made_rows(given.trials))))


def _hillstrom(trial: Trial, given: argparse.Namespace) -> None:
    deals: dict[Kind, list[HeldOut]] = {}
    for kind in KINDS:
        tell(f"hillstrom: {kind}-learner, {given.repeats} times five folds")
        deals[kind] = [
            hold_out(trial, kind, trees_for(len(trial)), seed=seed) for seed in range(given.repeats)
        ]
    print(f"## Hillstrom\n\n{HILLSTROM}\n\n### Does it matter who gets it?\n")
    print("Qini: area between the curve and that of a random order. Slope: of the observed on the")
    print("predicted effect; 1 takes effects at their word, 0 tells nobody from anybody.\n")
    print(table([row for kind in KINDS for row in effect_rows(deals[kind][0], given.draws)]))
    print("\n### Predicted and observed visits, by tenth of the predicted effect (X-learner)\n")
    print(table(list(_tenths(deals["X"][0]))))
    print(f"\n### What the rules earn\n\n{RULES}\n")
    cases = [(kind, basis) for kind in reversed(KINDS) for basis in BASES]
    rows = [
        row
        for kind, basis in cases
        for cost in (COSTS if (kind, basis) == cases[0] else COSTS[:1])
        for share in SHARES
        for row in rule_rows(deals[kind], basis, cost, share, given.draws)
    ]
    print(table(rows))
    print(f"\nArms dealt again after the fact: {permuted(trial, given.draws).why}.\n")
    price = spend_per_visit(trial)
    print(f"### Where a visit is what counts\n\n{VISITS.format(price=price)}\n")
    print(table(list(visit_rows(trial, given.repeats, given.draws))) + "\n")
    if given.charts:
        _charts(deals["X"][0], given.charts, given.draws)


def _tenths(held: HeldOut) -> Iterator[dict[str, str]]:
    sides = [uplift_table(held, action, RETURNED) for action in (1, 2)]
    for tenth in range(max(map(len, sides))):
        row = {"tenth": str(tenth + 1)}
        for name, side in zip(("men's", "women's"), sides, strict=True):
            told = side.iloc[tenth] if tenth < len(side) else None
            row[f"{name}: predicted"] = "–" if told is None else f"{1000 * told['predicted']:.0f}"
            row[f"{name}: observed"] = (
                "–"
                if told is None
                else f"{1000 * told['observed']:.0f} ± {1000 * told['error']:.0f}"
            )
        yield row


def _charts(held: HeldOut, folder: Path, draws: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    random, money = np.random.default_rng(0), Money(MARGIN, (COSTS[0],) * 2)
    for action, name in enumerate(held.trial.actions, 1):
        predicted = held.rank(held.predicted[RETURNED][:, action - 1])
        found = qini(held.trial, action, RETURNED, predicted, random, draws)
        save(qini_chart(found, name, "visits"), folder / f"qini-{action}.svg")
    net = money.net(held.gains())
    own = policy.by_profit(held, np.maximum(net, 1e-9))
    best = policy.rivals(held, own, money)["everyone"]
    orders = {"uplift": (own, net.max(axis=1)), "riskiest first": (best, held.risk)}
    curve = profit_curve(held, orders, money, random, draws)
    save(profit_chart(curve, "USD"), folder / "profit.svg")


def _either(held: HeldOut) -> dict[str, np.ndarray]:
    """Everyone gets one of the actions by lot, where there are several."""
    many = len(held.trial.actions)
    return {"either": np.tile([0.0, *[1 / many] * many], (len(held.trial), 1))} if many > 1 else {}


def _thousand(one: Interval, digits: int = 1) -> str:
    told = Interval(*(1000 * part for part in (one.estimate, one.lower, one.upper)))
    return format(told, f".{digits}f")


def _starred(gain: Interval) -> str:
    return ("*" if gain.lower > 0 else "") + _thousand(gain, 0)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options.parser(__doc__)
    parser.add_argument("--repeats", type=int, default=4, help="ways to deal Hillstrom into folds")
    parser.add_argument("--draws", type=int, default=1000, help="of the bootstrap")
    parser.add_argument("--trials", type=int, default=5, help="made trials of each kind")
    parser.add_argument("--charts", type=Path, help="folder for the Qini and profit curves")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
