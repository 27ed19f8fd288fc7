"""Writes one training into MLflow: the parent run, its children ``churn`` and ``value``.

In: the ``Evidence`` of a training, inside an active parent run. Out: parameters, metrics, plots,
settings, fingerprint, backtest table and model card, and the logged scorer's URI.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from training.grading import plots
from training.runs import card, tracking
from training.windows import swing

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from training.evidence import Evidence, Order


def log_training(found: Evidence, order: Order, experiment: str) -> str:
    """Log everything that a training found out.

    Parameters
    ----------
    found : Evidence
        Models, figures, grades.
    order : Order
        What was asked.
    experiment : str
        The experiment's id.

    Returns
    -------
    str
        URI of the logged scorer.
    """
    _log_parent(found, order)
    source = tracking.log_scorer(found.scorer, found.example)
    if found.twin is not None:
        tracking.log_twin(found.twin)
    if found.scorer.churn is not None:
        with tracking.run(experiment, "churn", nested=True):
            _log_churn(found)
    if found.fitted.value is not None:
        with tracking.run(experiment, "value", nested=True):
            _log_value(found)
    return source


def _log_parent(found: Evidence, order: Order) -> None:
    tracking.log(
        parameters={
            "as_of": order.as_of,
            "rule": order.churn.rule,
            "horizon_days": order.churn.horizon_days,
            "clv_horizon_days": order.value.clv_horizon_days,
            "margin": order.value.margin,
            "annual_discount_rate": order.value.annual_discount_rate,
            "speaker": found.scorer.speaker,
            "seed": order.seed,
            "trials": order.trials,
            **_blend_parameters(found),
            **found.parameters,
        },
        metrics={**_newest(found, found.scorer.speaker), **_swing(found)},
        tags={
            "code_version": order.code_version,
            "data_fingerprint": found.data.digest,
            "data_rows": str(found.data.rows),
            **_window_tags(found),
            **{f"grade_{question}": grade.letter for question, grade in found.grades.items()},
        },
        texts={
            "settings.json": order.settings,
            "model_card.md": model_card(found, order),
            "backtest.csv": found.tested.figures.to_csv(index=False),
            **_reliability(found),
        },
        charts={
            **history_charts(found),
            **risk_charts(found, found.scorer.speaker),
            **value_charts(found, found.scorer.speaker),
        },
    )


def _swing(found: Evidence) -> dict[str, float]:
    """Standard deviations of what whole windows do beyond what is expected of them."""
    told = swing.of(found.scorer)
    if told is None:
        return {}
    given = {"returns": told.returns, "purchases": told.purchases, "spend": told.spend}
    return {f"swing.{name}": one for name, one in given.items() if one is not None}


def _reliability(found: Evidence) -> dict[str, str]:
    if found.reliability is None or found.reliability.empty:
        return {}
    return {"reliability.csv": found.reliability.to_csv(index=False)}


def _window_tags(found: Evidence) -> dict[str, str]:
    """The newest test window: its first day, its customers and how many of them returned."""
    if found.test is None or found.tested.newest is None:
        return {}
    return {
        "test_window_from": found.tested.newest.at.isoformat(),
        "test_customers": str(len(found.test)),
        "test_return_rate": f"{found.test['returned'].mean():.4f}",
    }


def _blend_parameters(found: Evidence) -> dict[str, Any]:
    """Weights and level of the blend, where there is one."""
    fitted = found.fitted
    if fitted.blend is None:
        return {}
    told = {f"blend.{name}": round(w, 4) for name, w in fitted.blend.weights.items()}
    if fitted.spend is not None:
        told |= {f"spend.{name}": round(w, 4) for name, w in fitted.spend.weights.items()}
    if fitted.carry is None:
        return told
    level = fitted.carry.levels[fitted.carry.main]
    return told | {f"level.{name}": value for name, value in vars(level).items()}


def model_card(found: Evidence, order: Order) -> str:
    """The model card of a training, as Markdown."""
    return card.write(
        name=order.name,
        terms=found.scorer.terms,
        speaker=found.scorer.speaker,
        fitted=found.fitted,
        data=found.data,
        grades=found.grades,
        others=found.others,
        figures=found.tested.figures,
        reliability=found.reliability,
        notes=found.notes,
        swing=swing.of(found.scorer),
        margins=found.scorer.margins,
        silence=found.silence,
    )


def newest_metrics(figures: pd.DataFrame, model: str, horizon_days: int) -> dict[str, float]:
    """Figures of one model on the newest test window, as ``question.metric``.

    Parameters
    ----------
    figures : pandas.DataFrame
        The backtest's table.
    model : str
        A model or naive rule in it.
    horizon_days : int
        Windows of this length are looked at.

    Returns
    -------
    dict of str to float
        Empty where nothing was tested.
    """
    rows = figures[(figures["model"] == model) & (figures["horizon_days"] == horizon_days)]
    rows = rows[rows["origin"] == rows["origin"].max()] if len(rows) else rows
    names = rows["question"] + "." + rows["metric"]
    return dict(zip(names, rows["figure"].astype(float), strict=True))


def _log_churn(found: Evidence) -> None:
    speaker = found.scorer.speaker
    models = learners(found)
    tracking.log(
        parameters={
            f"{name}.{key}": value
            for name, model in models.items()
            for key, value in _parameters(model).items()
        },
        metrics=_newest(found, speaker),
        charts={**risk_charts(found, speaker), "feature_importance": importance_chart(found)},
    )


def _newest(found: Evidence, model: str) -> dict[str, float]:
    return newest_metrics(found.tested.figures, model, found.scorer.horizon_days)


def learners(found: Evidence) -> dict[str, Any]:
    """The learners of the return probability by name: the blend's members, or those alone."""
    fitted = found.fitted
    if fitted.blend is not None:
        return dict(fitted.blend.members)
    alone = {"churn": fitted.churn, "logistic": fitted.logistic}
    return {name: model for name, model in alone.items() if model is not None}


def _log_value(found: Evidence) -> None:
    from training.value.purchase_models import name_of

    model = found.fitted.value
    assert model is not None  # noqa: S101
    bought, paid = model.purchases_, model.spend_
    held = name_of(bought.params)
    tracking.log(
        parameters={
            "purchase_model": held,
            **{f"{held}.{k}": v for k, v in vars(bought.params).items()},
            f"{held}.verdict": bought.verdict,
            **{f"gamma_gamma.{k}": v for k, v in vars(paid.params).items()},
            "gamma_gamma.verdict": paid.verdict,
            "gamma_gamma.slope": model.slope_,
            "refund_factor": model.refund_factor_,
        },
        metrics={
            f"{held}.log_likelihood": bought.log_likelihood,
            **_choice_metrics(found),
            **_newest(found, "value"),
        },
        charts=value_charts(found, "value"),
    )


def _choice_metrics(found: Evidence) -> dict[str, float]:
    """What each purchase model gained over BG/NBD in past windows, and how sure that is."""
    choice = found.fitted.choice
    if choice is None:
        return {}
    told = {f"choice.{name}.gain": gain for name, gain in choice.gains.items()}
    told |= {f"choice.{name}.error": error for name, error in choice.errors.items()}
    told |= {f"independence.{k}": v for k, v in choice.values.figures().items()}
    return {name: figure for name, figure in told.items() if math.isfinite(figure)}


def _parameters(model: Any) -> dict[str, Any]:
    return {name: value for name, value in model.get_params().items() if value is not None}


def risk_charts(found: Evidence, model: str) -> dict[str, alt.Chart]:
    """Calibration, lift and gain of a model on the newest test window, where it was tested."""
    answer = found.tested.predictions.get(model)
    if found.test is None or answer is None:
        return {}
    truth = 1 - found.test["returned"].to_numpy()
    guess = 1 - answer["return_probability"].to_numpy()
    return {
        "calibration": plots.calibration(truth, guess),
        "lift": plots.lift(truth, guess),
        "gain": plots.gain(truth, guess),
    }


def value_charts(found: Evidence, model: str) -> dict[str, alt.Chart]:
    """A model's predicted against actual spend by decile on the newest test window."""
    answer = found.tested.predictions.get(model)
    if found.test is None or answer is None or "expected_spend" not in answer:
        return {}
    guess = answer["expected_spend"].to_numpy()
    return {"deciles": plots.deciles(found.test["spend"].to_numpy(), guess)}


def history_charts(found: Evidence) -> dict[str, alt.Chart]:
    """The speaking model against the rules of thumb, window by window."""
    figures, speaker = found.tested.figures, found.scorer.speaker
    figures = figures[figures["horizon_days"] == found.scorer.horizon_days]
    if found.tested.newest is None:
        return {}
    return {
        "history_risk": plots.history(figures, "risk", "log_loss", speaker),
        "history_spend": plots.history(figures, "spend", "mae", speaker),
    }


def importance_chart(found: Evidence) -> alt.Chart:
    """Which columns the speaking model leans on, coloured by family."""
    model = found.scorer.churn
    assert model is not None  # noqa: S101
    return plots.importance(model.importance(), found.fitted.families)
