"""The whole job on CDNOW, in a folder that people can go on from."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from features.store import write_text
from regulars import data_report, jobs, samples, scoring

if TYPE_CHECKING:
    from features.inputs import Inputs
    from regulars.data_report import DataReport
    from regulars.jobs import Tell
    from regulars.scoring import Scored
    from regulars.settings import Settings
    from training.pipeline import Training

SETTINGS = """\
# Written by `regulars demo`. Point it at your own log: change the uri and the column names,
# then run `regulars check`.
name = "cdnow"
currency = "USD"
timezone = "America/New_York"

[sources.transactions]
uri = "cdnow.csv"
customer_id = "customer_id"
timestamp = "date"
amount = "amount"

[churn]
rule = "inactivity"             # churned: no purchase within the horizon
horizon_days = 90

[value]
clv_horizon_days = 365
margin = 0.30                   # share of the spend that is profit
annual_discount_rate = 0.10

# What can be done, for `regulars plan`. Nothing was ever measured here: the effects are
# assumptions, each with how unsure it is, and the plan says so.
[actions.call]
channel = "telephone"
cost = 4.0                      # for each customer, in USD
capacity = 300                  # as many as one desk can call in a campaign
tiers = ["key"]
min_risk = 0.3
mass = false                    # key accounts only get what a named owner does for them
owner = "key account desk"
kept = { mean = 0.15, sd = 0.07 }   # of those who would leave, the share that it keeps

[actions.voucher]
channel = "e-mail"
cost = 0.10
cost_per_spend = 0.10           # ten per cent off whatever is then bought
stages = ["at_risk", "lapsed"]
max_risk = 0.95                 # there are lost causes
kept = { mean = 0.06, sd = 0.03 }
lift = { mean = 0.02, sd = 0.02 }   # the others spend so much more

[actions.newsletter]
channel = "e-mail"
cost = 0.02
kept = { mean = 0.005, sd = 0.005 }

[plan]
budget = 1500
holdout = 0.10                  # left out at random, so that the effect can be measured

[store]
path = ".regulars"              # behaviour tables, scores, models
"""


@dataclass(frozen=True)
class Demonstration:
    """What the whole job left.

    Parameters
    ----------
    report : DataReport
        Of the sources.
    training : Training
        Version, verdict and evidence.
    scored : Scored
        The score table.
    """

    report: DataReport
    training: Training
    scored: Scored


def prepare(folder: Path) -> Path:
    """Write the data, and the settings where there are none yet.

    Parameters
    ----------
    folder : Path
        Made when missing; settings that are there stay as they are.

    Returns
    -------
    Path
        The settings file.
    """
    samples.cdnow(folder)
    config = folder / "regulars.toml"
    if not config.exists():
        write_text(config, SETTINGS)
    return config


def run(
    settings: Settings, inputs: Inputs, *, clock: Callable[[], datetime], out: Path, tell: Tell
) -> Demonstration:
    """Check, build, train, promote and score.

    Parameters
    ----------
    settings : Settings
        Of the folder.
    inputs : Inputs
        Accepted rows.
    clock : callable
        The instant, with a time zone.
    out : Path
        Where the score table goes besides the store.
    tell : callable
        Told of the progress.

    Returns
    -------
    Demonstration
    """
    now = clock()
    as_of = jobs.day_after(inputs, today=now.date())
    rejects = jobs.store(settings).rejects()
    report = data_report.make(inputs, settings, as_of, rejects)
    data_report.keep(report, jobs.store(settings))
    training = jobs.train(settings, inputs, as_of, now=now, trials=0, tell=tell)
    scored = scoring.score(settings, inputs, as_of, now=clock(), out=out, tell=tell)
    return Demonstration(report, training, scored)


def closing(done: Demonstration) -> str:
    """Where all the scores are, and why there are fewer than customers in the report.

    Parameters
    ----------
    done : Demonstration

    Returns
    -------
    str
        One sentence.
    """
    scored = len(done.scored.frame)
    read = next((s.customers for s in done.report.sources if s.source == "transactions"), 0)
    without = ""
    if read > scored:
        without = f" ({read:,} less {read - scored:,} without a paid purchase, who are not scored)"
    return f"All {scored:,} customers{without}: {done.scored.paths[-1]}"


def again(verb: str, config: Path, program: str | None = None) -> str:
    """A command as it can be typed where this one was.

    Parameters
    ----------
    verb : str
        What to do.
    config : Path
        The settings file.
    program : str, optional
        How the command line was started; ``sys.argv[0]`` when not given.

    Returns
    -------
    str
        With the program's bare name only where that would start the same program.

    Examples
    --------
    >>> again("serve", Path("my shop.toml"), ".venv/bin/regulars")
    ".venv/bin/regulars serve -c 'my shop.toml'"
    """
    started = Path(program or sys.argv[0])
    if started.name == "__main__.py":
        words = [_shortest(Path(sys.executable)), "-m", started.parent.name]
    else:
        words = [_shortest(started)]
    return shlex.join([*words, verb, "-c", str(config)])


def _shortest(program: Path) -> str:
    """Name of a program where the shell finds it by that, else its path."""
    found = shutil.which(program.name)
    # Links are not followed: those of virtual environments lead to one program outside of them.
    same = found is not None and Path(found).absolute() == program.absolute()
    return program.name if same else str(program)
