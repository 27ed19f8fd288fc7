"""The work behind `regulars score`: from the champion and the sources to the score table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from regulars import jobs
from training.errors import RegistryError

if TYPE_CHECKING:
    import pandas as pd

    from features.inputs import Inputs
    from regulars.settings import Settings
    from serving.scores import Meta
    from training.runs.registry import Champion
    from training.scorer import Scorer
    from training.terms import Terms


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
    trained_as_of : date
        The champion learned from nothing at or after its midnight.
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
    trained_as_of: date
    grades: Mapping[str, str]
    counts: Mapping[str, Any]


def score(
    settings: Settings,
    inputs: Inputs,
    as_of: date,
    *,
    now: datetime,
    out: Path | None,
    tell: jobs.Tell,
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
    from serving import scores
    from training.scorer import Scorer

    tell("champion", 0, 1)
    champion = _champion(settings)
    scorer = Scorer.load(champion.path)
    _note_other_terms(settings, scorer.terms)
    built = jobs.build(settings, inputs, as_of, tell=tell)
    tell("score", 0, 1)
    frame, meta = _scores(settings, inputs, built, champion, scorer, now)
    paths = (jobs.store(settings).scores(as_of), *([out] if out else []))
    for path in paths:
        scores.write(frame, meta, path)
    tell("score", 1, 1)
    return Scored(
        as_of=as_of,
        paths=paths,
        frame=frame,
        model_version=champion.version,
        speaker=scorer.speaker,
        trained_as_of=scorer.trained_as_of,
        grades=scorer.grades,
        counts=meta.counts,
    )


def _scores(
    settings: Settings,
    inputs: Inputs,
    built: jobs.Built,
    champion: Champion,
    scorer: Scorer,
    now: datetime,
) -> tuple[pd.DataFrame, Meta]:
    """The score table of a behaviour table, and what is kept beside it."""
    import pyarrow.parquet as pq

    from features import freshness
    from serving import scores, scoring, totals
    from serving.groups.tiers import Costs

    rows = pq.read_table(built.path, partitioning=None).to_pandas()
    frame, thresholds = scoring.score(
        rows,
        scorer,
        thresholds=None,
        as_of=built.as_of,
        model_version=champion.version,
        scored_at=now,
        currency=settings.currency,
        costs=Costs.of(settings.value),
        freshness=freshness.of(inputs, built.as_of),
    )
    meta = scores.Meta(
        name=settings.name,
        currency=settings.currency,
        timezone=settings.timezone,
        as_of=built.as_of,
        horizon_days=scorer.horizon_days,
        clv_horizon_days=scorer.clv_horizon_days,
        model_version=champion.version,
        run_id=champion.run_id,
        speaker=scorer.speaker,
        grades=scorer.grades,
        scored_at=now,
        thresholds=thresholds,
        counts=scores.counts(frame) | {"expected": totals.of_all(frame, rows, scorer)},
        margin=scorer.terms.margin if getattr(scorer, "margins", None) is None else None,
    )
    return frame, meta


def _champion(settings: Settings) -> Champion:
    from training.runs import registry

    champion = registry.champion(jobs.tracking_uri(settings), settings.name)
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
