"""Churn by logistic regression: the plain model that the trees have to beat.

In and out as `training.learners.churn`. Numbers are put on a signed log scale and standardised,
missing ones replaced by the median and flagged, levels one-hot, all centred; the weights are shrunk
(L2). scikit-learn fits them; JSON keeps them and plain numpy predicts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from training.learners.classifier import RiskClassifier


class LogisticModel(RiskClassifier):
    """L2-penalised logistic regression over mixed columns.

    Parameters
    ----------
    shrinkage : float, above 0, default=0.02
        Strength λ of the penalty: the fit minimises mean log-loss + λ/2 · Σ weight². It does not
        grow with the rows, since a panel shows the same customers again and again.
    max_iter : int, default=2000
        Most steps of the solver.

    Attributes
    ----------
    numbers_ : dict of str to ndarray
        Of each numeric column: ``median``; ``centre``, ``scale``, ``low`` and ``high`` on the
        signed log scale; and ``flagged``, whether values were missing in training. Numbers beyond
        what training saw are taken for the nearest that it saw: a line knows no bounds.
    weights_ : ndarray of shape (n_terms,)
        Log-odds a unit of each term.
    means_ : ndarray of shape (n_terms,)
        Mean of each term in training; a term speaks for its distance from it.
    intercept_ : float
        Log-odds of the average customer.
    n_iter_ : int
        Steps that the solver took.
    """

    _file = "logistic.json"

    def __init__(self, *, shrinkage: float = 0.02, max_iter: int = 2000) -> None:
        self.shrinkage = shrinkage
        self.max_iter = max_iter

    def fit(self, X: pd.DataFrame, y: Any, sample_weight: Any = None) -> Self:
        """Fit the weights; the calibration is the identity until `calibrate`.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, n_columns)
            Numbers (null where unknown) and strings; every column is a feature.
        y : array of shape (n_customers,)
            1 where the customer churned, else 0. Any two labels do; the greater is churn.
        sample_weight : array of shape (n_customers,), optional

        Returns
        -------
        self

        Raises
        ------
        NotEnoughData
            When all share one fate, or no column varies.
        ValueError
            When the input is not as described.
        """
        matrix, churned, given = self._open(X, y, sample_weight)
        from sklearn.linear_model import LogisticRegression

        weights = np.ones(len(matrix)) if given is None else given
        self.numbers_ = self._describe(matrix, weights)
        terms = self._expand(matrix)
        self.means_ = np.average(terms, axis=0, weights=weights)
        solver = LogisticRegression(
            C=1.0 / (self.shrinkage * weights.sum()), max_iter=self.max_iter, tol=1e-6
        )
        solver.fit(terms - self.means_, churned, weights)
        self.weights_ = solver.coef_[0]
        self.intercept_ = float(solver.intercept_[0])
        self.n_iter_ = int(solver.n_iter_[0])
        return self

    def importance(self) -> pd.Series:
        """How far each column moves the log-odds of a typical customer.

        Returns
        -------
        Series of shape (n_columns,)
            Shares by column name, largest first: the sum of |weight| · spread over the column's
            terms; they sum to 1.
        """
        check_is_fitted(self)
        owner = self._owners()
        # Spread of a standardised number is 1; of a flag or level sqrt(m (1 - m)).
        flag = np.sqrt(np.clip(self.means_ * (1 - self.means_), 0.0, None))
        spread = np.where(self._flags(), flag, 1.0)
        moved = np.abs(self.weights_) * spread
        return self._shares(np.bincount(owner, moved, len(self.encoder_.columns)))

    def _describe(self, matrix: np.ndarray, weights: np.ndarray) -> dict[str, np.ndarray]:
        numeric = self._numeric()
        values = matrix[:, numeric]
        missing = np.isnan(values)
        median = np.array([_median(values[:, k], weights) for k in range(len(numeric))])
        logs = _signed_log(np.where(missing, median, values))
        centre = np.average(logs, axis=0, weights=weights)
        spread = np.sqrt(np.average((logs - centre) ** 2, axis=0, weights=weights))
        # A spread below rounding error is a constant column.
        flat = spread <= 1e-12 * np.maximum(1.0, np.abs(centre))
        return {
            "median": median,
            "centre": centre,
            "scale": np.where(flat, 1.0, spread),
            "low": logs[weights > 0].min(axis=0),
            "high": logs[weights > 0].max(axis=0),
            "flagged": missing[weights > 0].any(axis=0).astype(float),
        }

    def _numeric(self) -> list[int]:
        strings = set(self.encoder_.categorical)
        return [i for i in range(len(self.encoder_.columns)) if i not in strings]

    def _layout(self) -> list[tuple[int, str, int]]:
        """Terms in order: (column, kind, its number among numeric columns or its level)."""
        numeric = self._numeric()
        terms = [(i, "number", k) for k, i in enumerate(numeric)]
        flagged = self.numbers_["flagged"]
        terms += [(i, "missing", k) for k, i in enumerate(numeric) if flagged[k]]
        for i in self.encoder_.categorical:
            name = self.encoder_.columns[i]
            levels = len(self.encoder_.levels[name]) + (name in self.encoder_.pooled)
            terms += [(i, "level", level) for level in range(levels)]
        return terms

    def _owners(self) -> np.ndarray:
        return np.array([column for column, _, _ in self._layout()], dtype=int)

    def _flags(self) -> np.ndarray:
        return np.array([kind != "number" for _, kind, _ in self._layout()], dtype=bool)

    def _expand(self, matrix: np.ndarray) -> np.ndarray:
        """Encoded columns as terms, of shape (n_customers, n_terms)."""
        layout = self._layout()
        terms = np.empty((len(matrix), len(layout)))
        stored = self.numbers_
        for j, (column, kind, k) in enumerate(layout):
            values = matrix[:, column]
            if kind == "level":
                terms[:, j] = values == k
                continue
            missing = np.isnan(values)
            if kind == "missing":
                terms[:, j] = missing
                continue
            logs = _signed_log(np.where(missing, stored["median"][k], values))
            logs = np.clip(logs, stored["low"][k], stored["high"][k])
            terms[:, j] = (logs - stored["centre"][k]) / stored["scale"][k]
        return terms

    def _terms(self, matrix: np.ndarray) -> np.ndarray:
        parts = np.zeros((len(matrix), len(self.encoder_.columns) + 1))
        moved = (self._expand(matrix) - self.means_) * self.weights_
        for j, column in enumerate(self._owners()):
            parts[:, column] += moved[:, j]
        parts[:, -1] = self.intercept_
        return parts

    def _margin(self, matrix: np.ndarray) -> np.ndarray:
        parts = self._terms(matrix)
        # Column by column, since a matrix product may round a row alone otherwise than in a table.
        total = parts[:, -1].copy()
        for column in range(parts.shape[1] - 1):
            total += parts[:, column]
        return total

    def _state(self, folder: Path) -> dict[str, Any]:
        del folder  # all of it fits into the JSON
        return {
            "numbers": {name: values.tolist() for name, values in self.numbers_.items()},
            "weights": self.weights_.tolist(),
            "means": self.means_.tolist(),
            "intercept": self.intercept_,
        }

    def _restore(self, state: dict[str, Any], folder: Path) -> None:
        del folder
        self.numbers_ = {name: np.array(values) for name, values in state["numbers"].items()}
        self.weights_ = np.array(state["weights"])
        self.means_ = np.array(state["means"])
        self.intercept_ = float(state["intercept"])


def _median(values: np.ndarray, weights: np.ndarray) -> float:
    known = ~np.isnan(values) & (weights > 0)
    # A column that is missing throughout has no median; any constant will do.
    if not known.any():
        return 0.0
    if (weights == weights[0]).all():
        # The same value without a sort.
        return float(np.quantile(values[known], 0.5, method="inverted_cdf"))
    return float(np.quantile(values[known], 0.5, method="inverted_cdf", weights=weights[known]))


def _signed_log(values: np.ndarray) -> np.ndarray:
    """log(1 + |x|) with the sign of x: tames spend and counts, keeps zero and order."""
    return np.sign(values) * np.log1p(np.abs(values))
