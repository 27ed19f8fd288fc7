"""Boosted trees and logistic regression together, where one snapshot is all there is.

In: log-odds of both learners for customers whom they were fitted without, and who left. Out: a
weighted sum of log-odds that is calibrated, and what each column adds to it. (Where there are past
windows, `training.learners.blend` does this work.)
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel
    from training.learners.logistic import LogisticModel

MEMBERS = ("churn", "logistic")
#: Standard deviations of the prior: of a weight around one half, and of the intercept around 0.
PRIOR_WEIGHT, PRIOR_INTERCEPT = 0.5, 2.0
_FILE = "pair.json"


@dataclass(frozen=True)
class Weights:
    """Weighted sum of the members' log-odds: logit p = Σ wₘ zₘ + b.

    Attributes
    ----------
    churn, logistic : float, at least 0
        Their sum is the slope that calibrates.
    intercept : float
        Log-odds of churn that every customer gets on top.
    """

    churn: float = 0.5
    logistic: float = 0.5
    intercept: float = 0.0

    def __call__(self, margins: np.ndarray) -> np.ndarray:
        """Log-odds of churn, from the members' of shape (n_customers, 2)."""
        # Member by member: a matrix product may round a row alone otherwise than in a table.
        return self.churn * margins[:, 0] + self.logistic * margins[:, 1] + self.intercept

    @classmethod
    def learn(cls, margins: np.ndarray, churned: np.ndarray) -> Weights:
        """Fit the weights to customers whom the members were fitted without.

        Parameters
        ----------
        margins : ndarray of shape (n, 2)
            Log-odds of churn by member, in the order of `MEMBERS`.
        churned : ndarray of shape (n,)
            0 or 1; both occur.

        Returns
        -------
        Weights

        Notes
        -----
        Minimises  Σᵢ [log(1 + e^{mᵢ}) − yᵢ mᵢ] + Σₘ (wₘ − ½)²/(2·0.5²) + b²/(2·2²)  over
        w ≥ 0 with mᵢ = Σₘ wₘ zᵢₘ + b: stacking (Wolpert 1992; Breiman 1996, for weights of at
        least 0), with a pull to equal weights that is worth about a dozen customers.
        """
        from scipy.optimize import minimize
        from scipy.special import expit

        terms = np.column_stack([margins, np.ones(len(margins))])
        centre = np.array([0.5, 0.5, 0.0])
        spread = np.array([PRIOR_WEIGHT, PRIOR_WEIGHT, PRIOR_INTERCEPT])

        def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
            margin = terms @ theta
            away = (theta - centre) / spread
            value = float(np.sum(np.logaddexp(0.0, margin) - churned * margin))
            gradient = (expit(margin) - churned) @ terms + away / spread
            return (value + 0.5 * float(away @ away)) / len(terms), gradient / len(terms)

        best = minimize(
            loss,
            centre,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None), (0.0, None), (None, None)],
            options={"ftol": 1e-14, "gtol": 1e-9, "maxiter": 500},
        )
        return cls(*map(float, best.x))


@dataclass(frozen=True)
class Pair:
    """The two learners, fitted on all customers, and their weights.

    Attributes
    ----------
    churn : ChurnModel
    logistic : LogisticModel
        Both uncalibrated here: the weights calibrate.
    weights : Weights
    """

    churn: ChurnModel
    logistic: LogisticModel
    weights: Weights

    def decision_function(self, frame: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn, of shape (n_customers,); for one alone the same as in a table."""
        members = (self.churn, self.logistic)
        return self.weights(np.column_stack([one.uncalibrated(frame) for one in members]))

    def predict_proba(self, frame: pd.DataFrame) -> np.ndarray:
        """Probability of staying and of churning, of shape (n_customers, 2)."""
        from scipy.special import expit

        values = self.decision_function(frame)
        return np.column_stack([expit(-values), expit(values)])

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to a customer's log-odds of churn.

        Parameters
        ----------
        frame : pandas.DataFrame

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_columns + 1)
            One column a feature, then "bias"; a row sums to `decision_function`.
        """
        trees = _uncalibrated(self.churn, frame)
        lines = _uncalibrated(self.logistic, frame)
        total = self.weights.churn * trees + self.weights.logistic * lines[trees.columns]
        total["bias"] += self.weights.intercept
        return total

    def importance(self) -> pd.Series:
        """How much each column counts: the members' shares, by their weights; adds up to 1."""
        total = self.weights.churn * self.churn.importance()
        total = total.add(self.weights.logistic * self.logistic.importance())
        return (total / total.sum()).sort_values(ascending=False, kind="stable")

    def shifted(self, by: float) -> Pair:
        """The pair with every customer's log-odds of churn moved by so much."""
        moved = replace(self.weights, intercept=self.weights.intercept + by)
        return replace(self, weights=moved)

    def save(self, folder: Path) -> None:
        """Write members and weights as text and JSON into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.churn.save(folder / "churn")
        self.logistic.save(folder / "logistic")
        text = json.dumps(vars(self.weights), indent=1, allow_nan=False)
        (folder / _FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Pair:
        """Read what `save` wrote; predictions are equal bit for bit."""
        from training.learners.churn import ChurnModel
        from training.learners.logistic import LogisticModel

        weights: Mapping[str, Any] = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        churn, logistic = ChurnModel.load(folder / "churn"), LogisticModel.load(folder / "logistic")
        return cls(churn, logistic, Weights(**weights))


def _uncalibrated(model: ChurnModel | LogisticModel, frame: pd.DataFrame) -> pd.DataFrame:
    """Contributions before the model's own calibration."""
    parts = model.contributions(frame)
    parts["bias"] -= model.sigmoid_.intercept
    return parts / model.sigmoid_.slope
