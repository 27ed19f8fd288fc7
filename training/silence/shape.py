"""What the tables that a model learned from looked like, and whether a later one still does.

In: behaviour rows of past dates, a table each. Out: a ``Shape`` that is kept beside the scorer
as JSON; held against a later table it finds columns that are gone, amounts that are counted in
something else, and, as a doubt only, a population that lies elsewhere. What the training's own
windows did is the measure of what may move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from training import parts
from training.silence.unsaid import (
    AMOUNTS_CHANGED,
    COLUMN_MISSING,
    Finding,
    columns_of,
    named,
    source_of,
)

#: A column is gone when fewer than this part of those are there who were, in the emptiest window.
GONE = 0.2
#: ... and so few are there by chance more seldom than this.
BY_CHANCE = 1e-6
#: Factor by which the middle of the amounts may move beyond what it did, and the part of the
#: widest move between windows that it may go further.
FACTOR, WIDER = 3.0, 3.0
#: Fewer amounts have no middle to speak of.
MIN_AMOUNTS = 30
#: More levels than this are no list of words.
MOST_LEVELS = 64
#: Ends of the bulk of a column, and the part outside from which the population lies elsewhere.
BULK, ELSEWHERE = (0.01, 0.99), 0.5

ATTRIBUTE = "attribute_"
PRICE = "subscription_price"
_FILE = "shape.json"
#: Kinds of amounts, in words.
AMOUNTS = {
    "order_mean": "mean purchase so far",
    "recent": "mean purchase of the last 30 days",
    PRICE: "price of the subscription",
}
_GROWING = ("active_months_365", "spend_total", "subscription_tenure_days", "subscription_renewals")
# What changes with the unit of money, besides the family `spend`.
_MONEY = ("monetary_value", "refund_amount", "unmatched_refunds", "same_season_spend")


@dataclass(frozen=True)
class Shape:
    """What the training's tables looked like.

    Parameters
    ----------
    nulls : mapping of str to float
        Share of nulls in the emptiest of them, by column, (nulls + 1) / (rows + 2), as a few rows
        without one do not exclude it. Columns that were always empty are left out.
    levels : mapping of str to tuple of str
        Words of each column of text; none for one with more than `MOST_LEVELS`.
    amounts : mapping of str to tuple of float
        Lowest and highest middle (median of the natural logarithm) by kind of amount.
    bulk : mapping of str to tuple of float
        Lowest first and highest ninety-ninth percentile by column of numbers, without those that
        grow with the age of the log.
    """

    nulls: Mapping[str, float]
    levels: Mapping[str, tuple[str, ...]]
    amounts: Mapping[str, tuple[float, float]]
    bulk: Mapping[str, tuple[float, float]]

    def compare(self, frame: pd.DataFrame) -> list[Finding]:
        """Find what is unlike the training in a table.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows of a whole population.

        Returns
        -------
        list of Finding
            Columns gone, a finding a source, then amounts; without ``answers``. The same whatever
            the order of the rows.
        """
        return [*self._gone(frame), *self._amounts(frame)]

    def moved(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Name the columns in which most customers lie where hardly one was in training.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows of a whole population.

        Returns
        -------
        tuple of str
            A reason to train again, not to be silent: each score is still that of a customer
            such as the model has seen.
        """
        told = []
        for name, (low, high) in self.bulk.items():
            values = _numbers(frame, name)
            values = values[np.isfinite(values)]
            outside = (values < low) | (values > high)
            if len(values) >= MIN_AMOUNTS and outside.mean() > ELSEWHERE:
                told.append(name)
        return tuple(told)

    def fitting(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Make attributes those of the training, so that a model can read the rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows.

        Returns
        -------
        pandas.DataFrame
            Attributes that are gone are empty; text where numbers were, and numbers where text
            was, are what cannot be read.
        """
        given = {
            name: _fitting(frame, name, text=name in self.levels)
            for name in self.nulls
            if name.startswith(ATTRIBUTE)
        }
        return frame.assign(**given) if given else frame

    def _gone(self, frame: pd.DataFrame) -> list[Finding]:
        gone: dict[str, dict[str, float]] = {}
        for name, empty in self.nulls.items():
            there = self._readable(frame, name)
            if _is_gone(int(there.sum()), len(there), 1.0 - empty):
                gone.setdefault(source_of(name), {})[name] = 1.0 - float(there.mean())
        return [self._finding(source, found) for source, found in gone.items()]

    def _finding(self, source: str, found: Mapping[str, float]) -> Finding:
        everything, lost = columns_of(source, self.nulls), tuple(found)
        # A source of one column may well be there without it.
        whole = len(lost) == len(everything) > 1
        subject = source if whole else named(lost)
        return Finding(
            COLUMN_MISSING,
            subject,
            lost,
            f"{lost[0]} empty or unreadable for {found[lost[0]]:.0%} of the customers",
            f"{self.nulls[lost[0]]:.0%} at most, as in training",
            f"Bring back {subject} as it was (see [sources.{source}]), or train without it.",
        )

    def _readable(self, frame: pd.DataFrame, name: str) -> np.ndarray:
        """Where a column holds something that the model has learned about."""
        if name not in frame:
            return np.zeros(len(frame), dtype=bool)
        if self.levels.get(name):
            return frame[name].isin(self.levels[name]).to_numpy()
        there = frame[name].notna()
        if name not in self.levels and not pd.api.types.is_numeric_dtype(frame[name]):
            there = pd.to_numeric(frame[name], errors="coerce").notna()
        return there.to_numpy()

    def _amounts(self, frame: pd.DataFrame) -> list[Finding]:
        now, found = _middles(frame), []
        for name, (low, high) in self.amounts.items():
            if name not in now:
                continue
            beyond = room(low, high)
            if low - beyond <= now[name] <= high + beyond:
                continue
            factor = np.exp(now[name] - (high if now[name] > high else low))
            found.append(
                Finding(
                    AMOUNTS_CHANGED,
                    "price" if name == PRICE else "amount",
                    _money_columns(name, self.nulls),
                    f"the middle of the {AMOUNTS[name]} is {np.exp(now[name]):.4g}, "
                    f"{_times(factor)}",
                    f"{np.exp(low):.4g} to {np.exp(high):.4g}, as in training",
                    "Bring the amounts back into the unit of the training (cents or units, one "
                    "currency), or train again on a log that holds one unit throughout.",
                )
            )
        return found[:1]

    def save(self, folder: Path) -> None:
        """Write the shape as JSON into a folder."""
        parts.write(self, folder / _FILE)

    @classmethod
    def load(cls, folder: Path) -> Shape | None:
        """Read what `save` wrote; None where nothing was."""
        told = parts.read(folder / _FILE)
        if told is None:
            return None
        pairs = {
            part: {name: tuple(values) for name, values in told[part].items()}
            for part in ("levels", "amounts", "bulk")
        }
        return cls(told["nulls"], pairs["levels"], pairs["amounts"], pairs["bulk"])


def learn(frames: Sequence[pd.DataFrame]) -> Shape:
    """Learn what tables look like.

    Parameters
    ----------
    frames : sequence of pandas.DataFrame
        Behaviour rows that models were fitted on, a date each; columns that are neither of the
        catalogue nor attributes are not looked at.

    Returns
    -------
    Shape
        Empty without a row.
    """
    seen = [frame for frame in frames if len(frame)]
    columns = [name for name in (seen[-1].columns if seen else ()) if source_of(str(name))]
    columns = [name for name in columns if any(one[name].notna().any() for one in seen)]
    text = [name for name in columns if not all(_is_number(one[name]) for one in seen)]
    return Shape(
        {name: max(_emptiness(one[name]) for one in seen) for name in columns},
        {name: _levels([one[name] for one in seen]) for name in text},
        _range([_middles(one) for one in seen]),
        _range_of_bulk(seen, [name for name in columns if name not in text and _ageless(name)]),
    )


def room(low: float, high: float) -> float:
    """How far beyond the lowest and highest middle of the training a middle may lie.

    Parameters
    ----------
    low, high : float
        Natural logarithms.

    Returns
    -------
    float
        max(log `FACTOR`, `WIDER` · (high − low)).
    """
    return max(float(np.log(FACTOR)), WIDER * (high - low))


def _emptiness(values: pd.Series) -> float:
    return float(values.isna().sum() + 1) / (len(values) + 2)


def _levels(columns: Sequence[pd.Series]) -> tuple[str, ...]:
    words = sorted({str(word) for one in columns for word in one.dropna().unique()})
    return tuple(words) if len(words) <= MOST_LEVELS else ()


def _is_number(values: pd.Series) -> bool:
    # A column without any value is of no kind.
    return pd.api.types.is_numeric_dtype(values) or not values.notna().any()


def _middles(frame: pd.DataFrame) -> dict[str, float]:
    """Middle of each kind of amount: the median of its natural logarithm."""
    amounts = {name: _numbers(frame, name) for name in ("order_mean", PRICE)}
    bought = _numbers(frame, "occasions_30")
    with np.errstate(invalid="ignore", divide="ignore"):
        amounts["recent"] = _numbers(frame, "spend_30") / np.where(bought > 0, bought, np.nan)
    found = {}
    for name, values in amounts.items():
        positive = values[np.isfinite(values) & (values > 0)]
        if len(positive) >= MIN_AMOUNTS:
            found[name] = float(np.median(np.log(positive)))
    return found


def _range(middles: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float]]:
    known = {name: [one[name] for one in middles if name in one] for name in AMOUNTS}
    return {name: (min(values), max(values)) for name, values in known.items() if values}


def _range_of_bulk(
    frames: Sequence[pd.DataFrame], columns: Sequence[str]
) -> dict[str, tuple[float, float]]:
    found = {}
    for name in columns:
        ends = [_ends(_numbers(one, name)) for one in frames]
        known = [pair for pair in ends if pair is not None]
        if known:
            found[name] = (min(low for low, _ in known), max(high for _, high in known))
    return found


def _ageless(name: str) -> bool:
    """Whether a column does not simply grow with the age of the log."""
    from features.catalogue import family_of

    return family_of(name) != "rfm" and name not in _GROWING


def _ends(values: np.ndarray) -> tuple[float, float] | None:
    there = values[np.isfinite(values)]
    if len(there) < MIN_AMOUNTS:
        return None
    low, high = np.quantile(there, BULK)
    return float(low), float(high)


def _is_gone(there: int, rows: int, usual: float) -> bool:
    """Whether so few of the rows hold something that chance does not explain it."""
    from scipy.stats import binom

    return there < GONE * usual * rows and bool(binom.cdf(there, rows, usual) < BY_CHANCE)


def _money_columns(amount: str, columns: Mapping[str, float]) -> tuple[str, ...]:
    """Columns that change with the unit of an amount."""
    from features.catalogue import family_of

    if amount == PRICE:
        return (PRICE,)
    return tuple(name for name in columns if family_of(name) == "spend" or name in _MONEY)


def _fitting(frame: pd.DataFrame, name: str, *, text: bool) -> pd.Series:
    if name not in frame:
        empty = np.full(len(frame), np.nan)
        return pd.Series(empty, frame.index, dtype="str" if text else "float64")
    values = frame[name]
    if text and pd.api.types.is_numeric_dtype(values):
        return values.astype("str").where(values.notna(), None)
    if not text and not pd.api.types.is_numeric_dtype(values):
        return pd.to_numeric(values, errors="coerce")
    return values


def _numbers(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame or not pd.api.types.is_numeric_dtype(frame[name]):
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _times(factor: float) -> str:
    """How far the middle lies off, in words."""
    return f"{factor:.3g} times too high" if factor >= 1 else f"{1 / factor:.3g} times too low"
