"""The work behind the verbs, without any printing: settings in, a record of what came out.

Each job does one thing in one room and leaves whole files behind; a kill at any moment leaves
those of the job before.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from features.errors import EmptyError
from features.store import Store, write_parquet

if TYPE_CHECKING:
    from features.contracts.losses import Obstacle
    from features.inputs import Inputs
    from features.table import Population
    from regulars.settings import Settings
    from training.pipeline import Training

#: Told what is being done, how many parts are done, and of how many.
Tell = Callable[[str, int, int], None]

_POPULATION: dict[str, Population] = {
    "inactivity": "buyers",
    "label": "customers",
    "subscription": "subscribers",
}
_NEEDED: dict[str, str] = {
    "buyers": "transactions",
    "customers": "customers",
    "subscribers": "subscriptions",
}


@dataclass(frozen=True)
class Built:
    """A behaviour table that was written.

    Parameters
    ----------
    as_of : date
        Its date.
    path : Path
        Its file.
    customers : int
        Its rows.
    """

    as_of: date
    path: Path
    customers: int


def instant(settings: Settings) -> datetime:
    """Now, in the business time zone."""
    return datetime.now(ZoneInfo(settings.timezone))


def store(settings: Settings) -> Store:
    """The store that the settings name."""
    return Store(Path(settings.store.path))


def population(settings: Settings) -> Population:
    """Whom the questions are about: buyers, every listed customer (label rule), or subscribers."""
    return _POPULATION[settings.churn.rule]


def read(settings: Settings, *, now: datetime, tell: Tell) -> Inputs:
    """Read and judge every source; rejected rows go into the store.

    Parameters
    ----------
    settings : Settings
        Which sources.
    now : datetime
        The instant, with a time zone; later rows are rejected.
    tell : callable
        Told of the progress.

    Returns
    -------
    Inputs
        Accepted rows.
    """
    from features import intake

    return intake.read(
        settings.sources,
        timezone=settings.timezone,
        now=now,
        rejects=store(settings).rejects(),
        progress=lambda step: tell(step, 0, 0),
    )


def obstacle(settings: Settings, inputs: Inputs) -> Obstacle | None:
    """Find what stands in the way of building, training and scoring: rows that were not read.

    Parameters
    ----------
    settings : Settings
        Whom the questions are about.
    inputs : Inputs
        Accepted rows and the reports of their sources.

    Returns
    -------
    Obstacle or None
    """
    from features.contracts import losses

    return losses.obstacle(inputs.reports, _NEEDED[population(settings)])


def day_after(inputs: Inputs, *, today: date) -> date:
    """The as-of date when none is given: the day after the last accepted row.

    Parameters
    ----------
    inputs : Inputs
        Accepted rows.
    today : date
        Taken where no source has dates.

    Returns
    -------
    date
        Of the transactions where there are any, else of the subscriptions or of the events.
    """
    last = {report.source: report.last_day for report in inputs.reports}
    day = last.get("transactions") or last.get("subscriptions") or last.get("events")
    return today if day is None else day + timedelta(days=1)


def build(settings: Settings, inputs: Inputs, as_of: date, *, tell: Tell) -> Built:
    """Write the behaviour table of a date, and the records behind it.

    Parameters
    ----------
    settings : Settings
        Horizon, rule, store.
    inputs : Inputs
        Accepted rows.
    as_of : date
        Nothing at or after its midnight is read.
    tell : callable
        Told of the progress.

    Returns
    -------
    Built
        The file and its rows, by customer id.

    Raises
    ------
    EmptyError
        If nobody is on record before the date.
    """
    from features import records, schema, table

    place, whom = store(settings), population(settings)
    tell("behaviour", 0, 1)
    rows = table.behaviour(inputs, as_of, horizon_days=settings.churn.horizon_days, population=whom)
    # Computed once; a table that breaks its contract never takes the place of a good one.
    with rows.cache() as kept:
        if not kept.count().to_pyarrow().as_py():
            raise EmptyError(
                f"No customer is on record before {as_of}; choose a later --as-of, or read an "
                "older log."
            )
        schema.check(kept, population=whom)
        customers = write_parquet(kept.order_by("customer_id"), place.behaviour(as_of))
    records.write(inputs, as_of, place)
    tell("behaviour", 1, 1)
    return Built(as_of, place.behaviour(as_of), customers)


def train(
    settings: Settings, inputs: Inputs, as_of: date, *, now: datetime, trials: int, tell: Tell
) -> Training:
    """Fit, test, register, and promote if the gate lets it through.

    Parameters
    ----------
    settings : Settings
        As loaded.
    inputs : Inputs
        Accepted rows.
    as_of : date
        Nothing at or after its midnight is used.
    now : datetime
        The instant, with a time zone.
    trials : int
        Trials of the hyperparameter search; 0 for none.
    tell : callable
        Told of the progress.

    Returns
    -------
    Training
        Version, verdict of the gate, and what was found.
    """
    from regulars.settings import loggable
    from regulars.version import code_version
    from serving.groups import kinds
    from training import pipeline
    from training.evidence import Order

    order = Order(
        name=settings.name,
        churn=settings.churn,
        value=settings.value,
        as_of=as_of,
        tracking_uri=tracking_uri(settings),
        artifact_root=_artifact_root(settings),
        now=now,
        settings=json.dumps(loggable(settings), indent=1, ensure_ascii=False),
        code_version=code_version(),
        trials=trials,
        kinds=kinds.of_subscribers if settings.churn.rule == "subscription" else kinds.of_scores,
        under_way=store(settings).trainings(),
    )
    return pipeline.train(inputs, order, tell)


def tracking_uri(settings: Settings) -> str:
    """MLflow's address from the settings; the folder of a SQLite file is made when missing."""
    uri = str(settings.tracking.uri)  # filled in when the settings are loaded
    if uri.startswith("sqlite"):
        Path(uri.partition(":///")[2]).parent.mkdir(parents=True, exist_ok=True)
    return uri


def _artifact_root(settings: Settings) -> Path | None:
    """The store, where no tracking server keeps artifacts of its own."""
    uri = tracking_uri(settings)
    if uri.startswith(("http://", "https://", "databricks")):
        return None
    return Path(settings.store.path) / "artifacts"
