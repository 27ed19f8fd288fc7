"""How fast Regulars is, side by side with what one would use instead.

    python benchmarks/speed.py                          # a few minutes
    python benchmarks/speed.py --rows 1e6,1e7 > docs/speed.md
    python benchmarks/speed.py --only value --json speed.json

One table: each row is a race between Regulars and another contender in the same run, in turns,
each in a process of its own; medians of several runs after a warm-up. Their answers are compared,
and a race between different answers ends the run. Quote the ratios: seconds depend on the
machine and on who else is using it.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks import agreement, made_log, options, service_contest, table_contests, value_contests
from benchmarks.clock import Contender, Timing, race
from benchmarks.printed import heading, table, tell
from regulars import environment

ABOUT = """Each row is a race between Regulars and another contender in the same run, in turns, each
in a process of its own. Seconds depend on the machine: quote the ratios. `pandas` is the same
table written by hand with pandas; `lifetimes` is the library as it comes; `nothing` is a BentoML
endpoint that does nothing, asked over the same kind of connection."""
PACKAGES = ("duckdb", "ibis-framework", "pandas", "lifetimes", "bentoml")
TOPICS = ("reading", "rfm", "behaviour", "value", "service")
AS_OF, HORIZON = made_log.AS_OF, made_log.HORIZON_DAYS


@dataclass(frozen=True)
class Contest:
    """A job, who does it, and how to tell that they all did.

    Parameters
    ----------
    topic, what : str
        One of `TOPICS`; the job in words.
    contenders : sequence of Contender
        Regulars first.
    agree : callable
        From our answer and another's to what was compared.
    """

    topic: str
    what: str
    contenders: Sequence[Contender]
    agree: Callable[[pd.DataFrame, pd.DataFrame], str]


def log_contests(rows: int, topics: Sequence[str], folder: Path) -> Iterator[Contest]:
    """Contests over a made log.

    Parameters
    ----------
    rows : int
        Lines of the log.
    topics : sequence of str
        Those of `TOPICS` that are asked for.
    folder : Path
        Where the log is kept.

    Yields
    ------
    Contest
    """
    if "rfm" in topics:
        plain = made_log.write(folder / f"purchases-{rows}.parquet", rows, refunds=False)
        given: dict[str, Any] = {"file": plain, "as_of": AS_OF}
        yield Contest(
            "rfm",
            f"rfm, {rows:,} transactions",
            [
                Contender("Regulars", table_contests.prepare_rfm, given),
                Contender("pandas", table_contests.prepare_rfm_pandas, given),
                Contender("lifetimes", table_contests.prepare_rfm_lifetimes, given),
            ],
            agreement.same,
        )
    file = made_log.write(folder / f"log-{rows}.parquet", rows)
    if "behaviour" in topics:
        given = {"file": file, "as_of": AS_OF, "horizon_days": HORIZON}
        yield Contest(
            "behaviour",
            f"behaviour table, {rows:,} transactions",
            [
                Contender("Regulars", table_contests.prepare_behaviour, given),
                Contender("pandas", table_contests.prepare_behaviour_pandas, given),
            ],
            agreement.same,
        )
    if "reading" in topics:
        yield Contest(
            "reading",
            f"reading and checking {rows:,} transactions",
            [
                Contender("Regulars", table_contests.prepare_reading, {"file": file}),
                Contender("pandas", table_contests.prepare_reading_pandas, {"file": file}),
            ],
            agreement.same,
        )


def value_races(number: int) -> Iterator[Contest]:
    """Contests over simulated customers.

    Parameters
    ----------
    number : int
        Customers.

    Yields
    ------
    Contest
    """
    given: dict[str, Any] = {"number": number}
    yield Contest(
        "value",
        f"BG/NBD fit, {number:,} customers",
        [
            Contender("Regulars", value_contests.prepare_purchases, given),
            Contender("lifetimes", value_contests.prepare_purchases_lifetimes, given),
        ],
        value_contests.four_digits,
    )
    yield Contest(
        "value",
        f"Gamma-Gamma fit, {number:,} customers",
        [
            Contender("Regulars", value_contests.prepare_values, given),
            Contender("lifetimes", value_contests.prepare_values_lifetimes, given),
        ],
        value_contests.four_digits,
    )
    given = {"number": number, "annual_discount_rate": 0.10}
    yield Contest(
        "value",
        f"CLV of a year, {number:,} customers",
        [
            Contender("Regulars", value_contests.prepare_clv, given),
            Contender("lifetimes", value_contests.prepare_clv_lifetimes, given),
        ],
        _same_clv,
    )


def _same_clv(ours: pd.DataFrame, theirs: pd.DataFrame) -> str:
    """Equal but for the discount: one takes it by the day, the other at the end of each month."""
    agreement.same(ours, theirs, within=0.006)
    return "within 0.6 %"


def run(contest: Contest, folder: Path, runs: int) -> tuple[list[dict[str, str]], dict[str, Any]]:
    """Hold a contest.

    Parameters
    ----------
    contest : Contest
    folder : Path
    runs : int

    Returns
    -------
    rows : list of dict
        For the table.
    record : dict
        For machines.
    """
    tell(contest.what)
    ours, *others = race(contest.contenders, folder, runs=runs)
    answer = pd.read_parquet(ours.answer)
    rows = []
    for other in others:
        same = contest.agree(answer, pd.read_parquet(other.answer))
        rows.append(_row(contest.what, ours, other, same))
    record = {
        "topic": contest.topic,
        "what": contest.what,
        "contenders": [{**vars(one), "answer": None} for one in (ours, *others)],
    }
    return rows, record


def _row(what: str, ours: Timing, other: Timing, same: str) -> dict[str, str]:
    return {
        "job": what,
        "against": other.name,
        "Regulars": _seconds(ours.median),
        "theirs": _seconds(other.median),
        "times faster": f"{other.median / ours.median:.2g}",
        "in CPU time": f"{other.cpu_median / ours.cpu_median:.2g}",
        "peak memory": f"{_size(ours.peak_bytes)}, {_size(other.peak_bytes)}",
        "same answers": same,
    }


def _in_all(records: Sequence[dict[str, Any]]) -> dict[str, str]:
    """The value model as a whole: fits and forecasts of one after the other."""

    def total(place: int) -> Timing:
        """One contender's times added up."""
        parts = [Timing(**record["contenders"][place]) for record in records]
        return Timing(
            parts[0].name,
            (sum(part.median for part in parts),),
            (sum(part.cpu_median for part in parts),),
            max(part.peak_bytes for part in parts),
            Path(),
        )

    return _row("value model, fits and CLV together", total(0), total(1), "")


def service_rows(folder: Path, requests: int) -> tuple[list[dict[str, str]], list[dict[str, Any]]]:
    """Hold the contest of requests.

    Parameters
    ----------
    folder : Path
        Where the demonstration is made.
    requests : int
        Timed requests of each kind.

    Returns
    -------
    rows : list of dict
        For the table.
    records : list of dict
        For machines.
    """
    tell("requests")
    rows, records = [], []
    for waits in service_contest.ask(folder, requests):
        ours, nothing = map(service_contest.percentiles, (waits.ours, waits.nothing))
        rows.append(
            {
                "job": waits.what,
                "against": "nothing",
                "Regulars": f"{ours[0]:.1f} (p95 {ours[1]:.1f}) ms",
                "theirs": f"{nothing[0]:.1f} (p95 {nothing[1]:.1f}) ms",
                "times faster": f"{nothing[0] / ours[0]:.2g}",
                "in CPU time": "–",
                "peak memory": "–",
                "same answers": "–",
            }
        )
        records.append({"topic": "service", **vars(waits)})
    return rows, records


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the races that are asked for and print the table."""
    given = _parse(arguments)
    environment.prepare(os.environ)
    with tempfile.TemporaryDirectory(prefix="regulars-speed-") as scratch:
        folder = Path(given.folder or scratch).absolute()
        folder.mkdir(parents=True, exist_ok=True)
        rows, records = _all(given, folder)
    command = options.command("speed", arguments)
    print(heading("How fast Regulars is", ABOUT, command, PACKAGES, date.today()))
    print(table(rows))
    if given.json:
        given.json.write_text(json.dumps(records, indent=1, default=str), encoding="utf-8")


def _all(given: argparse.Namespace, folder: Path) -> tuple[list, list]:
    rows, records = [], []
    for number in given.rows if {"reading", "rfm", "behaviour"} & {*given.only} else ():
        for contest in log_contests(number, given.only, folder):
            more, record = run(contest, folder, given.runs)
            rows += more
            records.append(record)
    if "value" in given.only:
        races = [run(contest, folder, given.runs) for contest in value_races(given.customers)]
        rows += [row for more, _ in races for row in more]
        rows.append(_in_all([record for _, record in races]))
        records += [record for _, record in races]
    if "service" in given.only:
        more, found = service_rows(folder, given.requests)
        rows += more
        records += found
    return rows, records


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = options.parser(__doc__)
    parser.add_argument(
        "--rows", type=_counts, default=[1_000_000], help="transactions, as 1e6,1e7"
    )
    parser.add_argument("--customers", type=_count, default=1_000_000, help="simulated customers")
    parser.add_argument("--requests", type=_count, default=200, help="requests of each kind")
    parser.add_argument("--runs", type=_count, default=5, help="timed runs of each contender")
    parser.add_argument(
        "--only", type=_topics, default=list(TOPICS), help=f"of {', '.join(TOPICS)}"
    )
    parser.add_argument("--folder", type=Path, help="keeps the made data for the next run")
    parser.add_argument("--json", type=Path, help="also write every run to this file")
    return parser.parse_args(arguments)


def _count(text: str) -> int:
    if not (number := float(text)).is_integer() or number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no whole number above 0")
    return int(number)


def _counts(text: str) -> list[int]:
    return [_count(part) for part in text.split(",")]


def _topics(text: str) -> list[str]:
    chosen = text.split(",")
    if unknown := set(chosen) - {*TOPICS}:
        raise argparse.ArgumentTypeError(f"{', '.join(unknown)}: choose from {', '.join(TOPICS)}")
    return chosen


def _seconds(value: float) -> str:
    return f"{value:.3g} s"


def _size(value: int) -> str:
    return f"{value / 2**20:,.0f} MB" if value < 2**30 else f"{value / 2**30:.1f} GB"


if __name__ == "__main__":
    main()
