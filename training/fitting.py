"""The models of one origin, fitted on nothing from its date on.

In: snapshots by date (``training.panel``) and an ``Origin``. Out: the value model on the newest
behaviour before the origin; the churn and logistic models trained and calibrated on the origin's
past snapshots with the value model's outputs among their features; and the blend with its spend
model, set on the level that is expected of the window ahead.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training import level as levels
from training import stacking
from training.level import Level
from training.panel import OUTCOMES, Origin
from training.scorer import VALUE_FAMILY, VALUE_FEATURES, Scorer, Terms, add_value_features

if TYPE_CHECKING:
    from training.blend import Blend
    from training.churn import ChurnModel
    from training.families import Choice
    from training.logistic import LogisticModel
    from training.settings import ChurnSettings, ValueSettings
    from training.spend import SpendModel
    from training.value.model import ValueModel

#: Who can give a return probability. The blend speaks where there is one, else the value model;
#: under the label rule the better of the two learners alone.
SPEAKERS = ("value", "logistic", "churn", "blend")


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
    blend : Blend or None
        None where no past window has ended, or under the label rule.
    spend : SpendModel or None
        Beside the blend; None where nobody spent anything.
    level : Level
        What the blend expects of the window ahead, against the value model alone.
    choice : families.Choice or None
        Why the value model holds its purchase model; None where there was no choice to make.
    """

    at: date
    value: ValueModel | None
    churn: ChurnModel | None
    logistic: LogisticModel | None
    families: Mapping[str, str]
    blend: Blend | None = None
    spend: SpendModel | None = None
    level: Level = field(default_factory=Level)
    choice: Choice | None = None

    @property
    def speakers(self) -> tuple[str, ...]:
        """Which models can give a return probability here."""
        return tuple(name for name in SPEAKERS if getattr(self, name) is not None)

    def scorer(self, speaker: str, asked: Asked, grades: Mapping[str, str]) -> Scorer:
        """The scorer in which this model speaks.

        Parameters
        ----------
        speaker : {"value", "logistic", "churn", "blend"}
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
            spend=self.spend if speaker == "blend" else None,
            level=self.level if speaker == "blend" else Level(),
        )

    def trials(self, truth: pd.DataFrame) -> stacking.Trials:
        """What a window that these models had not seen says of the blend's members.

        Parameters
        ----------
        truth : pandas.DataFrame
            The snapshot at ``at`` with its outcomes.

        Returns
        -------
        Trials
            Empty without a blend.
        """
        if self.blend is None:
            return stacking.Trials()
        stays = 1.0 - truth["returned"].to_numpy(float)
        risk = (stacking.Trial(self.blend.margins(truth), stays),)
        if self.spend is None:
            return stacking.Trials(risk)
        returning = self.blend.predict_proba(truth)[:, 0]
        spent = truth["spend"].clip(lower=0).to_numpy(float)
        return stacking.Trials(risk, (stacking.Trial(self.spend.answers(truth, returning), spent),))


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


def know(snapshot: pd.DataFrame, asked: Asked, choice: Choice | None = None) -> Known:
    """Fit the value model on a snapshot's behaviour and put its outputs beside it.

    Parameters
    ----------
    snapshot : pandas.DataFrame
        Behaviour rows, with or without outcomes.
    asked : Asked
        Horizon, margin and discount.
    choice : families.Choice, optional
        The purchase model, and whether values go with the frequency; BG/NBD and plain
        Gamma-Gamma when not given.

    Returns
    -------
    Known
        The enriched frame and the model.
    """
    from training.value.model import ValueModel

    if choice is None:
        return valued(snapshot, ValueModel().fit(snapshot), asked)
    with warnings.catch_warnings():
        if choice.values.leaning:
            # The doubt is answered: these values are held by frequency.
            warnings.filterwarnings("ignore", "Frequency and value of purchases")
        model = ValueModel(choice.family.purchases, choice.family.memory).fit(snapshot)
    return valued(snapshot, choice.values.applied(model, snapshot), asked)


def valued(snapshot: pd.DataFrame, model: ValueModel, asked: Asked) -> Known:
    """A snapshot with the outputs of a value model beside it.

    Parameters
    ----------
    snapshot : pandas.DataFrame
        Behaviour rows, with or without outcomes.
    model : ValueModel
        Fitted on them.
    asked : Asked
        Horizon, margin and discount.

    Returns
    -------
    Known
        The enriched frame and the model.
    """
    answers = model.predict(
        snapshot,
        horizon_days=asked.churn.horizon_days,
        clv_horizon_days=asked.value.clv_horizon_days,
        margin=asked.value.margin,
        annual_discount_rate=asked.value.annual_discount_rate,
    )
    return Known(add_value_features(snapshot, answers), model)


def fit_origin(
    origin: Origin,
    past: Mapping[date, Known],
    now: Known,
    asked: Asked,
    trials: stacking.Trials = stacking.Trials(),  # noqa: B008 - frozen and empty
) -> Fitted:
    """Fit every model that history before an origin allows.

    Parameters
    ----------
    origin : Origin
        What to train and calibrate on.
    past : mapping of date to Known
        Snapshots with outcomes; those of ``origin.dates`` are read.
    now : Known
        Behaviour at ``origin.at`` and the value model fitted on it; outcomes are not looked at.
    asked : Asked
        Settings of the training.
    trials : Trials
        What older windows say of the blend's members.

    Returns
    -------
    Fitted
        With ``churn`` and ``logistic`` None where there is no panel, and ``blend`` None where no
        window has ended, or where every customer of the snapshots shares one fate.
    """
    if not origin.dates:
        return Fitted(origin.at, now.value, None, None, {})
    frames = {day: past[day].frame for day in origin.dates}
    families = feature_families(now.frame.columns)
    churn, logistic = _calibrated(origin, frames, list(families), asked)
    whole = Fitted(origin.at, now.value, churn, logistic, families)
    if churned(pd.concat(frames.values(), ignore_index=True)).nunique() < 2:
        return whole
    return _blended(whole, frames, now.frame, asked, trials)


def _calibrated(
    origin: Origin, frames: Mapping[date, pd.DataFrame], columns: list[str], asked: Asked
) -> tuple[ChurnModel | None, LogisticModel | None]:
    """Each learner alone, calibrated on the newest snapshot."""
    if not origin.has_panel or origin.calibrate is None:
        return None, None
    train = pd.concat([frames[day] for day in origin.train], ignore_index=True)
    later = frames[origin.calibrate]
    if churned(train).nunique() < 2 or churned(later).nunique() < 2:
        return None, None
    churn = churn_model(asked).fit(train[columns], churned(train))
    logistic = logistic_model().fit(train[columns], churned(train))
    for model in (churn, logistic):
        model.calibrate(later[columns], churned(later))
    return churn, logistic


def _blended(
    fitted: Fitted,
    frames: Mapping[date, pd.DataFrame],
    now: pd.DataFrame,
    asked: Asked,
    trials: stacking.Trials,
) -> Fitted:
    """The blend and its spend model, on the level expected of the window ahead."""
    from training import blend as blends
    from training import spend as spends

    columns, trees = list(fitted.families), churn_model(asked)
    snapshots = [frames[day] for day in sorted(frames)]
    risk = stacking.risk_weights(trials.risk, len(blends.MEMBERS))
    worth = stacking.spend_weights(trials.spend, len(spends.MEMBERS))
    blend = blends.Blend.fit(snapshots, columns, trees, _named(blends.MEMBERS, risk))
    spend = spends.SpendModel.fit(snapshots, columns, trees, _named(spends.MEMBERS, worth))
    level = levels.ahead(fitted.at, asked.churn.horizon_days, frames)
    blend = blend.anchored(now, levels.mean_after(now["value_return_probability"], level.returns))
    if spend is not None:
        returning = blend.predict_proba(now)[:, 0]
        total = float(now["value_expected_spend"].sum() * np.exp(level.spend))
        spend = spend.anchored(now, returning, total)
    return replace(fitted, blend=blend, spend=spend, level=level)


def _named(names: tuple[str, ...], weights: np.ndarray) -> dict[str, float]:
    return dict(zip(names, map(float, weights), strict=True))


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
