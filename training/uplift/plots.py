"""Charts of uplift: the Qini curve and the profit curve.

In: finished tables. Out: Altair charts of aggregated data, drawn as those of
`training.grading.plots`, whose `save` writes them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from training.grading.plots import BLUE, GREY, HEIGHT, PALETTE, WIDTH
from training.uplift.qini import Qini

if TYPE_CHECKING:
    import altair as alt


def qini_chart(found: Qini, action: str, unit: str) -> alt.Chart:
    """Gain against the share treated, with its 95 % band, and the line of a random order.

    Parameters
    ----------
    found : Qini
    action : str
        Its name, for the title.
    unit : str
        Of the gain, such as "returns" or "currency".

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    base = alt.Chart(found.curve).encode(x=_share())
    up = alt.Y("gain:Q", title=f"Gain per customer of the list ({unit})")
    chart = alt.layer(
        base.mark_area(color=BLUE, opacity=0.15).encode(y=alt.Y("lower:Q"), y2="upper:Q"),
        base.mark_line(color=GREY, strokeDash=[5, 4]).encode(y=alt.Y("random:Q")),
        base.mark_line(color=BLUE, strokeWidth=2.5).encode(y=up),
    ).properties(width=WIDTH, height=HEIGHT)
    return _titled(
        chart,
        f"{action}: does it matter who gets it?",
        f"Area above a random order (dashed): {found.coefficient:.2g}, 95% interval",
    )


def profit_chart(curve: pd.DataFrame, currency: str) -> alt.Chart:
    """Profit against the share treated, a line an order.

    Parameters
    ----------
    curve : DataFrame
        From `training.uplift.profit.profit_curve`; the first order has its 95 % band.
    currency : str
        For the axis.

    Returns
    -------
    altair.LayerChart
    """
    import altair as alt

    names = list(dict.fromkeys(curve["order"]))
    colour = alt.Color(
        "order:N",
        scale=alt.Scale(domain=names, range=list(PALETTE[: len(names)])),
        legend=alt.Legend(title=None, orient="right"),
    )
    band = alt.Chart(curve[curve["order"] == names[0]]).encode(x=_share())
    up = alt.Y("profit:Q", title=f"Profit per customer above doing nothing ({currency})")
    chart = alt.layer(
        band.mark_area(color=BLUE, opacity=0.15).encode(y=alt.Y("lower:Q"), y2="upper:Q"),
        alt.Chart(curve).mark_line(strokeWidth=2.5).encode(x=_share(), y=up, color=colour),
    ).properties(width=WIDTH, height=HEIGHT)
    own = curve[curve["order"] == names[0]]
    peak = own.loc[own["profit"].idxmax()]
    return _titled(
        chart,
        "How many are worth treating?",
        f"{names[0]}: {peak['profit']:.2g} at most, with {peak['share']:.0%} treated",
    )


def _share() -> Any:
    import altair as alt

    return alt.X(
        "share:Q",
        axis=alt.Axis(format=".0%"),
        scale=alt.Scale(domain=[0, 1]),
        title="Customers treated, highest first",
    )


def _titled(chart: Any, title: str, note: str) -> Any:
    import altair as alt

    words = alt.TitleParams(
        title, subtitle=note, anchor="start", offset=12, subtitleColor="#555555"
    )
    return chart.properties(title=words).configure_view(stroke=None).configure_axis(grid=True)
