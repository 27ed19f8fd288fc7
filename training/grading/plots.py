"""Charts of how good a model is, for people who read no metrics.

In: what came of each customer and what was predicted, or a finished table. Out: Altair charts
of aggregated data (no customer is in them), which `save` writes as HTML that works offline, SVG
or PNG. Colours are those of Okabe & Ito (2008), which colour-blind readers can tell apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.grading.metrics import calibration_table, decile_table, gain_curve

if TYPE_CHECKING:
    import altair as alt

BLUE, ORANGE, GREEN, GREY = "#0072B2", "#E69F00", "#009E73", "#8C8C8C"
#: Okabe & Ito's eight and a grey, in the order in which families are coloured.
PALETTE = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442", "#000000", GREY,
)  # fmt: skip
WIDTH, HEIGHT = 420, 300


def calibration(y: np.ndarray, p: np.ndarray, outcome: str = "churn", bins: int = 10) -> alt.Chart:
    """Reliability: predicted probability against observed share, and how often each is said.

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1.
    p : ndarray of shape (n,)
        Probability of 1.
    outcome : str, default="churn"
        What 1 means, for the axes.
    bins : int, default=10
        Bins of equal count.

    Returns
    -------
    altair.VConcatChart
        Above: a point a bin with its 90 % interval, and the diagonal of perfect calibration.
        Below: a histogram of the probabilities.
    """
    import altair as alt

    table = calibration_table(y, p, bins)
    scale = alt.Scale(domain=[0, 1])
    percent = alt.Axis(format=".0%")
    across = alt.X("predicted:Q", scale=scale, axis=percent, title=None)
    points = alt.Chart(table).encode(x=across)
    ideal = alt.Chart(pd.DataFrame({"predicted": [0.0, 1.0], "observed": [0.0, 1.0]}))
    above = alt.layer(
        ideal.mark_line(color=GREY, strokeDash=[5, 4]).encode(
            x=across, y=alt.Y("observed:Q", scale=scale)
        ),
        points.mark_rule(color=BLUE, strokeWidth=2, opacity=0.5).encode(
            y=alt.Y("lower:Q", scale=scale), y2="upper:Q"
        ),
        points.mark_line(color=BLUE).encode(y="observed:Q"),
        points.mark_circle(color=BLUE, size=70, opacity=1).encode(
            y=alt.Y("observed:Q", scale=scale, axis=percent, title=f"Observed share of {outcome}"),
            tooltip=[
                alt.Tooltip("customers:Q", format=","),
                alt.Tooltip("predicted:Q", format=".1%"),
                alt.Tooltip("observed:Q", format=".1%"),
            ],
        ),
    ).properties(width=WIDTH, height=HEIGHT)
    below = _histogram(p, outcome, scale).properties(width=WIDTH, height=70)
    return _titled(
        alt.vconcat(above, below, spacing=6),
        f"Can the probability of {outcome} be taken at its word?",
        "Points on the dashed line are right; bars are 90% intervals",
    )


def _histogram(p: np.ndarray, outcome: str, scale: Any) -> alt.Chart:
    import altair as alt

    counts, edges = np.histogram(p, bins=25, range=(0.0, 1.0))
    table = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "customers": counts, "floor": 0})
    title = f"Predicted probability of {outcome}"
    return (
        alt.Chart(table)
        .mark_bar(color=BLUE, opacity=0.6, stroke="white")
        .encode(
            x=alt.X("left:Q", scale=scale, axis=alt.Axis(format=".0%"), title=title),
            x2="right:Q",
            y=alt.Y("customers:Q", title="Customers", axis=alt.Axis(format="~s", tickCount=3)),
            y2="floor:Q",
        )
    )


def gain(y: np.ndarray, score: np.ndarray, outcome: str = "churn") -> alt.Chart:
    """Share of the outcome reached when the best-scored customers are taken first.

    Parameters
    ----------
    y : ndarray of shape (n,)
        0 or 1, or an amount.
    score : ndarray of shape (n,)
        Higher comes first.
    outcome : str, default="churn"
        What y counts, for the axes.

    Returns
    -------
    altair.LayerChart
        The model's curve between chance and perfect foresight.
    """
    import altair as alt

    names = {"captured": "Model", "perfect": "Perfect foresight", "chance": "Chance"}
    table = gain_curve(y, score).assign(chance=lambda t: t["share"])
    long = table.melt("share", list(names), var_name="line", value_name="reached")
    long["line"] = long["line"].map(names)
    chart = (
        alt.Chart(long.dropna())
        .mark_line(strokeWidth=2.5)
        .encode(
            x=alt.X(
                "share:Q",
                axis=alt.Axis(format=".0%"),
                title="Customers taken, highest score first",
            ),
            y=alt.Y(
                "reached:Q",
                axis=alt.Axis(format=".0%"),
                # Refunds can hold the curve above 100%.
                scale=alt.Scale(domain=[0, max(1.0, float(long["reached"].max()))], nice=False),
                title=f"Share of all {outcome}",
            ),
            color=_colours("line:N", list(names.values()), [BLUE, GREEN, GREY]),
            strokeDash=alt.StrokeDash(
                "line:N",
                scale=alt.Scale(domain=list(names.values()), range=[[1, 0], [2, 2], [5, 4]]),
                legend=None,
            ),
        )
        .properties(width=WIDTH, height=HEIGHT)
    )
    tenth = float(np.interp(0.1, table["share"], table["captured"]))
    return _titled(
        chart,
        f"How much of the {outcome} do the first customers on the list hold?",
        f"The first 10% of customers hold {tenth:.0%}" if np.isfinite(tenth) else "Nothing to hold",
    )


def lift(y: np.ndarray, score: np.ndarray, outcome: str = "churn") -> alt.Chart:
    """How many times the average the best-scored customers have.

    Parameters
    ----------
    y, score : ndarray of shape (n,)
        As in `gain`.
    outcome : str, default="churn"
        What y counts, for the axes.

    Returns
    -------
    altair.LayerChart
        Lift against the share of customers taken, with the line of chance at 1.
    """
    import altair as alt

    table = gain_curve(y, score).iloc[1:].assign(lift=lambda t: t["captured"] / t["share"])
    across = alt.X(
        "share:Q",
        axis=alt.Axis(format=".0%"),
        scale=alt.Scale(domain=[0, 1]),
        title="Customers taken, highest score first",
    )
    title = "Times the average"
    named = table[table["share"].round(2).isin([0.10, 0.20, 0.50])].dropna()
    named = named.assign(
        label=[f"{s:.0%}: {v:.2f}×" for s, v in zip(named["share"], named["lift"], strict=True)]
    )
    marks = alt.Chart(named).encode(x=across, y=alt.Y("lift:Q", title=title))
    chart = alt.layer(
        alt.Chart(pd.DataFrame({"lift": [1.0]}))
        .mark_rule(color=GREY, strokeDash=[5, 4])
        .encode(y=alt.Y("lift:Q", title=title)),
        alt.Chart(table.dropna())
        .mark_line(color=BLUE, strokeWidth=2.5)
        .encode(x=across, y=alt.Y("lift:Q", title=title, scale=alt.Scale(zero=True))),
        marks.mark_circle(color=BLUE, size=60, opacity=1),
        marks.mark_text(color="#333333", align="left", dx=6, dy=-9).encode(text="label:N"),
    ).properties(width=WIDTH, height=HEIGHT)
    return _titled(
        chart,
        f"How concentrated is {outcome} at the top of the list?",
        "1 (dashed) is a list in random order",
    )


def deciles(true: np.ndarray, predicted: np.ndarray, unit: str = "currency") -> alt.Chart:
    """Predicted against actual spend, by tenth of the customers.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Amounts over the horizon.
    unit : str, default="currency"
        Of the amounts, for the axis.

    Returns
    -------
    altair.LayerChart
        Bars of what came, marks of what was predicted; tenth 1 is the highest predicted.
    """
    import altair as alt

    table = decile_table(true, predicted)
    long = table.melt(["decile", "customers"], ["actual", "predicted"], "what", "mean")
    long["what"] = long["what"].str.capitalize()
    base = alt.Chart(long).encode(
        x=alt.X(
            "decile:O",
            title="Tenth of customers, highest predicted first",
            axis=alt.Axis(labelAngle=0, grid=False),
        ),
        y=alt.Y("mean:Q", title=f"Mean a customer ({unit})", axis=alt.Axis(format="~s")),
        color=_colours("what:N", ["Actual", "Predicted"], ["#9CC9E5", ORANGE]),
        tooltip=["decile:O", "what:N", alt.Tooltip("mean:Q", format=",.2f"), "customers:Q"],
    )
    chart = alt.layer(
        base.transform_filter("datum.what === 'Actual'").mark_bar(opacity=1),
        base.transform_filter("datum.what === 'Predicted'").mark_tick(
            thickness=4, width=26, opacity=1
        ),
    ).properties(width=WIDTH, height=HEIGHT)
    total = table["actual_total"].sum()
    off = f"{table['predicted_total'].sum() / total - 1:+.0%}" if total else "not defined"
    return _titled(
        chart,
        "Do the customers predicted to spend most spend most?",
        f"Predicted total against actual: {off}",
    )


def importance(shares: pd.Series, families: Mapping[str, str], most: int = 20) -> alt.Chart:
    """Which columns the model leans on.

    Parameters
    ----------
    shares : Series
        Importance by column name, as `ChurnModel.importance` gives it; it sums to 1.
    families : mapping of str to str
        Family of each column.
    most : int, default=20
        Columns shown; the rest is summed in the subtitle.

    Returns
    -------
    altair.LayerChart
        Bars by column, coloured by family.
    """
    import altair as alt

    top = shares.sort_values(ascending=False, kind="stable").head(most)
    table = pd.DataFrame({"column": top.index, "share": top.to_numpy()})
    table["family"] = [families.get(name, "other") for name in top.index]
    # The colour of a family does not depend on which columns happen to be shown.
    known = list(dict.fromkeys([*families.values(), "other"]))
    shown = [family for family in known if family in set(table["family"])]
    colours = [PALETTE[known.index(family) % len(PALETTE)] for family in shown]
    base = alt.Chart(table).encode(
        y=alt.Y(
            "column:N",
            sort=list(top.index),
            title=None,
            axis=alt.Axis(labelLimit=220, grid=False),
        ),
        x=alt.X(
            "share:Q",
            axis=alt.Axis(format=".0%"),
            # Room for the longest bar's label.
            scale=alt.Scale(domain=[0, 1.15 * float(top.max())], nice=False),
            title="Share of what the model learned",
        ),
    )
    chart = alt.layer(
        base.mark_bar().encode(
            color=_colours("family:N", shown, colours, "Family"),
            tooltip=["column:N", "family:N", alt.Tooltip("share:Q", format=".1%")],
        ),
        base.mark_text(align="left", dx=4, color="#333333").encode(
            text=alt.Text("share:Q", format=".1%")
        ),
    ).properties(width=WIDTH, height=alt.Step(20))
    rest = len(shares) - len(top)
    note = f"{rest} more columns hold {shares.sum() - top.sum():.0%}" if rest else "All columns"
    return _titled(chart, "What does the model look at?", note)


def history(figures: pd.DataFrame, question: str, metric: str, model: str) -> alt.Chart:
    """One figure through the test windows, model against rules of thumb.

    Parameters
    ----------
    figures : DataFrame
        The backtest's table: ``origin``, ``model``, ``question``, ``metric``, ``figure``.
    question, metric : str
        What to show, such as "risk" and "log_loss".
    model : str
        The model that speaks; drawn strong.

    Returns
    -------
    altair.Chart
        A line for each model and rule.
    """
    import altair as alt

    wanted = (figures["question"] == question) & (figures["metric"] == metric)
    table = figures.loc[wanted, ["origin", "model", "figure"]].dropna()
    table["origin"] = table["origin"].astype(str)
    names = [model, *sorted(set(table["model"]) - {model})]
    base = alt.Chart(table).encode(
        x=alt.X("origin:O", title="First day of the test window", axis=alt.Axis(labelAngle=0)),
        y=alt.Y("figure:Q", title=metric.replace("_", " "), scale=alt.Scale(zero=False)),
        color=_colours("model:N", names, list(PALETTE)),
        tooltip=["origin:O", "model:N", alt.Tooltip("figure:Q", format=".4f")],
    )
    chosen = alt.datum["model"] == model
    lines = base.mark_line().encode(
        strokeWidth=alt.condition(chosen, alt.value(3.5), alt.value(1.5)),
        strokeDash=alt.condition(chosen, alt.value([1, 0]), alt.value([5, 4])),
    )
    points = base.mark_circle(opacity=1, size=50)
    chart = alt.layer(lines, points).properties(width=WIDTH, height=HEIGHT)
    return _titled(
        chart,
        f"{question.capitalize()}: {metric.replace('_', ' ')} through time",
        f"Windows that no model had seen; thick line: {model}",
    )


def save(chart: alt.Chart, path: Path) -> None:
    """Write a chart in the format of the file's ending.

    Parameters
    ----------
    chart : altair.Chart
    path : Path
        ``.html`` (all scripts inside, works offline), ``.svg`` or ``.png`` (twice the size, for
        sharp screens).

    Raises
    ------
    ValueError
        When the ending is another one.
    """
    ending = Path(path).suffix.lower()
    if ending not in {".html", ".svg", ".png"}:
        raise ValueError(f"Got a chart file ending in {ending!r}, expected .html, .svg or .png.")
    if ending == ".html":
        chart.save(str(path), inline=True)
    else:
        chart.save(str(path), scale_factor=2 if ending == ".png" else 1)


def _colours(field: str, names: list[str], colours: list[str], title: str | None = None) -> Any:
    import altair as alt

    scale = alt.Scale(domain=names, range=colours[: len(names)])
    return alt.Color(field, scale=scale, legend=alt.Legend(title=title, orient="right"))


def _titled(chart: Any, title: str, note: str) -> Any:
    import altair as alt

    words = alt.TitleParams(
        title, subtitle=note, anchor="start", offset=12, subtitleColor="#555555"
    )
    return chart.properties(title=words).configure_view(stroke=None).configure_axis(grid=True)
