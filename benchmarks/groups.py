"""What stages and tiers did in the window after they were told, on real data.

    python benchmarks/groups.py > docs/groups.md
    python benchmarks/groups.py --only cdnow

Each data set is seen as of two dates: rules were looked at on the earlier one, the later one is
what they are held to. Everything is learned strictly before a date; the groups are those that
`regulars score` would give at it.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks import backtests, data_sets, options
from benchmarks.bars import Bar
from benchmarks.data_sets import Case, DataSet
from benchmarks.printed import heading, table, tell
from benchmarks.standing import LEAST
from serving.groups import tiers
from serving.groups.history import read
from serving.groups.kinds import of_scores
from serving.groups.lifecycle import STAGES
from serving.groups.tiers import TIERS

ABOUT = f"""Stages and tiers as of a date, and what each did in the window after it. Two dates a
data set: rules were looked at on the earlier one; the later one is what they are held to. *Profit*
is the share of the lifetime value, which the tiers are cut by; *spend then* and *next* are a
customer's mean in the window before the date and in the one after it. Orders are asked of groups
of at least {LEAST} customers: `loyal` returns most, `lapsed` least, those in rhythm more than
`at_risk`."""
RATIO = """*Came to key* is the share whose spend of the next window, in units of lifetime value,
reaches the key cut. The ratio of next to last window is shown, and no bar: `small` are those who
spent next to nothing lately, so any return multiplies it (on CDNOW from 0, without end)."""
PACKAGES = ("lifetimes", "lightgbm", "pandas")
#: Earlier date, later date.
CASES = (
    Case("cdnow", date(1997, 11, 1), 120),
    Case("cdnow", date(1998, 3, 1), 120),
    Case("online-retail", date(2011, 6, 9), 90),
    Case("online-retail", date(2011, 9, 10), 90),
    Case("complete-journey", date(2017, 7, 1), 90),
    Case("complete-journey", date(2017, 10, 1), 90),
)
NAMES = tuple(dict.fromkeys(case.name for case in CASES))
#: Who returns more often than whom, and who spends more.
RETURNS = (
    *(("loyal", other) for other in ("growing", "new", "won_back", "at_risk", "lapsed")),
    *((other, "at_risk") for other in ("growing", "new", "won_back")),
    *((other, "lapsed") for other in ("growing", "new", "won_back", "at_risk")),
)
SPENDS = (("key", "core"), ("key", "growth"), ("core", "small"), ("growth", "small"))


@dataclass(frozen=True)
class Seen:
    """Customers of a case.

    Parameters
    ----------
    case : Case
    rows : pandas.DataFrame
        ``stage``, ``tier``, ``clv``, ``returned``, ``before`` and ``after`` (spend of the window
        on either side of the date), ``as_key`` (whether the latter reaches the key cut).
    """

    case: Case
    rows: pd.DataFrame


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the data sets that are asked for and print the tables."""
    given = options.parser(__doc__, NAMES).parse_args(arguments)
    options.quiet()
    command = options.command("groups", arguments)
    print(heading("What the groups did next", ABOUT, command, PACKAGES, date.today()))
    with tempfile.TemporaryDirectory(prefix="regulars-groups-") as scratch:
        cases = data_sets.each(given.only, CASES, Path(scratch))
        seen = [look(case, data) for case, data in cases]
    for one in seen:
        print(f"## {one.case}\n")
        for column, words in (("stage", STAGES), ("tier", TIERS)):
            print(table(list(shares(one.rows, column, words))) + "\n")
    print("## Orders\n\n" + table([_line(bar) for one in seen for bar in orders(one)]) + "\n")
    print(f"## Growth and small\n\n{RATIO}\n")
    print(table([_growth(one) for one in seen]))


def look(case: Case, data: DataSet) -> Seen:
    """Learn before the date, tell the groups, and see what came.

    Parameters
    ----------
    case : Case
    data : DataSet

    Returns
    -------
    Seen
    """
    from training.windows import panel

    tell(str(case))
    settings = backtests.with_horizon(data.settings, case.horizon_days)
    scorer = backtests.train(settings, data, case.as_of).scorer
    after = case.as_of + timedelta(days=case.horizon_days)
    truth = panel.seen(
        panel.snapshot(data.inputs, case.as_of, horizon_days=case.horizon_days, known_until=after),
        case.horizon_days,
    )
    predicted = scorer.predict(truth)
    kinds = of_scores(truth, predicted)
    clv = predicted["clv"].to_numpy(float)
    spent = truth["spend"].to_numpy(float)
    # A window's spend as a lifetime value: by what both come to over all customers.
    worth = spent * np.nansum(clv) / np.nansum(predicted["expected_spend"])
    cut = tiers.learn(read(truth), clv).key
    before = _spent(data, case.as_of - timedelta(days=case.horizon_days), case.as_of)
    columns = {
        "clv": clv,
        "returned": truth["returned"].to_numpy(float),
        "before": truth["customer_id"].map(before).fillna(0.0).to_numpy(float),
        "after": spent,
        "as_key": worth >= (np.inf if cut is None else cut),
    }
    return Seen(case, kinds.assign(**columns))


def _spent(data: DataSet, start: date, end: date) -> Mapping[str, float]:
    """Net spend of each customer in [start, end)."""
    import ibis

    log = data.inputs.transactions
    assert log is not None  # noqa: S101
    window = log.filter((log.day >= ibis.literal(start)) & (log.day < ibis.literal(end)))
    sums = window.group_by("customer_id").aggregate(spent=window.amount.sum().cast("float64"))
    return sums.to_pandas().set_index("customer_id")["spent"]


def shares(rows: pd.DataFrame, column: str, words: Sequence[str]) -> Iterator[dict[str, str]]:
    """One line a group.

    Parameters
    ----------
    rows : pandas.DataFrame
        As of `Seen`.
    column : {"stage", "tier"}
    words : sequence of str
        In the order of the lines; groups without a customer are left out.

    Yields
    ------
    dict of str to str
    """
    for word in words:
        here = rows[rows[column] == word]
        if here.empty:
            continue
        yield {
            column: word,
            "customers": f"{len(here):,}",
            "of all": f"{len(here) / len(rows):.1%}",
            "profit": f"{here['clv'].sum() / rows['clv'].sum():.1%}",
            "next spend": f"{here['after'].sum() / rows['after'].sum():.1%}",
            "returned": f"{here['returned'].mean():.1%}",
            "spend then": f"{here['before'].mean():,.2f}",
            "next": f"{here['after'].mean():,.2f}",
            "change": f"{(here['after'] - here['before']).mean():+,.2f}",
        }


def orders(seen: Seen) -> Iterator[Bar]:
    """Pairs of groups that have to stand in an order.

    Parameters
    ----------
    seen : Seen

    Yields
    ------
    Bar
        One for the stages' return rates, one for the tiers' spend; the pairs that do not.
    """
    for column, outcome, pairs in (("stage", "returned", RETURNS), ("tier", "after", SPENDS)):
        grouped = seen.rows.groupby(column)[outcome].agg(["mean", "size"])
        big = grouped[grouped["size"] >= LEAST]["mean"]
        asked = [(more, less) for more, less in pairs if {more, less} <= set(big.index)]
        wrong = [f"{less} above {more}" for more, less in asked if big[more] <= big[less]]
        yield Bar(
            f"{seen.case}: {column}s order {'returns' if column == 'stage' else 'spend'}",
            f"{len(asked) - len(wrong)} of {len(asked)} pairs"
            + (f" ({', '.join(wrong)})" if wrong else ""),
            "all",
            not wrong,
        )


def difference(more: np.ndarray, less: np.ndarray) -> tuple[float, float]:
    """Difference of two means and half its 95 % interval (Welch).

    Parameters
    ----------
    more, less : numpy.ndarray of float64
        At least two values each.

    Returns
    -------
    tuple of float
        In their unit.
    """
    error = np.sqrt(more.var(ddof=1) / len(more) + less.var(ddof=1) / len(less))
    return float(more.mean() - less.mean()), float(1.96 * error)


def _growth(seen: Seen) -> dict[str, str]:
    """How much more `growth` customers raised their spend than `small` ones."""
    groups = [seen.rows[seen.rows["tier"] == tier] for tier in ("growth", "small")]
    raised = [(one["after"] - one["before"]).to_numpy(float) for one in groups]
    gap, half = difference(*raised)
    ratios = [
        f"{one['after'].sum() / one['before'].sum():.2f}" if one["before"].sum() > 0.5 else "–"
        for one in groups
    ]
    came = [f"{one['as_key'].mean():.1%}" for one in groups]
    return {
        "case": str(seen.case),
        "growth": f"{raised[0].mean():+,.2f}",
        "small": f"{raised[1].mean():+,.2f}",
        "difference": f"{gap:+,.2f} ± {half:,.2f}",
        "growth more": ("yes" if gap > 0 else "NO") + (", unsure" if abs(gap) < half else ""),
        "ratios": " / ".join(ratios),
        "came to key": " / ".join(came),
    }


def _line(bar: Bar) -> dict[str, str]:
    return {"order": bar.what, "found": bar.found, "reached": "yes" if bar.met else "NO"}


if __name__ == "__main__":
    main()
