"""Columns that know the answer: what no one could have known before the customer left.

In: the columns that the churn models would read, and who left. Out: a `Leak` for each column that
tells more than a column honestly can, with the reason in words. Such a column makes every figure
too good and the model useless on customers who have not left yet, since theirs is still empty.

The test is the one of Kaufman and others (2012, section 5): a column by itself that is too good to
be true. What is true of the future alone (dates from the as-of date on) and what names customers
are told by their form. Nothing here can tell a strong honest column from a leak for certain; so
each one is named, and the user may vouch for it.

References
----------
Kaufman, Rosset, Perlich & Stitelman (2012), "Leakage in data mining: formulation, detection, and
avoidance", ACM TKDD 6(4).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import pandas as pd

from training.labels import dates, single_column

Kind = Literal["copy", "answer", "one fate", "after", "identity", "together"]

#: A single column that ranks who left better than this knows the answer.
KNOWS = 0.98
#: Better than this it is worth a look, and stays in.
DOUBTFUL = 0.90
#: So many times the odds of leaving, at the least, where a value is there for one fate only.
ODDS = 100.0
#: Such a value says nothing below this many customers, nor below this share of that fate.
FEWEST, LEAST_SHARE = 30, 0.05
#: Share of different values from which a text names customers instead of describing them.
NAMES = 0.9
#: Customers from whom on different numbers of one length are taken for names.
MANY = 1_000
#: Customers that are looked at; a leak shows in fewer.
MOST_ROWS = 20_000
#: Numeric columns of which every two are looked at together.
MOST_TOGETHER = 30
#: A copy of the label has no more values than this, a missing one among them.
COPY_VALUES = 3
_FOLDS = 5


@dataclass(frozen=True)
class Leak:
    """A column that knows the answer.

    Attributes
    ----------
    column : str
    kind : {"copy", "answer", "one fate", "after", "identity", "together"}
        ``copy``: the label in other words. ``answer``: ranks who left nearly without fault.
        ``one fate``: filled, missing, or with values that only customers of one fate have.
        ``after``: dates from the as-of date on. ``identity``: names customers or counts rows.
        ``together``: knows the answer together with another column.
    why : str
        Half a sentence for people.
    """

    column: str
    kind: Kind
    why: str

    def __str__(self) -> str:
        return f"{self.column.removeprefix('attribute_')} ({self.why})"


@dataclass(frozen=True)
class Found:
    """What a search for leaks found.

    Attributes
    ----------
    left_out : tuple of Leak
        Columns that no model may read.
    kept : tuple of Leak
        Columns that would be left out, had the user not vouched for them.
    doubtful : tuple of Leak
        Attributes that are strong enough for a look, and stay in.
    """

    left_out: tuple[Leak, ...] = ()
    kept: tuple[Leak, ...] = ()
    doubtful: tuple[Leak, ...] = ()

    def sentences(self) -> tuple[str, ...]:
        """The findings for people, a sentence a kind of finding."""
        told = []
        if self.left_out:
            told.append(
                "Left out, as columns that seem to know the answer or that name customers: "
                f"{_listed(self.left_out)}. Name those that were known before in `keep` of [churn]."
            )
        if self.kept:
            told.append(f"Kept because `keep` in [churn] vouches for it: {_listed(self.kept)}.")
        if self.doubtful:
            told.append(
                f"Strong alone, and kept: {_listed(self.doubtful)}. Make sure that it was known "
                "before the customers left."
            )
        return tuple(told)


def _listed(leaks: Collection[Leak]) -> str:
    return "; ".join(map(str, leaks))


def find(
    columns: pd.DataFrame,
    churned: np.ndarray | pd.Series,
    as_of: date,
    keep: Collection[str] = (),
    seed: int = 0,
) -> Found:
    """Find the columns that know the answer.

    Parameters
    ----------
    columns : DataFrame of shape (n_customers, n_columns)
        What the models would read; attributes are named ``attribute_<column>``.
    churned : array of shape (n_customers,)
        1 where the customer left, else 0; both occur.
    as_of : date
        Nothing from this date on may be known.
    keep : collection of str, default=()
        Columns that the user vouches for; of attributes without ``attribute_``.
    seed : int, default=0
        Of the draw of at most 20,000 customers, and of the folds.

    Returns
    -------
    Found
    """
    random = np.random.default_rng(seed)
    rows = np.sort(random.permutation(len(columns))[:MOST_ROWS])
    table = columns.iloc[rows].reset_index(drop=True)
    truth = np.asarray(churned, dtype=np.int64)[rows]
    if truth.min() == truth.max():
        return Found()
    fold = random.permutation(len(table)) % _FOLDS
    found, doubtful, honest = [], [], {}
    for name in table.columns:
        values, is_date = _readable(table[name])
        leak, strength = _alone(name, values, is_date, truth, fold, as_of)
        if leak is not None:
            found.append(leak)
            continue
        honest[name] = (values, strength)
        if strength >= DOUBTFUL and name.startswith("attribute_"):
            doubtful.append(Leak(name, "answer", f"ranks who left with AUC {strength:.3f} alone"))
    found += _together(honest, truth)
    vouched = {name for word in keep for name in (word, f"attribute_{word}")}
    return Found(
        tuple(leak for leak in found if leak.column not in vouched),
        tuple(leak for leak in found if leak.column in vouched),
        tuple(doubtful),
    )


def _readable(values: pd.Series) -> tuple[pd.Series, bool]:
    """A column with its dates as days and its numbers as such, and whether it held dates."""
    if not str(values.name).startswith("attribute_"):
        return values, False
    as_days = dates.days(values)
    if as_days is not None:
        return as_days, True
    if not pd.api.types.is_numeric_dtype(values):
        # A word among the numbers ("unknown") makes the whole column a text.
        numbers = pd.to_numeric(values, errors="coerce")
        if numbers.notna().sum() >= dates.NEARLY_ALL * max(values.notna().sum(), 1):
            return numbers, False
    return values, False


def _alone(
    name: str,
    values: pd.Series,
    is_date: bool,
    truth: np.ndarray,
    fold: np.ndarray,
    as_of: date,
) -> tuple[Leak | None, float]:
    """What speaks against a column by itself, and how well it ranks."""
    if name.startswith("attribute_") and (why := _identity(values, is_date)):
        return Leak(name, "identity", why), 0.0
    if is_date and (why := _after(values, as_of)):
        return Leak(name, "after", why), 0.0
    strength = single_column.separation(values, truth, fold)
    ranks = f"ranks who left with AUC {strength:.3f} alone"
    if strength > KNOWS and values.nunique(dropna=False) <= COPY_VALUES:
        return Leak(name, "copy", f"the label in other words: {ranks}"), strength
    # Before the ranking, as it says more of why a column ranks.
    if why := _one_fate(values, truth):
        return Leak(name, "one fate", why), strength
    return (Leak(name, "answer", ranks) if strength > KNOWS else None), strength


def _identity(values: pd.Series, is_date: bool) -> str:
    """Whether values name customers: nearly one a customer, or numbers that count rows."""
    there = values.dropna()
    different = there.nunique()
    # A text that few customers have is told by who has it, not by its form.
    if is_date or len(there) < NAMES * len(values) or different < NAMES * len(there):
        return ""
    if not pd.api.types.is_numeric_dtype(there):
        return f"names customers: {different:,} different texts for {len(there):,} customers"
    numbers = there.to_numpy(np.float64)
    if different < len(there) or (numbers % 1 != 0).any():
        return ""
    if np.ptp(numbers) < 2 * len(numbers):
        return "counts rows: a different whole number for each customer, nearly without gaps"
    digits = np.floor(np.log10(np.maximum(numbers, 1)))
    # Few amounts may all be different; of many some are equal.
    if len(numbers) >= MANY and digits.min() == digits.max() >= 5:
        return "names customers: a different number of the same length for each"
    return ""


def _after(days: pd.Series, as_of: date) -> str:
    late = days >= (as_of - date(1970, 1, 1)).days
    if late.sum() < max(2, 0.001 * len(days)):
        return ""
    return f"{int(late.sum()):,} of its dates lie on {as_of} or later"


def _one_fate(values: pd.Series, truth: np.ndarray) -> str:
    """Whether filled, missing, or certain texts tell the fate, where they apply."""
    missing = values.isna().to_numpy()
    for rows, said in ((~missing, "filled"), (missing, "missing")):
        for fate, who in ((1, "left"), (0, "stayed")):
            if _pure(rows, truth == fate):
                return f"{said} for customers who {who} only"
    if pd.api.types.is_numeric_dtype(values):
        return ""
    group = single_column.groups(values)
    many = np.bincount(group)
    left = np.bincount(group, truth)
    # That nobody of a group leaves is common among honest columns; that all of it has left is not.
    certain = (left > 0.98 * many)[group]
    return "has values that only customers who left have" if _pure(certain, truth == 1) else ""


def _pure(rows: np.ndarray, fate: np.ndarray) -> bool:
    """Whether rows share a fate far more than the others do: odds a hundred times as high.

    The odds of the rows are taken with half a customer of the other fate added, those of the
    others with half of either, so that few customers prove little.
    """
    inside, hits = int(rows.sum()), int((rows & fate).sum())
    if inside < FEWEST or hits < LEAST_SHARE * fate.sum():
        return False
    others, theirs = len(rows) - inside, int((~rows & fate).sum())
    odds = (hits + 0.5) / (inside - hits + 0.5)
    elsewhere = (theirs + 0.5) / (others - theirs + 0.5)
    # Of nearly everybody "the others" are too few to compare with.
    usual = fate.mean() / (1 - fate.mean())
    return odds >= ODDS * max(elsewhere, usual)


def _together(honest: dict[str, tuple[pd.Series, float]], truth: np.ndarray) -> Iterator[Leak]:
    """Numbers whose difference knows the answer, such as two dates that part when one leaves.

    Of two such columns the attribute is named; of two attributes the one that ranks better.
    """
    numbers = {
        name: (values.to_numpy(np.float64, na_value=np.nan), strength)
        for name, (values, strength) in honest.items()
        if pd.api.types.is_numeric_dtype(values) and values.nunique() > COPY_VALUES
    }
    names = sorted(numbers, key=lambda name: (not name.startswith("attribute_"), -numbers[name][1]))
    names = names[:MOST_TOGETHER]
    named: set[str] = set()
    for place, one in enumerate(names):
        for other in names[place + 1 :]:
            if not one.startswith("attribute_") or named & {one, other}:
                continue
            strength = _difference(numbers[one][0], numbers[other][0], truth)
            if strength > KNOWS:
                named.add(one)
                with_ = other.removeprefix("attribute_")
                why = f"its difference to {with_} ranks who left with AUC {strength:.3f}"
                yield Leak(one, "together", why)


def _difference(one: np.ndarray, other: np.ndarray, truth: np.ndarray) -> float:
    there = np.isfinite(one) & np.isfinite(other)
    fates = np.bincount(truth[there], minlength=2)
    if fates.min() < FEWEST:
        return 0.5
    found = single_column.area(one[there] - other[there], truth[there])
    return max(found, 1.0 - found)
