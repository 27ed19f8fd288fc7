"""Single figures that Regulars has to reach, each with the figure to reach beside it."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from benchmarks import rivals
from benchmarks.backtests import Outcome, span
from benchmarks.data_sets import DataSet
from benchmarks.printed import tell
from training.errors import StatisticalWarning
from training.value import bg_nbd, gamma_gamma
from training.windows import panel

#: Days of log before the first monthly snapshot.
WARM_UP_DAYS = 60
#: Log-likelihoods are compared to this: two searches stop at different last digits.
_LAST_DIGITS = 1e-6


@dataclass(frozen=True)
class Bar:
    """A figure and what it has to be.

    Parameters
    ----------
    what, found, needed : str
    met : bool or None
        None where it is for comparison.
    """

    what: str
    found: str
    needed: str = ""
    met: bool | None = None


def cdnow(outcome: Outcome) -> Iterator[Bar]:
    """All of CDNOW as of 1997-10-01 over 273 days, where the log is no longer than that.

    Parameters
    ----------
    outcome : Outcome

    Yields
    ------
    Bar
    """
    ours, alive = outcome.figures["Regulars"], outcome.figures["P(alive)"]
    auc = ours["ROC AUC"]
    case = f"{outcome.case}, {outcome.customers:,} customers"
    yield Bar(f"{case}: AUC of the return probability", f"{auc:.3f}", "≥ 0.765", auc >= 0.765)
    for name in ("bias of returns", "bias of purchases", "bias of spend"):
        met = abs(ours[name]) <= 0.10
        yield Bar(f"{case}: {name}", f"{ours[name]:+.1%}", "within 10 %", met)
    said = any("carried to this horizon" in note for note in outcome.evidence.notes)
    speaker = outcome.evidence.scorer.speaker
    yield Bar(f"{case}: who speaks", speaker, "blend, carried and said so", said)
    yield Bar(f"{case}: AUC of P(alive) instead", f"{alive['ROC AUC']:.3f}")
    yield Bar(f"{case}: sum of P(alive) instead", f"{1.0 + alive['bias of returns']:.2f}")


@dataclass(frozen=True)
class Snapshot:
    """The value model and `lifetimes` on the customers of one date.

    Parameters
    ----------
    as_of : date
    verdicts : tuple of str
        Of the purchase model and of the spend model.
    ahead : tuple of float
        Our log-likelihood less the one at the parameters of `lifetimes`, of both models.
    penalties : tuple of float
        With which `lifetimes` converged; 0 as it should.
    not_finite, theirs_not_finite : int
        Forecasts that are no numbers.
    """

    as_of: date
    verdicts: tuple[str, str]
    ahead: tuple[float, float]
    penalties: tuple[float, float]
    not_finite: int
    theirs_not_finite: int


def snapshots(name: str, data: DataSet) -> Iterator[Bar]:
    """The value model on the first of every month.

    Parameters
    ----------
    name : str
    data : DataSet

    Yields
    ------
    Bar
    """
    found = [_snapshot(name, data, day) for day in _months(data)]
    said = f"{name}, {len(found)} monthly snapshots"
    verdicts = Counter(verdict for one in found for verdict in one.verdicts)
    told = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    usable = set(verdicts) <= {"converged", "boundary"}
    yield Bar(f"{said}: verdicts of both models", told, "a verdict each, none failed", usable)
    least = min(gap for one in found for gap in one.ahead)
    most = max(gap for one in found for gap in one.ahead)
    yield Bar(
        f"{said}: log-likelihood above lifetimes'",
        f"{least:+.1e} to {most:+.3g}",
        "never below, but for last digits",
        least >= -_LAST_DIGITS * 10,
    )
    bad = sum(one.not_finite for one in found)
    yield Bar(f"{said}: forecasts that are no numbers", f"{bad}", "0", bad == 0)
    unsettled = sum(max(one.penalties) > 0 for one in found)
    theirs = sum(one.theirs_not_finite for one in found)
    yield Bar(f"{said}: where lifetimes does not converge without penalty", f"{unsettled}")
    yield Bar(f"{said}: its forecasts that are no numbers", f"{theirs}")


def _months(data: DataSet) -> Sequence[date]:
    """First days of months with enough log before them, up to the last day."""
    first, last = span(data)
    start = pd.Timestamp(first) + pd.Timedelta(days=WARM_UP_DAYS)
    return [day.date() for day in pd.date_range(start, last, freq="MS")]


def _snapshot(name: str, data: DataSet, as_of: date) -> Snapshot:
    from training.value.model import ValueModel

    tell(f"{name} {as_of}: value models")
    frame = panel.behaviour_frame(data.inputs, as_of, horizon_days=90)
    x, t_x, T, m = (
        frame[column].astype(float) for column in ("frequency", "recency", "T", "monetary_value")
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        ours = ValueModel().fit(frame)
        answers = ours.predict(frame, horizon_days=90).to_numpy()
    valued = (x > 0) & (m > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = rivals.purchase_fit(x, t_x, T)
        worth = rivals.value_fit(x[valued], m[valued])
        expected = theirs.conditional_expected_number_of_purchases_up_to_time(90, x, t_x, T)
    there = (
        bg_nbd.log_likelihood(bg_nbd.Parameters(**theirs.params_), x, t_x, T),
        gamma_gamma.log_likelihood(gamma_gamma.Parameters(**worth.params_), x, m),
    )
    return Snapshot(
        as_of,
        (ours.purchases_.verdict, ours.spend_.verdict),
        (
            ours.purchases_.log_likelihood - there[0],
            ours.spend_.log_likelihood - there[1],
        ),
        (theirs.penalizer_coef, worth.penalizer_coef),
        int((~np.isfinite(answers)).sum()),
        int((~np.isfinite(np.asarray(expected, dtype=float))).sum()),
    )
