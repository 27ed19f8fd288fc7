"""Doubly robust scores, and effects drawn back to the average as far as they do not hold.

In: what arms are predicted to bring, and what they brought. Out: for each customer an unbiased,
very noisy score of each arm; and the straight line by which predicted effects are to be read.

With propensities e, the score of arm a for a customer with arm A and outcome Y is
ψₐ = μₐ(x) + 1{A = a}/eₐ · (Y − μₐ(x)); its mean is E[Y(a)] whatever μ is, as e is known (Robins,
Rotnitzky & Zhao 1994, "Estimation of regression coefficients when some regressors are not always
observed"). The line regresses ψₐ − ψ₀ on the predicted effect: the best linear predictor of
Chernozhukov, Demirer, Duflo & Fernández-Val (2018), "Generic machine learning inference on
heterogeneous treatment effects in randomized experiments", section 3. A slope of 1 means that
effects can be taken at their word, 0 that they tell nobody from anybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from training.uplift.trial import Trial


def scores(trial: Trial, outcome: str, response: np.ndarray) -> np.ndarray:
    """Doubly robust score of each arm (ψ).

    Parameters
    ----------
    trial : Trial
    outcome : str
    response : ndarray of shape (n, n_arms)
        Predicted outcome under each arm, by models that have not seen the customer. Zeros give
        inverse-propensity weighting (Horvitz & Thompson 1952).

    Returns
    -------
    ndarray of shape (n, n_arms)
        NaN where an arm was not open.
    """
    rows = np.arange(len(trial))
    found = np.where(trial.open, response, np.nan)
    left = trial.outcomes[outcome] - response[rows, trial.arm]
    found[rows, trial.arm] += trial.weight * left
    return found


@dataclass(frozen=True)
class Line:
    """How to read a predicted effect: mean + slope · (predicted − centre).

    Attributes
    ----------
    mean, mean_error : float
        Average effect and its standard error.
    slope, slope_error : float
        As regressed, and its standard error, robust to unequal variances.
    centre : float
        Mean of the predicted effects.
    """

    mean: float
    mean_error: float
    slope: float
    slope_error: float
    centre: float

    @classmethod
    def learn(cls, predicted: np.ndarray, score: np.ndarray) -> Line:
        """Regress scores of the effect on predictions of it.

        Parameters
        ----------
        predicted, score : ndarray of shape (n,)
            Customers to whom both arms were open, n at least 3.

        Returns
        -------
        Line
            With a slope of 0 and an error of 0 where all predictions are one.

        Notes
        -----
        Errors are those of White (1980), HC0: with x = predicted − centre and residuals r,
        Σ(xr)² / (Σx²)².
        """
        n = len(score)
        mean, centre = float(score.mean()), float(predicted.mean())
        error = float(score.std(ddof=1) / np.sqrt(n))
        x = predicted - centre
        square = float(x @ x)
        if square <= 1e-18 * n:
            return cls(mean, error, 0.0, 0.0, centre)
        slope = float(x @ score) / square
        rest = score - mean - slope * x
        return cls(mean, error, slope, float(np.sqrt(((x * rest) ** 2).sum()) / square), centre)

    @property
    def believed(self) -> float:
        """The slope that is used, in [0, 1]: effects are drawn in, never spread or turned round."""
        return float(np.clip(self.slope, 0.0, 1.0))

    def effect(self, predicted: np.ndarray) -> np.ndarray:
        """Effects as they are to be read, in the unit of the outcome."""
        return self.mean + self.believed * (predicted - self.centre)

    def sd(self, predicted: np.ndarray) -> np.ndarray:
        """Standard error of the mean effect at a prediction: of the level, and of the slope."""
        return np.hypot(self.mean_error, self.slope_error * (predicted - self.centre))

    def to_dict(self) -> dict[str, float]:
        """Return the five numbers by name."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, float]) -> Line:
        """Return the line that `to_dict` described."""
        return cls(**{name: float(value) for name, value in stored.items()})
