"""One labelled snapshot, ready to learn from: what the models read, and what they must not.

In: accepted tables with labels, and what was ordered. Out: a `Labelled`, without the columns that
know the answer and with the weights that make it stand for the population.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.asked import Asked
from training.errors import NotEnoughData
from training.fitting import feature_families
from training.labels import base_rate, leaks
from training.windows.known import VALUE_FEATURES, know
from training.windows.panel import behaviour_frame

if TYPE_CHECKING:
    from features.inputs import Inputs
    from training.evidence import Order
    from training.value.model import ValueModel

#: Fewer of either fate in the label cannot be spread over the folds.
MIN_PER_CLASS = 50


@dataclass(frozen=True)
class Labelled:
    """Customers whose label is known.

    Attributes
    ----------
    frame : pandas.DataFrame
        Behaviour rows, with the value model's outputs where there is a log, and ``churned``.
    families : mapping of str to str
        Family of each column that the models read.
    value : ValueModel or None
        None without a log.
    leaks : leaks.Found
        What the models do not read, and why.
    base_rate : float or None
        True share of leavers, where the labelled customers were chosen by their fate.
    """

    frame: pd.DataFrame
    families: Mapping[str, str]
    value: ValueModel | None
    leaks: leaks.Found
    base_rate: float | None

    @property
    def columns(self) -> pd.DataFrame:
        """What the models read."""
        return self.frame[list(self.families)]

    @property
    def churned(self) -> np.ndarray:
        """1 where the customer left, else 0."""
        return self.frame["churned"].to_numpy(np.int64)

    @property
    def shift(self) -> float:
        """Log-odds that every prediction gets on top, for the true share of leavers."""
        if self.base_rate is None:
            return 0.0
        return base_rate.shift(self.base_rate, float(self.churned.mean()))

    @property
    def weights(self) -> np.ndarray:
        """How much each customer counts in figures of the population."""
        if self.base_rate is None:
            return np.ones(len(self.frame))
        return base_rate.weights(self.churned, self.base_rate)

    @property
    def rows(self) -> pd.DataFrame:
        """Behaviour rows as a scorer gets them, without what it does not read."""
        out = ["churned", *VALUE_FEATURES, *(leak.column for leak in self.leaks.left_out)]
        return self.frame.drop(columns=out, errors="ignore")


def read(inputs: Inputs, order: Order, asked: Asked) -> Labelled:
    """Read the snapshot and leave out the columns that know the answer.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables, with labels in the customers table.
    order : Order
        As-of date, columns to keep, true share of leavers.
    asked : Asked
        Settings of the value model.

    Returns
    -------
    Labelled

    Raises
    ------
    NotEnoughData
        If there are too few customers of either fate, or no column is left.
    """
    frame = _frame(inputs, order)
    value = None
    if inputs.transactions is not None:
        known = know(frame, asked)
        frame, value = known.frame, known.value
    # A column that nobody has a value in says nothing: without a log, all of the behaviour.
    families = feature_families(frame.columns[frame.notna().any()])
    found = leaks.find(
        frame[list(families)], frame["churned"], order.as_of, order.churn.keep, order.seed
    )
    out = {leak.column for leak in found.left_out}
    kept = {name: family for name, family in families.items() if name not in out}
    if not kept:
        why = "".join(found.sentences()[:1]) or "Name some in `attributes` of [sources.customers]."
        raise NotEnoughData(f"no column is left to learn from. {why}")
    return Labelled(frame, kept, value, found, order.churn.base_rate)


def _frame(inputs: Inputs, order: Order) -> pd.DataFrame:
    """Behaviour rows of the customers whose label is known."""
    from features.outcomes import labels

    frame = behaviour_frame(
        inputs, order.as_of, horizon_days=order.churn.horizon_days, population="customers"
    )
    known = labels(inputs.customers).to_pyarrow().to_pandas().dropna(subset="churned")
    frame = frame.merge(known, on="customer_id", how="inner", validate="one_to_one")
    fates = frame["churned"].astype(bool).value_counts()
    if len(fates) < 2 or fates.min() < MIN_PER_CLASS:
        raise NotEnoughData(
            f"got {int(fates.get(True, 0)):,} churned and {int(fates.get(False, 0)):,} staying "
            f"customers with a label; at least {MIN_PER_CLASS} of each are needed"
        )
    return frame.assign(churned=frame["churned"].astype("int8"))
