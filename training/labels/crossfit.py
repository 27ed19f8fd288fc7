"""Models of one snapshot, and what they say of customers whom they were fitted without.

In: columns, who left, a seed. Out: both learners and their pair, fitted and calibrated on all
customers; and for each of several ways to deal the customers into folds everybody's log-odds, by
models, calibrations and weights that had not seen them. The figures of a repeat are those of one
model, such as the one that is served; how far the repeats differ says how much is luck.

Equal rows stay in one fold, as a customer who is listed twice would be known beforehand.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.errors import NotEnoughData, StatisticalWarning
from training.learners.calibration import Sigmoid
from training.learners.pair import Pair, Weights

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel
    from training.learners.logistic import LogisticModel

FOLDS = 5
#: Ways to deal small tables into folds, and the rows of all of them together from which there
#: are fewer: luck fades with the number of customers.
REPEATS, MOST_ROWS = 5, 100_000
#: More equal rows than this are a profile that many share, not one customer listed again.
TWINS = 10
#: Most and fewest trees that may be asked for, the rows of all trees together from which there are
#: less than most, and trees without improvement before growing stops.
MOST_TREES, FEWEST_TREES, TREE_ROWS, PATIENCE = 3000, 300, 60_000_000, 60


#: The shrinkage of logistic regression is at most this over the customers. On a panel, where the
#: same ones stand again and again, it must not fade so; here each stands once.
MOST_PULL = 10.0


@dataclass(frozen=True)
class CrossFitted:
    """What came of it.

    Attributes
    ----------
    log_odds : mapping of str to ndarray of shape (repeats, n_customers)
        Of churn, calibrated and out of fold, by ``churn``, ``logistic`` and ``pair``.
    churn : ChurnModel
    logistic : LogisticModel
    pair : Pair
        Fitted on all customers, and calibrated on their out-of-fold log-odds.
    twins : int
        Customers whose row another one has too, and who were kept in its fold.
    """

    log_odds: Mapping[str, np.ndarray]
    churn: ChurnModel
    logistic: LogisticModel
    pair: Pair
    twins: int

    @property
    def repeats(self) -> int:
        """Ways in which the customers were dealt."""
        return len(next(iter(self.log_odds.values())))


def repeats_for(rows: int) -> int:
    """Repeats for a table of so many customers: 5 up to 20,000, 1 from 100,000 on."""
    return int(np.clip(MOST_ROWS // max(rows, 1), 1, REPEATS))


def groups_of_equals(columns: pd.DataFrame) -> np.ndarray:
    """Number rows so that equal ones share a number.

    Parameters
    ----------
    columns : DataFrame of shape (n, n_columns)
        Missing values are equal to one another.

    Returns
    -------
    ndarray of shape (n,), int64
        From 0 on. Of more than ten equal rows each has a number of its own: in a coarse table
        many share a profile, and there is nothing to be known of one from another but that.
    """
    hashed = pd.util.hash_pandas_object(columns, index=False).to_numpy()
    _, number, many = np.unique(hashed, return_inverse=True, return_counts=True)
    single = many[number] > TWINS
    number = np.where(single, len(many) + np.arange(len(columns)), number)
    return np.unique(number, return_inverse=True)[1].astype(np.int64)


def deal(
    group: np.ndarray, churned: np.ndarray, folds: int, random: np.random.Generator
) -> np.ndarray:
    """Deal groups of customers into folds, leavers evenly.

    Parameters
    ----------
    group : ndarray of shape (n,), int64
        From `groups_of_equals`.
    churned : ndarray of shape (n,)
        1 where the customer left, else 0.
    folds : int, at least 2
    random : Generator
        Of the order in which alike groups are dealt.

    Returns
    -------
    ndarray of shape (n,), int64
        Fold of each customer, from 0 on; a group is in one fold.
    """
    size = np.bincount(group)
    left = np.bincount(group, churned)
    # Like groups stand together and go round the folds in turn.
    order = np.lexsort((random.random(len(size)), size, left))
    dealt = np.empty(len(size), dtype=np.int64)
    dealt[order] = np.arange(len(size)) % folds
    return dealt[group]


def cross_fit(
    columns: pd.DataFrame,
    churned: np.ndarray | pd.Series,
    trees: ChurnModel,
    logistic: LogisticModel,
    *,
    repeats: int,
    seed: int = 0,
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> CrossFitted:
    """Fit both learners with and without each customer.

    Parameters
    ----------
    columns : DataFrame of shape (n_customers, n_columns)
        What the models read.
    churned : array of shape (n_customers,)
        1 where the customer left, else 0; at least five of either fate.
    trees, logistic : ChurnModel, LogisticModel
        Parameters; cloned, never changed.
    repeats : int, at least 1
        Ways to deal the customers into five folds.
    seed : int, default=0
        Of the folds.
    tell : callable
        Progress.

    Returns
    -------
    CrossFitted

    Raises
    ------
    NotEnoughData
        When fewer than five customers share a fate.

    Notes
    -----
    How many trees a table can bear differs by a factor of ten between tables of one size. It is
    one number, the median over five folds of the count with the lowest log-loss on the fold,
    found before the repeats and the same in all of them. The shrinkage of logistic regression is at
    most 10/n of n customers.
    """
    from sklearn.base import clone

    truth = np.asarray(churned, dtype=np.float64)
    fewest = int(min(truth.sum(), len(truth) - truth.sum()))
    if fewest < FOLDS:
        raise NotEnoughData(
            f"got {fewest} customers of the rarer fate; {FOLDS} folds need at least one each"
        )
    group = groups_of_equals(columns)
    random = np.random.default_rng(seed)
    steps = 1 + repeats * FOLDS
    tell("cross-fit", 0, steps)
    pull = min(logistic.shrinkage, MOST_PULL / len(truth))
    logistic = clone(logistic).set_params(shrinkage=pull)
    trees = _bearable(trees, columns, truth, deal(group, truth, FOLDS, random))
    dealt = np.array([deal(group, truth, FOLDS, random) for _ in range(repeats)])
    margins = _held_out(
        (trees, logistic), columns, truth, dealt, lambda done: tell("cross-fit", done, steps)
    )
    fitted = clone(trees).fit(columns, truth), clone(logistic).fit(columns, truth)
    every, fates = margins.reshape(-1, 2), np.tile(truth, repeats)
    for place, model in enumerate(fitted):
        model.sigmoid_ = Sigmoid.learn(every[:, place], fates)
    pair = Pair(*fitted, Weights.learn(every, fates))
    tell("cross-fit", steps, steps)
    counts = np.bincount(group)
    return CrossFitted(
        _calibrated(margins, dealt, truth), *fitted, pair, int(counts[counts > 1].sum())
    )


def _held_out(
    learners: tuple[ChurnModel, LogisticModel],
    columns: pd.DataFrame,
    truth: np.ndarray,
    dealt: np.ndarray,
    tell: Callable[[int], None],
) -> np.ndarray:
    """Uncalibrated log-odds by repeat, customer and learner, fitted without the customer's fold."""
    from sklearn.base import clone

    margins = np.empty((*dealt.shape, len(learners)))
    for turn, number in np.ndindex(len(dealt), FOLDS):
        tell(1 + turn * FOLDS + number)
        known, asked = dealt[turn] != number, dealt[turn] == number
        for place, model in enumerate(learners):
            part = clone(model).fit(columns[known], truth[known])
            margins[turn, asked, place] = part.uncalibrated(columns[asked])
    return margins


def _bearable(
    trees: ChurnModel, columns: pd.DataFrame, truth: np.ndarray, fold: np.ndarray
) -> ChurnModel:
    """The learner with as many trees as the table can bear."""
    from sklearn.base import clone

    most = int(np.clip(TREE_ROWS // len(truth), FEWEST_TREES, MOST_TREES))
    growing = clone(trees).set_params(max_rounds=most, patience=PATIENCE)
    counts = []
    for number in range(FOLDS):
        known, asked = fold != number, fold == number
        grown = clone(growing).fit(
            columns[known], truth[known], eval_set=(columns[asked], truth[asked])
        )
        counts.append(grown.rounds_)
    return clone(trees).set_params(rounds=max(1, int(np.median(counts))))


def _calibrated(margins: np.ndarray, dealt: np.ndarray, truth: np.ndarray) -> dict[str, np.ndarray]:
    """Calibrated log-odds; neither slope nor weights of a customer's have seen that customer."""
    found = {name: np.empty(dealt.shape) for name in ("churn", "logistic", "pair")}
    with warnings.catch_warnings():
        # What the served models are doubted for is said once, of all customers together.
        warnings.simplefilter("ignore", StatisticalWarning)
        for turn, number in np.ndindex(len(dealt), FOLDS):
            known, asked = dealt[turn] != number, dealt[turn] == number
            told, fates, new = margins[turn, known], truth[known], margins[turn, asked]
            for place, name in enumerate(("churn", "logistic")):
                found[name][turn, asked] = Sigmoid.learn(told[:, place], fates)(new[:, place])
            found["pair"][turn, asked] = Weights.learn(told, fates)(new)
    return found
