"""What the churn model and the logistic regression share: one scikit-learn interface.

In: a frame of numbers and strings (or a plain matrix), and who churned. Out: calibrated
probabilities, and what each column adds to them. The two models differ only in how they make
log-odds of an encoded matrix.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import assert_all_finite
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import (
    check_consistent_length,
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from training.errors import NotEnoughData
from training.learners.calibration import Sigmoid
from training.learners.encoding import Encoder

FORMAT = 2


class RiskClassifier(ClassifierMixin, BaseEstimator):
    """A binary classifier of churn over mixed columns.

    A subclass gives `fit`, `_margin` (log-odds of an encoded matrix), `_terms` (the same by
    column, the bias last), and `_state` and `_restore` for the folder.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels, sorted; the second one is churn. [0, 1] for a 0/1 target.
    encoder_ : Encoder
        Stored columns and levels.
    sigmoid_ : Sigmoid
        Calibration; the identity until `calibrate` is called.
    n_features_in_ : int
        Number of columns.
    """

    _file: ClassVar[str]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def calibrate(self, X: pd.DataFrame, y: Any) -> Self:
        """Learn Platt's sigmoid on a later snapshot than the model was fitted on.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, n_columns)
        y : array of shape (n_customers,)
            Labels as in `fit`.

        Returns
        -------
        self
            A second call replaces the first. A snapshot in which everyone shares one fate gives
            the identity and a `StatisticalWarning`.
        """
        check_is_fitted(self)
        frame = self._frame(X)
        self.sigmoid_ = Sigmoid.learn(self.uncalibrated(frame), self._churned(y, len(frame)))
        return self

    def uncalibrated(self, X: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn before calibration.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, at least n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        check_is_fitted(self)
        return self._margin(self.encoder_.transform(self._frame(X)))

    def decision_function(self, X: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn after calibration.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, at least n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
        """
        log_odds = self.uncalibrated(X)
        return self.sigmoid_(log_odds)

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Probability of staying and of churning.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, at least n_columns)
            Columns are taken by name; their order and extra ones do not matter.

        Returns
        -------
        ndarray of shape (n_customers, 2)
            Columns in the order of `classes_`: stays, churns. A customer alone gets the same
            numbers, bit for bit, as in a table.
        """
        from scipy.special import expit

        log_odds = self.decision_function(X)
        return np.column_stack([expit(-log_odds), expit(log_odds)])

    def predict(self, X: pd.DataFrame) -> np.ndarray:
        """The likelier label.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, at least n_columns)

        Returns
        -------
        ndarray of shape (n_customers,)
            One of `classes_` for each.
        """
        churns = self.decision_function(X) > 0
        return self.classes_[churns.astype(int)]

    def contributions(self, X: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to a customer's log-odds of churn.

        Parameters
        ----------
        X : DataFrame of shape (n_customers, at least n_columns)

        Returns
        -------
        DataFrame of shape (n_customers, n_columns + 1)
            One column a feature, then "bias"; index of X. Positive raises the risk. A row sums
            to the calibrated log-odds, logit of `predict_proba(X)[:, 1]`.
        """
        check_is_fitted(self)
        frame = self._frame(X)
        parts = self._terms(self.encoder_.transform(frame)) * self.sigmoid_.slope
        parts[:, -1] += self.sigmoid_.intercept
        index = X.index if isinstance(X, pd.DataFrame) else None
        return pd.DataFrame(parts, columns=[*self.encoder_.columns, "bias"], index=index)

    def save(self, folder: Path) -> None:
        """Write the fitted model as text and JSON, without pickle.

        Parameters
        ----------
        folder : Path
            Made when absent.
        """
        check_is_fitted(self)
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "format": FORMAT,
            "model": type(self).__name__,
            "parameters": self.get_params(),
            "classes": self.classes_.tolist(),
            "encoder": self.encoder_.to_dict(),
            "sigmoid": self.sigmoid_.to_dict(),
            "state": self._state(folder),
        }
        text = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / self._file).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; predictions are equal bit for bit.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        RiskClassifier
            Fitted and calibrated.

        Raises
        ------
        FileNotFoundError
            When the folder does not hold such a model.
        ValueError
            When it was written by another model or by a later format.
        """
        path = Path(folder) / cls._file
        if not path.is_file():
            raise FileNotFoundError(
                f"No {cls.__name__} in {folder}: expected {cls._file}; give the folder that "
                "`save` wrote."
            )
        head = json.loads(path.read_text(encoding="utf-8"))
        if (head["format"], head["model"]) != (FORMAT, cls.__name__):
            raise ValueError(
                f"Got {head['model']} of format {head['format']} in {path}, expected "
                f"{cls.__name__} of format {FORMAT}; train it again with this version."
            )
        model = cls(**head["parameters"])
        model.classes_ = np.array(head["classes"])
        model.encoder_ = Encoder.from_dict(head["encoder"])
        model.sigmoid_ = Sigmoid.from_dict(head["sigmoid"])
        model.n_features_in_ = len(model.encoder_.columns)
        model._restore(head["state"], Path(folder))
        return model

    def _margin(self, matrix: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _terms(self, matrix: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def _state(self, folder: Path) -> dict[str, Any]:
        raise NotImplementedError

    def _restore(self, state: dict[str, Any], folder: Path) -> None:
        raise NotImplementedError

    def _shares(self, parts: np.ndarray) -> pd.Series:
        """Each column's share of a sum, largest first."""
        shares = pd.Series(parts / max(parts.sum(), np.finfo(float).tiny), self.encoder_.columns)
        return shares.sort_values(ascending=False, kind="stable")

    def _open(
        self, X: Any, y: Any, sample_weight: Any
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Check a training set, store columns and labels, and encode it."""
        frame = self._frame(X, reset=True)
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is None: give "
                "1 for customers who churned and 0 for those who stayed."
            )
        labels = column_or_1d(y, warn=True)
        assert_all_finite(labels, input_name="y")
        check_consistent_length(frame, labels)
        check_classification_targets(labels)
        if type_of_target(labels) == "multiclass":
            raise ValueError(
                "Only binary classification is supported. The type of the target is multiclass, "
                f"with {len(np.unique(labels))} labels; expected churned (1) or stayed (0)."
            )
        self.classes_ = np.unique(labels)
        if len(self.classes_) < 2:
            raise NotEnoughData(
                f"Only one class: all {len(frame)} customers have churned = {self.classes_[0]}. "
                "Choose a horizon or dates for which some return and some do not."
            )
        self.encoder_ = Encoder.learn(frame)
        self.sigmoid_ = Sigmoid()
        matrix = self.encoder_.transform(frame)
        if not _varies(matrix).any():
            raise NotEnoughData(
                f"None of the {matrix.shape[1]} columns varies over the {len(matrix)} customers, "
                "so there is nothing to tell them apart by; add columns or older history."
            )
        churned = (labels == self.classes_[1]).astype(np.float64)
        return matrix, churned, _weights(sample_weight, len(matrix))

    def _frame(self, X: Any, *, reset: bool = False) -> pd.DataFrame:
        """Take columns by name; a plain matrix has the stored names by position."""
        if isinstance(X, pd.DataFrame):
            named = all(isinstance(name, str) for name in X.columns)
            if reset:
                self.n_features_in_ = X.shape[1]
                self.feature_names_in_ = np.asarray(X.columns.map(str), dtype=object)
            return X if named else X.set_axis(X.columns.map(str), axis=1)
        matrix = validate_data(
            self, X, reset=reset, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        width = range(matrix.shape[1])
        return pd.DataFrame(
            matrix, columns=[f"x{i}" for i in width] if reset else list(self.encoder_.columns)
        )

    def _churned(self, y: Any, rows: int) -> np.ndarray:
        labels = column_or_1d(y)
        strange = sorted(set(np.unique(labels).tolist()) - set(self.classes_.tolist()))
        if len(labels) != rows or strange:
            raise ValueError(
                f"Got {len(labels)} labels for {rows} customers"
                + (f", among them {strange[:3]}" if strange else "")
                + f"; expected one of {self.classes_.tolist()} for each."
            )
        return (labels == self.classes_[1]).astype(np.float64)


def _weights(given: Any, rows: int) -> np.ndarray | None:
    if given is None:
        return None
    weights = np.asarray(given, dtype=np.float64)
    if weights.shape != (rows,):
        raise ValueError(f"Got sample_weight of shape {weights.shape}, expected ({rows},).")
    if not np.isfinite(weights).all() or (weights < 0).any() or not weights.any():
        raise ValueError(
            "Sample weights must be finite, at least 0, and contain at least one non-zero number."
        )
    return weights


def _varies(matrix: np.ndarray) -> np.ndarray:
    """Columns with at least two different values, a missing one being a value too."""
    missing = np.isnan(matrix)
    first = np.take_along_axis(matrix, (~missing).argmax(axis=0)[None, :], axis=0)
    differs = ((matrix != first) & ~missing).any(axis=0)
    return differs | (missing.any(axis=0) & ~missing.all(axis=0))
