"""T- and X-learner on boosted trees: what each arm changes for each customer.

In: a randomised trial. Out: the change of the return probability and of the spend that each action
brings against doing nothing. Trees have the settings of `training.learners.churn.ChurnModel`:
log-loss for the return, Tweedie's distribution with a log link for the spend, which is zero for
most and large for a few (`training.learners.spend`), and squared error for imputed effects, as a
mean is asked for.

With arms a, 0 for nothing, and μₐ(x) = E[Y | x, arm a]:

- T-learner: τₐ(x) = μₐ(x) − μ₀(x);
- X-learner: impute the effect on those who were treated, Dₜ = Y − μ₀(x), and on those who were not,
  D₀ = μₐ(x) − Y; learn τₐₜ(x) = E[Dₜ | x] and τₐ₀(x) = E[D₀ | x]; then
  τₐ(x) = g τₐ₀(x) + (1 − g) τₐₜ(x), where g is the share of the treated among both.

An imputed effect never takes a customer's own arm, so no model is asked about rows that it learned
from. Several arms are learned each against nothing.

References
----------
Künzel, Sekhon, Bickel & Yu (2019), "Metalearners for estimating heterogeneous treatment effects
using machine learning", PNAS 116(10): algorithms 1 (T) and 3 (X) of the supplement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from training.learners.churn import ChurnModel
from training.learners.encoding import Encoder
from training.learners.spend import POWER
from training.uplift.trial import OUTCOMES, RETURNED, Trial

Kind = Literal["T", "X"]
KINDS: tuple[Kind, ...] = ("T", "X")
OBJECTIVES: Mapping[str, Mapping[str, Any]] = {
    "returned": {"objective": "binary"},
    "spend": {"objective": "tweedie", "tweedie_variance_power": POWER},
    "effect": {"objective": "regression"},
}


@dataclass(frozen=True)
class Learner:
    """Fitted models of one trial.

    Attributes
    ----------
    kind : {"T", "X"}
    arms : tuple of str
        The first is doing nothing.
    encoder : Encoder
        Columns and levels that the trees read.
    boosters : mapping of str to lightgbm.Booster
        ``<outcome>_<arm>`` gives the outcome under an arm; for an X-learner
        ``<outcome>_<arm>_treated`` and ``_untreated`` give the effect.
    shares : tuple of float
        Of each action: the share of treated among those who got it or nothing (g).
    """

    kind: Kind
    arms: tuple[str, ...]
    encoder: Encoder
    boosters: Mapping[str, Any]
    shares: tuple[float, ...]

    @classmethod
    def fit(cls, trial: Trial, kind: Kind, trees: ChurnModel) -> Learner:
        """Fit a learner.

        Parameters
        ----------
        trial : Trial
        kind : {"T", "X"}
        trees : ChurnModel
            With the parameters of the trees, their seed and threads.

        Returns
        -------
        Learner

        Raises
        ------
        NotEnoughData
            When an arm has too few customers or returns.
        ValueError
            When the kind is unknown.
        """
        if kind not in KINDS:
            raise ValueError(f"Got a learner {kind!r}, expected one of {KINDS}.")
        trial.require_enough()
        encoder = Encoder.learn(trial.columns)
        matrix = encoder.transform(trial.columns)
        boosters: dict[str, Any] = {}
        for outcome in OUTCOMES:
            y = _bounded(trial.outcomes[outcome])
            for arm in range(len(trial.arms)):
                given = trial.arm == arm
                boosters[f"{outcome}_{arm}"] = _grow(
                    matrix[given], y[given], outcome, encoder, trees
                )
            if kind == "X":
                boosters |= _effects(trial, matrix, outcome, boosters, encoder, trees)
        told = [trial.against_nothing(a) for a in range(1, len(trial.arms))]
        shares = tuple(float((trial.arm[rows] > 0).mean()) for rows in told)
        return cls(kind, trial.arms, encoder, boosters, shares)

    def response(self, frame: pd.DataFrame, outcome: str) -> np.ndarray:
        """Outcome under each arm (μ).

        Parameters
        ----------
        frame : DataFrame of shape (n, at least n_columns)
        outcome : {"returned", "spend"}

        Returns
        -------
        ndarray of shape (n, n_arms)
            A probability, or currency over the window.
        """
        matrix = self.encoder.transform(frame)
        return np.column_stack(
            [_said(self.boosters[f"{outcome}_{a}"], matrix) for a in range(len(self.arms))]
        )

    def effect(self, frame: pd.DataFrame, outcome: str) -> np.ndarray:
        """Change of an outcome by each action against nothing (τ), not calibrated.

        Parameters
        ----------
        frame : DataFrame of shape (n, at least n_columns)
        outcome : {"returned", "spend"}

        Returns
        -------
        ndarray of shape (n, n_actions)
            Difference of probabilities, or currency over the window.
        """
        if self.kind == "T":
            response = self.response(frame, outcome)
            return response[:, 1:] - response[:, :1]
        matrix = self.encoder.transform(frame)
        found = np.empty((len(frame), len(self.shares)))
        for place, share in enumerate(self.shares):
            name = f"{outcome}_{place + 1}"
            treated = _said(self.boosters[f"{name}_treated"], matrix)
            untreated = _said(self.boosters[f"{name}_untreated"], matrix)
            found[:, place] = share * untreated + (1.0 - share) * treated
        return found


def _effects(
    trial: Trial,
    matrix: np.ndarray,
    outcome: str,
    responses: Mapping[str, Any],
    encoder: Encoder,
    trees: ChurnModel,
) -> dict[str, Any]:
    """Second stage of the X-learner: models of imputed effects."""
    y = trial.outcomes[outcome].astype(np.float64)
    grown = {}
    for action in range(1, len(trial.arms)):
        told = trial.against_nothing(action)
        treated, untreated = told & (trial.arm == action), told & (trial.arm == 0)
        gained = y[treated] - _said(responses[f"{outcome}_0"], matrix[treated])
        missed = _said(responses[f"{outcome}_{action}"], matrix[untreated]) - y[untreated]
        name = f"{outcome}_{action}"
        grown[f"{name}_treated"] = _grow(matrix[treated], gained, "effect", encoder, trees)
        grown[f"{name}_untreated"] = _grow(matrix[untreated], missed, "effect", encoder, trees)
    return grown


def _bounded(outcome: np.ndarray) -> np.ndarray:
    # What is left of refunds after a window's purchases is no negative purchase.
    return np.clip(outcome.astype(np.float64), 0.0, None)


def _grow(
    matrix: np.ndarray, y: np.ndarray, outcome: str, encoder: Encoder, trees: ChurnModel
) -> Any:
    import lightgbm

    data = lightgbm.Dataset(matrix, y, categorical_feature=list(encoder.categorical))
    settings = trees.tree_settings(len(matrix)) | dict(OBJECTIVES[outcome])
    if outcome != RETURNED and not y.any():
        # Tweedie's distribution has no mean of 0; a constant needs no trees.
        settings |= {"objective": "regression"}
    grown = lightgbm.train(settings, data, trees.rounds)
    # The text is the model: what is saved later is what predicts now.
    return lightgbm.Booster(model_str=grown.model_to_string())


def _said(booster: Any, matrix: np.ndarray) -> np.ndarray:
    if not len(matrix):
        return np.empty(0)
    return booster.predict(matrix, num_threads=1)
