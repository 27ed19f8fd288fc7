"""The label rule: one snapshot, whose churn stands in a column of the customers table.

There is no time to test across, so every customer is predicted by models that were fitted
without them (stratified folds), and those predictions give the figures, the calibration and the
choice of the speaker. Where a transaction log exists, its behaviour columns at the as-of date and
the value model join in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from training import backtest, fingerprint, tracking
from training.asked import Asked
from training.errors import NotEnoughData
from training.evidence import Evidence, Order
from training.fitting import Fitted, feature_families
from training.known import know
from training.panel import behaviour_frame

if TYPE_CHECKING:
    from features.inputs import Inputs
    from training.value.model import ValueModel

FOLDS = 5
#: Fewer of either fate in the label cannot be spread over the folds.
MIN_PER_CLASS = 50


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
        ``twin`` and ``test`` are None; the figures are out of fold.

    Raises
    ------
    NotEnoughData
        If there are too few customers of either fate.
    """
    frame = _labelled_frame(inputs, order)
    truth = frame["churned"].astype("int8")
    known, value = _with_value(frame, inputs, asked)
    fitted, held_out = _cross_fit(known, truth, value, order, asked, tell)
    figures = _figures(order, held_out, truth)
    speaker = _lowest_log_loss(figures)
    grades: dict = {}
    return Evidence(
        fitted=fitted,
        scorer=fitted.scorer(speaker, asked, grades),
        twin=None,
        tested=backtest.Backtest(figures, None, held_out),
        test=frame.assign(returned=1 - truth),
        grades=grades,
        data=fingerprint.of_customers(inputs.customers),
        notes=_notes(inputs, order),
        example=tracking.example_rows(frame.drop(columns="churned")),
    )


def _labelled_frame(inputs: Inputs, order: Order) -> pd.DataFrame:
    """Behaviour rows of the customers whose label is known."""
    from features.outcomes import labels

    frame = behaviour_frame(
        inputs, order.as_of, horizon_days=order.churn.horizon_days, population="customers"
    )
    known = labels(inputs.customers).to_pyarrow().to_pandas().dropna(subset="churned")
    frame = frame.merge(known, on="customer_id", how="inner", validate="one_to_one")
    fates = frame["churned"].astype(bool).value_counts()
    if len(fates) < 2 or fates.min() < MIN_PER_CLASS:
        raise NotEnoughData(
            f"got {int(fates.get(True, 0)):,} churned and {int(fates.get(False, 0)):,} staying "
            f"customers with a label; at least {MIN_PER_CLASS} of each are needed"
        )
    return frame


def _with_value(
    frame: pd.DataFrame, inputs: Inputs, asked: Asked
) -> tuple[pd.DataFrame, ValueModel | None]:
    if inputs.transactions is None:
        return frame, None
    known = know(frame, asked)
    return known.frame, known.value


def _cross_fit(
    frame: pd.DataFrame,
    truth: pd.Series,
    value: ValueModel | None,
    order: Order,
    asked: Asked,
    tell: Callable[[str, int, int], None],
) -> tuple[Fitted, dict[str, pd.DataFrame]]:
    """Fit both churn models; the predictions of each customer never saw that customer."""
    from training.calibration import cross_fitted
    from training.logistic import LogisticModel

    families = feature_families(frame.columns)
    models: dict[str, Any] = {"churn": asked.trees(), "logistic": LogisticModel()}
    held_out = {}
    for number, (name, model) in enumerate(models.items()):
        tell("cross-fit", number, len(models))
        columns = frame[list(families)]
        risk, models[name] = cross_fitted(model, columns, truth, folds=FOLDS, seed=order.seed)
        held_out[name] = pd.DataFrame({"return_probability": 1 - risk})
    tell("cross-fit", len(models), len(models))
    fitted = Fitted(order.as_of, value, models["churn"], models["logistic"], families)
    return fitted, held_out


def _figures(order: Order, held_out: Mapping[str, pd.DataFrame], truth: pd.Series) -> pd.DataFrame:
    """Out-of-fold figures, beside those of the plain base rate."""
    stayed = (1 - truth).to_numpy()
    base = pd.DataFrame({"return_probability": [float(stayed.mean())] * len(stayed)})
    answers = {**held_out, "base_rate": base}
    return backtest.measure_risk(order.as_of, order.churn.horizon_days, answers, stayed)


def _lowest_log_loss(figures: pd.DataFrame) -> str:
    rows = figures[(figures["metric"] == "log_loss") & (figures["model"] != "base_rate")]
    return str(rows.sort_values("figure")["model"].iloc[0])


def _notes(inputs: Inputs, order: Order) -> tuple[str, ...]:
    notes = [
        "The label stands for one moment, so the figures are out of fold, not out of time: "
        "expect less on customers of another season."
    ]
    if inputs.transactions is None:
        notes.append("There is no transaction log: purchases, spend and CLV cannot be said.")
    if order.trials:
        notes.append("The search needs a later snapshot; under the label rule it was left out.")
    return tuple(notes)
