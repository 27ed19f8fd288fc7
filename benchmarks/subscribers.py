"""Simulated subscribers, forecast and then watched: whether totals and intervals hold.

    python benchmarks/subscribers.py                       # six businesses of 6,000 customers
    python benchmarks/subscribers.py --seeds 2 --customers 2000

Each business has three plans, prices that rise, late payers and some who come back
(`training.subscriptions.simulate.Business`). It is trained on 18 months; its next 90 days, and for
the lifetime value its next year, come after everything that was seen. `inside` is the share of
outcomes in the 80 % interval. `coverage` counts a number of renewals by the part of its probability
that the interval needs (Czado, Gneiting & Held 2009, section 2): 80 % is right. `width` is the mean
width over the mean expected; `bias` that of the total. `rates` is the share of groups of 200
subscribers alike, for whom a renewal comes up, whose rate of leaving lay in the interval of their
chances.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks import options
from benchmarks.printed import heading, table, tell
from features import intake
from features.settings import Sources
from training.asked import Asked
from training.evidence import Order
from training.grading.reliability import needed
from training.settings import ChurnSettings, ValueSettings
from training.subscriptions import periods, simulate
from training.subscriptions.amounts import FIXED, Amounts
from training.subscriptions.gathered import gather_subscriptions
from training.subscriptions.scorer import SubscriptionScorer
from training.subscriptions.windows import snapshot
from training.windows.swing import GROUP, LEVEL

Floats = NDArray[np.float64]
FIRST, TRAINED, HORIZON, YEAR, GRACE = date(2022, 1, 1), 550, 90, 365, 7
AS_OF = FIRST + timedelta(days=TRAINED)
PACKAGES = ("lightgbm", "numpy", "scipy")


@dataclass(frozen=True)
class Watched:
    """One business, its scorer, and what came.

    Parameters
    ----------
    scorer : SubscriptionScorer
    frame : pandas.DataFrame
        Subscribers on the as-of date, with their next 90 days.
    count, worth : ndarray
        Payments of the next year, and the discounted margin of them.
    """

    scorer: SubscriptionScorer
    frame: pd.DataFrame
    count: NDArray[np.int64]
    worth: Floats


def watch(seed: int, customers: int) -> Watched:
    """Simulate a business, train on its past and look at what came.

    Parameters
    ----------
    seed : int
    customers : int

    Returns
    -------
    Watched
    """
    random = np.random.default_rng(seed)
    paid = simulate.periods(simulate.Business(), customers, FIRST, TRAINED + YEAR + 10, random)
    order = Order(
        name="made",
        churn=ChurnSettings(rule="subscription", horizon_days=HORIZON),
        value=ValueSettings(clv_horizon_days=YEAR),
        as_of=AS_OF,
        tracking_uri="",
        artifact_root=None,
        now=datetime(2026, 1, 1, tzinfo=UTC),
    )
    asked = Asked(order.churn, order.value, order.seed)
    with tempfile.TemporaryDirectory() as folder:
        inputs = _inputs(simulate.subscriptions(paid), Path(folder), order.now)
        found = gather_subscriptions(inputs, order, asked, lambda *_: None)
        until = AS_OF + timedelta(days=HORIZON + GRACE + 1)
        frame = snapshot(inputs, AS_OF, HORIZON, until)
    scorer: Any = found.scorer
    return Watched(scorer, frame, *_year(paid, frame, scorer))


def _inputs(rows: pd.DataFrame, folder: Path, now: datetime) -> Any:
    rows.to_csv(folder / "rows.csv", index=False)
    names = {name: name for name in ("customer_id", "start", "end", "plan", "price", "end_reason")}
    source = {"uri": str(folder / "rows.csv"), "terms": {"annual": "year"}, "grace_days": GRACE}
    sources = Sources.model_validate({"subscriptions": {**source, **names}})
    return intake.read(sources, timezone="UTC", now=now)


def _year(
    paid: pd.DataFrame, frame: pd.DataFrame, scorer: SubscriptionScorer
) -> tuple[NDArray[np.int64], Floats]:
    """Payments of the spells that run, over a year from as-of on."""
    since = (pd.to_datetime(paid["start"]) - pd.Timestamp(AS_OF)).dt.days
    running = paid[since < 0].sort_values("start").groupby("customer_id")["spell"].last()
    here = (since >= 0) & (since < YEAR) & (paid["customer_id"].map(running) == paid["spell"])
    terms = scorer.terms
    worth = paid["price"] * terms.margin * (1 + terms.annual_discount_rate) ** (-since / YEAR)
    who = paid.loc[here, "customer_id"]
    counts, sums = who.value_counts(), worth[here].groupby(who).sum()
    ids = frame["customer_id"]
    return (
        ids.map(counts).fillna(0).to_numpy(dtype=np.int64),
        ids.map(sums).fillna(0.0).to_numpy(dtype=np.float64),
    )


def judge(seen: Watched) -> list[dict[str, float | str]]:
    """Bias and coverage of every figure of a business.

    Parameters
    ----------
    seen : Watched

    Returns
    -------
    list of dict
        A row a figure.
    """
    scorer, frame = seen.scorer, seen.frame
    told = scorer.predict(frame)
    price = frame["subscription_price"].to_numpy(dtype=np.float64)
    paid = frame["occasions"].to_numpy(dtype=np.int64)
    margin, rate = scorer.terms.margin, scorer.terms.annual_discount_rate
    came = {
        "expected_purchases": (paid, paid.astype(float), HORIZON, 0.0, 1.0 + 0.0 * price),
        "expected_spend": (paid, frame["spend"].to_numpy(dtype=np.float64), HORIZON, 0.0, price),
        "clv": (seen.count, seen.worth, YEAR, rate, price * margin),
    }
    rows: list[dict[str, float | str]] = []
    for name, (count, amount, days, discount, unit) in came.items():
        due = periods.dues(frame, AS_OF, periods.periods_within(frame, days))
        moving = FIXED if name == "expected_purchases" else scorer.prices
        term = frame[periods.TERM].to_numpy(dtype=np.float64)
        chances = scorer.hazard.chances(frame, due)
        amounts = Amounts.of(chances, due, term, days, discount, moving)
        _, _, level = amounts.interval()
        part = needed(amounts.priced(count, amount / unit), (level, level + LEVEL))
        low, high = told[f"{name}_lower"], told[f"{name}_upper"]
        rows.append(
            {
                "figure": name,
                "bias": told[name].sum() / amount.sum() - 1.0,
                "inside": ((amount >= low - 1e-6) & (amount <= high + 1e-6)).mean(),
                "coverage": part.mean(),
                "width": (high - low).mean() / told[name].mean(),
            }
        )
    left = 1.0 - frame["returned"].to_numpy(dtype=np.float64)
    said = told["churn_probability"].to_numpy(dtype=np.float64)
    due = (frame[periods.DUE] < HORIZON).to_numpy()
    rates = {
        "inside": _rates(told[due], left[due]),
        "coverage": float("nan"),
        "width": float("nan"),
    }
    return [*rows, {"figure": "rates", "bias": said.sum() / left.sum() - 1.0, **rates}]


def _rates(told: pd.DataFrame, left: Floats) -> float:
    """Share of groups alike whose rate lay between the means of the ends."""
    said = told["churn_probability"].to_numpy(dtype=np.float64)
    groups = np.array_split(np.argsort(said, kind="stable"), max(1, len(said) // GROUP))
    low, high = (
        told[f"churn_probability_{end}"].to_numpy(dtype=np.float64) for end in ("lower", "upper")
    )
    return float(np.mean([low[g].mean() <= left[g].mean() <= high[g].mean() for g in groups]))


def main(arguments: Sequence[str] | None = None) -> None:
    """Watch every business and print the table."""
    parser = options.parser(__doc__)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--customers", type=int, default=6_000)
    given = parser.parse_args(arguments)
    rows = []
    for seed in range(1, given.seeds + 1):
        tell(f"business {seed} of {given.seeds}")
        seen = watch(seed, given.customers)
        rows += [{"business": seed, "customers": len(seen.frame), **r} for r in judge(seen)]
    found = pd.DataFrame(rows)
    means = found.groupby("figure", sort=False)[["bias", "inside", "coverage", "width"]].mean()
    rows += [
        {"business": "mean", "customers": "", "figure": str(name), **dict(row)}
        for name, row in means.iterrows()
    ]
    command = options.command("subscribers", arguments)
    about = f"{given.seeds} made businesses of {given.customers:,} customers, watched after it."
    print(heading("Simulated subscribers", about, command, PACKAGES, date.today()))
    print(table([{name: _shown(value) for name, value in row.items()} for row in rows]))


def _shown(value: Any) -> str:
    if not isinstance(value, float):
        return str(value)
    return "–" if np.isnan(value) else f"{value:.3f}"


if __name__ == "__main__":
    main()
