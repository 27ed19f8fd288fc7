"""Scoring: behaviour rows in, score rows out.

One function for the command line and the service, so that a customer has the same score in the
table and in an answer. The model predicts; stage, tier, segment, reasons and abstention are
decided here, against the thresholds of the last full scoring. Whole columns throughout.

Null rule: nothing NaN or infinite leaves; what cannot be said is null, and `abstained` names it.
A customer without a purchase on record has a churn probability, where the model gives one, and
nothing that rests on purchases; of a subscriber the model says what rests on the subscription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa

from serving import abstention, scores
from serving.contract import BOUNDED
from serving.errors import ScoringError
from serving.groups import lifecycle, population, potential, segments, subscribers, tiers
from serving.groups.history import History
from serving.groups.history import read as read_history
from serving.groups.population import Thresholds
from serving.groups.tiers import FREE, Costs
from serving.reasons import reasons, typical
from training import unsaid

if TYPE_CHECKING:
    from features.freshness import Freshness
    from training.unsaid import Finding

# What rests on a customer's purchases: not said without any.
_FROM_PURCHASES = (
    "p_alive",
    *(f"{name}{end}" for name in BOUNDED for end in ("", "_lower", "_upper")),
)
_LIFETIME = ("clv", "clv_lower", "clv_upper")
_PREDICTED = (
    "churn_probability",
    "churn_probability_lower",
    "churn_probability_upper",
    "return_probability",
    *_FROM_PURCHASES,
)


class Predictor(Protocol):
    """What scoring needs of a model; `training.scorer.Scorer` has it."""

    @property
    def horizon_days(self) -> int:
        """Outcome window in days."""

    @property
    def clv_horizon_days(self) -> int:
        """Span of the lifetime value in days."""

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Probabilities, purchases, spend and lifetime value, row for row."""

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log-odds of churn by family, row for row."""

    def margin_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """Share of the spend that is profit, row for row."""


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
    frame, findings = _held_to_training(frame, scorer, thresholds, as_of, freshness)
    unbacked = abstention.silenced(frame, scorer, findings)
    contract = subscribers.are_scored(scorer)
    past = subscribers.history(frame) if contract else _history(frame, scorer)
    known = subscribers.known(frame) if contract else past.known
    predicted = _predict(frame, scorer, known, horizon_days)
    for name, values in predicted.items():
        predicted[name] = np.where(_backed(name, unbacked), values, np.nan)
    clv = predicted["clv"]
    horizon = scorer.horizon_days if horizon_days is None else horizon_days
    learning = thresholds is None
    if thresholds is None:
        thresholds = population.learn(
            past, clv, as_of=as_of, horizon_days=scorer.horizon_days, costs=costs
        )
    if contract:
        told = _by_contract(frame, scorer, as_of)
    else:
        told = _by_value(frame, scorer, as_of, known & _backed("p_alive", unbacked))
    decided = _decide(past, clv, thresholds, as_of, told)
    drivers = _drivers(frame, scorer, predicted["churn_probability"])
    if learning:
        usual = typical(drivers, decided["stage"])
        thresholds = replace(thresholds, typical=usual, findings=findings)
    decided |= _standing(decided, unbacked)
    columns: dict[str, Any] = {
        **predicted,
        **decided,
        "customer_id": frame["customer_id"].astype("str"),
        "as_of": as_of,
        "horizon_days": horizon,
        "clv_horizon_days": scorer.clv_horizon_days,
        "margin_rate": scorer.margin_rates(frame),
        **_of_contract(frame, scorer, predicted["churn_probability"], contract=contract),
        "reasons": reasons(frame, drivers, typical=thresholds.typical, currency=currency),
        "model_version": model_version,
        "scored_at": scored_at.astimezone(UTC),
    }
    return _assemble(columns, known, unbacked, subscribed=contract), thresholds


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


def _history(frame: pd.DataFrame, scorer: Predictor) -> History:
    """Purchases to date, and the margin that they left where the log states it."""
    margins = getattr(scorer, "margins", None)
    earned = None if margins is None else margins.earned(frame)
    return replace(read_history(frame), earned=earned)


def _held_to_training(
    frame: pd.DataFrame,
    scorer: Predictor,
    thresholds: Thresholds | None,
    as_of: date,
    freshness: Sequence[Freshness],
) -> tuple[pd.DataFrame, tuple[Finding, ...]]:
    """Rows that the model can read, and what it cannot back of their whole population."""
    shape = getattr(scorer, "shape", None)
    fitting = frame if shape is None else shape.fitting(frame)
    if thresholds is None:
        findings = unsaid.find(scorer, frame, freshness)
        if shape is not None and not findings:
            _note_moved(shape.moved(fitting))
        return fitting, findings
    # What was found at another date is no matter here.
    return fitting, thresholds.findings if thresholds.as_of == as_of else ()


def _note_moved(columns: Sequence[str]) -> None:
    """Say when most customers lie where hardly one did in training."""
    import warnings

    from training.errors import StatisticalWarning

    if columns:
        warnings.warn(
            f"Most customers lie where hardly one lay in training, by {unsaid.named(columns)}: the "
            "population has moved on. The scores are said; `regulars train` learns it as it is.",
            StatisticalWarning,
            stacklevel=2,
        )


def _backed(name: str, unbacked: Mapping[str, np.ndarray]) -> np.ndarray | bool:
    """Where nothing is against a predicted column; its interval ends with it."""
    reasons = unbacked.get(name.removesuffix("_lower").removesuffix("_upper"))
    return True if reasons is None else reasons == ""


def _standing(decided: Mapping[str, Any], unbacked: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Stage and next purchase, where what they are told from can be backed."""
    stage, days = decided["stage"], decided["next_purchase_by"]
    codes = np.where(_backed("stage", unbacked), stage.codes, -1)
    return {
        "stage": pd.Categorical.from_codes(codes, stage.categories),
        "next_purchase_by": np.where(
            _backed("next_purchase_by", unbacked), days, np.datetime64("NaT", "D")
        ),
    }


def _predict(
    frame: pd.DataFrame, scorer: Predictor, known: np.ndarray, horizon_days: int | None
) -> dict[str, np.ndarray]:
    """Predicted columns as float64 with NaN for what is not said."""
    if frame.empty:
        return {name: np.array([], dtype=float) for name in _PREDICTED}
    given = scorer.predict(frame, horizon_days)
    if horizon_days not in (None, scorer.horizon_days):
        # The lifetime value has a span of its own: another horizon must not move the tier.
        given = given.assign(**scorer.predict(frame)[list(_LIFETIME)])
    columns = {name: given[name].to_numpy(dtype="float64", na_value=np.nan) for name in _PREDICTED}
    for name, values in columns.items():
        said = np.isfinite(values) & (known if name in _FROM_PURCHASES else True)
        columns[name] = np.where(said, values, np.nan)
    return columns


def _by_contract(frame: pd.DataFrame, scorer: Predictor, as_of: date) -> dict[str, Any]:
    """What a contract tells of subscribers, whatever horizon was asked for."""
    usual = scorer.predict(frame) if len(frame) else pd.DataFrame({"churn_probability": []})
    churn = usual["churn_probability"].to_numpy(dtype="float64", na_value=np.nan)
    return {
        "next_purchase_by": subscribers.next_renewal(frame, as_of),
        "stage": subscribers.stage(frame, churn),
    }


def _by_value(
    frame: pd.DataFrame, scorer: Predictor, as_of: date, said: np.ndarray
) -> dict[str, Any]:
    """What the value model tells of the next purchase; nothing where there is none."""
    ask = getattr(scorer, "days_to_next_purchase", None)
    days = None if ask is None or frame.empty else ask(frame)
    if days is None:
        return {}
    told = said & np.isfinite(days)
    # The first day is the as-of date itself.
    ahead = np.where(told, np.ceil(days) - 1.0, 0.0).astype("timedelta64[D]")
    date_of = np.where(told, np.datetime64(as_of, "D") + ahead, np.datetime64("NaT", "D"))
    return {"next_purchase_by": date_of}


def _of_contract(
    frame: pd.DataFrame, scorer: Any, churn: np.ndarray, *, contract: bool
) -> dict[str, np.ndarray]:
    """Columns that only subscribers have."""
    if not contract or frame.empty:
        return {name: np.full(len(frame), np.nan) for name in subscribers.COLUMNS}
    told = scorer.lifetimes(frame)
    months = told["expected_months"].to_numpy(dtype=np.float64)
    return {
        "involuntary_probability": churn * told["involuntary_share"].to_numpy(dtype=np.float64),
        "expected_months": np.where(np.isfinite(churn), months, np.nan),
    }


def _decide(
    past: History,
    clv: np.ndarray,
    thresholds: Thresholds,
    as_of: date,
    told: dict[str, Any],
) -> dict[str, Any]:
    """Columns that are decided from the predictions, the population's thresholds and `told`."""
    rhythm, cuts, room = thresholds.rhythm, thresholds.cuts, thresholds.potential
    nobody = pd.Categorical.from_codes(np.full(len(clv), -1), pd.Index([], dtype="str"))
    days = np.full(len(clv), np.datetime64("NaT", "D"))
    own = {
        "next_purchase_by": lifecycle.due(past, rhythm, as_of) if rhythm else days,
        "stage": lifecycle.stage(past, rhythm) if rhythm else nobody,
    } | told
    could = potential.potential_value(past, clv, room) if room else np.full(len(clv), np.nan)
    return {
        "potential_value": could,
        **own,
        "tier": tiers.tier(past, clv, could, own["stage"], cuts) if cuts else nobody,
        "rfm": segments.rfm(past, thresholds.quintiles) if thresholds.quintiles else nobody,
    }


def _drivers(frame: pd.DataFrame, scorer: Predictor, churn: np.ndarray) -> pd.DataFrame:
    """Log-odds of churn by family; null where no probability is said."""
    if frame.empty:
        return pd.DataFrame(index=frame.index)
    return scorer.contributions(frame).mul(np.where(np.isfinite(churn), 1.0, np.nan), axis=0)


def _assemble(
    columns: dict[str, Any],
    known: np.ndarray,
    unbacked: Mapping[str, np.ndarray],
    *,
    subscribed: bool,
) -> pd.DataFrame:
    rows = len(known)
    missing = {name: np.asarray(pd.isna(columns[name])) for name in abstention.ANSWERS}
    columns["abstained"] = abstention.explain(
        missing, known, subscribed=subscribed, unbacked=unbacked
    )
    arrays = [_array(columns[item.name], item.type, rows) for item in scores.SCHEMA]
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
