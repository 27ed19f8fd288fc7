"""The blend: three learners that see the same panel and err in different ways.

In: past snapshots with the value model's answers and what came of them. Out: log-odds of churn
for any snapshot, and what each column adds to them. The members:

- ``on_value``: boosted trees that start from the value model's log-odds, so that they learn only
  what it leaves unsaid;
- ``trees``: boosted trees that start from nothing, with the value model among their features;
- ``logistic``: logistic regression on the same columns.

The level of each past window is taken out of what the trees learn, as a season that has been
says nothing of who returns; the level of the window ahead is set by `training.windows.carry`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.windows.level import log_odds, shift_log_odds

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel
    from training.learners.classifier import RiskClassifier

MEMBERS = ("on_value", "trees", "logistic")
VALUE_COLUMN = "value_return_probability"
_FILE = "blend.json"


@dataclass(frozen=True)
class Blend:
    """Weighted log-odds of the members, on no level in particular.

    Attributes
    ----------
    members : mapping of str to RiskClassifier
        By name, fitted and uncalibrated.
    weights : mapping of str to float
        At least 0; their sum is the slope of the blend.
    """

    members: Mapping[str, RiskClassifier]
    weights: Mapping[str, float]

    @classmethod
    def fit(
        cls,
        snapshots: Sequence[pd.DataFrame],
        columns: Sequence[str],
        trees: ChurnModel,
        weights: Mapping[str, float],
    ) -> Blend:
        """Fit the members on a panel.

        Parameters
        ----------
        snapshots : sequence of pandas.DataFrame
            Each with `columns`, ``value_return_probability`` among them, and ``returned``.
        columns : sequence of str
            What the members read.
        trees : ChurnModel
            With the parameters of the trees; cloned.
        weights : mapping of str to float
            By member.

        Returns
        -------
        Blend
        """
        from sklearn.base import clone

        from training.learners.logistic import LogisticModel

        frame = pd.concat([one[list(columns)] for one in snapshots], ignore_index=True)
        churned = np.concatenate([1 - one["returned"].to_numpy() for one in snapshots])
        flat = np.concatenate([_flat(one) for one in snapshots])
        told = np.concatenate([_told(one) for one in snapshots])
        members = {
            "on_value": clone(trees).fit(frame, churned, offset=told),
            "trees": clone(trees).fit(frame, churned, offset=flat),
            "logistic": LogisticModel().fit(frame, churned),
        }
        return cls(members, dict(weights))

    def margins(self, frame: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn by member.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows with the value model's outputs.

        Returns
        -------
        numpy.ndarray of shape (n_customers, n_members)
            In the order of `MEMBERS`; each on a level of its own.
        """
        answers = {name: model.uncalibrated(frame) for name, model in self.members.items()}
        answers["on_value"] = answers["on_value"] - log_odds(frame[VALUE_COLUMN].to_numpy(float))
        return np.column_stack([answers[name] for name in MEMBERS])

    def decision_function(self, frame: pd.DataFrame) -> np.ndarray:
        """Log-odds of churn over the learned window, but for its level.

        Parameters
        ----------
        frame : pandas.DataFrame

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            The same for a customer alone as in a table.
        """
        margins = self.margins(frame)
        # Member by member: a matrix product may round a row alone otherwise than in a table.
        total = np.zeros(len(frame))
        for place, name in enumerate(MEMBERS):
            total = total + self.weights[name] * margins[:, place]
        return total

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What each column adds to a customer's log-odds of churn.

        Parameters
        ----------
        frame : pandas.DataFrame

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_columns + 1)
            One column a feature, then "bias"; a row sums to `decision_function`. The value
            model's own log-odds, where trees started from them, are its probability's.
        """
        parts = {name: model.contributions(frame) for name, model in self.members.items()}
        columns = parts["trees"].columns
        total = pd.DataFrame(0.0, index=frame.index, columns=columns)
        for name in MEMBERS:
            total += self.weights[name] * parts[name][columns]
        told = log_odds(frame[VALUE_COLUMN].to_numpy(float))
        total[VALUE_COLUMN] -= self.weights["on_value"] * told
        return total

    def importance(self) -> pd.Series:
        """How much each column counts: the members' shares, by their weights.

        Returns
        -------
        pandas.Series
            By column name, largest first; adds up to 1.
        """
        parts = [self.weights[name] * self.members[name].importance() for name in MEMBERS]
        total = pd.concat(parts, axis=1).sum(axis=1)
        return (total / total.sum()).sort_values(ascending=False, kind="stable")

    def save(self, folder: Path) -> None:
        """Write the members as text and JSON into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, model in self.members.items():
            model.save(folder / name)
        text = json.dumps({"weights": dict(self.weights)}, indent=1, allow_nan=False)
        (folder / _FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Blend:
        """Read what `save` wrote; predictions are equal bit for bit."""
        from training.learners.churn import ChurnModel
        from training.learners.logistic import LogisticModel

        head = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        kinds: dict[str, type[RiskClassifier]] = {
            "on_value": ChurnModel,
            "trees": ChurnModel,
            "logistic": LogisticModel,
        }
        members = {name: kind.load(folder / name) for name, kind in kinds.items()}
        return cls(members, head["weights"])


def _flat(snapshot: pd.DataFrame) -> np.ndarray:
    """Log-odds of churn of the whole window, for every customer."""
    start = np.zeros(len(snapshot))
    return start - shift_log_odds(start, float(snapshot["returned"].mean()))


def _told(snapshot: pd.DataFrame) -> np.ndarray:
    """The value model's log-odds of churn, on the level of the window."""
    stays = log_odds(snapshot[VALUE_COLUMN].to_numpy(float))
    return -(stays + shift_log_odds(stays, float(snapshot["returned"].mean())))
