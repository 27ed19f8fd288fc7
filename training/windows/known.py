"""One past date: what was known then, what came of it, and what the value model said.

In: a snapshot (``training.windows.panel.snapshot``). Out: the same with the value model that was
fitted on nothing else, its answers among the columns that the blend reads, and its forecasts over
any horizon.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from training.windows import panel

if TYPE_CHECKING:
    from training.asked import Asked
    from training.value.model import ValueModel

#: Value-model outputs that the churn models see: how often and how lately one bought, so they
#: count as rhythm in the reasons.
VALUE_FEATURES = {
    "value_return_probability": "return_probability",
    "value_p_alive": "p_alive",
    "value_expected_purchases": "expected_purchases",
    "value_expected_spend": "expected_spend",
}
VALUE_FAMILY = "rhythm"


@dataclass(frozen=True)
class Known:
    """A past date, or the present one.

    Attributes
    ----------
    frame : pandas.DataFrame
        Behaviour rows with the columns of `VALUE_FEATURES` over the learned window.
    came : pandas.DataFrame
        Outcome columns of the windows that were over, row for row; none at present.
    value : ValueModel
        Fitted on this date's behaviour.
    terms : mapping of str to float
        Lifetime horizon, margin and discount rate, as the value model takes them.
    """

    frame: pd.DataFrame
    came: pd.DataFrame
    value: ValueModel
    terms: Mapping[str, Any]
    _forecasts: dict[int, pd.DataFrame] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def over(self, horizon_days: int) -> bool:
        """Whether the window of this length has been observed to its end."""
        return f"returned_in_{horizon_days}" in self.came

    def seen(self, horizon_days: int) -> pd.DataFrame:
        """Rows with ``returned``, ``occasions`` and ``spend`` of a window that is over."""
        return panel.seen(pd.concat([self.frame, self.came], axis=1), horizon_days)

    def forecast(self, horizon_days: int) -> pd.DataFrame:
        """The value model's answers over a horizon, row for row."""
        if horizon_days not in self._forecasts:
            self._forecasts[horizon_days] = self.value.predict(
                self.frame, horizon_days=horizon_days, **self.terms
            )
        return self._forecasts[horizon_days]


def know(
    snapshot: pd.DataFrame,
    asked: Asked,
    fit: Callable[[pd.DataFrame], ValueModel] | None = None,
) -> Known:
    """Fit the value model on a snapshot's behaviour and put its outputs beside it.

    Parameters
    ----------
    snapshot : pandas.DataFrame
        Behaviour rows, with or without outcomes.
    asked : Asked
        Horizon, margin and discount.
    fit : callable, optional
        From behaviour rows to a value model, such as `training.families.Choice.fit`; BG/NBD and
        plain Gamma-Gamma when not given.

    Returns
    -------
    Known
    """
    from training.value.model import ValueModel

    behaviour = panel.behaviour_of(snapshot)
    came = snapshot[snapshot.columns.difference(behaviour.columns, sort=False)]
    model = ValueModel().fit(behaviour) if fit is None else fit(behaviour)
    return valued(behaviour, came, model, asked)


def valued(frame: pd.DataFrame, came: pd.DataFrame, model: ValueModel, asked: Asked) -> Known:
    """A snapshot with the outputs of a value model beside it.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    came : pandas.DataFrame
        Outcome columns, row for row.
    model : ValueModel
        Fitted on the behaviour.
    asked : Asked
        Horizon, margin and discount.

    Returns
    -------
    Known
    """
    # What serving costs is no matter of the models.
    terms = asked.value.model_dump(exclude={"cost_per_order", "cost_per_contact"})
    bare = Known(frame, came, model, terms)
    rows = add_value_features(frame, bare.forecast(asked.window_days))
    known = Known(rows, came, model, terms)
    known._forecasts.update(bare._forecasts)
    return known


def add_value_features(frame: pd.DataFrame, valued: pd.DataFrame) -> pd.DataFrame:
    """Behaviour rows with the value model's outputs beside them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    valued : pandas.DataFrame
        ``ValueModel.predict`` for the same rows, over the learned window.

    Returns
    -------
    pandas.DataFrame
        ``frame`` with the columns of `VALUE_FEATURES`.
    """
    return frame.assign(**{name: valued[source] for name, source in VALUE_FEATURES.items()})
