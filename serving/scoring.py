"""Scoring: behaviour rows in, score rows out.

One function for the command line and the service, so that a customer has the same score in the
table and in an answer. The model predicts (`serving.predictions`); stage, tier and segment are
decided from that (`serving.decisions`), against the thresholds of the last full scoring; reasons
and abstention are told here. Whole columns throughout.

Null rule: nothing NaN or infinite leaves; what cannot be said is null, and `abstained` names it.
A customer without a purchase on record has a churn probability, where the model gives one, and
nothing that rests on purchases; of a subscriber the model says what rests on the subscription.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from serving import abstention, decisions, predictions, scores
from serving.errors import ScoringError
from serving.groups import population
from serving.groups.population import Thresholds
from serving.groups.tiers import FREE, Costs
from serving.insight.reasons import reasons, typical
from serving.predictions import Predicted, Predictor

if TYPE_CHECKING:
    from features.freshness import Freshness


def score(
    frame: pd.DataFrame,
    scorer: Predictor,
    *,
    thresholds: Thresholds | None,
    as_of: date,
    model_version: str,
    scored_at: datetime,
    currency: str = "",
    horizon_days: int | None = None,
    costs: Costs = FREE,
    freshness: Sequence[Freshness] = (),
) -> tuple[pd.DataFrame, Thresholds]:
    """Score customers.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_customers, n_columns)
        Behaviour rows at `as_of` with the catalogue's columns; one row a customer.
    scorer : Predictor
        The champion.
    thresholds : Thresholds or None
        Those of the last full scoring; None when `frame` is the whole population, to learn them.
    as_of : date
    model_version : str
    scored_at : datetime
        With a time zone.
    currency : str, optional
        For the words of the reasons.
    horizon_days : int, optional
        Another outcome window than the scorer's, in days. Lifetime value, stage, tier and
        segment do not depend on it.
    costs : Costs, optional
        Of serving a customer; kept in the thresholds that are learned.
    freshness : sequence of Freshness, optional
        Of the sources at `as_of`, when `frame` is the whole population.

    Returns
    -------
    pandas.DataFrame of shape (n_customers, 30)
        Score rows in the order of `frame`, backed by Arrow, with the types of `scores.SCHEMA`.
    Thresholds
        Those given, or those learned.

    Raises
    ------
    ScoringError
        If a column is missing, a customer id is null or there twice, the rows are of another
        as-of date, or `scored_at` has no time zone.
    ScoreTableError
        If there is nobody to learn thresholds from, or the model breaks the contract.
    """
    _check(frame, as_of, scored_at)
    said = predictions.predict(
        frame, scorer, thresholds, as_of=as_of, horizon_days=horizon_days, freshness=freshness
    )
    learned = thresholds or population.learn(
        said.past,
        said.columns["clv"],
        as_of=as_of,
        horizon_days=scorer.horizon_days,
        costs=costs,
    )
    decided = decisions.decide(said, scorer, learned, as_of)
    if thresholds is None:
        usual = typical(said.moved.join(said.drivers), decided["stage"])
        learned = replace(learned, typical=usual, findings=said.findings)
    columns = {
        **said.columns,
        **decisions.backed(decided, said),
        "customer_id": said.frame["customer_id"].astype("str"),
        "as_of": as_of,
        "horizon_days": scorer.horizon_days if horizon_days is None else horizon_days,
        "clv_horizon_days": scorer.clv_horizon_days,
        "margin_rate": scorer.margin_rates(said.frame),
        "reasons": reasons(
            said.frame,
            said.drivers,
            typical=learned.typical,
            currency=currency,
            moved=said.moved,
        ),
        "model_version": model_version,
        "scored_at": scored_at.astimezone(UTC),
    }
    return _assemble(columns, said), learned


def _check(frame: pd.DataFrame, as_of: date, scored_at: datetime) -> None:
    if scored_at.tzinfo is None:
        raise ScoringError(f"got scored_at={scored_at} without a time zone; give one, such as UTC")
    if "customer_id" not in frame:
        raise ScoringError("got behaviour rows without customer_id; expected one row a customer")
    ids = frame["customer_id"]
    if unnamed := int(ids.isna().sum()):
        raise ScoringError(f"got {unnamed} rows without a customer_id; expected none")
    if twice := int(ids.duplicated().sum()):
        raise ScoringError(f"got {twice} rows of a customer already there; expected one row each")
    dates = pd.unique(frame["as_of"]) if "as_of" in frame else [as_of]
    strange = sorted({str(pd.Timestamp(day).date()) for day in dates} - {str(as_of)})
    if strange:
        raise ScoringError(
            f"got behaviour rows of {', '.join(strange[:3])}; expected {as_of}: score one as-of "
            "date at a time"
        )


def _assemble(columns: dict[str, Any], said: Predicted) -> pd.DataFrame:
    """The score table, with what is null named."""
    missing = {name: np.asarray(pd.isna(columns[name])) for name in abstention.ANSWERS}
    columns["abstained"] = abstention.explain(
        missing, said.known, subscribed=said.subscribed, unbacked=said.unbacked
    )
    arrays = [_array(columns[item.name], item.type, len(said.known)) for item in scores.SCHEMA]
    table = pa.Table.from_arrays(arrays, schema=scores.SCHEMA)
    return scores.to_frame(scores.validate(table))


def _array(values: Any, kind: pa.DataType, rows: int) -> pa.Array:
    """Column of an Arrow type; a single value stands for every row."""
    if isinstance(values, pa.Array):
        return values
    if isinstance(values, pd.Series):
        return pa.chunked_array([pa.array(values)]).combine_chunks().cast(kind)
    if isinstance(values, pd.Categorical):
        words = pa.array(values.categories.to_numpy(dtype=object), pa.string())
        return words.take(pa.array(values.codes, mask=values.codes < 0))
    if isinstance(values, np.ndarray):
        return pa.array(values, kind, from_pandas=True)
    return pa.repeat(pa.scalar(values, kind), rows)
