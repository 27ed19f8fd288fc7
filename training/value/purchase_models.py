"""The purchase models by name: what a value model can be asked to hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from training.errors import TrainingError
from training.value import bg_nbd, mbg_nbd, pareto_nbd, wandering
from training.value.purchase_fit import Fit, Process

Floats = NDArray[np.float64]


class Forecaster(Protocol):
    """A module that fits purchases and forecasts them; all offer the same."""

    @property
    def Parameters(self) -> Callable[..., Any]:  # noqa: N802  (a class)
        """The model's parameters, a frozen dataclass."""

    @property
    def fit(self) -> Callable[..., Fit[Any]]:
        """Parameters from columns of frequency, recency and T, and how sure they are."""

    def p_alive(self, params: Any, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Probability that the customer has not dropped out yet."""

    def return_probability(
        self, params: Any, t: ArrayLike, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """Probability of at least one purchase in the next `t`."""

    def expected_purchases(
        self, params: Any, t: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """Expected number of purchases in the next `t`."""

    def discounted_purchases(
        self, params: Any, t: float, rate: float, x: ArrayLike, t_x: ArrayLike, T: ArrayLike
    ) -> Floats:
        """Expected purchases in the next `t`, each worth e^(−rate · time until it)."""

    def expected_purchases_new(self, params: Any, t: float) -> float:
        """Expected repeat purchases of someone who has just bought for the first time."""


class PurchaseModel(Forecaster, Protocol):
    """One that is a process of purchases, so that a history has a likelihood under it."""

    @property
    def PROCESS(self) -> Process[Any]:  # noqa: N802  (a constant)
        """What is particular to the model when it is fitted."""

    def log_likelihood(
        self,
        params: Any,
        frequency: ArrayLike,
        recency: ArrayLike,
        T: ArrayLike,
        weights: ArrayLike | None = None,
    ) -> float:
        """Log-likelihood of all customers together."""

    def log_likelihoods(self, params: Any, x: ArrayLike, t_x: ArrayLike, T: ArrayLike) -> Floats:
        """Log-likelihood of each customer's history."""


# The first one is the choice where nothing speaks for another.
PURCHASE_MODELS: Mapping[str, PurchaseModel] = {
    "bg_nbd": bg_nbd,
    "mbg_nbd": mbg_nbd,
    "pareto_nbd": pareto_nbd,
}
DEFAULT = next(iter(PURCHASE_MODELS))
#: All that a value model can hold.
FORECASTERS: Mapping[str, Forecaster] = {**PURCHASE_MODELS, "wandering": wandering}


def purchase_model(name: str) -> Any:
    """The model of a name.

    Parameters
    ----------
    name : {"bg_nbd", "mbg_nbd", "pareto_nbd", "wandering"}

    Returns
    -------
    module

    Raises
    ------
    TrainingError
        If there is no such model.
    """
    if name not in FORECASTERS:
        raise TrainingError(
            f"Got the purchase model {name!r}; expected one of {', '.join(FORECASTERS)}."
        )
    return FORECASTERS[name]


def name_of(params: Any) -> str:
    """The name of the model that parameters are of.

    Parameters
    ----------
    params : Parameters
        Of one of the models.

    Returns
    -------
    str

    Raises
    ------
    TrainingError
        If they are of none.
    """
    for name, model in FORECASTERS.items():
        if type(params) is model.Parameters:
            return name
    raise TrainingError(
        f"Got parameters of {type(params).__name__}; expected those of one of "
        f"{', '.join(FORECASTERS)}."
    )
