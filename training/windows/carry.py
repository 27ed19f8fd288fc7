"""From the window that models learned from to any horizon, on the level of the season.

In: what a blend says beyond the value model over the learned window, customer by customer, and
the value model's answers over any horizon. Out: return probability, purchases and spend over any
horizon. What a customer's behaviour adds to the value model's log-odds is taken to hold over any
horizon, and the value model knows how much can happen in it; the total of each horizon is set by
`training.windows.level`.

Every figure rises with the horizon: it is fixed at the trained horizon, kept from falling
between the anchors, and between two of them follows the value model's own curve.
"""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from training.windows import level as levels
from training.windows.level import Level, log_odds, shift_log_odds

if TYPE_CHECKING:
    from training.windows.known import Known

#: Customer-level figures over a horizon, by its length in days.
Curve = Callable[[float], np.ndarray]

#: Nobody's return probability is taken for less when it divides.
TINY = 1e-9

_FILE = "carry.json"


@dataclass(frozen=True)
class Carry:
    """Levels by horizon.

    Attributes
    ----------
    main : int
        The trained horizon, in days; one of the anchors.
    levels : mapping of int to Level
        By anchor, rising: how far the window ahead is expected to lie above the value model.
    shifts : mapping of int to float
        Log-odds that the blend's return probability moves by, to be on that level.
    counts, scales : mapping of int to float
        Log of the factor on purchases and on the spend model's amounts, likewise.
    """

    main: int
    levels: Mapping[int, Level]
    shifts: Mapping[int, float]
    counts: Mapping[int, float]
    scales: Mapping[int, float]

    @property
    def anchors(self) -> tuple[int, ...]:
        """Horizons with a level of their own, rising, in days."""
        return tuple(sorted(self.levels))

    def nearest(self, horizon_days: float) -> int:
        """The anchor whose level holds for a horizon: the next longer one, or the last."""
        place = bisect_left(self.anchors, horizon_days)
        return self.anchors[min(place, len(self.anchors) - 1)]

    def through(self, horizon_days: float, raw: Curve, shape: Curve) -> np.ndarray:
        """A figure over a horizon, rising with it for every customer.

        Parameters
        ----------
        horizon_days : float
        raw : callable
            The figure over an anchor, on its own level; beyond them on that of the `nearest`.
        shape : callable
            The value model's figure over any horizon.

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            ``raw`` itself at the trained horizon.

        Notes
        -----
        From the trained horizon outwards, an anchor's figure is not below that of a shorter one.
        Between the anchors a < h < b, with the value model's figure v:
        f(h) = f(a) + (f(b) − f(a)) · (v(h) − v(a)) / (v(b) − v(a)). Beyond the last anchor and
        before the first one, its level holds.
        """
        anchors = self.anchors
        if horizon_days in anchors:
            return self._chain(horizon_days, raw)
        place = bisect_left(anchors, horizon_days)
        if place == 0:
            return np.minimum(self._chain(anchors[0], raw), raw(horizon_days))
        if place == len(anchors):
            return np.maximum(self._chain(anchors[-1], raw), raw(horizon_days))
        before, after = anchors[place - 1], anchors[place]
        low, high = self._chain(before, raw), self._chain(after, raw)
        start, stop = shape(before), shape(after)
        with np.errstate(divide="ignore", invalid="ignore"):
            part = (shape(horizon_days) - start) / (stop - start)
        return low + (high - low) * np.where(stop > start, np.clip(part, 0.0, 1.0), 1.0)

    def _chain(self, anchor: float, raw: Curve) -> np.ndarray:
        """The figure at an anchor, not crossing those between it and the trained horizon."""
        figure = raw(self.main)
        outwards = [
            a for a in self.anchors if min(anchor, self.main) <= a <= max(anchor, self.main)
        ]
        if anchor > self.main:
            for one in outwards[1:]:
                figure = np.maximum(figure, raw(one))
        else:
            for one in outwards[-2::-1]:
                figure = np.minimum(figure, raw(one))
        return figure

    def save(self, folder: Path) -> None:
        """Write the levels as JSON into a folder."""
        head = {
            "main": self.main,
            "anchors": [
                {
                    "days": days,
                    **asdict(self.levels[days]),
                    "shift": self.shifts[days],
                    "count": self.counts[days],
                    "scale": self.scales[days],
                }
                for days in self.anchors
            ],
        }
        text = json.dumps(head, indent=1, allow_nan=False)
        (folder / _FILE).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Carry:
        """Read what `save` wrote."""
        head = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        levels_, shifts, counts, scales = {}, {}, {}, {}
        for one in head["anchors"]:
            days = int(one.pop("days"))
            shifts[days], counts[days] = one.pop("shift"), one.pop("count")
            scales[days] = one.pop("scale")
            levels_[days] = Level(**one)
        return cls(int(head["main"]), levels_, shifts, counts, scales)


def learn(
    at: date,
    main: int,
    horizons: Sequence[int],
    past: Mapping[date, Known],
    now: Known,
    deviation: np.ndarray,
) -> Carry:
    """Find the level of each horizon; the spend is not on it yet, see `with_spend`.

    Parameters
    ----------
    at : date
        First day of the windows ahead.
    main : int
        The trained horizon, in days.
    horizons : sequence of int
        Rising; `main` is among them.
    past : mapping of date to Known
        Snapshots with outcomes.
    now : Known
        The customers at `at`.
    deviation : numpy.ndarray of shape (n_customers,)
        Log-odds of returning that the blend adds to the value model's.

    Returns
    -------
    Carry
    """
    from scipy.special import expit

    expected = {days: levels.ahead(at, days, past) for days in horizons}
    shifts, counts = {}, {}
    for days in horizons:
        said = now.forecast(days)
        told = said["return_probability"]
        odds = log_odds(told.to_numpy(float))
        mean = levels.mean_after(told, expected[days].returns)
        shifts[days] = shift_log_odds(odds + deviation, mean)
        bought, stays = said["expected_purchases"].to_numpy(float), told.to_numpy(float)
        found = bought * expit(odds + deviation + shifts[days]) / np.maximum(stays, TINY)
        counts[days] = _log_factor(bought, found, expected[days].purchases)
    return Carry(main, expected, shifts, counts, dict.fromkeys(horizons, 0.0))


def with_spend(carry: Carry, now: Known, worth: np.ndarray) -> Carry:
    """The same, with the totals of spend on their levels.

    Parameters
    ----------
    carry : Carry
    now : Known
        The customers at the first day of the windows ahead.
    worth : numpy.ndarray of shape (n_customers,)
        Factor of the spend model on the value model's spend.

    Returns
    -------
    Carry
    """
    scales = {}
    for days in carry.anchors:
        told = now.forecast(days)["expected_spend"].to_numpy(float)
        scales[days] = _log_factor(told, told * worth, carry.levels[days].spend)
    return replace(carry, scales=scales)


def _log_factor(told: np.ndarray, found: np.ndarray, level: float) -> float:
    """Log of the factor that puts a total on its level above the value model's."""
    total, there = float(np.nansum(told)), float(np.nansum(found))
    return float(np.log(total / there) + level) if total > 0 and there > 0 else 0.0
