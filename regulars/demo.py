"""The whole job on CDNOW, in a folder that people can go on from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.store import write_text
from regulars import data_report, jobs, samples

if TYPE_CHECKING:
    from regulars.data_report import DataReport
    from regulars.jobs import Scored, Tell
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


def run(settings: Settings, *, now: datetime, out: Path, tell: Tell) -> Demonstration:
    """Check, build, train, promote and score.

    Parameters
    ----------
    settings : Settings
        Of the folder.
    now : datetime
        The instant, with a time zone.
    out : Path
        Where the score table goes besides the store.
    tell : callable
        Told of the progress.

    Returns
    -------
    Demonstration
    """
    inputs = jobs.read(settings, now=now, tell=tell)
    as_of = jobs.day_after(inputs, today=now.date())
    rejects = jobs.store(settings).rejects()
    report = data_report.make(inputs, settings, as_of, rejects)
    training = jobs.train(settings, inputs, as_of, now=now, trials=0, tell=tell)
    scored = jobs.score(settings, inputs, as_of, now=now, out=out, tell=tell)
    return Demonstration(report, training, scored)


def at_risk(scores: Path, number: int) -> list[dict[str, Any]]:
    """Customers to look after first: likelier to leave than to come back, by falling value.

    The same list as `POST /customers` gives for stage `at_risk`, a churn probability of at least
    one half, and the order `-clv`.

    Parameters
    ----------
    scores : Path
        A score table.
    number : int
        How many at most.

    Returns
    -------
    list of dict
        Score rows.
    """
    from serving import desk

    query = desk.Query(
        stage=("at_risk",), at_least=(("churn_probability", 0.5),), order=(("clv", True),)
    )
    columns = (
        *("customer_id", "horizon_days", "churn_probability", "expected_spend"),
        *("clv", "clv_horizon_days", "reasons"),
    )
    return desk.load(scores).page(query, columns, page=1, size=number)[0]
