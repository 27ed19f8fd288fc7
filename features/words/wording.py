"""What a family of features can say of a customer, and when.

Phrases are sentences with gaps for a customer's numbers; the words themselves are in
`features.words.phrases`.
"""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Phrase:
    """A sentence with gaps, and when it may be said.

    Parameters
    ----------
    template : str
        With named fields in the formats ``.0f``, ``.1f``, ``,.0f`` and ``.0%``; of words without.
    needs : tuple of str
        Columns that must not be null.
    when : tuple of (str, float, float)
        Columns of `needs` with the least and the greatest value, both allowed.
    leans : {1, 0, -1}
        1 for words that only explain a higher risk, -1 for those that only explain a lower one,
        0 for both.
    about : tuple of str
        Columns of `needs` that the words tell of; the others only say when they may be said.
    """

    template: str
    needs: tuple[str, ...]
    when: tuple[tuple[str, float, float], ...] = ()
    leans: int = 0
    about: tuple[str, ...] = ()

    def fits(self, values: Mapping[str, Any]) -> bool:
        """Whether every needed column has a value and every condition holds.

        Parameters
        ----------
        values : mapping of str to number
            Columns of one customer; None and NaN are null.

        Returns
        -------
        bool
        """
        if any(_is_null(values.get(column)) for column in self.needs):
            return False
        return all(low <= values[column] <= high for column, low, high in self.when)

    def say(self, values: Mapping[str, Any]) -> str:
        """Return the sentence with the sizes of the numbers, or the words, in its gaps.

        Parameters
        ----------
        values : mapping of str to number
            Columns of one customer that `fits`.

        Returns
        -------
        str
        """
        return self.template.format(**{column: _size(values[column]) for column in self.needs})


@dataclass(frozen=True)
class Family:
    """A group of features that is explained together.

    Parameters
    ----------
    name : str
        As in the catalogue.
    label : str
        For headings.
    phrases : tuple of Phrase
        The first that fits speaks. The last one always fits and leans to neither side.
    """

    name: str
    label: str
    phrases: tuple[Phrase, ...]

    def spoken(self, direction: int) -> tuple[Phrase, ...]:
        """Phrases that may speak for a direction, in their order.

        Parameters
        ----------
        direction : {1, 0, -1}
            1 where the family raises the risk, -1 where it lowers it, 0 where neither is said.

        Returns
        -------
        tuple of Phrase
        """
        return tuple(phrase for phrase in self.phrases if phrase.leans * direction >= 0)

    def say(self, values: Mapping[str, Any], direction: int = 0) -> str:
        """Sentence of the first phrase that fits.

        Parameters
        ----------
        values : mapping of str to number
            Columns of one customer; None and NaN are null.
        direction : {1, 0, -1}, optional
            As in `spoken`.

        Returns
        -------
        str
        """
        allowed = self.spoken(direction)
        return next(phrase.say(values) for phrase in allowed if phrase.fits(values))


def _size(value: Any) -> Any:
    """A number without its sign; words as they are."""
    return value if isinstance(value, str) else abs(value)


def _is_null(value: object) -> bool:
    """Whether a value is missing: None or NaN."""
    return value is None or value != value


def phrase(
    template: str,
    *when: tuple[str, float, float],
    leans: int = 0,
    about: tuple[str, ...] | None = None,
) -> Phrase:
    """Build a phrase that needs the columns of its gaps and of its conditions.

    Parameters
    ----------
    template : str
    *when : tuple of (str, float, float)
    leans : {1, 0, -1}, default 0
    about : tuple of str, optional
        All as in `Phrase`; about everything that it needs, where not given.

    Returns
    -------
    Phrase
    """
    gaps = [field for _, field, _, _ in string.Formatter().parse(template) if field]
    needs = tuple(dict.fromkeys([*gaps, *(column for column, _, _ in when)]))
    return Phrase(template, needs, when, leans, needs if about is None else about)


def only(column: str, value: int) -> tuple[str, float, float]:
    """Condition that a column shows as this whole number: 1 for "1 day", not "1 days".

    Parameters
    ----------
    column : str
    value : int

    Returns
    -------
    tuple of (str, float, float)
    """
    return (column, value - 0.5, value + 0.5)


def at_least(column: str, low: float) -> tuple[str, float, float]:
    """Condition that a column is this or more.

    Parameters
    ----------
    column : str
    low : float

    Returns
    -------
    tuple of (str, float, float)
    """
    return (column, low, math.inf)


def at_most(column: str, high: float) -> tuple[str, float, float]:
    """Condition that a column is this or less.

    Parameters
    ----------
    column : str
    high : float

    Returns
    -------
    tuple of (str, float, float)
    """
    return (column, -math.inf, high)
