"""What one would use instead of Regulars: rules of thumb, `lifetimes`, LightGBM alone.

In: the past snapshots that Regulars itself learns from, and the customers at as-of. Out, for each
rival: ``return_probability``, ``expected_purchases`` and ``expected_spend`` over the horizon.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.printed import tell

ANSWERS = ("return_probability", "expected_purchases", "expected_spend")
# What one tries when it does not converge, as its documentation advises.
PENALTIES = (0.0, 0.001, 0.01, 0.1)


def rules_of_thumb(
    past: Sequence[pd.DataFrame], frame: pd.DataFrame, horizon_days: int
) -> dict[str, pd.DataFrame]:
    """The rules of `training.grading.naive`, which learn from the past snapshots.

    Parameters
    ----------
    past : sequence of DataFrame
    frame : DataFrame
        Customers at as-of.
    horizon_days : int

    Returns
    -------
    dict of str to DataFrame
    """
    from training.grading.naive import RULES

    return {
        name: rule.fit(past, horizon_days).predict(frame)[list(ANSWERS)]
        for name, rule in RULES.items()
    }


def lifetimes_alone(frame: pd.DataFrame, horizon_days: int) -> dict[str, pd.DataFrame]:
    """BG/NBD and Gamma-Gamma of `lifetimes`.

    It gives no probability to return within a window. P(alive) is what is often taken for it;
    beside it stands 1 − exp(−expected purchases), as if these came at random.

    Parameters
    ----------
    frame : DataFrame
        Customers at as-of.
    horizon_days : int

    Returns
    -------
    dict of str to DataFrame
        ``lifetimes`` and ``P(alive)``.
    """
    history = frame[["frequency", "recency", "T"]].astype(float)
    x, t_x, T = (history[name] for name in history)
    money = frame["monetary_value"].astype(float)
    valued = (x > 0) & (money > 0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        purchases = purchase_fit(x, t_x, T)
        values = value_fit(x[valued], money[valued])
        expected = purchases.conditional_expected_number_of_purchases_up_to_time(
            horizon_days, x, t_x, T
        )
        worth = values.conditional_expected_average_profit(x, money)
        alive = purchases.conditional_probability_alive(x, t_x, T)
    expected = _finite("lifetimes' purchases", np.asarray(expected, dtype=float))
    worth = _finite("lifetimes' values", np.asarray(worth, dtype=float))
    spend = expected * worth
    columns = (-np.expm1(-np.maximum(expected, 0.0)), expected, spend)
    return {
        "lifetimes": pd.DataFrame(dict(zip(ANSWERS, columns, strict=True)), index=frame.index),
        "P(alive)": pd.DataFrame({"return_probability": alive}, index=frame.index),
    }


def purchase_fit(x: pd.Series, t_x: pd.Series, T: pd.Series) -> Any:
    """BG/NBD fitter of `lifetimes`, with the smallest penalty with which it converges.

    Parameters
    ----------
    x, t_x, T : Series
        Frequency, recency and age, in days.

    Returns
    -------
    lifetimes.BetaGeoFitter
        Its ``penalizer_coef`` tells the penalty.
    """
    from lifetimes import BetaGeoFitter

    return _converged(BetaGeoFitter, x, t_x, T)


def value_fit(x: pd.Series, money: pd.Series) -> Any:
    """Gamma-Gamma fitter of `lifetimes`, likewise.

    Parameters
    ----------
    x, money : Series
        Repeat purchases (at least one) and their mean value (above zero).

    Returns
    -------
    lifetimes.GammaGammaFitter
    """
    from lifetimes import GammaGammaFitter

    return _converged(GammaGammaFitter, x, money)


def lightgbm_alone(
    train: Sequence[pd.DataFrame], later: pd.DataFrame, frame: pd.DataFrame
) -> pd.DataFrame:
    """LightGBM on the behaviour table, without anything of the value model.

    The risk is Regulars' own `ChurnModel` on the same snapshots, calibrated on the same later
    one. Purchases and spend are two Tweedie regressions of LightGBM on all these snapshots, with
    the same settings of the trees.

    Parameters
    ----------
    train : sequence of DataFrame
        Snapshots with outcomes.
    later : DataFrame
        The snapshot for the calibration.
    frame : DataFrame
        Customers at as-of.

    Returns
    -------
    DataFrame
    """
    from training.fitting import feature_families
    from training.learners.churn import ChurnModel
    from training.windows.panel import churned

    whole = pd.concat(train, ignore_index=True)
    columns = list(feature_families(whole.columns))
    model = ChurnModel().fit(whole[columns], churned(whole))
    model.calibrate(later[columns], churned(later))
    answers = {"return_probability": model.predict_proba(frame[columns])[:, 0]}
    every = pd.concat([whole, later], ignore_index=True)
    matrix = model.encoder_.transform(every[columns])
    asked = model.encoder_.transform(frame[columns])
    for name, outcome in (("expected_purchases", "occasions"), ("expected_spend", "spend")):
        answers[name] = _tweedie(matrix, every[outcome].to_numpy(float), asked)
    return pd.DataFrame(answers, index=frame.index)


def _tweedie(matrix: np.ndarray, amount: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Expected amounts; those below zero (more refunds than purchases) are learned as zero."""
    import lightgbm

    from training.learners.churn import ChurnModel, smallest_leaf

    trees = ChurnModel()
    settings = {
        "objective": "tweedie",
        "learning_rate": trees.learning_rate,
        "num_leaves": trees.num_leaves,
        "max_depth": trees.max_depth,
        "min_data_in_leaf": smallest_leaf(len(matrix)),
        "feature_fraction": trees.feature_fraction,
        "bagging_fraction": trees.bagging_fraction,
        "bagging_freq": 1,
        "lambda_l2": trees.lambda_l2,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "seed": 0,
        "verbosity": -1,
    }
    data = lightgbm.Dataset(matrix, np.maximum(amount, 0.0))
    return lightgbm.train(settings, data, 2 * trees.rounds).predict(asked, num_threads=1)


def _converged(fitter: Any, *columns: pd.Series) -> Any:
    from lifetimes.utils import ConvergenceError

    for penalty in PENALTIES:
        try:
            # It prints what its search said when it fails.
            with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
                warnings.simplefilter("ignore")
                return fitter(penalizer_coef=penalty).fit(*columns)
        except ConvergenceError:
            tell(f"  lifetimes' {fitter.__name__} did not converge with a penalty of {penalty}")
    raise RuntimeError(f"lifetimes' {fitter.__name__} converges with none of {PENALTIES}.")


def _finite(what: str, values: np.ndarray) -> np.ndarray:
    """The values, with their mean where they are not numbers."""
    good = np.isfinite(values)
    if not good.all():
        tell(f"  {what}: {int((~good).sum())} of {good.size} are no numbers; the mean stands in")
    return np.where(good, values, values[good].mean())
