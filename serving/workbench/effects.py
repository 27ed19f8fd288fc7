"""What the page of the effects shows: measured plans, each with its intervals and its guardrails.

In: the measurements of a store. Out: rows with their words, and a chart of the intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from serving.api import effects as told
from serving.campaigns.results import FALL, NONE, RISE
from serving.workbench import charts, pages

if TYPE_CHECKING:
    from serving.campaigns.results import ActionResult, Difference, Measurement
    from serving.worker import Worker

SHARES = ("returned", "complaints", "refunds", "unsubscribes")
MONEY = ("spend", "profit")
OUTCOMES: Mapping[str, str] = MappingProxyType(
    {
        "returned": "Came back",
        "purchases": "Purchases",
        "spend": "Spend",
        "profit": "Profit",
        "complaints": "Complained",
        "refunds": "Sent something back",
        "unsubscribes": "Unsubscribed",
    }
)
VERDICTS: Mapping[str, str] = MappingProxyType(
    {RISE: "more", FALL: "less", NONE: "no effect shown"}
)
WHOLE = "The whole plan"
RETURNS, PROFIT = "Returns, percentage points", "Profit of a customer"
CAPTION = (
    "What the treated have more than the held out, with 95 % intervals; a line that crosses 0 "
    "shows no effect."
)
#: Words of the page that are not in its template.
TEXTS = (*OUTCOMES.values(), *VERDICTS.values(), WHOLE, RETURNS, PROFIT, CAPTION)
_LINE, _ZERO = "#0072B2", "#8C8C8C"


def content(worker: Worker, say: Callable[[str], str]) -> dict[str, Any]:
    """Gather what the page of the effects shows.

    Parameters
    ----------
    worker : Worker
    say : callable
        Says an English text in the reader's language.

    Returns
    -------
    dict
    """
    plans, beliefs = told.found(worker)
    currency = worker.deployment.names.currency
    return {
        "plans": [(one, draw(one, currency, say)) for one in plans],
        "waiting": told.waiting(worker, plans),
        "beliefs": sorted(beliefs.items()),
        "currency": currency,
        "words": OUTCOMES,
        "verdicts": VERDICTS,
        "whole": WHOLE,
        "level": lambda row, mean: level(row.outcome, mean, currency),
        "change": lambda row, amount: change(row.outcome, amount, currency),
        "is_share": lambda row: row.outcome in SHARES,
    }


def level(outcome: str, mean: float, currency: str) -> str:
    """A mean of an arm for people.

    Examples
    --------
    >>> level("returned", 0.18276, "EUR"), level("spend", 12.3, "EUR"), level("purchases", 2, "EUR")
    ('18.3 %', '€12.30', '2.00')
    """
    if outcome in SHARES:
        return f"{100 * mean:.1f} %"
    return pages.cents(mean, currency) if outcome in MONEY else f"{mean:,.2f}"


def change(outcome: str, amount: float, currency: str) -> str:
    """A difference for people, its sign before it; of shares in percentage points.

    Examples
    --------
    >>> change("returned", 0.0766, "EUR"), change("profit", -1.5, "EUR")
    ('+7.66', '−€1.50')
    """
    if outcome in MONEY:
        return f"{'+' if amount > 0 else ''}{pages.cents(amount, currency)}"
    shown = f"{100 * amount if outcome in SHARES else amount:+,.2f}"
    return shown.replace("-", "−")


def draw(measured: Measurement, currency: str, say: Callable[[str], str]) -> charts.Figure | None:
    """Draw the intervals of returns and profit, action by action.

    Parameters
    ----------
    measured : Measurement
    currency : str
        Three letters of ISO 4217.
    say : callable
        Says an English text in the reader's language.

    Returns
    -------
    Figure or None
        None where nothing is concluded.
    """
    import altair as alt

    panels = [
        _panel(measured.actions, outcome, scale, title, say)
        for outcome, scale, title in (
            ("returned", 100.0, say(RETURNS)),
            ("profit", 1.0, f"{say(PROFIT)}, {currency}"),
        )
    ]
    drawn = [panel for panel in panels if panel is not None]
    return charts.figure(alt.hconcat(*drawn), say(CAPTION)) if drawn else None


def _panel(
    actions: tuple[ActionResult, ...],
    outcome: str,
    scale: float,
    title: str,
    say: Callable[[str], str],
) -> Any:
    """Intervals of one outcome, one line an action."""
    import altair as alt
    import pandas as pd

    said = [(one.action or say(WHOLE), row) for one in actions if (row := _of(one, outcome))]
    if not said:
        return None
    frame = pd.DataFrame(
        {
            "action": [name for name, _ in said],
            **{
                end: [scale * float(getattr(row, end)) for _, row in said]
                for end in ("difference", "lower", "upper")
            },
        }
    )
    y = alt.Y("action:N", title=None, sort=None)
    tooltip = ["action:N", *(alt.Tooltip(f"{end}:Q", format="+,.2f") for end in frame.columns[1:])]
    base = alt.Chart(frame).encode(y=y, tooltip=tooltip)
    x = alt.X("lower:Q", title=title, scale=alt.Scale(zero=True))
    zero = alt.Chart(pd.DataFrame({"zero": [0.0]})).mark_rule(color=_ZERO, strokeDash=[4, 3])
    layers = (
        base.mark_rule(color=_LINE, strokeWidth=2).encode(x=x, x2="upper:Q"),
        base.mark_point(color=_LINE, filled=True, size=70).encode(x="difference:Q"),
        zero.encode(x="zero:Q"),
    )
    return alt.layer(*layers).properties(width=240, height=alt.Step(30))


def _of(one: ActionResult, outcome: str) -> Difference | None:
    """Outcome of an action that something is concluded of."""
    rows = (row for row in one.outcomes if row.outcome == outcome)
    return next((row for row in rows if row.difference is not None), None)
