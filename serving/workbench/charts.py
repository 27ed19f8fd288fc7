"""Charts on pages: drawn here as SVG, so that they can be read without JavaScript.

Where scripts run, the page draws the same Vega-Lite specification again, which then answers to
the pointer. The scripts are those inside the installed package `vl-convert`; nothing comes from
elsewhere.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

#: Colours that stand on light and dark pages alike.
_INK, _GRID = "#7d8b88", "#8a979433"
_CONFIG: Mapping[str, Any] = {
    "background": None,
    "view": {"stroke": None},
    "axis": {
        "labelColor": _INK,
        "titleColor": _INK,
        "domainColor": _INK,
        "tickColor": _INK,
        "gridColor": _GRID,
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
    },
    "legend": {"labelColor": _INK, "titleColor": _INK, "labelFontSize": 12},
    "title": {"color": _INK},
    "font": "system-ui, sans-serif",
}


_LOCK, _MOST = threading.Lock(), 128
_HELD: OrderedDict[str, Figure | None] = OrderedDict()


@dataclass(frozen=True)
class Figure:
    """A chart of a page.

    Parameters
    ----------
    svg : str
        The drawing.
    specification : str
        Vega-Lite as JSON, safe inside a page.
    caption : str
        What it shows, for those who do not see it.
    """

    svg: str
    specification: str
    caption: str


def figure(chart: Any, caption: str) -> Figure:
    """Draw a chart for a page.

    Parameters
    ----------
    chart : altair.Chart or dict
        Of aggregated data: no customer may be in it.
    caption : str
        What it shows.

    Returns
    -------
    Figure
    """
    # Tests check the drawings; checking each again takes longer than drawing it.
    told = chart if isinstance(chart, dict) else chart.to_dict(validate=False)
    given = {**told, "config": {**told.get("config", {}), **_CONFIG}}
    # A page could otherwise be ended from within its data.
    text = json.dumps(given, sort_keys=True).replace("<", "\\u003c")
    return Figure(_drawn(text), text, caption)


def remembered(draw: Callable[[], Figure | None], *facts: Any) -> Figure | None:
    """A chart that is drawn once for the same facts: describing one takes longer than a page may.

    Parameters
    ----------
    draw : callable
        Draws it from the facts alone.
    facts : JSON values
        Its name, and all that it is drawn from.

    Returns
    -------
    Figure or None
        As `draw` gives it.
    """
    key = json.dumps(facts, sort_keys=True, default=str)
    with _LOCK:
        if key in _HELD:
            _HELD.move_to_end(key)
            return _HELD[key]
    drawn = draw()
    with _LOCK:
        _HELD[key] = drawn
        while len(_HELD) > _MOST:
            _HELD.popitem(last=False)
    return drawn


@lru_cache(maxsize=256)
def _drawn(specification: str) -> str:
    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(specification)
    return drawn


@cache
def bundle() -> str:
    """Vega-Lite with its embedding, as one script that defines ``vegaEmbed``."""
    import vl_convert

    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")
    return script
