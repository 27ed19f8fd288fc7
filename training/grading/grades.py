"""The grade of a model: how far it is above the best rule of thumb on windows it has not seen.

In: the backtest's figures of a model and of the naive rules, window by window, and how much of
the lead may be luck. Out: a letter a question and horizon, with the sentence that explains it to
someone who reads no metrics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.grading.naive import RULES
from training.grading.skill import ENDS

if TYPE_CHECKING:
    from training.backtest import Backtest

#: Skill that counts as a clear improvement, in every window.
CLEAR = 0.05
#: Windows that an A needs: one says nothing of how it holds up.
WINDOWS = 2
#: Mean relative error of the total that an A allows, by question.
BIAS = {"risk": 0.10, "purchases": 0.15, "spend": 0.15}

_PREDICTED = {
    "risk": "who returns",
    "purchases": "how often customers buy",
    "spend": "how much customers spend",
}


@dataclass(frozen=True)
class Grade:
    """A letter and what stands behind it.

    Attributes
    ----------
    letter : {"A", "B", "C"}
        See `grade`.
    skill : float, at most 1
        Mean skill over the windows: 0 is as good as the best rule, 1 is perfect.
    low, high : float
        Ends of its 90 % bootstrap interval.
    best_rule : str
        The naive rule that was hardest to beat.
    sentence : str
        In plain words.
    """

    letter: str
    skill: float
    low: float
    high: float
    best_rule: str
    sentence: str


def grade(
    question: str,
    model: Sequence[Mapping[str, float]],
    naive: Mapping[str, Sequence[Mapping[str, float]]],
    luck: Mapping[str, Sequence[np.ndarray]],
) -> Grade:
    """Grade one question.

    Parameters
    ----------
    question : {"risk", "purchases", "spend"}
    model : sequence of mapping
        The model's figures, one mapping a window: ``log_loss`` and ``total_bias`` for risk;
        ``mae``, ``normalised_gini`` and ``total_bias`` for the others.
    naive : mapping of str to sequence of mapping
        The same for each naive rule, windows in the same order.
    luck : mapping of str to sequence of numpy.ndarray
        For each naive rule and window, bootstrap draws of the skill less their mean
        (`training.grading.skill`).

    Returns
    -------
    Grade
        **A**: against the hardest rule, a mean skill whose 90 % interval lies above 0.05, a
        skill of at least 0.05 in every window, of which there are at least two, and totals off
        by no more than 10 % on average (15 % for purchases and spend). **B**: a mean skill whose
        interval lies above 0. **C**: no better than the hardest rule, or too close to tell.

    Raises
    ------
    ValueError
        When there is no window or no rule to compare with.

    Notes
    -----
    Skill against rule r in a window:

    - risk: 1 − L/Lᵣ with log-loss L;
    - purchases, spend: ½ [(1 − MAE/MAEᵣ) + (G − Gᵣ)/(1 − Gᵣ)] with normalised Gini G: half for
      closer amounts, half for a better order.

    The hardest rule is the one with the lowest mean skill against it: the rule that one would
    have been best advised to follow throughout.
    """
    if not model or not naive:
        raise ValueError(
            f"Got {len(model)} windows and {len(naive)} naive rules for {question!r}; a grade "
            "needs at least one of each."
        )
    skills = {
        rule: [_skill(question, *pair) for pair in zip(model, figures, strict=True)]
        for rule, figures in naive.items()
    }
    hardest = min(skills, key=lambda rule: (_mean(skills[rule]), rule))
    reached, mean = skills[hardest], _mean(skills[hardest])
    bias = _mean([abs(window["total_bias"]) for window in model])
    lowest = min(reached)
    low, high = (float(mean + end) for end in np.quantile(np.mean(luck[hardest], axis=0), ENDS))
    steady = len(reached) >= WINDOWS and lowest >= CLEAR and low >= CLEAR
    # Written so that a figure that is not a number never earns an A or a B.
    letter = "A" if steady and bias <= BIAS[question] else "B" if low > 0 else "C"
    sentence = _sentence(question, hardest, reached, (low, high), bias)
    return Grade(letter, mean, low, high, hardest, sentence)


def grade_all(tested: Backtest, model: str, horizon_days: int) -> dict[str, Grade]:
    """Grade every question that the backtest can answer over a horizon.

    Parameters
    ----------
    tested : Backtest
        Figures and luck, window by window.
    model : str
        The model that speaks.
    horizon_days : int
        Windows of this length are looked at.

    Returns
    -------
    dict of str to Grade
        By question. A question is left out when the model, or every rule, has no finite figure
        for it in any window.
    """
    figures = tested.figures
    figures = figures[figures["horizon_days"] == horizon_days]
    luck = {
        (one.question, one.rule, one.at): one.luck
        for one in tested.skills
        if (one.model, one.horizon_days) == (model, horizon_days)
    }
    found = {}
    for question in BIAS:
        asked = figures[figures["question"] == question]
        windows = {
            str(name): rows.pivot(index="origin", columns="metric", values="figure")
            for name, rows in asked[asked["model"].isin({model, *RULES})].groupby("model")
        }
        mine = windows.pop(model, None)
        if mine is None:
            continue
        mine = mine[_finite(question, mine)]
        mine = mine[[any(key[0] == question and key[2] == at for key in luck) for at in mine.index]]
        rules = {
            rule: table.reindex(mine.index)
            for rule, table in windows.items()
            if set(mine.index) <= set(table.index[_finite(question, table)])
        }
        if len(mine) and rules:
            chance = {rule: [luck[question, rule, at] for at in mine.index] for rule in rules}
            told = {rule: _windows(table) for rule, table in rules.items()}
            found[question] = grade(question, _windows(mine), told, chance)
    return found


def _finite(question: str, table: pd.DataFrame) -> pd.Series:
    needed = ("log_loss",) if question == "risk" else ("mae", "normalised_gini")
    return table.reindex(columns=[*needed, "total_bias"]).notna().all(axis=1)


def _windows(table: pd.DataFrame) -> list[dict[str, float]]:
    return [{str(k): float(v) for k, v in row.items()} for row in table.to_dict("records")]


def _skill(question: str, model: Mapping[str, float], rule: Mapping[str, float]) -> float:
    if question == "risk":
        return _less(model["log_loss"], rule["log_loss"])
    room = 1.0 - rule["normalised_gini"]
    better = model["normalised_gini"] - rule["normalised_gini"]
    order = better / room if room > 0 else min(better, 0.0)
    return 0.5 * (_less(model["mae"], rule["mae"]) + order)


def _less(error: float, reference: float) -> float:
    """Share of the reference error that is gone; nothing is to be gained on a perfect one."""
    if reference > 0:
        return 1.0 - error / reference
    return 0.0 if error == reference else -math.inf


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _sentence(
    question: str,
    rule: str,
    reached: Sequence[float],
    ends: tuple[float, float],
    bias: float,
) -> str:
    windows = f"{len(reached)} past windows" if len(reached) > 1 else "one past window"
    told = RULES[rule].description[:-1].lower() if rule in RULES else rule
    mean = _mean(reached)
    if mean > 0:
        ahead = sum(skill > 0 for skill in reached)
        where = f"in {ahead} of {windows}" if len(reached) > 1 else f"in {windows}"
        sure = f"(90 % interval {ends[0]:.0%} to {ends[1]:.0%})"
        verdict = f"is {mean:.0%} {sure} better than the best rule of thumb ({told}), ahead {where}"
    else:
        verdict = f"is no better than a rule of thumb ({told}) over {windows}"
    return f"Predicting {_PREDICTED[question]}, it {verdict}; totals were off by {bias:.0%}."
