"""What customers are worth: purchases (BG/NBD by default) times the value of one (Gamma-Gamma).

In: a behaviour table with frequency, recency, T, monetary_value and, for refunds, spend_total and
unmatched_refunds. Out: a row for each customer with the probability to come back within the
horizon, the probability to be there still, expected purchases and spend in the horizon, and the
customer lifetime value. Days, and money of the data. A null history gives null answers.
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from training.errors import StatisticalWarning, TrainingError
from training.value import gamma_gamma, value_by_frequency, wandering
from training.value.histories import check_histories
from training.value.purchase_fit import Fit
from training.value.purchase_models import DEFAULT, name_of, purchase_model
from training.value.saved import plain, tupled

HISTORY = ("frequency", "recency", "T", "monetary_value")
REFUNDS = ("spend_total", "unmatched_refunds")
OUTPUTS = ("return_probability", "p_alive", "expected_purchases", "expected_spend", "clv")

_DAYS_OF_YEAR = 365.0


class ValueModel(BaseEstimator):
    """Purchases times Gamma-Gamma values, net of refunds.

    Parameters
    ----------
    purchases : {"bg_nbd", "mbg_nbd", "pareto_nbd", "wandering"}, default "bg_nbd"
        The purchase model.
    memory : float > 0, optional
        Of "wandering", in purchases; its own default when not given.

    Attributes
    ----------
    purchases_ : training.value.purchase_fit.Fit
        The fitted purchase model, with its verdict.
    spend_ : training.value.gamma_gamma.Fit
        The value model, with its verdict and the correlation of frequency and value.
    slope_ : float
        How value goes with frequency (`training.value.value_by_frequency`); 0 = independent.
    refund_factor_ : float in [0, 1]
        Share of the spend that refunds leave: refunds larger than the purchases of their day are
        no occasion, so they are missing from the value of occasions and come off here.

    Notes
    -----
    Over a horizon of h days, with E[X(h)] the expected purchases, E[M] the expected value of a
    purchase and f the refund factor: expected spend = f E[M] E[X(h)]. With the margin g, the
    yearly discount rate d, δ = ln(1 + d) / 365 and the lifetime horizon H:
    clv = g f E[M] ∫₀ᴴ e^(−δu) dE[X(u)].

    References
    ----------
    Fader, Hardie & Lee (2005), "RFM and CLV: using iso-value curves for customer base analysis",
    Journal of Marketing Research 42, 415-430.

    Examples
    --------
    >>> import numpy as np
    >>> from training.value.simulate import Truth, simulate
    >>> customers = simulate(Truth(), np.full(500, 365.0), 90.0, np.random.default_rng(0))
    >>> ValueModel().fit(customers).predict(customers.head(2), horizon_days=90).shape
    (2, 5)
    """

    purchases_: Fit[Any]
    spend_: gamma_gamma.Fit
    refund_factor_: float
    slope_: float = 0.0

    def __init__(self, purchases: str = DEFAULT, memory: float | None = None) -> None:
        self.purchases = purchases
        self.memory = memory

    def fit(self, frame: pd.DataFrame, y: object = None) -> ValueModel:
        """Fit both models.

        Parameters
        ----------
        frame : DataFrame
            One row a customer: frequency, recency (days), T (days), monetary_value (money), and
            where refunds are known spend_total and unmatched_refunds (money, at most 0). Rows
            whose history is null are left out.
        y : object, optional
            Not used; scikit-learn's convention.

        Returns
        -------
        ValueModel
            Itself.

        Raises
        ------
        TrainingError
            If there is no such purchase model, a column is missing, or a row cannot be a purchase
            history.
        NotEnoughData
            If too few customers came back.

        Warns
        -----
        StatisticalWarning
            If a model did not simply converge, or an assumption is in doubt.
        """
        del y
        x, t_x, T, m = _columns(frame)
        known = _known(x, t_x, T)
        x, t_x, T, m = x[known], t_x[known], T[known], m[known]
        self.purchases_ = self._bought(x, t_x, T)
        self.spend_ = gamma_gamma.fit(x, m)
        self.refund_factor_ = _refund_factor(frame)
        return self

    def holding(
        self, frame: pd.DataFrame, purchases: str, memory: float | None = None
    ) -> ValueModel:
        """The same values and refunds with another purchase model, fitted on the same rows.

        Parameters
        ----------
        frame : DataFrame
            What this model was fitted on.
        purchases : str
            The purchase model.
        memory : float > 0, optional
            Of "wandering", in purchases.

        Returns
        -------
        ValueModel
            A new one.

        Raises
        ------
        TrainingError, NotEnoughData
            As `fit`.
        """
        check_is_fitted(self, "purchases_")
        other = ValueModel(purchases, memory)
        x, t_x, T, _ = _columns(frame)
        known = _known(x, t_x, T)
        if purchases == "wandering" and name_of(self.purchases_.params) == DEFAULT:
            # The same likelihood: no search is needed.
            other.purchases_ = wandering.remembered(self.purchases_, memory or wandering.MEMORY)
        else:
            other.purchases_ = other._bought(x[known], t_x[known], T[known])
        other.spend_, other.refund_factor_ = self.spend_, self.refund_factor_
        other.slope_ = self.slope_
        return other

    def leaning(self, values: value_by_frequency.Fit) -> ValueModel:
        """The same purchases with values that go with the frequency.

        Parameters
        ----------
        values : training.value.value_by_frequency.Fit
            Fitted on the same rows.

        Returns
        -------
        ValueModel
            A new one.
        """
        check_is_fitted(self, "purchases_")
        other = ValueModel(self.purchases, self.memory)
        other.purchases_, other.refund_factor_ = self.purchases_, self.refund_factor_
        other.spend_, other.slope_ = values.values, values.slope
        return other

    def _bought(self, *history: NDArray[np.float64]) -> Fit[Any]:
        told = {} if self.memory is None else {"memory": self.memory}
        fit: Fit[Any] = purchase_model(self.purchases).fit(*history, **told)
        return fit

    def predict(
        self,
        frame: pd.DataFrame,
        horizon_days: float,
        clv_horizon_days: float = 365,
        margin: float = 0.30,
        annual_discount_rate: float = 0.10,
    ) -> pd.DataFrame:
        """Forecast for each customer.

        Parameters
        ----------
        frame : DataFrame
            One row a customer: frequency, recency (days), T (days), monetary_value (money). A
            brand-new customer is a row of zeros.
        horizon_days : float >= 0
            Length of the window ahead, in days.
        clv_horizon_days : float >= 0, default 365
            Length of the window of the lifetime value, in days.
        margin : float, default 0.30
            Share of the spend that remains as profit.
        annual_discount_rate : float >= 0, default 0.10
            Yearly rate at which later money counts less.

        Returns
        -------
        DataFrame
            Index of `frame`; return_probability and p_alive in [0, 1], expected_purchases >= 0,
            expected_spend and clv in money. Finite, and null where the history is null.

        Raises
        ------
        TrainingError
            If a column is missing, a row cannot be a purchase history, or a horizon or rate is
            not a number of at least 0.
        """
        check_is_fitted(self, "purchases_")
        _check_terms(horizon_days, clv_horizon_days, margin, annual_discount_rate)
        history, value, known = self.histories(frame)
        params = self.purchases_.params
        model = purchase_model(name_of(params))
        rate = math.log1p(annual_discount_rate) / _DAYS_OF_YEAR
        purchases = model.expected_purchases(params, horizon_days, *history)
        lifetime = model.discounted_purchases(params, clv_horizon_days, rate, *history)
        answers = {
            "return_probability": model.return_probability(params, horizon_days, *history),
            "p_alive": model.p_alive(params, *history),
            "expected_purchases": purchases,
            "expected_spend": purchases * value,
            "clv": margin * value * lifetime,
        }
        result = pd.DataFrame(np.nan, index=frame.index, columns=list(OUTPUTS), dtype=np.float64)
        for name, answer in answers.items():
            result[name] = _filled(answer, known)
        return result

    def histories(
        self, frame: pd.DataFrame
    ) -> tuple[tuple[NDArray[np.float64], ...], NDArray[np.float64], NDArray[np.bool_]]:
        """What the forecasts are made of.

        Parameters
        ----------
        frame : DataFrame
            As in `predict`.

        Returns
        -------
        history : tuple of ndarray
            Frequency, recency and T of the rows whose history is known.
        value : ndarray
            Expected value of one of their purchases, net of refunds, in money.
        known : ndarray of bool
            Which rows these are.

        Raises
        ------
        TrainingError
            If a column is missing, or a row cannot be a purchase history.
        """
        x, t_x, T, m = _columns(frame)
        known = _known(x, t_x, T)
        history = (x[known], t_x[known], T[known])
        check_histories(*history)
        value = value_by_frequency.expected_value(
            self.spend_.params, self.slope_, x[known], m[known]
        )
        return history, self.refund_factor_ * value, known

    def to_dict(self) -> dict[str, Any]:
        """Everything fitted, as plain JSON values.

        Returns
        -------
        dict
            `from_dict` makes the same model of it, to the last bit, also after JSON text.
        """
        check_is_fitted(self, "purchases_")
        return {
            "purchase_model": name_of(self.purchases_.params),
            "purchases": plain(self.purchases_),
            "spend": plain(self.spend_),
            "slope": self.slope_,
            "refund_factor": self.refund_factor_,
        }

    @classmethod
    def from_dict(cls, saved: dict[str, Any]) -> ValueModel:
        """Model that `to_dict` wrote down.

        Parameters
        ----------
        saved : dict

        Returns
        -------
        ValueModel

        Raises
        ------
        TrainingError
            If the dictionary is not of a value model.
        """
        try:
            # Dictionaries without a name are from when there was one model.
            model = cls(saved.get("purchase_model", DEFAULT))
            known = purchase_model(model.purchases)
            purchases, spend = dict(saved["purchases"]), dict(saved["spend"])
            purchases["params"] = known.Parameters(**purchases["params"])
            spend["params"] = gamma_gamma.Parameters(**spend["params"])
            model.purchases_ = Fit(**tupled(purchases))
            model.memory = getattr(model.purchases_.params, "memory", None)
            model.spend_ = gamma_gamma.Fit(**tupled(spend))
            model.refund_factor_ = float(saved["refund_factor"])
            model.slope_ = float(saved.get("slope", 0.0))
        except (KeyError, TypeError, ValueError) as error:
            raise TrainingError(
                f"Got a saved value model that cannot be read ({error!r}); expected what "
                "ValueModel.to_dict writes. Train again."
            ) from error
        return model


def _columns(frame: pd.DataFrame) -> list[NDArray[np.float64]]:
    """The history columns as float64, null as NaN; a missing value of purchases is none."""
    missing = [name for name in HISTORY if name not in frame.columns]
    if missing:
        raise TrainingError(
            f"Got a table without {', '.join(missing)}; expected the columns of a behaviour table."
        )
    columns = [frame[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in HISTORY]
    columns[3] = np.where(np.isnan(columns[3]), 0.0, columns[3])
    return columns


def _known(*columns: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Rows in which nothing is null."""
    return np.logical_not(np.isnan(np.array(columns)).any(axis=0))


def _filled(answer: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The answers in their rows, null elsewhere."""
    column = np.full(known.size, np.nan)
    column[known] = answer
    return column


def _check_terms(
    horizon_days: float, clv_horizon_days: float, margin: float, annual_discount_rate: float
) -> None:
    """Refuse windows and rates that mean nothing."""
    terms = {
        "horizon_days": horizon_days,
        "clv_horizon_days": clv_horizon_days,
        "annual_discount_rate": annual_discount_rate,
    }
    for name, term in terms.items():
        if not (math.isfinite(term) and term >= 0):
            raise TrainingError(f"Got {name} = {term}; expected a number of at least 0.")
    if not math.isfinite(margin):
        raise TrainingError(f"Got margin = {margin}; expected a number, as 0.3 for 30 per cent.")


def _refund_factor(frame: pd.DataFrame) -> float:
    """Net spend over the positive spend of occasions, in [0, 1]; one where it is not known."""
    if any(name not in frame.columns for name in REFUNDS):
        return 1.0
    net, refunds = (
        float(np.nansum(frame[name].to_numpy(dtype=np.float64, na_value=np.nan)))
        for name in REFUNDS
    )
    gross = net - min(refunds, 0.0)
    if gross <= 0:
        return 1.0
    factor = min(max(net / gross, 0.0), 1.0)
    if factor < 0.5:
        warnings.warn(
            f"Refunds beyond the purchases of their day take {1 - factor:.0%} of the spend; "
            "expected spend and lifetime values are reduced by as much. Check the refunds.",
            StatisticalWarning,
            stacklevel=3,
        )
    return factor
