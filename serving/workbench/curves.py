"""The curve of profit against budget, as a chart with money on both axes.

In: the curve of a plan, as its figures have it. Out: a drawing with the budget that was chosen
and the point from which on the next coin brings back less than itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from serving.workbench import charts, pages

BUDGET, PROFIT = "Budget", "Expected incremental profit"
MARGINAL = "The next coin brings back less than itself"
CHOSEN = "This budget"
CAPTION = (
    "Expected incremental profit against the budget. From %(knee)s on the next "
    "coin brings back less than itself."
)
#: Words of the chart, which other languages say otherwise.
TEXTS = (BUDGET, PROFIT, MARGINAL, CHOSEN, CAPTION)
_LINE, _MARK, _HERE = "#0072B2", "#D55E00", "#8C8C8C"


def draw(
    curve: Mapping[str, Any], budget: float | None, currency: str, say: Callable[[str], str]
) -> charts.Figure | None:
    """Draw the curve of a plan.

    Parameters
    ----------
    curve : mapping
        ``points`` and ``knee``, as `serving.campaigns.shelf.figures` has them.
    budget : float or None
        The chosen one, in currency; marked where it lies within the curve.
    currency : str
        Three letters of ISO 4217.
    say : callable
        Says an English text in the reader's language.

    Returns
    -------
    Figure or None
        None where no action pays for anyone.
    """
    knee, points = curve["knee"], curve["points"]
    if not knee:
        return None
    given = _line(json.dumps([points, currency]), say(BUDGET), say(PROFIT), say(MARGINAL))
    if budget is not None and 0 < budget < knee:
        given = {**given, "layer": [*given["layer"], _chosen(budget, say(CHOSEN))]}
    return charts.figure(given, say(CAPTION) % {"knee": pages.money(knee, currency)})


@lru_cache(maxsize=16)
def _line(facts: str, budget: str, profit: str, marginal: str) -> dict[str, Any]:
    """The curve without a budget, as a specification: the slider only moves the budget."""
    import altair as alt
    import pandas as pd

    points, currency = json.loads(facts)
    frame = pd.DataFrame(
        {
            "budget": [point["budget"] for point in points],
            "profit": [point["profit"] for point in points],
            "coin": [point["next_coin"] for point in points],
        }
    )
    unit = pages.symbol(currency)
    axis = alt.Axis(labelExpr=f"'{unit}' + format(datum.value, ',.0f')", tickCount=6)
    x = alt.X("budget:Q", title=f"{budget}, {currency}", axis=axis)
    y = alt.Y("profit:Q", title=f"{profit}, {currency}", axis=axis)
    shown = [alt.Tooltip(f"{name}:Q", format=",.2f") for name in ("budget", "profit", "coin")]
    line = alt.Chart(frame).mark_line(color=_LINE, point=alt.OverlayMarkDef(color=_LINE, size=28))
    layers = [line.encode(x=x, y=y, tooltip=shown), *_marked(frame.tail(1), x, y, marginal)]
    drawn: dict[str, Any] = alt.layer(*layers).properties(width=560, height=240).to_dict()
    return drawn


def _marked(last: Any, x: Any, y: Any, words: str) -> list[Any]:
    """The marginal point, with its words."""
    import altair as alt

    base = alt.Chart(last)
    text = base.mark_text(align="right", dx=-8, dy=46, color=_MARK, fontSize=12)
    return [
        base.mark_point(color=_MARK, filled=True, size=90).encode(x=x, y=y),
        text.encode(x=x, y=y, text=alt.value(words)),
    ]


def _chosen(budget: float, words: str) -> dict[str, Any]:
    """A line at the budget that was chosen, as a layer of the specification."""
    text = {"type": "text", "align": "left", "dx": 4, "dy": 6, "color": _HERE, "fontSize": 12}
    return {
        "data": {"values": [{"budget": budget}]},
        "encoding": {"x": {"field": "budget", "type": "quantitative"}},
        "layer": [
            {"mark": {"type": "rule", "color": _HERE, "strokeDash": [4, 3]}},
            {"mark": text, "encoding": {"y": {"value": 0}, "text": {"value": words}}},
        ],
    }
