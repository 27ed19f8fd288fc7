"""Search for better hyperparameters of the churn model.

In: the training snapshots, and one snapshot later than all of them. Out: the parameters with the
lowest log-loss on the later one. Time rule: the later snapshot is the one that calibrates, so
no test window is touched, and no trial is judged on rows of its own time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import optuna

SEARCHED = (
    "rounds",
    "learning_rate",
    "num_leaves",
    "max_depth",
    "min_data_in_leaf",
    "feature_fraction",
    "bagging_fraction",
    "lambda_l2",
)

OnTrial = Callable[[int, Mapping[str, Any], float], None]


def search(
    train: Sequence[pd.DataFrame],
    later: pd.DataFrame,
    *,
    trials: int,
    seed: int = 0,
    threads: int = 1,
    on_trial: OnTrial | None = None,
) -> dict[str, Any]:
    """Try parameters, the defaults first.

    Parameters
    ----------
    train : sequence of DataFrame
        Snapshots with behaviour columns and ``returned``.
    later : DataFrame
        One snapshot whose as-of date is at least a horizon after theirs.
    trials : int, at least 1
        The first one is the defaults, so what comes back is never worse than they are here.
    seed : int, default=0
        Of the sampler and of the trees.
    threads : int, at least 1, default=1
        Of LightGBM; trials run one after another.
    on_trial : callable, optional
        Called after each trial with its number from 0, its parameters and its log-loss.

    Returns
    -------
    dict of str to int or float
        Parameters of `ChurnModel`.

    Raises
    ------
    ValueError
        When no trial or no snapshot is given.
    NotEnoughData
        As `ChurnModel.fit`.

    Notes
    -----
    A trial's log-loss is taken after its own sigmoid on the later snapshot, as in production, so
    that a parameter is not chosen for guessing the next season's level.

    References
    ----------
    Bergstra, Bardenet, Bengio & Kégl (2011), "Algorithms for hyper-parameter optimization" (TPE).
    """
    if trials < 1 or not train:
        raise ValueError(
            f"Got {trials} trials over {len(train)} training snapshots; expected at least one "
            "of each."
        )
    from training.fitting import feature_families
    from training.learners.churn import smallest_leaf
    from training.windows.panel import churned

    known = pd.concat(train, ignore_index=True)
    columns = list(feature_families(list(known.columns)))
    judge = _judge(
        (known[columns], churned(known)), (later[columns], churned(later)), seed, threads
    )
    return _run(judge, smallest_leaf(len(known)), trials, seed, on_trial)


def _judge(
    train: tuple[pd.DataFrame, Any], later: tuple[pd.DataFrame, Any], seed: int, threads: int
) -> Callable[[Mapping[str, Any]], float]:
    from training.grading.metrics import log_loss
    from training.learners.churn import ChurnModel

    def log_loss_of(parameters: Mapping[str, Any]) -> float:
        model = ChurnModel(**parameters, seed=seed, threads=threads).fit(*train)
        probability = model.calibrate(*later).predict_proba(later[0])[:, 1]
        return log_loss(np.asarray(later[1]), probability)

    return log_loss_of


def _run(
    judge: Callable[[Mapping[str, Any]], float],
    smallest_leaf: int,
    trials: int,
    seed: int,
    on_trial: OnTrial | None,
) -> dict[str, Any]:
    import optuna

    sampler = optuna.samplers.TPESampler(seed=seed)
    # A study announces itself in the log; the caller shows progress instead.
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="minimize", sampler=sampler)
    optuna.logging.set_verbosity(before)
    study.enqueue_trial(_defaults(smallest_leaf))
    tell = on_trial or (lambda *_: None)
    # Asked and told by hand: one after another, and errors come through.
    for _ in range(trials):
        trial = study.ask()
        parameters = _suggest(trial, smallest_leaf)
        loss = judge(parameters)
        study.tell(trial, loss)
        tell(trial.number, parameters, loss)
    return dict(study.best_params)


def _suggest(trial: optuna.Trial, smallest_leaf: int) -> dict[str, Any]:
    return {
        "rounds": trial.suggest_int("rounds", 40, 600, log=True),
        "learning_rate": trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        "num_leaves": trial.suggest_int("num_leaves", 4, 31),
        "max_depth": trial.suggest_int("max_depth", 2, 7),
        "min_data_in_leaf": trial.suggest_int(
            "min_data_in_leaf", 5, max(10, 8 * smallest_leaf), log=True
        ),
        "feature_fraction": trial.suggest_float("feature_fraction", 0.2, 1.0),
        "bagging_fraction": trial.suggest_float("bagging_fraction", 0.4, 1.0),
        "lambda_l2": trial.suggest_float("lambda_l2", 0.1, 100.0, log=True),
    }


def _defaults(smallest_leaf: int) -> dict[str, Any]:
    from training.learners.churn import ChurnModel

    fixed = {"min_data_in_leaf": smallest_leaf}
    stored = ChurnModel().get_params() | fixed
    return {name: stored[name] for name in SEARCHED}
