"""What better retention is worth: lifetime values again, with every customer's retention raised.

In: return probability, expected spend and lifetime value of the score table. Out: the gain of
equity by tier. It is arithmetic on the forecast, not the effect of any action: it says what one
could earn by keeping more, and so what one may spend on it.

Null rule: a customer of whom one of the three is not said gains nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from features.compat import arrow
from serving import margins
from serving.groups.ledger import NONE
from serving.groups.tiers import TIERS

if TYPE_CHECKING:
    import ibis.expr.types as ir

# Points of the grid on which a retention is looked up.
_GRID = 2001
_DAYS_OF_YEAR = 365.0


@dataclass(frozen=True)
class Terms:
    """What lifetime values were reckoned with.

    Parameters
    ----------
    horizon_days, clv_horizon_days : int
        A period, and the span of the lifetime value, in days.
    margin : float
        Share of the spend that is profit, where the score table says none, in (0, 1].
    annual_discount_rate : float
        At least 0.
    """

    horizon_days: int
    clv_horizon_days: int
    margin: float
    annual_discount_rate: float


@dataclass(frozen=True)
class Gain:
    """What raised retention is worth in a tier.

    Parameters
    ----------
    tier : str
    customers : int
    equity, gain : float or None
        In currency; None where it can be said of no customer.
    elasticity : float or None
        Relative gain over the relative raise; None where the equity is 0 or one is not said.
    """

    tier: str
    customers: int
    equity: float | None
    gain: float | None
    elasticity: float | None


def gains(table: ir.Table, terms: Terms, *, raised: float = 0.05) -> tuple[Gain, ...]:
    """Gain of equity by tier, when everybody's retention is raised.

    Parameters
    ----------
    table : ibis table
        From `serving.groups.ledger.scores`.
    terms : Terms
    raised : float
        Relative raise, at least 0: 0.05 turns a retention of 60 % into 63 %; none exceeds 1.

    Returns
    -------
    tuple of Gain
        In the order of the tiers; they add up to the gain of the whole table.
    """
    names = ("return_probability", "expected_spend", "clv")
    stated = [name for name in (margins.COLUMN,) if name in table.columns]
    rows = arrow(table.select(*names, *stated, tier=table.tier.fill_null(NONE)))
    p, spend, clv = (rows[name].to_numpy().astype(float) for name in names)
    profit = margins.rates(rows, terms.margin) * spend
    more = again(p, profit, clv, terms, raised=raised) - clv
    tiers = rows["tier"].combine_chunks().dictionary_encode()
    codes, words = tiers.indices.to_numpy(), tiers.dictionary.to_pylist()
    found = []
    for tier in (*TIERS, NONE):
        here = codes == (words.index(tier) if tier in words else -1)
        if here.any():
            equity, gain = _sum(clv[here]), _sum(more[here])
            sensitive = None
            if equity is not None and gain is not None and equity > 0 and raised > 0:
                sensitive = gain / equity / raised
            found.append(Gain(tier, int(here.sum()), equity, gain, sensitive))
    return tuple(found)


def _sum(amounts: np.ndarray) -> float | None:
    """Sum of what is said, None where nothing is."""
    return None if np.isnan(amounts).all() else float(np.nansum(amounts))


def again(
    p: np.ndarray, profit: np.ndarray, clv: np.ndarray, terms: Terms, *, raised: float
) -> np.ndarray:
    """Lifetime values with retention raised.

    Parameters
    ----------
    p : numpy.ndarray of float64
        Return probability over the horizon, in [0, 1].
    profit, clv : numpy.ndarray of float64
        Margin of the expected spend over the horizon, and lifetime value, in currency; both are
        below zero for a customer who is sold to at a loss.
    terms : Terms
    raised : float
        At least 0.

    Returns
    -------
    numpy.ndarray of float64
        Currency, at least `clv` where that is a gain, and at most where it is a loss: to keep
        such a customer costs money. NaN where `clv` or `p` is.

    Notes
    -----
    With the horizon h as a period, n = H / h periods of the lifetime horizon H, the discount v of
    a period and the profit of the first one π = profit · √v, a customer whose
    retention from one period to the next is r is worth π A(r), A(r) = Σ_{k<n} (r v)^k, a last part
    of a period counted as a part. So r is found from clv = π A(r), within [0, 1]. Raised by q,
    r' = min(1, (1 + q) r) and p' = min(1, (1 + q) p), and clv' = clv · p'/p · A(r') / A(r): more
    come back in the first period, and more of them stay in each later one. For n → ∞ A(r) is
    1 / (1 − r v), which is the constant-retention form of the references.

    References
    ----------
    Gupta, Lehmann & Stuart (2004), "Valuing customers", Journal of Marketing Research 41 (1),
    7-18: one per cent of retention was worth five of firm value. Gupta et al. (2006), "Modeling
    customer lifetime value", Journal of Service Research 9 (2), 139-155, equations 1 and 2.
    """
    v = (1.0 + terms.annual_discount_rate) ** (-terms.horizon_days / _DAYS_OF_YEAR)
    n = max(1.0, terms.clv_horizon_days / terms.horizon_days)
    grid = np.linspace(0.0, 1.0, _GRID)
    annuity = _annuity(grid, v, n)
    first = profit * np.sqrt(v)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        r = np.interp(clv / first, annuity, grid)
        more = np.where(p > 0, np.minimum(1.0, (1.0 + raised) * p) / p, 1.0)
    raised_r = np.minimum(1.0, (1.0 + raised) * r)
    longer = _annuity(raised_r, v, n) / _annuity(r, v, n)
    # Without spend in the horizon nothing tells how long the customer stays.
    factor = more * np.where(first != 0, longer, 1.0)
    return np.where(np.isnan(p), np.nan, clv * factor)


def _annuity(r: np.ndarray, v: float, n: float) -> np.ndarray:
    """A(r): profits of n periods in units of the first one's."""
    whole = int(n)
    total = np.zeros_like(r)
    for k in range(whole):
        total += (r * v) ** k
    return total + (n - whole) * (r * v) ** whole
