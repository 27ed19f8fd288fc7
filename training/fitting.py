"""The models of one origin, fitted on nothing from its date on.

In: snapshots by date (``training.windows.known``) and an ``Origin``. Out: the value model on the
newest behaviour before the origin; the blend and its spend model, which learn from windows that
were over by then, carried to every horizon on the level that is expected of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.asked import Asked
from training.forecast import deviation_of, worth_of
from training.learners import stacking
from training.margins import COLUMNS as MARGINS
from training.scorer import Scorer
from training.subscriptions.margins import MARGIN as TERM_MARGIN
from training.windows import carry as carries
from training.windows.known import VALUE_FAMILY, VALUE_FEATURES, Known
from training.windows.panel import OUTCOMES, Origin

if TYPE_CHECKING:
    from training.families import Choice
    from training.learners.blend import Blend
    from training.learners.churn import ChurnModel
    from training.learners.logistic import LogisticModel
    from training.learners.spend import SpendModel
    from training.margins import Margins
    from training.value.calendar import Calendar
    from training.value.model import ValueModel
    from training.windows.carry import Carry
    from training.windows.spread import Spread

#: Who can give a return probability. The blend speaks where there is one, else the value model;
#: under the label rule the better of the two learners alone.
SPEAKERS = ("value", "logistic", "churn", "blend")


@dataclass(frozen=True)
class Fitted:
    """The models of one origin.

    Attributes
    ----------
    at : date
        Nothing from this date on was seen.
    value : ValueModel or None
        None where there is no transaction log.
    churn, logistic : ChurnModel and LogisticModel, or None
        The learners alone, under the label rule.
    families : mapping of str to str
        Family of each column that the churn models read.
    blend : Blend or None
        None where no past window has ended, or under the label rule.
    spend : SpendModel or None
        Beside the blend; None where nobody spent anything.
    carry : Carry or None
        Beside the blend: the levels by horizon.
    choice : families.Choice or None
        Why the value model holds its purchase model; None where there was no choice to make.
    calendar : Calendar or None
        The season by weeks; None in a backtest, which looks at the horizons that it leaves alone.
    margins : Margins or None
        Rates of the customers; None where the log states none, and in a backtest, which looks at
        no profit.
    """

    at: date
    value: ValueModel | None
    churn: ChurnModel | None
    logistic: LogisticModel | None
    families: Mapping[str, str]
    blend: Blend | None = None
    spend: SpendModel | None = None
    carry: Carry | None = None
    choice: Choice | None = None
    calendar: Calendar | None = None
    margins: Margins | None = None

    @property
    def speakers(self) -> tuple[str, ...]:
        """Which models can give a return probability here."""
        return tuple(name for name in SPEAKERS if getattr(self, name) is not None)

    @property
    def speaker(self) -> str:
        """The blend where there is one, else the value model."""
        # Its weights already say whom the windows trust; a choice between whole models would
        # follow the luck of a single season.
        return "blend" if self.blend is not None else "value"

    def source(self, horizon_days: int) -> str:
        """Where the level over a horizon is known from; "none" where the value model speaks."""
        return "none" if self.carry is None else self.carry.levels[horizon_days].source

    def scorer(
        self,
        speaker: str,
        asked: Asked,
        grades: Mapping[str, str],
        spread: Spread | None = None,
    ) -> Scorer:
        """The scorer in which this model speaks.

        Parameters
        ----------
        speaker : {"value", "logistic", "churn", "blend"}
            One of ``speakers``.
        asked : Asked
            Settings of the training.
        grades : mapping of str to str
            Grade by question.
        spread : Spread, optional
            How far outcomes lay from predictions in past windows; without it nothing has an
            interval.
        """
        blended = speaker == "blend"
        return Scorer(
            terms=asked.terms(self.at),
            speaker=speaker,
            value=self.value,
            churn=None if speaker == "value" else getattr(self, speaker),
            families=dict(self.families) if speaker != "value" else {},
            grades=dict(grades),
            spend=self.spend if blended else None,
            carry=self.carry if blended else None,
            spread=spread,
            calendar=self.calendar,
            margins=self.margins,
        )

    def trials(self, truth: pd.DataFrame) -> stacking.Trials:
        """What a window that these models had not seen says of the blend's members.

        Parameters
        ----------
        truth : pandas.DataFrame
            The snapshot at ``at`` with the outcome of the learned window.

        Returns
        -------
        Trials
            Empty without a blend.
        """
        if self.blend is None:
            return stacking.Trials()
        margins = self.blend.margins(truth)
        risk = (stacking.Trial(margins, 1.0 - truth["returned"].to_numpy(float)),)
        if self.spend is None:
            return stacking.Trials(risk)
        returning = _returning(self.blend, truth, float(truth["returned"].mean()))
        spent = truth["spend"].clip(lower=0).to_numpy(float)
        return stacking.Trials(risk, (stacking.Trial(self.spend.answers(truth, returning), spent),))


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
        What to learn from.
    past : mapping of date to Known
        Snapshots with outcomes; the blend learns from those of ``origin.dates``, the level from
        all whose windows ended by ``origin.at``.
    now : Known
        Behaviour at ``origin.at`` and the value model fitted on it; outcomes are not looked at.
    asked : Asked
        Settings of the training.
    trials : Trials
        What older windows say of the blend's members.

    Returns
    -------
    Fitted
        With ``blend`` None where no window has ended, or where every customer of the snapshots
        shares one fate.
    """
    families = feature_families(now.frame.columns)
    whole = Fitted(origin.at, now.value, None, None, families)
    snapshots = [past[day].seen(asked.window_days) for day in sorted(origin.dates)]
    if not snapshots or pd.concat([one["returned"] for one in snapshots]).nunique() < 2:
        return replace(whole, families={})
    blended = _blended(whole, snapshots, asked, trials)
    return replace(blended, carry=_carry(blended, past, now, asked))


def _blended(
    fitted: Fitted, snapshots: list[pd.DataFrame], asked: Asked, trials: stacking.Trials
) -> Fitted:
    """The blend and its spend model."""
    from training.learners import blend as blends
    from training.learners import spend as spends

    columns, trees = list(fitted.families), asked.trees()
    risk = stacking.risk_weights(trials.risk, len(blends.MEMBERS))
    worth = stacking.spend_weights(trials.spend, len(spends.MEMBERS))
    blend = blends.Blend.fit(snapshots, columns, trees, _named(blends.MEMBERS, risk))
    spend = spends.SpendModel.fit(snapshots, columns, trees, _named(spends.MEMBERS, worth))
    return replace(fitted, blend=blend, spend=spend)


def _carry(fitted: Fitted, past: Mapping[date, Known], now: Known, asked: Asked) -> Carry:
    """The levels of the windows ahead."""
    assert fitted.blend is not None  # noqa: S101
    deviation = deviation_of(fitted.blend, now.frame)
    found = carries.learn(fitted.at, asked.horizon_days, asked.horizons, past, now, deviation)
    if fitted.spend is None:
        return found
    worth = worth_of(fitted.spend, now.frame, deviation, found.shifts[asked.window_days])
    return carries.with_spend(found, now, worth)


def _returning(blend: Blend, frame: pd.DataFrame, mean: float) -> np.ndarray:
    """Return probability with a given mean."""
    from scipy.special import expit

    from training.windows.level import shift_log_odds

    stays = -blend.decision_function(frame)
    return expit(stays + shift_log_odds(stays, mean))


def _named(names: tuple[str, ...], weights: np.ndarray) -> dict[str, float]:
    return dict(zip(names, map(float, weights), strict=True))


def feature_families(columns: Iterable[str]) -> dict[str, str]:
    """Family of each column that a churn model may read, in the table's order.

    Parameters
    ----------
    columns : iterable of str
        Columns of an enriched snapshot.

    Returns
    -------
    dict of str to str
        Catalogue columns, ``attribute_*`` and value outputs; identity, outcomes and margins left
        out: what a sale leaves the business is no behaviour of the customer's.
    """
    from features.catalogue import family_of

    skip = {"customer_id", "as_of", "churned", *OUTCOMES, *MARGINS, TERM_MARGIN}
    chosen = [name for name in columns if name not in skip]
    return {n: VALUE_FAMILY if n in VALUE_FEATURES else family_of(n) for n in chosen}
