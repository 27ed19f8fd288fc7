"""The model card: what was trained, on what, how well it did, and what it cannot say.

In: the pieces of a finished training. Out: Markdown that a person reads in two minutes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from training.fingerprint import Fingerprint
    from training.fitting import Fitted
    from training.grading.grades import Grade
    from training.margins import Margins
    from training.subscriptions.margins import TermMargins
    from training.terms import Terms
    from training.value.calendar import Calendar
    from training.windows.swing import Swing

#: What the card shows of each question, in this order.
SHOWN = {
    "risk": ("log_loss", "roc_auc", "calibration_error"),
    "purchases": ("mae", "total_bias", "spearman"),
    "spend": ("mae", "total_bias", "normalised_gini"),
}

_SPEAKERS = {
    "blend": "the blend of boosted trees on top of the value model, boosted trees alone and "
    "logistic regression",
    "churn": "LightGBM, calibrated on a later snapshot, with the value model's outputs among "
    "its features",
    "logistic": "logistic regression, calibrated on a later snapshot, with the value model's "
    "outputs among its features",
    "value": "the value model alone",
    "hazard": "LightGBM on top of the retention of the plan (sBG), period by period, calibrated on "
    "later renewals",
    "sbg": "the retention of the plan (shifted-beta-geometric) alone",
}
# Under the label rule there is no later snapshot.
_LABEL_SPEAKERS = {
    "churn": "LightGBM, calibrated out of fold",
    "logistic": "logistic regression, calibrated out of fold",
    "pair": "LightGBM and logistic regression together, weighted and calibrated out of fold",
}


def write(
    *,
    name: str,
    terms: Terms,
    speaker: str,
    fitted: Fitted,
    data: Fingerprint,
    grades: Mapping[str, Grade],
    others: Mapping[int, Mapping[str, Grade]],
    figures: pd.DataFrame,
    reliability: pd.DataFrame | None,
    notes: Sequence[str],
    swing: Swing | None = None,
    margins: Margins | TermMargins | None = None,
    silence: Sequence[str] = (),
) -> str:
    """Compose the model card.

    Parameters
    ----------
    name : str
        The settings' ``name``.
    terms : Terms
        What the scorer promises.
    speaker : str
        Who gives the return probability.
    fitted : Fitted
        The production models.
    data : Fingerprint
        What they were trained on.
    grades : mapping of str to Grade
        By question, over the trained horizon.
    others : mapping of int to mapping of str to Grade
        The same over other horizons, in days.
    figures : pandas.DataFrame
        The backtest's table; may be empty.
    reliability : pandas.DataFrame or None
        Calibration and coverage by kind of customer.
    notes : sequence of str
        Doubts and limits, one sentence each.
    swing : Swing, optional
        How far whole windows lie off.
    margins : Margins or TermMargins, optional
        Rates of the customers, where the log or the subscriptions state margins.
    silence : sequence of str
        Where nothing is said, one sentence each.

    Returns
    -------
    str
        Markdown.
    """
    parts = [
        f"# {name}: model card",
        _promise(terms, speaker, stated=margins is not None),
        "## Data",
        f"{data.rows:,} accepted rows, {data.first_day or 'one snapshot'} to "
        f"{data.last_day or terms.trained_as_of}; fingerprint `{data.digest[:16]}`.",
        "## Grades",
        _grades(grades),
        _other_grades(others),
        "## Backtest",
        backtest_tables(figures[figures["horizon_days"] == terms.horizon_days]),
        *_by_kind(reliability),
        "## Models",
        models_text(fitted),
        *_totals(swing),
        *(() if margins is None else (margins.in_words(),)),
        *_season(fitted.calendar),
        *_silence(silence),
        "## Doubts and limits",
        "\n".join(f"- {note}" for note in (*notes, *_standing_limits())),
    ]
    return "\n\n".join(parts) + "\n"


def _silence(told: Sequence[str]) -> tuple[str, ...]:
    """Where nothing is said, and what would mend it."""
    return ("## Where nothing is said", "\n".join(f"- {one}" for one in told)) if told else ()


def _totals(swing: Swing | None) -> tuple[str, ...]:
    """How far totals of all customers may lie off, where past windows tell."""
    told = "" if swing is None else swing.in_words()
    return (f"Totals over all customers: {told}.",) if told else ()


def _promise(terms: Terms, speaker: str, *, stated: bool) -> str:
    rule = {
        "inactivity": f"no purchase in the {terms.horizon_days} days from the as-of date",
        "label": "the label column of the customers table",
        "subscription": f"a subscription that ended in the {terms.horizon_days} days from the "
        "as-of date and was not renewed within its grace",
    }[terms.rule]
    told = (_LABEL_SPEAKERS if terms.rule == "label" else _SPEAKERS)[speaker]
    share = "each customer's own" if stated else f"{terms.margin:.0%}"
    return (
        f"Trained on nothing from {terms.trained_as_of} on. Churn means {rule}. The return "
        f"probability comes from {told}{_carried(terms, speaker)}. "
        f"Lifetime value is the discounted margin ({share}, "
        f"{terms.annual_discount_rate:.0%} a year) of the next {terms.clv_horizon_days} days."
    )


def _carried(terms: Terms, speaker: str) -> str:
    if speaker != "blend" or terms.window_days == terms.horizon_days:
        return ""
    return f", learned on windows of {terms.window_days} days and carried by the value model"


def _grades(grades: Mapping[str, Grade]) -> str:
    if not grades:
        return "Ungraded: there was no past window to test on."
    return "\n".join(f"- **{q}: {g.letter}.** {g.sentence}" for q, g in grades.items())


def _by_kind(reliability: pd.DataFrame | None) -> tuple[str, ...]:
    if reliability is None or reliability.empty:
        return ()
    told = (
        "Out of time, over the windows above: how many were predicted to return and how many did, "
        "and how often outcomes of a window lay in the 80 % intervals that the other windows (of "
        "subscribers, the chances alone) make. `_coverage`: an outcome with a probability of its "
        "own, as no purchase or a number of renewals has, counts by the part that the interval "
        "needs; none for purchases from a single window."
    )
    return ("## Kinds of customers", told, markdown(reliability))


def _other_grades(others: Mapping[int, Mapping[str, Grade]]) -> str:
    told = [
        f"{days} days: " + ", ".join(f"{question} {g.letter}" for question, g in grades.items())
        for days, grades in sorted(others.items())
        if grades
    ]
    return "Over other horizons, from the same training: " + ("; ".join(told) or "ungraded") + "."


def backtest_tables(figures: pd.DataFrame) -> str:
    """The backtest's figures as Markdown tables, one a question, one row a window and model."""
    if figures.empty:
        return "No past window was long enough."
    parts = []
    for question, metrics in SHOWN.items():
        rows = figures[(figures["question"] == question) & figures["metric"].isin(metrics)]
        if rows.empty:
            continue
        wide = rows.pivot_table(index=["origin", "model"], columns="metric", values="figure")
        wide = wide.reindex(columns=[m for m in metrics if m in wide.columns]).reset_index()
        parts.append(f"### {question}\n\n{markdown(wide)}")
    return "\n\n".join(parts)


def markdown(table: pd.DataFrame) -> str:
    """A data frame as a Markdown table; numbers with four significant digits.

    Examples
    --------
    >>> print(markdown(pd.DataFrame({"model": ["value"], "log_loss": [0.36371]})))
    | model | log_loss |
    |---|---|
    | value | 0.3637 |
    """
    lines = ["| " + " | ".join(map(str, table.columns)) + " |", "|---" * table.shape[1] + "|"]
    for row in table.itertuples(index=False):
        cells = [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in row]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def models_text(fitted: Fitted) -> str:
    """The fitted models' parameters and verdicts in words."""
    lines = []
    if fitted.value is not None:
        bought, paid = fitted.value.purchases_, fitted.value.spend_
        lines.append(f"- {_held(bought.params)}: {_numbers(bought.params)}; {bought.verdict}")
        if fitted.choice is not None:
            lines.append(f"- choice of the purchase model: {fitted.choice.in_words()}")
        lines.append(f"- Gamma-Gamma: {_numbers(paid.params)}; {paid.verdict}")
        if fitted.choice is not None:
            lines.append(f"- value and frequency: {fitted.choice.values.in_words()}")
        lines.append(f"- share of spend that refunds leave: {fitted.value.refund_factor_:.4f}")
    if fitted.blend is not None:
        told = ", ".join(f"{name} {w:.2f}" for name, w in fitted.blend.weights.items())
        lines.append(f"- blend of the return probability, weights on the log-odds: {told}")
    if fitted.carry is not None:
        lines.append(f"- level: {fitted.carry.levels[fitted.carry.main].in_words()}")
    if fitted.spend is not None:
        told = ", ".join(f"{name} {w:.2f}" for name, w in fitted.spend.weights.items())
        lines.append(f"- expected spend, weights of the geometric mean: {told}")
    if fitted.families:
        lines.append(f"- churn models read {len(fitted.families)} columns")
    return "\n".join(lines)


def _season(calendar: Calendar | None) -> tuple[str, ...]:
    """The calendar by months, or why there is none; nothing under rules that ask for none."""
    if calendar is None:
        return ()
    head = ("## Season", calendar.in_words())
    if calendar.missing:
        return head
    months = [f"{date(2023, number, 1):%b}" for number in range(1, 13)]
    shown = [f"{factor - 1:+.0%}" for factor in calendar.by_month()]
    return (*head, markdown(pd.DataFrame([shown], columns=months)))


def _held(parameters: object) -> str:
    """The purchase model in words."""
    from training.families import WORDS
    from training.value.purchase_models import name_of

    return WORDS[name_of(parameters)]


def _numbers(parameters: object) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in vars(parameters).items())


def _standing_limits() -> tuple[str, ...]:
    return ("Reasons are drivers of the score, not causes.",)
