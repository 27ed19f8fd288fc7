"""What is said of customers by models that have not seen them: five folds of a trial.

In: a trial. Out: for every customer the predicted outcome under each arm and the effect of each
action, by a learner of the other folds, and the scores that they are judged by. There is one trial
and no time to test across, so folds are dealt at random, evenly by arm and return; equal rows, or
rows of one customer, stay in one fold (`training.labels.crossfit`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from training.labels.crossfit import FOLDS, deal, groups_of_equals
from training.learners.churn import ChurnModel
from training.uplift.effects import Line, scores
from training.uplift.learners import Kind, Learner
from training.uplift.trial import OUTCOMES, RETURNED, SPEND, Trial

Basis = Literal["returned", "spend"]


@dataclass(frozen=True)
class HeldOut:
    """Out-of-fold answers for a trial.

    Attributes
    ----------
    trial : Trial
    kind : {"T", "X"}
    fold : ndarray of shape (n,), int
    response : mapping of str to ndarray of shape (n, n_arms)
        Predicted outcome under each arm, by outcome.
    predicted : mapping of str to ndarray of shape (n, n_actions)
        Effect of each action, as learned, by outcome.
    """

    trial: Trial
    kind: Kind
    fold: np.ndarray
    response: Mapping[str, np.ndarray]
    predicted: Mapping[str, np.ndarray]

    @property
    def risk(self) -> np.ndarray:
        """1 − return probability where nothing is done, of shape (n,)."""
        return 1.0 - self.response[RETURNED][:, 0]

    def scores(self, outcome: str = SPEND) -> np.ndarray:
        """Doubly robust score of each arm (`training.uplift.effects.scores`)."""
        return scores(self.trial, outcome, self.response[outcome])

    def line(self, outcome: str, action: int, rows: np.ndarray | None = None) -> Line:
        """How effects of an action are to be read.

        Parameters
        ----------
        outcome : {"returned", "spend"}
        action : int
            Position among the arms, from 1 on.
        rows : ndarray of shape (n,), bool, optional
            Customers to learn it from; all to whom both arms were open when not given.

        Returns
        -------
        Line
        """
        score = self.scores(outcome)
        told = self.trial.open[:, action] & self.trial.open[:, 0]
        told = told if rows is None else told & rows
        came = score[told, action] - score[told, 0]
        # Levels of folds are learned from one another's outcomes: only differences within count.
        predicted = self._within(self.predicted[outcome][:, action - 1])[told]
        return Line.learn(predicted, came - _means(came, self.fold[told]) + came.mean())

    def effects(self, outcome: str) -> np.ndarray:
        """Effects as they are to be read, by lines fitted on the outcomes of other customers.

        The predictions that a line is fitted to are of models that may have seen the customer, as
        in `training.labels.crossfit`; in trials without an effect that gains nothing
        (docs/uplift.md).

        Parameters
        ----------
        outcome : {"returned", "spend"}

        Returns
        -------
        ndarray of shape (n, n_actions)
        """
        found = np.empty_like(self.predicted[outcome])
        for place in range(found.shape[1]):
            predicted = self._within(self.predicted[outcome][:, place])
            for number in range(FOLDS):
                asked = self.fold == number
                line = self.line(outcome, place + 1, ~asked)
                found[asked, place] = line.effect(predicted[asked])
        return found

    def place(self, score: np.ndarray) -> np.ndarray:
        """Place of each customer in its fold by falling score, from 0 on; ties by their order."""
        order = np.lexsort((-score, self.fold))
        start = np.concatenate([[0], np.cumsum(np.bincount(self.fold))[:-1]])
        found = np.empty(len(score), dtype=np.int64)
        found[order] = np.arange(len(score)) - start[self.fold[order]]
        return found

    def rank(self, score: np.ndarray) -> np.ndarray:
        """Share of the fold that has a lower score, in [0, 1); ties stay ties."""
        found = np.empty(len(score))
        for number in range(FOLDS):
            own = self.fold == number
            found[own] = np.searchsorted(np.sort(score[own]), score[own]) / max(own.sum(), 1)
        return found

    def _within(self, predicted: np.ndarray) -> np.ndarray:
        """Predictions with the mean of each fold moved to that of all."""
        return predicted - _means(predicted, self.fold) + predicted.mean()

    def gains(self, basis: Basis = "returned") -> np.ndarray:
        """Effects on spend by which customers are chosen.

        Parameters
        ----------
        basis : {"returned", "spend"}, default="returned"
            What tells customers from one another: see the notes.

        Returns
        -------
        ndarray of shape (n, n_actions)
            In currency over the window, by lines and levels of other customers' outcomes.

        Notes
        -----
        Few return and fewer spend much, so effects on spend are learned badly. With the basis
        ``returned`` the level of an action is its average effect on spend, and customers differ
        from it by their effect on the return, at what a return is worth on average: spend / returns
        of all arms. That an action brings returns of the usual worth is an assumption; it is not
        needed for the figures by which rules are judged, which are of the spend that came.
        """
        if basis == "spend":
            return self.effects(SPEND)
        returned = self.effects(RETURNED)
        found = np.empty_like(returned)
        for number in range(FOLDS):
            asked = self.fold == number
            worth = worth_of_return(self.trial, ~asked)
            for place in range(found.shape[1]):
                mean = self.line(RETURNED, place + 1, ~asked).mean
                level = self.line(SPEND, place + 1, ~asked).mean
                found[asked, place] = level + worth * (returned[asked, place] - mean)
        return found


def _means(values: np.ndarray, fold: np.ndarray) -> np.ndarray:
    """Mean of the fold, for each row."""
    return (np.bincount(fold, values) / np.maximum(np.bincount(fold), 1))[fold]


def worth_of_return(trial: Trial, rows: np.ndarray | None = None) -> float:
    """Spend per customer who returned, in currency over the window."""
    chosen = slice(None) if rows is None else rows
    returns = float(trial.outcomes[RETURNED][chosen].sum())
    return float(trial.outcomes[SPEND][chosen].sum()) / max(returns, 1.0)


def hold_out(
    trial: Trial,
    kind: Kind,
    trees: ChurnModel,
    *,
    seed: int = 0,
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> HeldOut:
    """Fit a learner without each fold, and ask it about the fold.

    Parameters
    ----------
    trial : Trial
    kind : {"T", "X"}
    trees : ChurnModel
        With the parameters of the trees.
    seed : int, default=0
        Of the folds.
    tell : callable
        Progress.

    Returns
    -------
    HeldOut

    Raises
    ------
    NotEnoughData
        When an arm has too few customers or returns in four folds of five.
    """
    alike = trial.arm * 2 + trial.outcomes[RETURNED]
    random = np.random.default_rng(seed)
    group = groups_of_equals(trial.columns) if trial.group is None else trial.group
    fold = deal(np.unique(group, return_inverse=True)[1], alike, FOLDS, random)
    n, arms = len(trial), len(trial.arms)
    response = {name: np.empty((n, arms)) for name in OUTCOMES}
    predicted = {name: np.empty((n, arms - 1)) for name in OUTCOMES}
    for number in range(FOLDS):
        tell("uplift", number, FOLDS)
        asked = fold == number
        learner = Learner.fit(trial.rows(~asked), kind, trees)
        frame = trial.columns[asked]
        for name in OUTCOMES:
            response[name][asked] = learner.response(frame, name)
            predicted[name][asked] = learner.effect(frame, name)
    tell("uplift", FOLDS, FOLDS)
    return HeldOut(trial, kind, fold, response, predicted)
