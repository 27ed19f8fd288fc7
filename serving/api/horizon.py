"""Scores over another outcome window than the score table's, from the behaviour table.

In: ids, a horizon in days, or days of one's own within it. Out: score rows, made by the same
scoring as the table with the table's own thresholds, so stage, tier and segment are the table's.
"""

from __future__ import annotations

import glob
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from features.store import Store
from serving.api import span
from serving.api.failures import Failure
from serving.api.span import Days
from serving.desk import Desk
from serving.worker import Worker


def rows(
    worker: Worker,
    desk: Desk,
    ids: Sequence[str],
    horizon_days: int,
    now: datetime,
    days: Days | None = None,
) -> dict[str, dict[str, Any]]:
    """Score customers of the table over another horizon.

    Parameters
    ----------
    worker : Worker
    desk : Desk
        The score table: its as-of date and thresholds.
    ids : sequence of str
    horizon_days : int
        Outcome window in days.
    now : datetime
        The instant, with a time zone.
    days : Days, optional
        Days within the horizon that purchases and spend are to be of.

    Returns
    -------
    dict of str to dict
        Score rows of those who are there.

    Raises
    ------
    Failure
        422 when the behaviour table is not in the store, or the model knows one horizon only;
        503 without a model.
    """
    from serving import scoring
    from training.errors import TrainingError

    scorer = worker.need_scorer()
    frame = _behaviour(worker.deployment.store, desk, ids)
    if frame.empty:
        return {}
    try:
        scored, _ = scoring.score(
            frame,
            scorer,
            thresholds=desk.meta.thresholds,
            as_of=desk.meta.as_of,
            model_version=worker.deployment.model_version,
            scored_at=now,
            currency=worker.deployment.names.currency,
            horizon_days=horizon_days,
        )
        found = {row["customer_id"]: row for row in records(scored)}
        if days is not None:
            figures = scorer.between(frame, desk.meta.as_of, days.start, days.until)
            span.put(found, frame["customer_id"], figures)
    except TrainingError as error:
        raise Failure(422, str(error), code="horizon_unavailable") from error
    return found


def records(frame: Any) -> list[dict[str, Any]]:
    """Score frame as rows of Python values, null as None."""
    from serving import scores

    return scores.to_table(frame).to_pylist()


def _behaviour(store: Store | None, desk: Desk, ids: Sequence[str]) -> Any:
    as_of = desk.meta.as_of
    path = store.behaviour(as_of) if store else None
    if path is None or not path.is_file():
        raise Failure(
            422,
            f"Another horizon is computed from the behaviour table of {as_of}, which is not in "
            "the store: run `regulars build` for that date, or leave horizon_days out.",
            code="horizon_unavailable",
        )
    marks = ", ".join("?" * len(ids))
    sql = f"SELECT * FROM read_parquet(?) WHERE customer_id IN ({marks})"  # noqa: S608
    found = desk.cursor().sql(sql, params=[glob.escape(str(path)), *ids])
    return found.to_arrow_table().to_pandas()
