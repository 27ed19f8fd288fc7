"""The label rule: one snapshot, whose churn stands in a column of the customers table.

There is no time to test across, so every customer is predicted by models that were fitted without
them (`training.labels.crossfit`), and those predictions give the figures, the calibration, the
grade and the choice of the speaker (`training.labels.held_out`). Columns that know the answer are
left out first (`training.labels.leaks`). Where a transaction log exists, its behaviour columns at
the as-of date and the value model join in.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from training import backtest, fingerprint, margins
from training.asked import Asked
from training.evidence import Evidence, Order
from training.fitting import Fitted
from training.labels import held_out, label_snapshot
from training.labels.label_snapshot import MIN_PER_CLASS, Labelled
from training.runs import tracking
from training.scorer import Scorer
from training.silence import limits, reach, shape
from training.windows.spread import learn
from training.windows.window import Window

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from features.inputs import Inputs
    from training.fingerprint import Fingerprint
    from training.grading.grades import Grade
    from training.labels.crossfit import CrossFitted

__all__ = ["MIN_PER_CLASS", "gather_labelled"]


def gather_labelled(
    inputs: Inputs,
    order: Order,
    asked: Asked,
    tell: Callable[[str, int, int], None],
    on_trial: Callable[[int, Mapping[str, Any], float], None] | None = None,  # noqa: ARG001
) -> Evidence:
    """Fit and test on one labelled snapshot.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables, with labels in the customers table.
    order : Order
        What to train.
    asked : Asked
        Settings shared by every fit.
    tell : callable
        Progress.
    on_trial : callable, optional
        Not called: the search needs a later snapshot.

    Returns
    -------
    Evidence
        ``twin`` is None; the figures are out of fold.

    Raises
    ------
    NotEnoughData
        If there are too few customers of either fate, or no column is left to learn from.
    """
    data = label_snapshot.read(inputs, order, asked)
    done = _cross_fitted(data, order, asked, tell)
    found = held_out.answers(data, done, order.seed)
    figures = held_out.figures(found, data, order.as_of, asked.horizon_days)
    speaker = held_out.best(figures, found.models)
    grades = {"risk": held_out.grade(found, speaker, data)}
    test, shown = held_out.charted(found, speaker, data)
    fitted, models = _fitted(done, data, inputs, order.as_of)
    scorer = replace(
        _scorer(speaker, models, data, asked.terms(order.as_of), grades),
        margins=fitted.margins,
        spread=learn([Window(shown[speaker], test)], prior=0.0),
    )
    return Evidence(
        fitted=fitted,
        scorer=scorer,
        twin=None,
        tested=backtest.Backtest(figures, None, shown),
        test=test,
        grades=grades,
        data=_compared(fingerprint.of_customers(inputs.customers), data),
        notes=_notes(order, data, done, figures, speaker),
        example=tracking.example_rows(data.rows),
        parameters=_parameters(data, done),
        silence=limits.sentences(scorer, [data.frame]),
    )


def _cross_fitted(
    data: Labelled, order: Order, asked: Asked, tell: Callable[[str, int, int], None]
) -> CrossFitted:
    """Both learners with and without each customer."""
    from training.labels import crossfit
    from training.learners.logistic import LogisticModel

    return crossfit.cross_fit(
        data.columns,
        data.churned,
        asked.trees(),
        LogisticModel(),
        repeats=crossfit.repeats_for(len(data.frame)),
        seed=order.seed,
        tell=tell,
    )


def _fitted(
    done: CrossFitted, data: Labelled, inputs: Inputs, as_of: date
) -> tuple[Fitted, dict[str, Any]]:
    """What was fitted on everybody, and the models by name, on the level of the population."""
    models = _moved(done, data.shift)
    fitted = Fitted(
        as_of,
        data.value,
        models["churn"],
        models["logistic"],
        data.families,
        margins=margins.learn(inputs.transactions, as_of),
    )
    return fitted, models


def _moved(done: CrossFitted, shift: float) -> dict[str, Any]:
    """The models by name, on the level of the population."""
    for model in (done.churn, done.logistic):
        model.sigmoid_ = replace(model.sigmoid_, intercept=model.sigmoid_.intercept + shift)
    return {"churn": done.churn, "logistic": done.logistic, "pair": done.pair.shifted(shift)}


def _scorer(
    speaker: str, models: Mapping[str, Any], data: Labelled, terms: Any, grades: Mapping[str, Grade]
) -> Scorer:
    return Scorer(
        terms=terms,
        speaker=speaker,
        value=data.value,
        churn=models[speaker],
        families=dict(data.families),
        grades={question: grade.letter for question, grade in grades.items()},
        reach=reach.learn([data.frame]),
        shape=shape.learn([data.frame]),
    )


def _compared(data: Fingerprint, found: Labelled) -> Fingerprint:
    """The fingerprint of what figures may be compared on: rows, columns, and who counts how much.

    A model that read a column which knew the answer would else be champion for ever.
    """
    what = f"{data.digest} {sorted(found.families)} {found.base_rate}"
    return replace(data, digest=hashlib.sha256(what.encode()).hexdigest())


def _parameters(data: Labelled, done: CrossFitted) -> dict[str, str | float]:
    """What the run keeps besides."""
    told: dict[str, str | float] = {
        "repeats": done.repeats,
        "equal_rows": done.twins,
        "left_out": ", ".join(leak.column for leak in data.leaks.left_out),
        "kept": ", ".join(leak.column for leak in data.leaks.kept),
    }
    told |= {f"pair.{name}": round(value, 4) for name, value in vars(done.pair.weights).items()}
    if data.base_rate is not None:
        told |= {"base_rate": data.base_rate, "labelled_rate": round(data.churned.mean(), 4)}
    return told


def _notes(
    order: Order, data: Labelled, done: CrossFitted, figures: pd.DataFrame, speaker: str
) -> tuple[str, ...]:
    notes = [*data.leaks.sentences(), _how_measured(done, figures, speaker)]
    notes.append(
        "The label stands for one moment, so the figures are out of fold, not out of time: "
        "expect less on customers of another season."
    )
    if done.twins:
        notes.append(
            f"{done.twins:,} customers have the row of another one: each such group stayed in one "
            "fold. Should they be the same customers, list each once."
        )
    if data.base_rate is not None:
        notes.append(
            f"{data.churned.mean():.1%} of the labelled customers left, and {data.base_rate:.1%} "
            "of all do (`base_rate`): predictions and figures are of all. That holds where "
            "customers were chosen for the label by their fate alone."
        )
    if data.value is None:
        notes.append("There is no transaction log: purchases, spend and CLV cannot be said.")
    if order.trials:
        notes.append("The search needs a later snapshot; under the label rule it was left out.")
    return tuple(notes)


def _how_measured(done: CrossFitted, figures: pd.DataFrame, speaker: str) -> str:
    """Who speaks, and how sure its log-loss is, in a sentence."""
    from training.labels.crossfit import FOLDS

    mine = figures[figures["model"] == speaker].set_index("metric")["figure"]
    spread = mine.get(f"log_loss{held_out.SPREAD}")
    give = f" ± {spread:.4f}" if spread is not None else ""
    dealt = f"{done.repeats} times {FOLDS} folds" if done.repeats > 1 else f"{FOLDS} folds"
    given = done.pair.weights
    who = {
        "churn": "The boosted trees speak",
        "logistic": "Logistic regression speaks",
        "pair": "Boosted trees and logistic regression speak together "
        f"(weights {given.churn:.2f} and {given.logistic:.2f} of the log-odds)",
    }[speaker]
    return f"{who}: log-loss {mine['log_loss']:.4f}{give} over {dealt}."
