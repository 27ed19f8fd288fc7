"""Expected spend in a window: the value model's, and trees that know what it does not.

In: past snapshots with the value model's answers and the spend that came. Out: expected spend of
each customer. Spend is zero for most and enormous for a few, so the trees fit Tweedie's
distribution with a log link. The members, combined by a weighted geometric mean:

- ``value``: the value model's spend, in the ratio of the blend's return probability to its own;
- ``on_value``: trees that start from the value model's spend;
- ``trees``: trees that start from nothing.

The total of each past window is taken out of what the trees learn; `training.windows.carry` sets
the total of the window ahead.

References
----------
Jørgensen (1987), "Exponential dispersion models", Journal of the Royal Statistical Society B 49.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.learners.encoding import Encoder

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel

MEMBERS = ("value", "on_value", "trees")
#: Between a count (1) and a pure amount (2).
POWER = 1.3
#: Nobody is expected to spend less than this, in currency: its log is finite.
LEAST = 1e-3

_FILE = "spend.json"
_VALUE, _RETURN = "value_expected_spend", "value_return_probability"


@dataclass(frozen=True)
class SpendModel:
    """Expected spend over the horizon.

    Attributes
    ----------
    encoder : Encoder
        Columns and levels that the trees read.
    boosters : mapping of str to lightgbm.Booster
        ``on_value`` and ``trees``, on the log scale.
    weights : mapping of str to float
        At least 0, adding up to 1.
    """

    encoder: Encoder
    boosters: Mapping[str, Any]
    weights: Mapping[str, float]

    @classmethod
    def fit(
        cls,
        snapshots: Sequence[pd.DataFrame],
        columns: Sequence[str],
        trees: ChurnModel,
        weights: Mapping[str, float],
    ) -> SpendModel | None:
        """Fit the trees on a panel.

        Parameters
        ----------
        snapshots : sequence of pandas.DataFrame
            Each with `columns`, the value model's answers and ``spend``.
        columns : sequence of str
            What the trees read.
        trees : ChurnModel
            With the parameters of the trees.
        weights : mapping of str to float
            By member.

        Returns
        -------
        SpendModel or None
            None where nobody spent anything in any window.
        """
        spent = [one for one in snapshots if one["spend"].clip(lower=0).sum() > 0]
        if not spent:
            return None
        frame = pd.concat([one[list(columns)] for one in spent], ignore_index=True)
        encoder = Encoder.learn(frame)
        matrix = encoder.transform(frame)
        # What is left of refunds after a window's purchases is no negative purchase.
        paid = np.concatenate([one["spend"].clip(lower=0).to_numpy(float) for one in spent])
        offsets = {"on_value": _told, "trees": _flat}
        boosters = {
            name: _grow(
                matrix, paid, np.concatenate([offset(one) for one in spent]), encoder, trees
            )
            for name, offset in offsets.items()
        }
        return cls(encoder, boosters, dict(weights))

    def answers(self, frame: pd.DataFrame, returning: np.ndarray) -> np.ndarray:
        """Expected spend by member.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows with the value model's outputs.
        returning : numpy.ndarray of shape (n_customers,)
            The blend's return probability.

        Returns
        -------
        numpy.ndarray of shape (n_customers, n_members)
            In the order of `MEMBERS`, at least 0, each with a total of its own.
        """
        value = np.maximum(frame[_VALUE].to_numpy(float), LEAST)
        base = np.maximum(frame[_RETURN].to_numpy(float), 1e-9)
        matrix = self.encoder.transform(frame)
        log = {name: _margin(booster, matrix) for name, booster in self.boosters.items()}
        return np.column_stack(
            [value * returning / base, value * np.exp(log["on_value"]), np.exp(log["trees"])]
        )

    def predict(self, frame: pd.DataFrame, returning: np.ndarray) -> np.ndarray:
        """Expected spend over the learned window, but for the level of its total.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows with the value model's outputs.
        returning : numpy.ndarray of shape (n_customers,)
            The blend's return probability.

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            In currency, at least 0.
        """
        answers = self.answers(frame, returning)
        weighed = np.zeros(len(frame))
        # Member by member: a matrix product may round a row alone otherwise than in a table.
        for place, name in enumerate(MEMBERS):
            weighed = weighed + self.weights[name] * np.log(np.maximum(answers[:, place], 1e-9))
        return np.exp(weighed)

    def save(self, folder: Path) -> None:
        """Write the model as text and JSON into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        for name, booster in self.boosters.items():
            (folder / f"{name}.txt").write_text(booster.model_to_string(), encoding="utf-8")
        head = {"encoder": self.encoder.to_dict(), "weights": dict(self.weights)}
        text = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / _FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> SpendModel:
        """Read what `save` wrote; predictions are equal bit for bit."""
        import lightgbm

        head = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        boosters = {
            name: lightgbm.Booster(model_str=(folder / f"{name}.txt").read_text(encoding="utf-8"))
            for name in MEMBERS[1:]
        }
        encoder = Encoder.from_dict(head["encoder"])
        return cls(encoder, boosters, head["weights"])


def _grow(
    matrix: np.ndarray, paid: np.ndarray, offset: np.ndarray, encoder: Encoder, trees: ChurnModel
) -> Any:
    import lightgbm

    data = lightgbm.Dataset(
        matrix, paid, init_score=offset, categorical_feature=list(encoder.categorical)
    )
    tweedie = {"objective": "tweedie", "tweedie_variance_power": POWER}
    grown = lightgbm.train(trees.tree_settings(len(matrix)) | tweedie, data, trees.rounds)
    # The text is the model: what is saved later is what predicts now.
    return lightgbm.Booster(model_str=grown.model_to_string())


def _margin(booster: Any, matrix: np.ndarray) -> np.ndarray:
    if not len(matrix):
        return np.empty(0)
    return booster.predict(matrix, raw_score=True, num_threads=1)


def _told(snapshot: pd.DataFrame) -> np.ndarray:
    """Log of the value model's spend, at the total of the window."""
    value = np.maximum(snapshot[_VALUE].to_numpy(float), LEAST)
    return np.log(value) + np.log(snapshot["spend"].clip(lower=0).sum() / value.sum())


def _flat(snapshot: pd.DataFrame) -> np.ndarray:
    """Log of the window's mean spend, for every customer."""
    return np.full(len(snapshot), np.log(snapshot["spend"].clip(lower=0).mean()))
