"""Whether the value of a purchase goes with the frequency: tested, and decided by past windows.

In: past snapshots with what came of them, each with its values by frequency
(``training.value.value_by_frequency``). Out: whether plain Gamma-Gamma or values by frequency are
held. The test of independence is reported; it does not decide, as with enough customers any small
dependence is significant, and a slope fitted on values of many sizes may still forecast worse.
Values by frequency are held where they forecast what the customers of past windows spent a
purchase better, by two standard errors of the Gamma deviance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from training.value.model import ValueModel
    from training.value.value_by_frequency import Fit
    from training.windows.known import Known

#: What is more usual is left for it only if that is better by so many standard errors.
CLEARLY = 2.0
#: Significance at which people are told that value and frequency go together.
SIGNIFICANT = 0.01


@dataclass(frozen=True)
class ValueChoice:
    """How values are held, and why.

    Attributes
    ----------
    leaning : bool
        Whether they go with the frequency.
    gain, error : float
        Mean Gamma deviance of plain Gamma-Gamma less that of values by frequency, over the
        customers who bought in the windows, and its standard error.
    slope, p_value : float
        Of the newest window's behaviour: the exponent of the frequency, and the significance of
        the test that it is 0. NaN where there was no window.
    """

    leaning: bool = False
    gain: float = 0.0
    error: float = 0.0
    slope: float = math.nan
    p_value: float = math.nan

    def applied(self, model: ValueModel, frame: pd.DataFrame) -> ValueModel:
        """A value model, fitted on these rows, with the values that were chosen."""
        return model.leaning(values_of(frame)) if self.leaning else model

    def figures(self) -> Mapping[str, float]:
        """For the run; nothing where nothing was tested."""
        told = {
            "slope": self.slope,
            "p_value": self.p_value,
            "gain": self.gain,
            "gain_error": self.error,
        }
        return {} if math.isnan(self.slope) else told

    def in_words(self) -> str:
        """The choice as a sentence for the model card."""
        if math.isnan(self.slope):
            return "taken to be independent; no finished window tests it."
        sure = f"(p = {self.p_value:.2g})"
        start = f"no significant dependence {sure}"
        if self.p_value < SIGNIFICANT:
            start = f"value goes with frequency to the power of {self.slope:.2f} {sure}"
        decided = "past windows were not forecast clearly better with it: Gamma-Gamma stays plain"
        if self.leaning:
            decided = "past windows were forecast better with it"
        return f"{start}; {decided} (deviance {-self.gain:+.4f} ± {self.error:.4f} a customer)."


def values_of(frame: pd.DataFrame) -> Fit:
    """Values by frequency of behaviour rows; rows without a history are left out.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``frequency`` and ``monetary_value``.

    Returns
    -------
    Fit
    """
    from training.value import value_by_frequency

    return value_by_frequency.fit(*_columns(frame))


def choose_values(told: Sequence[tuple[Known, Fit]], horizon_days: int) -> ValueChoice:
    """Choose by finished windows.

    Parameters
    ----------
    told : sequence of (Known, Fit)
        Snapshots, newest first, and their values by frequency.
    horizon_days : int
        Length of the windows after them that are looked at.

    Returns
    -------
    ValueChoice

    Notes
    -----
    Of a customer who spent z a purchase where e was expected, the Gamma deviance is
    2 (z / e − 1 − ln(z / e)). Windows whose net spend is not positive for a customer say nothing
    of the value of a purchase and are left out.
    """
    if not told:
        return ValueChoice()
    newest = told[0][1]
    gain = (
        pd.concat([_gains(known, values, horizon_days) for known, values in told])
        .groupby(level=0)
        .sum()
    )
    if gain.empty:
        return ValueChoice(slope=newest.slope, p_value=newest.p_value)
    mean, error = float(gain.mean()), float(gain.std(ddof=0) / math.sqrt(len(gain)))
    return ValueChoice(mean > CLEARLY * error, mean, error, newest.slope, newest.p_value)


def _gains(known: Known, values: Fit, horizon_days: int) -> pd.Series:
    """Deviance of plain values less that of values by frequency, of those who bought."""
    from training.value import value_by_frequency

    frame = known.seen(horizon_days)
    frame = frame[(frame["occasions"] > 0) & (frame["spend"] > 0)]
    history = _columns(frame)
    paid = (frame["spend"] / frame["occasions"]).to_numpy(float)
    deviances = []
    for fit, slope in ((known.value.spend_, 0.0), (values.values, values.slope)):
        expected = value_by_frequency.expected_value(fit.params, slope, *history)
        # The spend after the window's refunds, as forecasts are.
        ratio = paid / (expected * known.value.refund_factor_)
        deviances.append(2.0 * (ratio - 1.0 - np.log(ratio)))
    return pd.Series(deviances[0] - deviances[1], index=frame["customer_id"].to_numpy())


def _columns(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Frequency and value; no value where there is none."""
    x, m = (
        frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
        for name in ("frequency", "monetary_value")
    )
    known = ~np.isnan(x)
    return x[known], np.where(np.isnan(m), 0.0, m)[known]
