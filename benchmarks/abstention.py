"""How often nothing is said: on healthy months of real data, and where something was spoilt.

    python benchmarks/abstention.py
    python benchmarks/abstention.py --only cdnow

Each data set is trained as of some dates and asked at later ones, as `regulars score` would be. No
model is fitted: what the training saw (`training.silence.shape`, `training.silence.reach`) and how
fresh the log is (`features.freshness`) decide what a blend would not be asked. In healthy months
every silence is a false alarm, but for a customer who is really unlike anybody before. The planted
faults are those that a feed has: it stops, or the unit of the amounts changes.

The last run is the section "When nothing is said" of docs/quality.md, put there by hand: the
rest of that page is printed by other commands.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks import data_sets, options
from benchmarks.data_sets import DataSet
from benchmarks.printed import table, tell

if TYPE_CHECKING:
    from features.inputs import Inputs
    from training.silence.reach import Reach
    from training.silence.shape import Shape

#: By data set: days of the trainings, and days after them on which is asked.
CASES: Mapping[str, tuple[date, ...]] = {
    "cdnow": (date(1997, 7, 1), date(1997, 10, 1), date(1998, 1, 1), date(1998, 3, 1)),
    "online-retail": (date(2010, 9, 1), date(2011, 3, 1), date(2011, 6, 9), date(2011, 9, 10)),
    "complete-journey": (date(2017, 5, 1), date(2017, 7, 1), date(2017, 9, 1), date(2017, 10, 1)),
}
LATER = (0, 30, 60, 90, 180)
HORIZON = 60


@dataclass(frozen=True)
class Learnt:
    """What a training would keep: everything of a blend but its models.

    Parameters
    ----------
    reach : Reach
    shape : Shape
    families : mapping of str to str
        Every column is read.
    """

    reach: Reach
    shape: Shape
    families: Mapping[str, str]
    speaker: str = "blend"
    rule: str = "inactivity"
    value: object = True
    attributes: tuple[str, ...] = ()


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the data sets that are asked for and print both tables."""
    parser = options.parser(__doc__)
    parser.add_argument("--only", nargs="*", default=list(CASES), choices=list(CASES))
    given = parser.parse_args(arguments)
    options.quiet()
    healthy, spoilt = [], []
    with tempfile.TemporaryDirectory(prefix="regulars-abstention-") as scratch:
        for name in given.only:
            data = data_sets.read(name, Path(scratch))
            if data is not None:
                healthy += list(lines(name, data))
                spoilt.append(planted(name, data))
    command = options.command("abstention", arguments)
    print(f"Printed by `{command}` on {date.today()}.\n")
    print(table(healthy))
    print("\nPlanted faults, and what was found:\n")
    print(table(spoilt))


def learn(inputs: Inputs, as_of: date) -> Learnt:
    """What a training as of a date sees.

    Parameters
    ----------
    inputs : Inputs
    as_of : date

    Returns
    -------
    Learnt
    """
    from training.fingerprint import of_transactions
    from training.fitting import feature_families
    from training.silence import reach, shape
    from training.windows import panel

    first = date.fromisoformat(of_transactions(inputs.transactions, as_of).first_day)
    days = (*panel.schedule(first, as_of, HORIZON).production.dates, as_of)
    frames = [panel.behaviour_frame(inputs, day, horizon_days=HORIZON) for day in days]
    return Learnt(reach.learn(frames), shape.learn(frames), feature_families(frames[-1].columns))


def lines(name: str, data: DataSet) -> Iterator[dict[str, str]]:
    """One line a training and date: who is not answered in full, and why.

    Parameters
    ----------
    name : str
    data : DataSet

    Yields
    ------
    dict of str to str
        Dates whose day the log has not reached are left out.
    """
    from training.windows import panel

    log_end = next(one.last_day for one in data.inputs.reports if one.source == "transactions")
    for trained in CASES[name]:
        tell(f"{name}: trained as of {trained}")
        learnt = learn(data.inputs, trained)
        for days in LATER:
            as_of = trained + timedelta(days=days)
            if log_end is None or as_of > log_end + timedelta(days=1):
                continue
            frame = panel.behaviour_frame(data.inputs, as_of, horizon_days=HORIZON)
            found, silent = asked(learnt, frame, data.inputs, as_of)
            yield {
                "data set": name,
                "trained as of": str(trained),
                "asked as of": str(as_of),
                "customers": f"{len(frame):,}",
                "alarms": "; ".join(found) or "none",
                "not said in full": f"{int(silent.sum()):,}",
                "share": f"{silent.mean():.3%}",
                "moved columns": str(len(learnt.shape.moved(frame))),
            }


def asked(
    learnt: Learnt, frame: pd.DataFrame, inputs: Inputs, as_of: date
) -> tuple[list[str], np.ndarray]:
    """Findings about the table, and where something is not said.

    Parameters
    ----------
    learnt : Learnt
    frame : pandas.DataFrame
        Behaviour rows at the date.
    inputs : Inputs
        For the freshness of their sources.
    as_of : date

    Returns
    -------
    list of str
        Findings in brief.
    numpy.ndarray of bool
        By customer.
    """
    from features import freshness
    from serving.abstention import silenced
    from training.silence.unsaid import find

    found = find(learnt, frame, freshness.of(inputs, as_of))
    told = silenced(frame, learnt, found)
    nobody = np.zeros(len(frame), dtype=bool)
    return [one.in_brief() for one in found], np.any(
        [nobody, *(one != "" for one in told.values())], axis=0
    )


def planted(name: str, data: DataSet) -> dict[str, str]:
    """What is found of faults that are planted at the newest training of a data set.

    Parameters
    ----------
    name : str
    data : DataSet

    Returns
    -------
    dict of str to str
        By fault.
    """
    from training.windows import panel

    trained = CASES[name][-1]
    as_of = trained + timedelta(days=60)
    tell(f"{name}: planted faults as of {as_of}")
    learnt = learn(data.inputs, trained)
    told = {"data set": name}
    for fault, spoil in FAULTS.items():
        spoilt = spoil(data.inputs, as_of)
        frame = panel.behaviour_frame(spoilt, as_of, horizon_days=HORIZON)
        found, silent = asked(learnt, frame, spoilt, as_of)
        told[fault] = "; ".join(found) or f"{int(silent.sum()):,} of {len(frame):,} customers"
    return told


def stopped(inputs: Inputs, as_of: date) -> Inputs:
    """The log as if its feed had stopped 60 days before a date."""
    log = inputs.transactions
    return replace(inputs, transactions=log.filter(log.day < as_of - timedelta(days=60)))


def times(factor: int, days: int | None = None) -> Callable[[Inputs, date], Inputs]:
    """A log whose amounts are this many times as high, throughout or in the last days."""

    def spoil(inputs: Inputs, as_of: date) -> Inputs:
        log = inputs.transactions
        since = date(1900, 1, 1) if days is None else as_of - timedelta(days=days)
        more = (log.amount * factor).cast(log.amount.type())
        return replace(
            inputs, transactions=log.mutate(amount=(log.day >= since).ifelse(more, log.amount))
        )

    return spoil


def whale(inputs: Inputs, as_of: date) -> Inputs:
    """The log with one customer's amounts of the last year 1,000 times as high."""
    log = inputs.transactions
    biggest = log.filter(log.day < as_of).group_by("customer_id").aggregate(spent=log.amount.sum())
    one = biggest.order_by(biggest.spent.desc()).limit(1).to_pyarrow()["customer_id"][0].as_py()
    more = (log.amount * 1000).cast(log.amount.type())
    return replace(
        inputs,
        transactions=log.mutate(amount=(log.customer_id == one).ifelse(more, log.amount)),
    )


FAULTS: Mapping[str, Callable[[Inputs, date], Inputs]] = {
    "healthy": lambda inputs, _: inputs,
    "stopped 60 days early": stopped,
    "amounts × 100": times(100),
    "amounts × 100 for a month": times(100, days=30),
    "amounts × 10": times(10),
    "one customer × 1,000": whale,
}


if __name__ == "__main__":
    main()
