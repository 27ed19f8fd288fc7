"""Randomised trials with known effects.

In: how many customers, how much the effects differ, a random generator. Out: a trial like those of
a mail-order shop (few return, few of them spend much), and the true effect of each action on each
customer. Two actions: the first works on those who bought lately, the second on those of one kind;
both raise the log-odds of a return, and spend follows from the return.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import expit

from training.uplift.trial import RETURNED, SPEND, Trial

ARMS = ("nothing", "letter", "call")
#: Log-mean and log-deviation of what a customer who returns spends, in currency.
VALUE = (3.0, 0.7)


@dataclass(frozen=True)
class Simulated:
    """A trial and the truth behind it.

    Attributes
    ----------
    trial : Trial
    effects : mapping of str to ndarray of shape (n, 2)
        True change of the return probability and of the expected spend, by outcome.
    baseline : mapping of str to ndarray of shape (n,)
        Return probability and expected spend where nothing is done.
    """

    trial: Trial
    effects: Mapping[str, np.ndarray]
    baseline: Mapping[str, np.ndarray]


def simulate(
    customers: int,
    random: np.random.Generator,
    *,
    strength: float = 1.0,
    shares: tuple[float, float, float] = (0.4, 0.3, 0.3),
) -> Simulated:
    """Draw a trial.

    Parameters
    ----------
    customers : int
    random : Generator
    strength : float, default=1.0
        Of the effects on the log-odds; 0 makes a trial in which nothing works.
    shares : tuple of float, default=(0.4, 0.3, 0.3)
        Probabilities of the arms.

    Returns
    -------
    Simulated

    Notes
    -----
    With days since the last purchase r ~ U(0, 365), purchases f ~ Poisson(2) and a kind k of two:
    logit P(return) = −1.6 + 0.25 f − 0.004 r + s·δ, δ = 0 for nothing, 1.2·max(0, 1 − r/180)
    for the letter, and for the call 0.9 where k is the second and −0.3 where it is the first.
    Spend after a return is log-normal(3.0, 0.7), times (1 + 0.2 f).
    """
    recency = random.uniform(0, 365, customers)
    frequency = random.poisson(2.0, customers).astype(float)
    kind = random.integers(0, 2, customers)
    columns = pd.DataFrame(
        {
            "recency": recency,
            "frequency": frequency,
            "kind": np.where(kind == 1, "second", "first"),
            "noise": random.normal(size=customers),
        }
    )
    delta = np.column_stack(
        [
            np.zeros(customers),
            1.2 * np.maximum(0.0, 1.0 - recency / 180.0),
            np.where(kind == 1, 0.9, -0.3),
        ]
    )
    base = -1.6 + 0.25 * frequency - 0.004 * recency
    chance = expit(base[:, None] + strength * delta)
    worth = np.exp(VALUE[0] + VALUE[1] ** 2 / 2) * (1.0 + 0.2 * frequency)
    arm = random.choice(3, customers, p=shares)
    returned = random.random(customers) < chance[np.arange(customers), arm]
    paid = random.lognormal(*VALUE, customers) * (1.0 + 0.2 * frequency)
    outcomes = {RETURNED: returned.astype(float), SPEND: np.where(returned, paid, 0.0)}
    propensity = np.tile(shares, (customers, 1))
    change = chance[:, 1:] - chance[:, :1]
    return Simulated(
        Trial(columns, ARMS, arm, propensity, outcomes),
        {RETURNED: change, SPEND: change * worth[:, None]},
        {RETURNED: chance[:, 0], SPEND: chance[:, 0] * worth},
    )
