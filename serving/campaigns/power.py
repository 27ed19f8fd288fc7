"""The power of a plan's holdout: what it can show, told before anything goes out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

#: Chance of a false alarm (two-sided), and of seeing an effect that is there.
ALPHA, POWER = 0.05, 0.80


@dataclass(frozen=True)
class Power:
    """What a comparison of return rates can show.

    Attributes
    ----------
    treated, holdout : int
        Customers.
    base : float or None
        Share of the holdout that is expected to return; None without one.
    expected : float or None
        By how much more of the treated are believed to return; a difference of shares.
    power : float or None
        Chance to show a difference as large as believed, in [0, 1].
    smallest : float or None
        Smallest difference that is shown with a chance of `POWER`; None where none can be.
    smallest_adjusted : float or None
        The same where the scores are taken into account, if they are calibrated.
    """

    treated: int
    holdout: int
    base: float | None = None
    expected: float | None = None
    power: float | None = None
    smallest: float | None = None
    smallest_adjusted: float | None = None


def power(returns: np.ndarray, kept: np.ndarray, held: np.ndarray) -> Power:
    """Power of a holdout for the return rate.

    Parameters
    ----------
    returns : array of shape (n,)
        Return probability of each chosen customer without an action, in [0, 1].
    kept : array of shape (n,)
        What the action is believed to add to it.
    held : boolean array of shape (n,)
        Who is held out.

    Returns
    -------
    Power

    Notes
    -----
    With rates q of n held out and q + d of N treated, and z the normal quantiles,

        s(d) = √( (q + d)(1 − q − d) / N + q (1 − q) / n )
        power(d) = Φ(|d| / s(d) − z_{1−α/2}),    smallest d: d = (z_{1−α/2} + z_{power}) s(d)

    the usual formula for two proportions (Fleiss, Levin & Paik 2003, Statistical Methods for
    Rates and Proportions, chapter 4), without the correction for continuity. The scores, known
    before, take away the share ρ² of the variance (Deng, Xu, Kohavi & Walker 2013, Improving the
    Sensitivity of Online Controlled Experiments by Utilizing Pre-Experiment Data). For calibrated
    return probabilities r, ρ² = Var(r) / (r̄ (1 − r̄)).
    """
    return expected(returns, kept, treated=int((~held).sum()), holdout=int(held.sum()))


def expected(returns: np.ndarray, kept: np.ndarray, *, treated: int, holdout: int) -> Power:
    """Power before anybody is drawn: as `power`, for so many treated and held out.

    Parameters
    ----------
    returns, kept : array of shape (n,)
        As of `power`, of customers like those chosen.
    treated, holdout : int
        Customers.

    Returns
    -------
    Power
    """
    from scipy.stats import norm

    if not treated or not holdout:
        return Power(treated, holdout)
    base, believed = float(returns.mean()), float(kept.mean())
    false = norm.isf(ALPHA / 2)
    spread = _spread(base, believed, treated, holdout)
    chance = float(norm.cdf(abs(believed) / spread - false)) if spread > 0 else None
    ruled = base * (1 - base)
    explained = min(float(returns.var()) / ruled, 1.0) if ruled > 0 else 0.0
    needed = float(false + norm.isf(1 - POWER))
    return Power(
        treated,
        holdout,
        base=base,
        expected=believed,
        power=chance,
        smallest=_smallest(base, treated, holdout, needed),
        smallest_adjusted=_smallest(base, treated, holdout, needed * (1 - explained) ** 0.5),
    )


def _spread(base: float, difference: float, treated: int, holdout: int) -> float:
    """Standard error of the difference of two shares."""
    other = min(max(base + difference, 0.0), 1.0)
    return float(np.sqrt(other * (1 - other) / treated + base * (1 - base) / holdout))


def _smallest(base: float, treated: int, holdout: int, needed: float) -> float | None:
    """Smallest rise that is `needed` standard errors; None where even all returning is less."""
    from scipy.optimize import brentq

    def short(difference: float) -> float:
        return difference - needed * _spread(base, difference, treated, holdout)

    if short(1 - base) <= 0:
        return None
    return float(brentq(short, 0.0, 1 - base)) if short(0.0) < 0 else 0.0
