"""Subscribers with known retention: for tests, and for what a method may claim.

Exact draws in whole columns, no loop over customers.
"""

from __future__ import annotations

import numpy as np

from training.subscriptions.retention import Parameters
from training.subscriptions.sbg import Histories

# A customer who ends with probability 0 never does.
_NEVER = 1e9


def lifetimes(truth: Parameters, customers: int, random: np.random.Generator) -> np.ndarray:
    """Renewals that customers of an sBG cohort make before they end.

    Parameters
    ----------
    truth : Parameters
    customers : int
    random : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    ndarray of shape (customers,)
        T − 1 >= 0 with θ ~ Beta(α, β) and P(T = t | θ) = θ(1 − θ)^(t − 1), as whole numbers.
    """
    return renewals_before_end(random.beta(truth.alpha, truth.beta, customers), random)


def renewals_before_end(chance: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Renewals before the end where each is the last with a given chance.

    Parameters
    ----------
    chance : ndarray in [0, 1]
        To end at a renewal.
    random : numpy.random.Generator

    Returns
    -------
    ndarray
        Whole numbers >= 0.
    """
    with np.errstate(divide="ignore"):
        made = np.floor(np.log1p(-random.random(chance.shape)) / np.log1p(-chance))
    return np.clip(made, 0.0, _NEVER)


def cohorts(
    truth: Parameters, customers: int, observed: np.ndarray, random: np.random.Generator
) -> Histories:
    """Histories of customers of whom only some renewals have come up yet.

    Parameters
    ----------
    truth : Parameters
    customers : int
    observed : ndarray of shape (customers,)
        Renewals that have come up for each, if they stayed.
    random : numpy.random.Generator

    Returns
    -------
    Histories
    """
    made = lifetimes(truth, customers, random)
    fates = np.column_stack([np.minimum(made, observed), made >= observed])
    distinct, counts = np.unique(fates, axis=0, return_counts=True)
    return Histories.of(distinct[:, 0], distinct[:, 1] > 0, counts)
