"""Probabilities that mean what they say, learned on customers the model did not train on.

In: a model's log-odds and what came of it, from a later snapshot, or out of fold where there is
only one. Out: the two numbers of Platt's sigmoid. A sigmoid keeps the ranking and makes no ties,
as an isotonic step function would.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.errors import NotEnoughData, StatisticalWarning

if TYPE_CHECKING:
    import pandas as pd

    from training.classifier import RiskClassifier

#: Below this a slope would call the model useless or upside down; the fit stops here.
LOWEST_SLOPE = 0.05
#: Standard deviations of the prior around the identity: slope 1, intercept 0.
PRIOR_SLOPE, PRIOR_INTERCEPT = 0.5, 2.0


@dataclass(frozen=True)
class Sigmoid:
    """Platt's sigmoid on the log-odds: logit p = slope · z + intercept.

    Parameters
    ----------
    slope : float, above 0, default=1.0
        Below 1 tempers a model that is too sure of itself.
    intercept : float, default=0.0
        Moves every probability up or down, in log-odds.
    """

    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, log_odds: np.ndarray) -> np.ndarray:
        """Calibrate log-odds; the identity by default."""
        return self.slope * log_odds + self.intercept

    @classmethod
    def learn(cls, log_odds: np.ndarray, churned: np.ndarray) -> Sigmoid:
        """Fit slope and intercept.

        Parameters
        ----------
        log_odds : ndarray of shape (n,)
            Of churn, from the uncalibrated model.
        churned : ndarray of shape (n,)
            0 or 1.

        Returns
        -------
        Sigmoid
            With a slope of at least 0.05. The identity, with a `StatisticalWarning`, when there
            are no rows or all share one fate, since nothing can be learned from those.

        Notes
        -----
        Minimises  Σᵢ [log(1 + e^{mᵢ}) − yᵢ mᵢ] + (a − 1)²/(2·0.5²) + b²/(2·2²)  with
        mᵢ = a zᵢ + b: the log-loss and a weak pull to the identity, worth about as much as a
        dozen customers. It is convex, so there is one answer.

        References
        ----------
        Platt (1999), "Probabilistic outputs for support vector machines".
        """
        y = np.asarray(churned, dtype=np.float64)
        z = np.asarray(log_odds, dtype=np.float64)
        if len(y) == 0 or y.min() == y.max():
            warnings.warn(
                f"Not calibrated: all {len(y)} customers of the calibration snapshot share one "
                "fate; choose an as-of date with customers of both.",
                StatisticalWarning,
                stacklevel=2,
            )
            return cls()
        slope, intercept = _minimise(z, y)
        if slope <= LOWEST_SLOPE:
            warnings.warn(
                f"The model does not rank the {len(y)} customers of the calibration snapshot: "
                f"the slope stopped at {LOWEST_SLOPE}, and its probabilities are close to the "
                "average.",
                StatisticalWarning,
                stacklevel=2,
            )
        return cls(slope, intercept)

    def to_dict(self) -> dict[str, float]:
        """Return slope and intercept by name."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, stored: Mapping[str, float]) -> Sigmoid:
        """Return the sigmoid that `to_dict` described."""
        return cls(float(stored["slope"]), float(stored["intercept"]))


def _minimise(z: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    from scipy.optimize import minimize
    from scipy.special import expit

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        slope, intercept = theta
        margin = slope * z + intercept
        value = float(np.sum(np.logaddexp(0.0, margin) - y * margin))
        error = expit(margin) - y
        value += (slope - 1.0) ** 2 / (2 * PRIOR_SLOPE**2) + intercept**2 / (2 * PRIOR_INTERCEPT**2)
        gradient = [
            float(error @ z) + (slope - 1.0) / PRIOR_SLOPE**2,
            float(error.sum()) + intercept / PRIOR_INTERCEPT**2,
        ]
        return value / len(y), np.array(gradient) / len(y)

    best = minimize(
        loss,
        x0=np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LOWEST_SLOPE, None), (None, None)],
        options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500},
    )
    return float(best.x[0]), float(best.x[1])


def cross_fitted(
    model: RiskClassifier,
    X: pd.DataFrame,
    y: np.ndarray | pd.Series,
    folds: int = 5,
    seed: int = 0,
) -> tuple[np.ndarray, RiskClassifier]:
    """Fit and calibrate on one snapshot, where there is no later one to calibrate on.

    Every customer is predicted by a model fitted without them, so the sigmoid learns from
    honest log-odds. Folds are random and stratified: a single snapshot has no time to respect.

    Parameters
    ----------
    model : ChurnModel or LogisticModel
        Cloned, never changed.
    X : DataFrame of shape (n_customers, n_columns)
    y : array of shape (n_customers,)
        1 where the customer churned, else 0.
    folds : int, at least 2, default=5
    seed : int, default=0
        Of the shuffle before folding.

    Returns
    -------
    probabilities : ndarray of shape (n_customers,)
        Of churn, out of fold: neither the model nor the sigmoid behind a customer's number has
        seen that customer. For metrics.
    fitted : RiskClassifier
        Fitted on every row, calibrated by the sigmoid of all out-of-fold log-odds.

    Raises
    ------
    NotEnoughData
        When a class has fewer customers than there are folds.
    """
    from scipy.special import expit
    from sklearn.base import clone
    from sklearn.model_selection import StratifiedKFold

    truth = np.asarray(y)
    counts = np.unique(truth, return_counts=True)[1]
    smaller = int(counts.min()) if len(counts) > 1 else 0
    if smaller < folds:
        raise NotEnoughData(
            f"Got {smaller} customers in the smaller class, but {folds} folds need at least one "
            "each; label more customers or ask for fewer folds."
        )
    log_odds = np.empty(len(truth))
    splits = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(X, truth))
    for known, asked in splits:
        part = clone(model).fit(X.iloc[known], truth[known])
        log_odds[asked] = part.uncalibrated(X.iloc[asked])
    fitted = clone(model).fit(X, truth)
    churned = (truth == fitted.classes_[1]).astype(np.float64)
    probabilities = np.empty(len(truth))
    for known, asked in splits:
        others = Sigmoid.learn(log_odds[known], churned[known])
        probabilities[asked] = expit(others(log_odds[asked]))
    fitted.sigmoid_ = Sigmoid.learn(log_odds, churned)
    return probabilities, fitted
