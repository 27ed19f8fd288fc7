"""Qini curves: what is gained when those with the highest predicted effect are treated first.

In: one action's predicted effects and what came of those who got it or nothing. Out: the curve, its
area above random treatment, and a 95 % interval of it.

Radcliffe (2007), "Using control groups to target on predicted lift: building and assessing uplift
models", counts for the first t customers of a list the gain R_T − R_C · N_T/N_C, with R the
outcomes and N the numbers of treated and control among them, which is right for unequal arms. Here
customers count by 1/probability of their arm, so that probabilities may differ between customers,
and the gain is per customer of the whole list: g(φ) = φ · (mean of treated − mean of control) among
the first share φ; with equal probabilities that is Radcliffe's, divided by all the treated.
The coefficient is ∫ g(φ) dφ − g(1)/2, in the
outcome's unit per customer: 0 for a list in random order, negative for one upside down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.uplift.resampling import DRAWS, Interval, rank_bins, sums_by_bin
from training.uplift.trial import Trial

BINS = 100


@dataclass(frozen=True)
class Qini:
    """A Qini curve.

    Attributes
    ----------
    curve : DataFrame
        ``share`` treated, in [0, 1] from 0; ``gain`` per customer of the list, with ``lower`` and
        ``upper``; ``random``, the gain of a list in random order.
    coefficient : Interval
        Area between the curve and the random one.
    overall : Interval
        Gain of treating all: the average effect.
    """

    curve: pd.DataFrame
    coefficient: Interval
    overall: Interval


def qini(
    trial: Trial,
    action: int,
    outcome: str,
    predicted: np.ndarray,
    random: np.random.Generator,
    draws: int = DRAWS,
) -> Qini:
    """Qini curve of one action.

    Parameters
    ----------
    trial : Trial
    action : int
        Position among the arms, from 1 on.
    outcome : {"returned", "spend"}
    predicted : ndarray of shape (n,)
        Effect of the action, by models that have not seen the customer; of several folds,
        `HeldOut.rank` of it, as folds differ in level.
    random : Generator
        Of the bootstrap.
    draws : int, default=1000

    Returns
    -------
    Qini
    """
    told = trial.against_nothing(action)
    y, weight = trial.outcomes[outcome][told], trial.weight[told]
    treated = (trial.arm[told] == action).astype(np.float64)
    parts = [weight * treated, weight * treated * y]
    parts += [weight * (1 - treated), weight * (1 - treated) * y]
    values = np.column_stack(parts)
    bins = rank_bins(predicted[told], BINS)
    sums = np.stack([np.bincount(bins, column) for column in values.T], axis=1)
    share, gain = _gains(sums[None])
    drawn_share, drawn = _gains(sums_by_bin(values, bins, random, draws))
    areas = _area(drawn_share, drawn)
    lower, upper = np.nanquantile(drawn, (0.025, 0.975), axis=0)
    curve = pd.DataFrame(
        {
            "share": share[0],
            "gain": gain[0],
            "lower": lower,
            "upper": upper,
            "random": share[0] * gain[0, -1],
        }
    )
    return Qini(
        curve,
        Interval.of(float(_area(share, gain)[0]), areas),
        Interval.of(float(gain[0, -1]), drawn[:, -1]),
    )


def _gains(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Share treated and gain from 0 on, of shape (draws, bins + 1)."""
    treated, paid, control, would = np.moveaxis(np.cumsum(sums, axis=1), 2, 0)
    everyone = treated + control
    share = everyone / everyone[:, -1:]
    with np.errstate(divide="ignore", invalid="ignore"):
        gain = share * (paid / treated - would / control)
    start = np.zeros((len(sums), 1))
    return np.concatenate([start, share], axis=1), np.concatenate([start, gain], axis=1)


def _area(share: np.ndarray, gain: np.ndarray) -> np.ndarray:
    known = np.where(np.isfinite(gain), gain, 0.0)
    area = ((known[:, 1:] + known[:, :-1]) / 2 * np.diff(share, axis=1)).sum(axis=1)
    return area - known[:, -1] / 2
