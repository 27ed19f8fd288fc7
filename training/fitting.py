"""The models of one origin, fitted on nothing from its date on.

In: snapshots by date (``training.panel``) and an ``Origin``. Out: the value model on the newest
behaviour before the origin, and the churn and logistic models trained and calibrated on the
origin's past snapshots with the value model's outputs among their features.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import pandas as pd

from training.panel import OUTCOMES, Origin
from training.scorer import VALUE_FAMILY, VALUE_FEATURES, Scorer, Terms, add_value_features

if TYPE_CHECKING:
    from training.churn import ChurnModel
    from training.logistic import LogisticModel
    from training.settings import ChurnSettings, ValueSettings
    from training.value.model import ValueModel

#: Who may speak for the return probability, in the order in which ties are broken.
SPEAKERS = ("value", "logistic", "churn")


@dataclass(frozen=True)
class Asked:
    """The settings that every fit of a training shares.

    Attributes
    ----------
    churn : ChurnSettings
        Rule, horizon, threads.
    value : ValueSettings
        CLV span, margin, discount.
    seed : int
        Seed of the tree learner.
    parameters : mapping
        LightGBM parameters found by a search; empty for the defaults.
    """

    churn: ChurnSettings
    value: ValueSettings
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def terms(self, as_of: date) -> Terms:
        """What a scorer trained as of this date promises."""
        return Terms(
            rule=self.churn.rule,
            horizon_days=self.churn.horizon_days,
            clv_horizon_days=self.value.clv_horizon_days,
            margin=self.value.margin,
            annual_discount_rate=self.value.annual_discount_rate,
            trained_as_of=as_of.isoformat(),
        )


@dataclass(frozen=True)
class Fitted:
    """The models of one origin.

    Attributes
    ----------
    at : date
        Nothing from this date on was seen.
    value : ValueModel or None
        None where there is no transaction log.
    churn : ChurnModel or None
        None where there is no panel.
    logistic : LogisticModel or None
        None where there is no panel.
    families : mapping of str to str
        Family of each column that the churn models read.
    """

    at: date
    value: ValueModel | None
    churn: ChurnModel | None
    logistic: LogisticModel | None
    families: Mapping[str, str]

    @property
    def speakers(self) -> tuple[str, ...]:
        """Which models can give a return probability here."""
        return tuple(name for name in SPEAKERS if getattr(self, name) is not None)

    def scorer(self, speaker: str, asked: Asked, grades: Mapping[str, str]) -> Scorer:
        """The scorer in which this model speaks.

        Parameters
        ----------
        speaker : {"value", "logistic", "churn"}
            One of ``speakers``.
        asked : Asked
            Settings of the training.
        grades : mapping of str to str
            Grade by question.
        """
        return Scorer(
            terms=asked.terms(self.at),
            speaker=speaker,
            value=self.value,
            churn=None if speaker == "value" else getattr(self, speaker),
            families=dict(self.families) if speaker != "value" else {},
            grades=dict(grades),
        )


@dataclass(frozen=True)
class Known:
    """One past date: what was known then, and the value model fitted on just that.

    Attributes
    ----------
    frame : pandas.DataFrame
        Behaviour rows with the columns of ``VALUE_FEATURES``, and the outcomes where they are
        known.
    value : ValueModel
        Fitted on this date's behaviour.
    """

    frame: pd.DataFrame
    value: ValueModel


def know(snapshot: pd.DataFrame, asked: Asked) -> Known:
    """Fit the value model on a snapshot's behaviour and put its outputs beside it.

    Parameters
    ----------
    snapshot : pandas.DataFrame
        Behaviour rows, with or without outcomes.
    asked : Asked
        Horizon, margin and discount.

    Returns
    -------
    Known
        The enriched frame and the model.
    """
    from training.value.model import ValueModel

    model = ValueModel().fit(snapshot)
    valued = model.predict(
        snapshot,
        horizon_days=asked.churn.horizon_days,
        clv_horizon_days=asked.value.clv_horizon_days,
        margin=asked.value.margin,
        annual_discount_rate=asked.value.annual_discount_rate,
    )
    return Known(add_value_features(snapshot, valued), model)


def fit_origin(
    origin: Origin, past: Mapping[date, Known], value: ValueModel, asked: Asked
) -> Fitted:
    """Fit every model that history before an origin allows.

    Parameters
    ----------
    origin : Origin
        What to train and calibrate on.
    past : mapping of date to Known
        Snapshots with outcomes; those of ``origin.dates`` are read.
    value : ValueModel
        Fitted on the behaviour at ``origin.at``.
    asked : Asked
        Settings of the training.

    Returns
    -------
    Fitted
        With ``churn`` and ``logistic`` None where there is no panel, or where every customer of
        a snapshot shares one fate.
    """
    if not origin.has_panel or origin.calibrate is None:
        return Fitted(origin.at, value, None, None, {})
    train = pd.concat([past[day].frame for day in origin.train], ignore_index=True)
    later = past[origin.calibrate].frame
    if churned(train).nunique() < 2 or churned(later).nunique() < 2:
        return Fitted(origin.at, value, None, None, {})
    families = feature_families(train.columns)
    columns = list(families)
    churn = churn_model(asked).fit(train[columns], churned(train))
    logistic = logistic_model().fit(train[columns], churned(train))
    for model in (churn, logistic):
        model.calibrate(later[columns], churned(later))
    return Fitted(origin.at, value, churn, logistic, families)


def churn_model(asked: Asked) -> ChurnModel:
    """An unfitted LightGBM churn model with this training's parameters."""
    from training.churn import ChurnModel

    return ChurnModel(threads=asked.churn.threads, seed=asked.seed, **asked.parameters)


def logistic_model() -> LogisticModel:
    """An unfitted logistic regression."""
    from training.logistic import LogisticModel

    return LogisticModel()


def churned(snapshot: pd.DataFrame) -> pd.Series:
    """1 where the customer did not return in the window, 0 where they did."""
    return (1 - snapshot["returned"]).astype("int8")


def feature_families(columns: Iterable[str]) -> dict[str, str]:
    """Family of each column that a churn model may read, in the table's order.

    Parameters
    ----------
    columns : iterable of str
        Columns of an enriched snapshot.

    Returns
    -------
    dict of str to str
        Catalogue columns, ``attribute_*`` and value outputs; identity and outcomes left out.
    """
    from features.catalogue import family_of

    skip = {"customer_id", "as_of", "churned", *OUTCOMES}
    chosen = [name for name in columns if name not in skip]
    return {n: VALUE_FAMILY if n in VALUE_FEATURES else family_of(n) for n in chosen}
