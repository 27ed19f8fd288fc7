"""How much of a model's lead over a rule of thumb is luck: bootstrap draws of the skill.

In: a window's predictions by model and rule, and what came. Out: for each question and rule how
far from its mean the skill would have been, had other customers of the same kind been there.

References
----------
Efron & Tibshirani (1993), "An introduction to the bootstrap", chapter 13 (percentile
intervals). Politis, Romano & Wolf (1999), "Subsampling", chapter 2 (rescaling by √(m/n)).
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from training.grading.naive import RULES

#: Bootstrap draws.
DRAWS = 200
#: Customers that a draw is made of, at most; the draws of a larger crowd are scaled to its size.
MOST = 8_000
#: Ends of the interval that is told: 90 %.
ENDS = (0.05, 0.95)

_EDGE = 2.2e-16
_ANSWERS = {
    "risk": ("return_probability", "returned"),
    "purchases": ("expected_purchases", "occasions"),
    "spend": ("expected_spend", "spend"),
}


@dataclass(frozen=True)
class Draws:
    """The luck of a model against a rule of thumb in one window.

    Attributes
    ----------
    at : date
        First day of the window.
    horizon_days : int
        Its length.
    question : {"risk", "purchases", "spend"}
    model, rule : str
        Who speaks, and a naive rule.
    luck : numpy.ndarray of shape (DRAWS,)
        Skill of each draw less the mean of the draws.
    """

    at: date
    horizon_days: int
    question: str
    model: str
    rule: str
    luck: np.ndarray


def draws(
    at: date,
    horizon_days: int,
    model: str,
    predictions: Mapping[str, pd.DataFrame],
    truth: pd.DataFrame,
    rules: Container[str] = RULES.keys(),
) -> list[Draws]:
    """Bootstrap the skill of a model against every rule of thumb.

    Parameters
    ----------
    at : date
        First day of the window; seeds the draws, with its length.
    horizon_days : int
        Length of the window.
    model : str
        The model that speaks.
    predictions : mapping of str to pandas.DataFrame
        By model and rule.
    truth : pandas.DataFrame
        ``returned``, ``occasions``, ``spend`` in the same row order.
    rules : container of str, optional
        Names of the naive rules; those of `training.grading.naive` when not given.

    Returns
    -------
    list of Draws
        For each question and rule.

    Notes
    -----
    Customers are drawn with replacement, the same for model and rule, so that what both have in
    common cancels. Skill is that of `training.grading.grades.grade`.
    """
    random = np.random.default_rng((at.toordinal(), horizon_days))
    rows = random.permutation(len(truth))[:MOST]
    counts = random.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), DRAWS).astype(float)
    scale = np.sqrt(len(rows) / len(truth))
    found = []
    for question, (column, outcome) in _ANSWERS.items():
        actual = truth[outcome].to_numpy(float)[rows]
        errors = {
            name: _errors(question, actual, answer[column].to_numpy(float)[rows], counts)
            for name, answer in predictions.items()
            if name == model or name in rules
        }
        mine = errors.pop(model)
        perfect = _gini(actual, actual, counts)
        for rule, theirs in errors.items():
            skill = _skill(question, mine, theirs, perfect)
            luck = scale * (skill - np.nanmean(skill))
            found.append(Draws(at, horizon_days, question, model, rule, luck))
    return found


def _errors(
    question: str, actual: np.ndarray, guess: np.ndarray, counts: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Mean error of each draw and, for amounts, the Gini."""
    if question == "risk":
        kept = np.clip(guess, _EDGE, 1 - _EDGE)
        loss = -np.log(np.where(actual == 1, kept, 1 - kept))
        return counts @ loss / counts.sum(axis=1), np.zeros(len(counts))
    error = counts @ np.abs(guess - actual) / counts.sum(axis=1)
    return error, _gini(actual, guess, counts)


def _gini(actual: np.ndarray, guess: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Area between the curve of totals by falling guess and the diagonal; ties share a step."""
    levels, place = np.unique(-guess, return_inverse=True)
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(levels)))
    people = np.add.reduceat(counts[:, order], starts, axis=1)
    money = np.add.reduceat((counts * actual)[:, order], starts, axis=1)
    share = np.cumsum(money, axis=1) / money.sum(axis=1, keepdims=True)
    before = np.concatenate([np.zeros((len(share), 1)), share[:, :-1]], axis=1)
    part = people / people.sum(axis=1, keepdims=True)
    return (part * (share + before) / 2).sum(axis=1) - 0.5


def _skill(
    question: str,
    mine: tuple[np.ndarray, np.ndarray],
    theirs: tuple[np.ndarray, np.ndarray],
    perfect: np.ndarray,
) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        less = 1.0 - mine[0] / theirs[0]
        if question == "risk":
            return less
        return 0.5 * (less + (mine[1] - theirs[1]) / (perfect - theirs[1]))
