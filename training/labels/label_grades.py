"""The grade of a label rule: how far above the rules of thumb that one snapshot allows.

In: what each model and rule lost on each customer, out of fold. Out: a `Grade`. The best grade is
a B: an A takes windows that follow one another, and a snapshot shows no other season.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from training.grading.grades import Grade
from training.labels import single_column

#: Two-sided 95 % normal quantile.
_Z95 = 1.959963984540054
BASE_RATE, SINGLE = "base_rate", "single_column"


def best_single_column(
    columns: pd.DataFrame, churned: np.ndarray, fold: np.ndarray
) -> tuple[str, np.ndarray]:
    """The column whose groups alone tell best who left.

    Parameters
    ----------
    columns : DataFrame of shape (n, n_columns)
    churned : ndarray of shape (n,)
        1 where the customer left, else 0.
    fold : ndarray of shape (n,), int64

    Returns
    -------
    column : str
        With the lowest log-loss out of fold: it is chosen by what it is judged by, which makes
        the rule a little harder than it honestly is.
    rates : ndarray of shape (n,), in (0, 1)
        Its `single_column.held_out_rates`.
    """
    found = {}
    for name in columns.columns:
        group = single_column.groups(columns[name])
        found[str(name)] = single_column.held_out_rates(group, churned, fold)
    best = min(found, key=lambda name: (float(losses(found[name], churned).mean()), name))
    return best, found[best]


def losses(probability: np.ndarray, churned: np.ndarray) -> np.ndarray:
    """Each customer's log-loss.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        Of churn; 0 and 1 are moved inwards by 2.2e-16.
    churned : ndarray of shape (n,)
        0 or 1.

    Returns
    -------
    ndarray of shape (n,), at least 0
    """
    edge = np.finfo(float).eps
    kept = np.clip(probability, edge, 1 - edge)
    return -np.where(np.asarray(churned) > 0, np.log(kept), np.log1p(-kept))


def grade(
    model: np.ndarray,
    rules: Mapping[str, np.ndarray],
    told: Mapping[str, str],
    weights: np.ndarray,
    group: np.ndarray,
) -> Grade:
    """Grade the risk on one labelled snapshot.

    Parameters
    ----------
    model : ndarray of shape (n,)
        Each customer's log-loss, out of fold.
    rules : mapping of str to ndarray of shape (n,)
        The same for each rule of thumb.
    told : mapping of str to str
        The rules in plain words.
    weights : ndarray of shape (n,)
        How much each customer counts.
    group : ndarray of shape (n,), int64
        Customers with equal rows, who are one piece of evidence.

    Returns
    -------
    Grade
        **B**: the 95 % interval of the skill against the hardest rule lies above 0. **C**: it
        does not.

    Notes
    -----
    Skill S = 1 − Σ wᵢ lᵢ / Σ wᵢ rᵢ with the log-losses l of the model and r of the rule, as in
    `training.grading.grades`. Its standard error is that of a ratio,
    √Σ_g (Σ_{i in g} wᵢ (lᵢ − (1 − S) rᵢ))² / Σ wᵢ rᵢ, over groups g of equal rows: it holds the
    luck of who is in the table, not that of the season.
    """
    skills = {name: 1 - float(weights @ model / (weights @ rule)) for name, rule in rules.items()}
    hardest = min(skills, key=lambda name: (skills[name], name))
    skill, rule = skills[hardest], rules[hardest]
    pieces = np.bincount(group, weights * (model - (1 - skill) * rule))
    error = float(np.sqrt(pieces @ pieces) / (weights @ rule))
    low, high = skill - _Z95 * error, skill + _Z95 * error
    letter = "B" if low > 0 else "C"
    better = f"is {skill:.0%} better ({low:.0%} to {high:.0%}) than"
    verdict = (
        better if letter == "B" else f"is not shown to be better ({low:.0%} to {high:.0%}) than"
    )
    sentence = (
        f"Predicting who leaves, it {verdict} the best rule of thumb ({told[hardest]}), out of "
        "fold; one snapshot shows no other season, so a B is the best grade here."
    )
    return Grade(letter, skill, low, high, hardest, sentence)
