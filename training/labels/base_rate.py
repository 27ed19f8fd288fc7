"""Labelled customers of whom more, or fewer, had left than in the whole population.

In: the true share of leavers (`base_rate` in [churn]) and the share among the labelled customers.
Out: the log-odds by which predictions move, and the weights with which figures count customers, so
that both hold for the population. It is assumed that customers were drawn by their fate alone:
among the leavers, and among the others, everybody was as likely to be labelled.
"""

from __future__ import annotations

import math

import numpy as np


def shift(base_rate: float, sampled: float) -> float:
    """Log-odds that every prediction gets on top.

    Parameters
    ----------
    base_rate : float in (0, 1)
        True share of leavers in the population.
    sampled : float in (0, 1)
        Their share among the labelled customers.

    Returns
    -------
    float
        s = logit π − logit b. It orders no two customers otherwise, and a threshold of t on the
        corrected probability is one of σ(logit t − s) on the raw one.

    Notes
    -----
    σ(logit p + s) is the p' of Elkan (2001), theorem 2,
    p' = π (p − p b) / (b − p b + π p − b π); of Saerens and others (2002), equation 2.4; and the
    prior correction of King & Zeng (2001), equation 7.

    References
    ----------
    Elkan (2001), "The foundations of cost-sensitive learning", IJCAI.
    King & Zeng (2001), "Logistic regression in rare events data", Political Analysis 9.
    Saerens, Latinne & Decaestecker (2002), "Adjusting the outputs of a classifier to new a priori
    probabilities", Neural Computation 14.

    Examples
    --------
    >>> round(shift(0.1, 0.5), 4)
    -2.1972
    """
    return math.log(base_rate / (1 - base_rate)) - math.log(sampled / (1 - sampled))


def weights(churned: np.ndarray, base_rate: float) -> np.ndarray:
    """How much each labelled customer counts in a figure of the population.

    Parameters
    ----------
    churned : ndarray of shape (n,)
        1 where the customer left, else 0; both occur.
    base_rate : float in (0, 1)

    Returns
    -------
    ndarray of shape (n,)
        π/b for who left and (1 − π)/(1 − b) for who stayed, with b the share that left; 1 on
        average.
    """
    sampled = float(np.mean(churned))
    return np.where(np.asarray(churned) > 0, base_rate / sampled, (1 - base_rate) / (1 - sampled))


def drawn(score: np.ndarray, churned: np.ndarray, base_rate: float) -> np.ndarray:
    """Customers of a made-up sample of the population, of the same size, for charts.

    Parameters
    ----------
    score : ndarray of shape (n,)
        Taken at even steps along it, fate by fate, so that each fate keeps its scores.
    churned : ndarray of shape (n,)
        1 where the customer left, else 0; both occur.
    base_rate : float in (0, 1)

    Returns
    -------
    ndarray of shape (n,)
        Row numbers, some of them several times; always the same for the same input. At least
        one customer of either fate is among them.
    """
    n = len(churned)
    leavers = min(max(round(base_rate * n), 1), n - 1)
    taken = []
    for fate, many in ((1, leavers), (0, n - leavers)):
        rows = np.flatnonzero(np.asarray(churned) == fate)
        rows = rows[np.argsort(score[rows], kind="stable")]
        taken.append(rows[((np.arange(many) + 0.5) * len(rows) / many).astype(np.int64)])
    return np.sort(np.concatenate(taken))
