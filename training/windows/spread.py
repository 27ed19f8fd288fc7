"""How far outcomes lie from predictions: the intervals around every figure.

In: predictions for past windows that the models had not seen, and what came. Out: 80 % prediction
intervals of purchases, spend and lifetime value, and an 80 % confidence interval of each
probability (`training.windows.swing`).

A customer's outcome is drawn in two steps. With the return probability p nothing comes with
probability 1 − p. Who returns spends s/p · R: R is the ratio of what returning customers really
spent to what was expected of them in past windows, taken from those of whom about as many
purchases were expected, with the level of each window taken out (a split-conformal predictive
distribution in bins). Purchases are 1 + a negative binomial count with the mean that is expected
and the spread of the past windows.

References
----------
Vovk, Shen, Manokhin & Xie (2017), "Nonparametric predictive distributions based on conformal
prediction", COPA, PMLR 60. Lei & Wasserman (2014), "Distribution-free prediction bands for
non-parametric regression", JRSS B 76, section 3, for conformal prediction in bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from training import parts
from training.windows import swing as swings
from training.windows.level import log_odds
from training.windows.swing import LEVEL, Swing
from training.windows.window import Window

if TYPE_CHECKING:
    pass

#: Returning customers in a bin of ratios, at least.
BIN = 250
MOST_BINS = 8
#: Quantiles of a bin that are kept.
GRID = 201

_FILE = "spread.json"


@dataclass(frozen=True)
class Spread:
    """The spread of outcomes around predictions.

    Attributes
    ----------
    swing : Swing
        How far windows, and kinds of customers in them, lay from what was expected.
    windows : int
        Past windows that it was learned on.
    edges : tuple of float
        Inner borders of the bins: expected purchases of a customer who returns.
    ratios : tuple of tuple of float
        By bin: quantiles of spend over expected spend of those who returned, at equal steps.
    shapes : tuple of float
        By bin: shape of the negative binomial count of the purchases after the first.
    lifetime : Swing or None
        How far the windows that come nearest to the span of the lifetime values lay; None where
        it was not asked for.
    """

    swing: Swing
    windows: int
    edges: tuple[float, ...] = ()
    ratios: tuple[tuple[float, ...], ...] = ()
    shapes: tuple[float, ...] = ()
    lifetime: Swing | None = None

    def bounds(self, given: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Lower and upper ends of every interval.

        Parameters
        ----------
        given : mapping of str to numpy.ndarray
            ``return_probability``, ``expected_purchases``, ``expected_spend``, ``clv``, and for
            the last ``lifetime_return`` and ``lifetime_purchases`` over its span. What is not
            there, or null, gets no interval.

        Returns
        -------
        dict of str to numpy.ndarray
            ``*_lower`` and ``*_upper``.
        """
        from scipy.special import expit

        stays = given["return_probability"]
        leaves, within = -log_odds(stays), self.swing.within(stays)
        found = {
            "churn_probability_lower": expit(leaves - within),
            "churn_probability_upper": expit(leaves + within),
        }
        if not self.ratios:
            return found
        often = given["expected_purchases"]
        found |= _ends("expected_purchases", self.purchases(stays, often))
        found |= _ends("expected_spend", self.spend(stays, often, given["expected_spend"]))
        if "lifetime_return" in given:
            lifetime = (given["lifetime_return"], given["lifetime_purchases"], given["clv"])
            found |= _ends("clv", self.spend(*lifetime))
        return found

    def purchases(self, stays: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """80 % prediction interval of the number of purchases.

        Parameters
        ----------
        stays : numpy.ndarray of shape (n_customers,)
            Return probability.
        expected : numpy.ndarray of shape (n_customers,)
            Expected purchases.

        Returns
        -------
        tuple of numpy.ndarray
            Lower and upper end, whole numbers.
        """
        from scipy.stats import nbinom

        more, shape = self._count(stays, expected)
        ends = []
        for level in tails(stays):
            part = _given_return(level, stays)
            count = 1.0 + nbinom.ppf(np.clip(part, 0.0, 1.0), shape, shape / (shape + more))
            ends.append(np.where(part > 0, count, np.where(np.isnan(part), np.nan, 0.0)))
        return ends[0], ends[1]

    def spend(
        self, stays: np.ndarray, purchases: np.ndarray, expected: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """80 % prediction interval of an amount.

        Parameters
        ----------
        stays : numpy.ndarray of shape (n_customers,)
            Return probability.
        purchases, expected : numpy.ndarray of shape (n_customers,)
            Expected purchases and amount.

        Returns
        -------
        tuple of numpy.ndarray
            Lower and upper end, in the unit of the amount.
        """
        place, unit = self._bin(stays, purchases), _divided(expected, stays)
        ends = []
        for level in tails(stays):
            part = _given_return(level, stays)
            ratio = np.full(len(stays), np.nan)
            for number, quantiles in enumerate(self.ratios):
                here = place == number
                steps = np.linspace(0.0, 1.0, len(quantiles))
                ratio[here] = np.interp(part[here], steps, quantiles)
            ends.append(np.where(part > 0, ratio * unit, 0.0 * unit))
        return ends[0], ends[1]

    def purchases_below(
        self, stays: np.ndarray, expected: np.ndarray, count: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probability of fewer than so many purchases, and of at most so many."""
        from scipy.stats import nbinom

        more, shape = self._count(stays, expected)
        ends = [
            1.0 - stays + stays * nbinom.cdf(n - 1.0, shape, shape / (shape + more))
            for n in (count - 1.0, count)
        ]
        return np.where(count > 0, ends[0], 0.0), ends[1]

    def spend_below(
        self,
        stays: np.ndarray,
        purchases: np.ndarray,
        expected: np.ndarray,
        amount: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Probability of less than an amount, and of at most it; they differ at nothing only."""
        place, unit = self._bin(stays, purchases), _divided(expected, stays)
        part = np.full(len(stays), np.nan)
        for number, quantiles in enumerate(self.ratios):
            here = place == number
            steps = np.linspace(0.0, 1.0, len(quantiles))
            part[here] = np.interp(_divided(amount[here], unit[here]), quantiles, steps)
        below = 1.0 - stays + stays * part
        spent = amount > 0
        return np.where(spent, below, 0.0), np.where(spent, below, 1.0 - stays)

    def save(self, folder: Path) -> None:
        """Write the spread as JSON into a folder."""
        parts.write(self, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> Spread | None:
        """Read what `save` wrote; None where nothing was."""
        head = parts.read(folder / _FILE)
        if head is None:
            return None
        ratios = tuple(map(tuple, head["ratios"]))
        lifetime = head.get("lifetime")
        return cls(
            _swing(head["swing"]),
            head["windows"],
            tuple(head["edges"]),
            ratios,
            tuple(head["shapes"]),
            None if lifetime is None else _swing(lifetime),
        )

    def _bin(self, stays: np.ndarray, purchases: np.ndarray) -> np.ndarray:
        return np.searchsorted(np.array(self.edges), _divided(purchases, stays), side="right")

    def _count(self, stays: np.ndarray, expected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean of the purchases after the first, given a return, and their shape."""
        more = np.maximum(_divided(expected, stays) - 1.0, 1e-9)
        return more, np.array(self.shapes)[self._bin(stays, expected)]


def tails(stays: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels between which an interval lies.

    Parameters
    ----------
    stays : numpy.ndarray of shape (n_customers,)
        Return probability.

    Returns
    -------
    tuple of numpy.ndarray
        0 and 0.8 for a customer who may well do nothing (a probability of a tenth or more), so
        that the interval begins there; 0.1 and 0.9 for others.
    """
    lower = np.where(1.0 - stays >= (1.0 - LEVEL) / 2, 0.0, (1.0 - LEVEL) / 2)
    return lower, lower + LEVEL


def learn(past: Sequence[Window], *, prior: float = swings.PRIOR) -> Spread | None:
    """Learn the spread from past windows.

    Parameters
    ----------
    past : sequence of Window
        Predictions for windows that the models had not seen.
    prior : float, default `training.windows.swing.PRIOR`
        As in `training.windows.swing.learn`.

    Returns
    -------
    Spread or None
        None without a window in which somebody returned; without bins where too few did.
    """
    told = [one for one in past if one.came["returned"].sum() > 0]
    if not told:
        return None
    away = swings.learn(told, prior=prior)
    if "spend" not in told[0].came:
        return Spread(away, len(told))
    paid = [one for one in told if _paid(one).any()]
    if not paid:
        return Spread(away, len(told))
    often, counts, ratios = map(np.concatenate, zip(*map(_returners, paid), strict=True))
    bins = int(np.clip(len(often) // BIN, 1, MOST_BINS))
    edges = np.quantile(often, np.linspace(0, 1, bins + 1)[1:-1])
    place = np.searchsorted(edges, often, side="right")
    steps = np.linspace(0.0, 1.0, GRID)
    kept = [n for n in range(bins) if (place == n).any()]
    return Spread(
        away,
        len(told),
        tuple(float(edges[n]) for n in kept[:-1]),
        tuple(tuple(map(float, np.quantile(ratios[place == n], steps))) for n in kept),
        tuple(_shape(often[place == n], counts[place == n]) for n in kept),
    )


def _swing(told: dict[str, Any]) -> Swing:
    return Swing(**{**told, **{name: tuple(told[name]) for name in ("places", "kinds")}})


def _paid(window: Window) -> np.ndarray:
    """Who returned and left more than nothing after refunds."""
    came = window.came
    return (came["returned"].to_numpy() == 1) & (came["spend"].to_numpy() > 0)


def _returners(window: Window) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of those who returned: expected purchases given that, real ones, and ratio of spend."""
    came, told, back = window.came, window.predicted, _paid(window)
    stays = told["return_probability"].to_numpy(float)[back]
    often = told["expected_purchases"].to_numpy(float)[back] / stays
    counts = came["occasions"].to_numpy(float)[back]
    ratio = came["spend"].to_numpy(float)[back] / (
        told["expected_spend"].to_numpy(float)[back] / stays
    )
    # The level of a window says nothing of how customers differ around it.
    often = 1.0 + (often - 1.0) * (counts - 1.0).sum() / max((often - 1.0).sum(), 1e-9)
    return often, counts, ratio / ratio.mean()


def _shape(often: np.ndarray, counts: np.ndarray) -> float:
    """Shape k of a negative binomial count by moments: variance = m + m²/k."""
    mean = often - 1.0
    over = ((counts - 1.0 - mean) ** 2 - mean).sum()
    return float(np.clip((mean**2).sum() / over, 0.05, 1e6)) if over > 0 else 1e6


def _given_return(level: np.ndarray, stays: np.ndarray) -> np.ndarray:
    """Level of the outcome of those who return at a level of the whole outcome."""
    return _divided(level - (1.0 - stays), stays)


def _divided(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, values / base, np.where(np.isnan(base), np.nan, 0.0))


def _ends(name: str, ends: tuple[np.ndarray, np.ndarray]) -> dict[str, np.ndarray]:
    return {f"{name}_lower": ends[0], f"{name}_upper": ends[1]}
