"""Probabilities that mean what they say, learned on customers the model did not train on.

In: a model's log-odds and what came of it, from a later snapshot, or out of fold where there is
only one. Out: the two numbers of Platt's sigmoid. A sigmoid keeps the ranking and makes no ties,
as an isotonic step function would.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from training.errors import StatisticalWarning

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
