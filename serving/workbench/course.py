"""A customer's return probability through time, as the coordinates of a drawing.

In: points by as-of date. Out: lines, marks and ticks in the units of the drawing, for a template
to write as SVG; probability goes from 0 at the bottom to 1 at the top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from serving.insight.past import SCORED, Point
from serving.workbench import timeline

WIDTH, HEIGHT = timeline.WIDTH, 170
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 14, 12, 26


@dataclass(frozen=True)
class Mark:
    """One point.

    Parameters
    ----------
    x, y : float
        Place in the drawing.
    point : Point
    scored : bool
        From a kept score table.
    """

    x: float
    y: float
    point: Point
    scored: bool


@dataclass(frozen=True)
class Course:
    """The drawing.

    Parameters
    ----------
    width, height, left, right, bottom : float
        Size, and where the axes are.
    marks : tuple of Mark
        Oldest first.
    scored, recomputed : str
        Points of the two lines, as SVG's polylines have them; the second leads to the first mark
        of the first. Empty with fewer than two.
    levels : tuple of (y, share)
        Of the probability axis.
    ticks : tuple of (x, words)
        Along the time axis.
    """

    width: float
    height: float
    left: float
    right: float
    bottom: float
    marks: tuple[Mark, ...]
    scored: str
    recomputed: str
    levels: tuple[tuple[float, float], ...]
    ticks: tuple[tuple[float, str], ...]


def draw(points: Sequence[Point]) -> Course | None:
    """Lay out a course.

    Parameters
    ----------
    points : sequence of Point
        Oldest first.

    Returns
    -------
    Course or None
        None with fewer than two points: one is no course.
    """
    if len(points) < 2:
        return None
    first, last = points[0].as_of, points[-1].as_of
    span = max((last - first).days, 1)
    right, bottom = WIDTH - _RIGHT, HEIGHT - _BOTTOM

    def level(share: float) -> float:
        return round(bottom - share * (bottom - _TOP), 1)

    def place(days: int) -> float:
        return round(_LEFT + days * (right - _LEFT) / span, 1)

    marks = tuple(
        Mark(place((one.as_of - first).days), level(one.probability), one, one.source == SCORED)
        for one in points
    )
    told = [mark for mark in marks if mark.scored]
    guessed = [mark for mark in marks if not mark.scored]
    return Course(
        width=WIDTH,
        height=HEIGHT,
        left=_LEFT,
        right=right,
        bottom=bottom,
        marks=marks,
        scored=_line(told),
        recomputed=_line([*guessed, *told[:1]]) if guessed else "",
        levels=tuple((level(share), share) for share in (0.0, 0.5, 1.0)),
        ticks=tuple(
            (place((when - first).days), words) for when, words in timeline.ticks(first, span)
        ),
    )


def _line(marks: Sequence[Mark]) -> str:
    return " ".join(f"{mark.x},{mark.y}" for mark in marks) if len(marks) > 1 else ""
