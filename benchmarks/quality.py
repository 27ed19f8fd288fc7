"""How good Regulars' predictions are, beside what one would use instead, on real data.

    python benchmarks/quality.py > docs/quality.md
    python benchmarks/next_purchase.py >> docs/quality.md
    python benchmarks/quality.py --only cdnow,telco
    REGULARS_DATA=/data python benchmarks/quality.py --json quality.json

One table a data set, each is seen as of a date; everybody learns strictly before it and answers for
the days after it; the best figure of a line has a star. Below it are the single figures that
Regulars has to reach. Contenders: three rules of thumb, `lifetimes`, LightGBM alone, Regulars.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import argparse
import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks import backtests, bars, data_sets, labels, options, standing
from benchmarks.backtests import METRICS, Metric, Outcome
from benchmarks.bars import Bar
from benchmarks.data_sets import CASES, SETS
from benchmarks.printed import heading, table

ABOUT = """Each data set is seen as of a date; everybody learns strictly before it and answers for
the days after it. A star marks the best figure of a line. The grade is what the backtest before
that date gave; nothing of the test window was seen in any choice. *MAE at the level* is of
forecasts whose total is set to what was spent: the mean absolute error rewards forecasts that are
low, and one window's level is partly luck."""
KINDS = """How far Regulars' figures hold for each stage and tier of at least 200 customers: return
rates, and the coverage of the 80 % intervals, where nothing bought counts by the part that they
need."""
REACHED = """What every release is held to; lines without a wish are for comparison. Figures are
judged, then rounded. The absolute error of the spend is compared with the best of those whose total
is within 10 % of what was spent, and again with everybody's total set right. Luck is what
probabilities that are exactly right would show on as many customers. An outcome on the edge of an
interval counts by the part of its probability that the interval needs to hold 80 %, and again as a
whole."""
PACKAGES = ("lifetimes", "lightgbm", "scikit-learn", "pandas")
CONTENDERS = {
    "inactivity": "inactivity",
    "past_rate": "past rate",
    "last_year": "last year",
    "lifetimes": "lifetimes",
    "P(alive)": "P(alive)",
    "LightGBM": "LightGBM",
    "Regulars": "Regulars",
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the backtests that are asked for and print the tables."""
    given = _parse(arguments)
    options.quiet()
    outcomes: list[Outcome] = []
    reached: list[Bar] = []
    with tempfile.TemporaryDirectory(prefix="regulars-quality-") as scratch:
        for name in given.only:
            more, found = _measure(name, Path(scratch))
            outcomes += more
            reached += found
    command = options.command("quality", arguments)
    print(heading("How good the predictions are", ABOUT, command, PACKAGES, date.today()))
    for name in dict.fromkeys(outcome.case.name for outcome in outcomes):
        here = [outcome for outcome in outcomes if outcome.case.name == name]
        print(f"## {name}\n")
        print(table([row for outcome in here for row in _rows(outcome)]))
        print(f"\n{KINDS}\n")
        print(table([row for outcome in here for row in standing.kinds(outcome)]) + "\n")
    print(f"## Figures that have to be reached\n\n{REACHED}\n")
    print(table([_line(bar) for bar in reached]))
    if given.json:
        record = {"cases": [*map(_record, outcomes)], "bars": [vars(bar) for bar in reached]}
        given.json.write_text(json.dumps(record, indent=1, default=str), encoding="utf-8")


def _measure(name: str, folder: Path) -> tuple[list[Outcome], list[Bar]]:
    """All cases and bars of a data set; nothing where it is not there."""
    data = data_sets.read(name, folder)
    if data is None:
        return [], []
    outcomes = [backtests.backtest(case, data) for case in CASES if case.name == name]
    # The first case of CDNOW is older than any panel of its horizon and has bars of its own.
    judged = outcomes[1:] if name == "cdnow" else outcomes
    shown = [
        bar for one in judged for bar in (*standing.beside_others(one), *standing.by_kind(one))
    ]
    return outcomes, [*shown, *_bars(name, data, outcomes)]


def _bars(name: str, data: data_sets.DataSet, outcomes: Sequence[Outcome]) -> Iterator[Bar]:
    if name == "cdnow":
        yield from bars.cdnow(outcomes[0])
    elif name == "telco":
        yield from labels.telco(data)
        yield from labels.iranian(data, data_sets.DATA)
        return
    else:
        yield from bars.snapshots(name, data)
    yield from labels.behaviour(name, data)


def _rows(outcome: Outcome) -> Iterator[dict[str, str]]:
    """One line for each metric; the contenders side by side, the best with a star."""
    for metric, head in zip(METRICS, _heads(outcome), strict=True):
        figures = {name: outcome.figures.get(name, {}).get(metric.name) for name in CONTENDERS}
        best = _best(metric, figures)
        cells = {
            CONTENDERS[name]: ("*" if name in best else "") + _shown(metric, figure)
            for name, figure in figures.items()
        }
        yield {"as of, horizon": head, "metric": metric.name, **cells}


def _heads(outcome: Outcome) -> list[str]:
    """What stands beside the metrics of a case."""
    scorer = outcome.evidence.scorer
    grades = ", ".join(f"{name} {letter}" for name, letter in scorer.grades.items())
    said = [
        str(outcome.case),
        f"{outcome.customers:,} customers, {outcome.returned:.0%} return",
        f"Regulars: {scorer.speaker} speaks",
        grades or "ungraded",
    ]
    return said + [""] * (len(METRICS) - len(said))


def _best(metric: Metric, figures: Mapping[str, float | None]) -> set[str]:
    """Who has the best figure, as it is shown."""
    said = {name: figure for name, figure in figures.items() if figure is not None}
    worth = {
        "more": lambda figure: figure,
        "less": lambda figure: -figure,
        "zero": lambda figure: -abs(figure),
    }[metric.better]
    top = _shown(metric, max(said.values(), key=worth)).lstrip("+-")
    return {name for name, figure in said.items() if _shown(metric, figure).lstrip("+-") == top}


def _shown(metric: Metric, figure: float | None) -> str:
    if figure is None:
        return "–"
    if metric.better == "zero":
        return f"{figure:+.1%}"
    return f"{figure:,.1f}" if metric.name.startswith("MAE") else f"{figure:.3f}"


def _line(bar: Bar) -> dict[str, str]:
    met = {True: "yes", False: "NO", None: ""}[bar.met]
    return {"figure": bar.what, "found": bar.found, "needed": bar.needed, "reached": met}


def _record(outcome: Outcome) -> dict[str, Any]:
    evidence = outcome.evidence
    return {
        "case": str(outcome.case),
        "customers": outcome.customers,
        "returned": outcome.returned,
        "speaker": evidence.scorer.speaker,
        "grades": dict(evidence.scorer.grades),
        "notes": list(evidence.notes),
        "figures": outcome.figures,
        "candidates": outcome.candidates,
    }


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options.parser(__doc__, SETS)
    parser.add_argument("--json", type=Path, help="also write all figures to this file")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
