"""A customer's purchases and contacts through time, as the coordinates of a drawing.

In: days with their net spend, and what else happened. Out: bars, dots, ticks and marks in the units
of the drawing, for a template to write as SVG; spend goes up from the line, what is left of refunds
goes down, and complaints and other contacts are dots above.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

WIDTH, HEIGHT = 720, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 10, 10, 22, 26
_BAR = 5.0
_DOT_TOP = 26.0
#: What is drawn beside purchases, from above.
KINDS = ("complaint", "resolution", "satisfaction", "contact")
# Ticks that fit without their words touching.
_TICKS = 9
_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)
#: Names of the months on the axis; the year stands in the place of the first.
MONTHS = ("Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Bar:
    """One day.

    Parameters
    ----------
    x, y, width, height : float
        Corner and size in the drawing.
    day : date
    net : float
        Net spend in currency.
    """

    x: float
    y: float
    width: float
    height: float
    day: date
    net: float


@dataclass(frozen=True)
class Contact:
    """Something else that happened on a day.

    Parameters
    ----------
    day : date
    kind : str
        ``complaint``, ``resolution``, ``satisfaction`` or ``contact``.
    times : int
    value : float or None
        The last mark given; None for what has none.
    """

    day: date
    kind: str
    times: int = 1
    value: float | None = None


@dataclass(frozen=True)
class Dot:
    """A contact in the drawing.

    Parameters
    ----------
    x, y : float
        Its middle.
    contact : Contact
    """

    x: float
    y: float
    contact: Contact


@dataclass(frozen=True)
class Chart:
    """The drawing.

    Parameters
    ----------
    width, height, line : float
        Size, and the height of the line that bars stand on.
    bars : tuple of Bar
    ticks : tuple of (x, words)
        Along the time axis.
    as_of : float
        Place of the as-of date.
    due : float or None
        Place of the date by which the next purchase is expected; None when there is none.
    dots : tuple of Dot
        Contacts since the first purchase.
    """

    width: float
    height: float
    line: float
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    as_of: float
    due: float | None
    dots: tuple[Dot, ...] = ()


def draw(
    days: Sequence[tuple[date, float]],
    as_of: date,
    due: date | None = None,
    contacts: Sequence[Contact] = (),
) -> Chart | None:
    """Lay out a customer's purchases.

    Parameters
    ----------
    days : sequence of (date, float)
        Days with their net spend in currency, oldest first.
    as_of : date
        Right after the last day that could have been seen.
    due : date, optional
        By which the next purchase is expected; drawn when it lies within the drawing.
    contacts : sequence of Contact, optional
        Before `as_of`; those before the first purchase are not drawn.

    Returns
    -------
    Chart or None
        None without any day.
    """
    if not days:
        return None
    first = days[0][0]
    last = max(as_of, min(due, as_of + (as_of - first) / 2) if due else as_of)
    # A customer of a day needs some width too.
    span = max((last - first).days, 30)
    scale = (WIDTH - _LEFT - _RIGHT - _BAR) / span

    def place(when: date) -> float:
        return round(_LEFT + _BAR / 2 + (when - first).days * scale, 1)

    line, unit = _line_and_unit([net for _, net in days])
    bars = tuple(_bar(place(when), line, unit, when, net) for when, net in days)
    shown = due is not None and first <= due <= first + timedelta(days=span)
    return Chart(
        width=WIDTH,
        height=HEIGHT,
        line=line,
        bars=bars,
        ticks=tuple((place(when), words) for when, words in ticks(first, span)),
        as_of=place(as_of),
        due=place(due) if due and shown else None,
        dots=tuple(
            Dot(place(one.day), _DOT_TOP + 9.0 * KINDS.index(one.kind), one)
            for one in contacts
            if first <= one.day < as_of and one.kind in KINDS
        ),
    )


def _line_and_unit(nets: Sequence[float]) -> tuple[float, float]:
    """Height of the line, and drawing units for one of the currency."""
    up, down = max(0.0, *nets), max(0.0, *(-net for net in nets))
    room = HEIGHT - _TOP - _BOTTOM
    unit = room / (up + down) if up + down else 0.0
    return round(_TOP + up * unit if unit else HEIGHT - _BOTTOM, 1), unit


def _bar(x: float, line: float, unit: float, when: date, net: float) -> Bar:
    # Never so low that it cannot be seen.
    height = round(max(abs(net) * unit, 1.5), 1)
    y = line - height if net >= 0 else line
    return Bar(round(x - _BAR / 2, 1), round(y, 1), _BAR, height, when, net)


def ticks(first: date, span: int) -> list[tuple[date, str]]:
    """First days of months, so far apart that they fit.

    Parameters
    ----------
    first : date
        Where the axis begins.
    span : int
        Its length in days.

    Returns
    -------
    list of (date, str)
        With what to write there.
    """
    step = next((m for m in _MONTHS if span / (m * 30.4) <= _TICKS), _MONTHS[-1])
    last = first + timedelta(days=span)
    found = []
    for month in range(first.year * 12, last.year * 12 + 12, step):
        when = date(month // 12, month % 12 + 1, 1)
        if first <= when <= last:
            found.append((when, str(when.year) if when.month == 1 else MONTHS[when.month - 2]))
    return found
