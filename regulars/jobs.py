"""The work behind the verbs, without any printing: settings in, a record of what came out.

Each job does one thing in one room and leaves whole files behind; a kill at any moment leaves
those of the job before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from features.errors import EmptyError
from features.store import Store, write_parquet
from training.errors import RegistryError

if TYPE_CHECKING:
    import pandas as pd

    from features.inputs import Inputs
    from features.losses import Obstacle
    from features.table import Population
    from regulars.settings import Settings
    from training.pipeline import Training
    from training.registry import Champion
    from training.terms import Terms

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


@dataclass(frozen=True)
class Scored:
    """Scores that were written.

    Parameters
    ----------
    as_of : date
        Their date.
    paths : tuple of Path
        The file in the store, then the one asked for.
    frame : pandas.DataFrame
        The score table.
    model_version, speaker : str
        Who scored.
    grades : mapping of str to str
        The champion's grade by question.
    counts : mapping
        Customers in all, abstained, by stage and by tier; totals (`serving.totals.of_all`).
    """

    as_of: date
    paths: tuple[Path, ...]
    frame: pd.DataFrame
    model_version: str
    speaker: str
    grades: Mapping[str, str]
    counts: Mapping[str, Any]


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
    from features import losses

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


def score(
    settings: Settings,
    inputs: Inputs,
    as_of: date,
    *,
    now: datetime,
    out: Path | None,
    tell: Tell,
) -> Scored:
    """Score every customer of the population with the champion.

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
    out : Path or None
        A copy besides the one in the store, ``.parquet`` or ``.csv``.
    tell : callable
        Told of the progress.

    Returns
    -------
    Scored
        The table and where it is.

    Raises
    ------
    RegistryError
        If nothing was promoted yet.
    """
    import pyarrow.parquet as pq

    from features import freshness
    from serving import scores, scoring, totals
    from serving.groups.tiers import Costs
    from training.scorer import Scorer

    tell("champion", 0, 1)
    champion = _champion(settings)
    scorer = Scorer.load(champion.path)
    _note_other_terms(settings, scorer.terms)
    built = build(settings, inputs, as_of, tell=tell)
    tell("score", 0, 1)
    rows = pq.read_table(built.path, partitioning=None).to_pandas()
    frame, thresholds = scoring.score(
        rows,
        scorer,
        thresholds=None,
        as_of=as_of,
        model_version=champion.version,
        scored_at=now,
        currency=settings.currency,
        costs=Costs.of(settings.value),
        freshness=freshness.of(inputs, as_of),
    )
    meta = scores.Meta(
        name=settings.name,
        currency=settings.currency,
        timezone=settings.timezone,
        as_of=as_of,
        horizon_days=scorer.horizon_days,
        clv_horizon_days=scorer.clv_horizon_days,
        model_version=champion.version,
        run_id=champion.run_id,
        speaker=scorer.speaker,
        grades=scorer.grades,
        scored_at=now,
        thresholds=thresholds,
        counts=scores.counts(frame) | {"expected": totals.of_all(frame, rows, scorer)},
    )
    paths = (store(settings).scores(as_of), *([out] if out else []))
    for path in paths:
        scores.write(frame, meta, path)
    tell("score", 1, 1)
    return Scored(as_of, paths, frame, champion.version, scorer.speaker, scorer.grades, meta.counts)


def _champion(settings: Settings) -> Champion:
    from training import registry

    champion = registry.champion(tracking_uri(settings), settings.name)
    if champion is None:
        raise RegistryError(
            f"No model of {settings.name!r} has been promoted yet. Train one: `regulars train`; "
            "or promote a version: `regulars models promote VERSION --why …`."
        )
    return champion


def _note_other_terms(settings: Settings, terms: Terms) -> None:
    """Say when the settings ask for other terms than the champion was trained with."""
    import warnings

    from training.errors import StatisticalWarning

    asked = {"horizon_days": settings.churn.horizon_days, **settings.value.model_dump()}
    others = [
        f"{name} {getattr(terms, name)} (settings: {value})"
        for name, value in asked.items()
        if getattr(terms, name, value) != value
    ]
    if others:
        warnings.warn(
            f"The champion was trained with {', '.join(others)}; the scores are by its terms. "
            "To score by the settings run `regulars train` first.",
            StatisticalWarning,
            stacklevel=2,
        )


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
