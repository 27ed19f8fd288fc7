"""Churn by gradient boosting: LightGBM with native missing values and stored levels.

In: behaviour columns of past snapshots and who churned. Out: calibrated probabilities, and the
contribution of each column. Time rule: rounds are stopped, and probabilities calibrated, on a
later snapshot than the trees have seen, never on a random part of the same one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from training.learners.classifier import RiskClassifier


class ChurnModel(RiskClassifier):
    """Gradient-boosted trees for the probability of churn.

    The defaults are small trees and few rounds. On panels of repeated snapshots (the same
    customers again and again, a season to remember) and on a single snapshot of 7,000 customers
    alike, deeper trees and more rounds ranked the next window worse.

    Parameters
    ----------
    rounds : int, default=120
        Trees, when `fit` is given no `eval_set`.
    learning_rate : float in (0, 1], default=0.04
        What each tree may correct.
    num_leaves : int, at least 2, default=15
        Leaves of a tree.
    max_depth : int, default=4
        Depth of a tree, -1 for any.
    min_data_in_leaf : int, optional
        Customers in a leaf. By default half the square root of the rows, at least 5: 35 for
        5,000, 350 for 500,000.
    feature_fraction, bagging_fraction : float in (0, 1], default=0.5 and 0.7
        Share of columns and of rows that each tree sees.
    lambda_l2 : float, at least 0, default=10.0
        Pull of leaf values to zero.
    max_rounds : int, default=1500
        Most trees when an `eval_set` decides.
    patience : int, default=60
        Rounds without improvement on the `eval_set` before stopping.
    seed : int, default=0
        Of the draws of rows and columns.
    threads : int, at least 1, default=1
        Of LightGBM. With more, set `OMP_WAIT_POLICY=passive` before it is imported.

    Attributes
    ----------
    booster_ : lightgbm.Booster
        The trees, as read back from their text, so that saving changes nothing.
    rounds_ : int
        Trees in use.
    """

    _file = "churn.json"
    _trees = "booster.txt"

    def __init__(
        self,
        *,
        rounds: int = 120,
        learning_rate: float = 0.04,
        num_leaves: int = 15,
        max_depth: int = 4,
        min_data_in_leaf: int | None = None,
        feature_fraction: float = 0.5,
        bagging_fraction: float = 0.7,
        lambda_l2: float = 10.0,
        max_rounds: int = 1500,
        patience: int = 60,
        seed: int = 0,
        threads: int = 1,
    ) -> None:
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.max_depth = max_depth
        self.min_data_in_leaf = min_data_in_leaf
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.lambda_l2 = lambda_l2
        self.max_rounds = max_rounds
        self.patience = patience
        self.seed = seed
        self.threads = threads

    def fit(
        self,
        X: pd.DataFrame,
        y: Any,
        sample_weight: Any = None,
        eval_set: tuple[pd.DataFrame, Any] | None = None,
        offset: np.ndarray | None = None,
    ) -> Self:
        """Grow the trees; the calibration is the identity until `calibrate`.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, n_columns)
            Numbers (null where unknown) and strings; every column is a feature.
        y : array of shape (n_customers,)
            1 where the customer churned, else 0. Any two labels do; the greater is churn.
        sample_weight : array of shape (n_customers,), optional
        eval_set : tuple of DataFrame and array, optional
            A snapshot later than those of X; the number of rounds with the lowest log-loss
            there is kept.
        offset : array of shape (n_customers,), optional
            Log-odds of churn that are known beforehand: the trees learn what these leave
            unsaid, and `uncalibrated` does not hold them.

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
        matrix, churned, weights = self._open(X, y, sample_weight)
        import lightgbm

        data = lightgbm.Dataset(
            matrix,
            churned,
            weight=weights,
            init_score=offset,
            categorical_feature=list(self.encoder_.categorical),
            free_raw_data=False,
        )
        rounds, later, stops = self.rounds, [], []
        if eval_set is not None:
            rounds = self.max_rounds
            seen = self.encoder_.transform(self._frame(eval_set[0]))
            later = [data.create_valid(seen, self._churned(eval_set[1], len(seen)))]
            stops = [lightgbm.early_stopping(self.patience, verbose=False)]
        grown = lightgbm.train(
            self.tree_settings(len(matrix)), data, rounds, valid_sets=later, callbacks=stops
        )
        # The text is the model: what is saved later is what predicts now. With an eval_set it
        # ends at the best round.
        self.booster_ = _read(grown.model_to_string())
        self.rounds_ = self.booster_.num_trees()
        return self

    def importance(self) -> pd.Series:
        """How much of the trees' improvement each column brought.

        Returns
        -------
        Series of shape (n_columns,)
            Shares of the total gain by column name, largest first; they sum to 1.
        """
        check_is_fitted(self)
        return self._shares(self.booster_.feature_importance(importance_type="gain"))

    def tree_settings(self, rows: int) -> dict[str, Any]:
        """LightGBM's parameters for a training set of so many rows."""
        smallest = self.min_data_in_leaf
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "max_depth": self.max_depth,
            "min_data_in_leaf": smallest_leaf(rows) if smallest is None else smallest,
            "feature_fraction": self.feature_fraction,
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "lambda_l2": self.lambda_l2,
            "seed": self.seed,
            "num_threads": self.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        }

    def _margin(self, matrix: np.ndarray) -> np.ndarray:
        if not len(matrix):
            return np.empty(0)
        return self.booster_.predict(matrix, raw_score=True, num_threads=self.threads)

    def _terms(self, matrix: np.ndarray) -> np.ndarray:
        if not len(matrix):
            return np.empty((0, matrix.shape[1] + 1))
        return self.booster_.predict(matrix, pred_contrib=True, num_threads=self.threads)

    def _state(self, folder: Path) -> dict[str, Any]:
        (folder / self._trees).write_text(self.booster_.model_to_string(), encoding="utf-8")
        return {"trees": self._trees}

    def _restore(self, state: dict[str, Any], folder: Path) -> None:
        self.booster_ = _read((folder / state["trees"]).read_text(encoding="utf-8"))
        self.rounds_ = self.booster_.num_trees()


def smallest_leaf(rows: int) -> int:
    """Customers in a leaf by default: half the square root of the rows, at least 5."""
    return max(5, math.isqrt(rows) // 2)


def _read(text: str) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=text)
