"""Where the customers stand, worked out once for each score table and kept in memory.

In: a store and the settings' terms. Out: what `standing` gives. A table that is written again is
worked out again; who asks while it is worked out waits for it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from serving.groups import standing
from serving.groups.standing import Segments, Since

if TYPE_CHECKING:
    from features.store import Store
    from serving.groups.retention import Gain
    from serving.groups.rules import SegmentSettings
    from training.settings import ValueSettings

_ONE_AT_A_TIME = threading.Lock()
_Mark = tuple[int, int, int]


def earlier(place: Store, day: date) -> date | None:
    """Date of the last score table before one, or None."""
    return max((other for other in place.dates("scores") if other < day), default=None)


def segments(place: Store, day: date, rules: Mapping[str, SegmentSettings]) -> Segments:
    """Groups of a score table; as `standing.segments`."""
    marks = _mark(place.scores(day)), _mark(place.behaviour(day)) if rules else None
    with _ONE_AT_A_TIME:
        return _segments(place, day, tuple(rules.items()), marks)


def gains(place: Store, day: date, value: ValueSettings, *, raised: float) -> tuple[Gain, ...]:
    """What raised retention is worth; as `standing.gains`."""
    mark = _mark(place.scores(day))
    with _ONE_AT_A_TIME:
        return _gains(place, day, value, raised, mark)


def since(place: Store, day: date, before: date) -> Since:
    """What changed between two score tables; as `standing.since`."""
    marks = _mark(place.scores(before)), _mark(place.scores(day))
    with _ONE_AT_A_TIME:
        return _since(place, day, before, marks)


@lru_cache(maxsize=8)
def _segments(
    place: Store, day: date, rules: tuple[tuple[str, SegmentSettings], ...], _: object
) -> Segments:
    return standing.segments(place, day, dict(rules))


@lru_cache(maxsize=32)
def _gains(
    place: Store, day: date, value: ValueSettings, raised: float, _: object
) -> tuple[Gain, ...]:
    return standing.gains(place, day, value, raised=raised)


@lru_cache(maxsize=4)
def _since(place: Store, day: date, before: date, _: object) -> Since:
    return standing.since(place, day, before)


def _mark(path: Path) -> _Mark | None:
    """What tells one version of a file from another; None where it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
