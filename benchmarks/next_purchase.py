"""When customers who came back did come, beside the day that was told.

    python benchmarks/next_purchase.py
    python benchmarks/next_purchase.py --only cdnow

Each data set is seen as of a date; the value model is the one that `regulars train` would register
at it. Asked are those who bought in the days after, as the question is when and not whether. The
page docs/quality.md has it below what benchmarks/quality.py prints: append it with `>>`.
"""

# ruff: noqa: E402 - as on the command line, the environment is set before numpy is imported
from __future__ import annotations

import os

from regulars import environment

environment.prepare(os.environ)

import contextlib
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks import backtests, data_sets, options
from benchmarks.data_sets import Case, DataSet
from benchmarks.printed import heading, table, tell
from serving.groups import lifecycle
from serving.groups.history import read
from training.value.next_purchase import days_to_next_purchase

if TYPE_CHECKING:
    from training.value.model import ValueModel

ABOUT = """Of those who came back within the horizon: how many days lie between the day that was
told and the day on which they came. The value model tells the day by which half of customers alike
who come back within the horizon have come; *last purchase + gap* is that and the customer's own
mean gap (drawn to everybody's where there are few gaps), or the as-of date where this is past;
*as-of + gap* begins today instead; the *constant* is the best one there is, known only afterwards.
Of a median, half come before and half after it. Horizons of 365 days are as in the score table. The
season is not in it: ahead of 9 December lie a retailer's quiet months, and two of three come later
than told."""
PACKAGES = ("lifetimes", "lightgbm", "pandas")
CASES = (
    Case("cdnow", date(1998, 3, 1), 120),
    Case("cdnow", date(1997, 7, 1), 365),
    Case("online-retail", date(2011, 6, 9), 180),
    Case("online-retail", date(2010, 12, 9), 365),
)
NAMES = tuple(dict.fromkeys(case.name for case in CASES))
MODEL = "value model"
#: Kinds of customers by repeat purchases: name, fewest, most.
KINDS = (("bought once", 0, 0), ("2 to 4 times", 1, 3), ("5 times or more", 4, None))


@dataclass(frozen=True)
class Seen:
    """Customers of a case who came back.

    Parameters
    ----------
    case : Case
    came : numpy.ndarray of float64
        Days from as-of to the first purchase, 0 for as-of itself, of those who were told a day.
    frequency : numpy.ndarray of float64
        Repeat purchases before as-of.
    told : dict of str to numpy.ndarray
        By contender, the day that was told, likewise.
    """

    case: Case
    came: np.ndarray
    frequency: np.ndarray
    told: dict[str, np.ndarray]


def main(arguments: Sequence[str] | None = None) -> None:
    """Look at the data sets that are asked for and print the tables."""
    given = options.parser(__doc__, NAMES).parse_args(arguments)
    options.quiet()
    with tempfile.TemporaryDirectory(prefix="regulars-next-") as scratch:
        cases = data_sets.each(given.only, CASES, Path(scratch))
        seen = [look(case, data) for case, data in cases]
    command = options.command("next_purchase", arguments)
    print("#" + heading("When the next purchase comes", ABOUT, command, PACKAGES, date.today()))
    print(table([line for one in seen for line in lines(one)]) + "\n")
    print("The value model by how often the customer had bought:\n")
    print(table([line for one in seen for line in by_kind(one)]))


def look(case: Case, data: DataSet) -> Seen:
    """Learn before the date, tell a day to everybody, and see who came when.

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
    rows = panel.behaviour_frame(data.inputs, case.as_of, horizon_days=case.horizon_days)
    came = rows["customer_id"].map(_first(data, case)).to_numpy(float)
    days = np.ceil(days_to_next_purchase(_value(case, data, rows), rows, case.horizon_days)) - 1.0
    past = read(rows)
    rhythm = lifecycle.learn(past, horizon_days=case.horizon_days)
    gap = np.ceil(lifecycle.expected_gap(past, rhythm))
    told = {
        MODEL: days,
        "last purchase + gap": np.maximum(gap - past.days_since_last, 0.0),
        "as-of + gap": gap - 1.0,
    }
    returned = np.isfinite(came)
    asked = returned & np.isfinite(days)
    told = {name: when[asked] for name, when in told.items()}
    told["constant"] = np.full(asked.sum(), np.median(came[asked]))
    if untold := int(returned.sum() - asked.sum()):
        tell(f"{case}: {untold} came back who had been told no day")
    return Seen(case, came[asked], past.frequency[asked], told)


def _value(case: Case, data: DataSet, rows: pd.DataFrame) -> ValueModel:
    """The value model that a training before the date holds: past windows choose its purchases."""
    from training import families
    from training.asked import Asked
    from training.errors import NotEnoughData, StatisticalWarning
    from training.windows import panel
    from training.windows.known import know

    settings = backtests.with_horizon(data.settings, case.horizon_days)
    asked = Asked(settings.churn, settings.value)
    past = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        for day in panel.schedule(backtests.span(data)[0], case.as_of, case.horizon_days).dates:
            frame = panel.snapshot(
                data.inputs,
                day,
                horizon_days=asked.window_days,
                known_until=case.as_of,
                others=asked.horizons,
            )
            with contextlib.suppress(NotEnoughData):
                past[day] = know(frame, asked)
        choice = families.choose(families.Shelf(past, asked), case.as_of)
        tell(f"{case}: {choice.family.words}, {len(past)} windows")
        return know(rows, asked, choice.fit).value


def _first(data: DataSet, case: Case) -> pd.Series:
    """Days from as-of to the first occasion in the horizon, by customer."""
    import ibis

    from features.occasions import occasions

    log = data.inputs.transactions
    assert log is not None  # noqa: S101
    days = occasions(log, case.as_of + timedelta(days=case.horizon_days))
    ahead = days.filter(days.is_occasion & (days.day >= ibis.literal(case.as_of)))
    first = ahead.group_by("customer_id").aggregate(day=ahead.day.min()).to_pandas()
    since = pd.to_datetime(first["day"]) - pd.Timestamp(case.as_of)
    return pd.Series(since.dt.days.to_numpy(float), first["customer_id"])


def lines(seen: Seen) -> Iterator[dict[str, str]]:
    """One line a contender.

    Parameters
    ----------
    seen : Seen

    Yields
    ------
    dict of str to str
    """
    for name, told in seen.told.items():
        yield {"as of, horizon": str(seen.case), "told by": name, **_figures(told, seen.came)}


def by_kind(seen: Seen) -> Iterator[dict[str, str]]:
    """The value model, one line for each kind of customers that is there.

    Parameters
    ----------
    seen : Seen

    Yields
    ------
    dict of str to str
    """
    for name, fewest, most in KINDS:
        here = (seen.frequency >= fewest) & (seen.frequency <= (np.inf if most is None else most))
        if here.any():
            figures = _figures(seen.told[MODEL][here], seen.came[here])
            yield {"as of, horizon": str(seen.case), "customers who": name, **figures}


def _figures(told: np.ndarray, came: np.ndarray) -> dict[str, str]:
    error = np.abs(came - told)
    return {
        "came back": f"{len(came):,}",
        "median error, days": f"{np.median(error):.0f}",
        "mean error, days": f"{error.mean():.1f}",
        "came before": f"{(came < told).mean():.1%}",
        "on the day": f"{(came == told).mean():.1%}",
        "after": f"{(came > told).mean():.1%}",
    }


if __name__ == "__main__":
    main()
