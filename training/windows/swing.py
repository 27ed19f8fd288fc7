"""How far whole windows, and kinds of customers in them, lie from what was expected of them.

In: predictions for past windows that the models had not seen, and what came. Out: the 80 % interval
of each return probability, and of the totals of purchases and spend.

A window is off in two ways. Its level is: all customers return more, or less, than was said. What a
level misses is learned from as many windows as there are, which are few, so it starts from a prior
that counts for two windows, and Student's t holds what is not known of it. Beside the level, kinds
of customers are off: how much beyond the luck of a group is learned by moments, from groups of like
probability with the level of their window taken out, in three regions of the probability.

References
----------
Gelman, Carlin, Stern, Dunson, Vehtari & Rubin (2013), "Bayesian Data Analysis", 3rd ed., section
2.6, for the scaled inverse-χ² prior of a variance. DerSimonian & Laird (1986), "Meta-analysis in
clinical trials", Controlled Clinical Trials 7, for a variance between groups by moments.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from training.windows import level as levels
from training.windows.level import log_odds

if TYPE_CHECKING:
    from training.windows.window import Window

#: Probability that an interval is to hold.
LEVEL = 0.8
#: Standard deviation of what a level misses, in log-odds and logs, before any window was seen. On
#: CDNOW, the Complete Journey and Online Retail II it was 0.17, 0.13 and 0.5 for the returns.
PRIOR = 0.2
#: Windows that it counts for.
PRIOR_WINDOWS = 2
#: The same of kinds of customers beside the level: log-odds, and groups that it counts for.
PRIOR_KIND, PRIOR_GROUPS = 0.1, 2
#: Customers in a group of alike, of whom the return rate is told apart from luck.
GROUP = 200
MOST_GROUPS = 20
#: Regions of the probability in which kinds are off by a variance of their own.
REGIONS = 3


@dataclass(frozen=True)
class Swing:
    """Standard deviations of what windows do beyond what was said of them.

    Attributes
    ----------
    returns : float
        Of the level of the return probability, in log-odds.
    purchases, spend : float or None
        Of the log of the total over the expected total; None where no window tells.
    freedom : float
        Degrees of freedom that these three are known with.
    places : tuple of float
        Log-odds of returning, rising.
    kinds : tuple of float
        What customers alike do beside the level there, in log-odds; in between it is interpolated.
    """

    returns: float
    purchases: float | None
    spend: float | None
    freedom: float
    places: tuple[float, ...] = ()
    kinds: tuple[float, ...] = ()

    def within(self, stays: np.ndarray) -> np.ndarray:
        """Log-odds to each side of a probability within which the rate lies in 80 of 100 windows.

        Parameters
        ----------
        stays : numpy.ndarray of shape (n_customers,)
            Return probability.

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            t₀.₉(freedom) · √(returns² + kinds(p)²).
        """
        kinds = np.interp(log_odds(stays), self.places, self.kinds) if self.kinds else 0.0
        return self._quantile() * np.sqrt(self.returns**2 + kinds**2 + 0.0 * stays)

    @property
    def level_within(self) -> float:
        """Log-odds within which the level of the returns lies in 80 of 100 windows."""
        return self._quantile() * self.returns

    def total(self, name: str, expected: float) -> tuple[float, float] | None:
        """80 % interval of a total over all customers of the business.

        Parameters
        ----------
        name : {"purchases", "spend"}
        expected : float
            Sum of what is expected.

        Returns
        -------
        tuple of float, or None
            Lower and upper end, in the unit of `expected`; None where no window tells.
        """
        swings = getattr(self, name)
        if swings is None:
            return None
        factor = float(np.exp(self._quantile() * swings))
        return expected / factor, expected * factor

    def in_words(self) -> str:
        """How far totals swing, as a sentence for the model card."""
        found = {name: self.total(name, 1.0) for name in ("purchases", "spend")}
        told = ", ".join(
            f"{name} from {ends[0] - 1:+.0%} to {ends[1] - 1:+.0%}"
            for name, ends in found.items()
            if ends
        )
        return f"in eight of ten windows they are taken to lie off by: {told}" if told else ""

    def _quantile(self) -> float:
        from scipy.stats import t

        return float(t.ppf(0.5 + LEVEL / 2, self.freedom))


def of(scorer: object) -> Swing | None:
    """The swing that a scorer was given; None where it has none."""
    spread = getattr(scorer, "spread", None)
    return None if spread is None else spread.swing


def learn(past: Sequence[Window], *, prior: float = PRIOR) -> Swing:
    """Learn from past windows how far they swing.

    Parameters
    ----------
    past : sequence of Window
        At least one, with customers.
    prior : float, default `PRIOR`
        Standard deviation that a level is taken to miss by before any window was seen; 0 where
        there are no seasons.

    Returns
    -------
    Swing
    """
    groups = np.concatenate([_groups(one) for one in past])
    places, kinds = _kinds(groups)
    return _levels(past, prior, places, kinds)


def with_levels(swing: Swing, past: Sequence[Window]) -> Swing:
    """The same, with levels that miss by as much as those of some of the windows.

    Parameters
    ----------
    swing : Swing
        What kinds do is kept.
    past : sequence of Window
        At least one.

    Returns
    -------
    Swing
    """
    return _levels(past, PRIOR, swing.places, swing.kinds)


def _levels(
    past: Sequence[Window], prior: float, places: tuple[float, ...], kinds: tuple[float, ...]
) -> Swing:
    freedom = PRIOR_WINDOWS + len(past)
    missed = np.array([_missed(one) for one in past])
    returns, *totals = np.sqrt((PRIOR_WINDOWS * prior**2 + missed.sum(axis=0)) / freedom)
    purchases, spend = (float(one) if np.isfinite(one) else None for one in totals)
    return Swing(float(returns), purchases, spend, float(freedom), places, kinds)


def _missed(window: Window) -> tuple[float, float, float]:
    """Squares of what the level of a window missed; of the returns beyond the customers' luck."""
    stays = window.predicted["return_probability"].to_numpy(float)
    luck = 1.0 / max(float((stays * (1.0 - stays)).sum()), 1.0)
    if "spend" not in window.came:
        moved = levels.shift(stays, float(window.came["returned"].mean()))
        return max(moved**2 - luck, 0.0), np.nan, np.nan
    off = levels.of_window(window.came, window.predicted)
    return max(off.returns**2 - luck, 0.0), off.purchases**2, off.spend**2


def _groups(window: Window) -> np.ndarray:
    """Of groups of alike: log-odds, square of what they did beside the level, and luck in it."""
    from scipy.special import expit

    stays = window.predicted["return_probability"].to_numpy(float)
    back = window.came["returned"].to_numpy(float)
    told = expit(log_odds(stays) + levels.shift(stays, float(back.mean())))
    count = int(np.clip(len(stays) // GROUP, 1, MOST_GROUPS))
    if count == 1:
        return np.empty((0, 3))
    rows = []
    for part in np.array_split(np.argsort(stays, kind="stable"), count):
        # A step of Newton to the log-odds: its square is luck on the average, however few leave.
        slope = max(float((told[part] * (1.0 - told[part])).sum()), 0.5)
        off = float((back[part] - told[part]).sum()) / slope
        # The level was taken out of the same groups.
        place = float(log_odds(stays[part].mean()))
        rows.append((place, off**2 * count / (count - 1), 1.0 / slope))
    return np.array(rows)


def _kinds(groups: np.ndarray) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Standard deviation beyond luck by region: moments, weighted by how much they are known."""
    if not len(groups):
        return (0.0,), (PRIOR_KIND,)
    # A group without luck, that does as the prior says, is known by this much.
    prior = PRIOR_GROUPS / PRIOR_KIND**4
    places, found = [], []
    for part in np.array_split(groups[np.argsort(groups[:, 0], kind="stable")], REGIONS):
        if len(part):
            place, square, luck = part.T
            weights = 1.0 / (luck + PRIOR_KIND**2) ** 2
            total = prior * PRIOR_KIND**2 + float((weights * (square - luck)).sum())
            variance = max(total, 0.0) / (prior + weights.sum())
            places.append(float(place.mean()))
            found.append(float(np.sqrt(variance)))
    return tuple(places), tuple(found)
