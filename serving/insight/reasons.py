"""Reasons: the three families of features that move a customer's risk most, in plain words.

In: behaviour rows and the model's contributions by family, in log-odds of churn. Out: a list a
customer, heaviest first. The words are the catalogue's; each names what is on record. Reasons
are drivers of a score, never causes.

Where the model tells by column what moved the risk, the words are those of the columns that moved
it most the way the family does; words that explain only one direction are not said where their
columns did not move it. Else the first words that fit speak.

A weight is the difference to a typical loyal customer. To the whole population it would not do:
where most are long gone, even a fading customer is better than the average, and every reason
would lower the risk.

Null rule: a family whose contribution is null or next to nothing is no reason; a family whose
phrases all lack a value speaks by its label.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from string import Formatter

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from features.catalogue import FAMILIES, FEATURES, Family, Phrase

TOP = 3
# Log-odds below this move the odds by less than a hundredth: no reason.
LEAST = 0.01
DECIMALS = 3
RAISES, LOWERS = "raises risk", "lowers risk"

_MONEY = frozenset(feature.name for feature in FEATURES if feature.unit == "currency")


LOYAL = ("loyal",)
ACTIVE = ("new", "growing", "loyal", "won_back")
# A median of fewer says little.
ENOUGH = 30


def typical(contributions: pd.DataFrame, stage: pd.Categorical) -> dict[str, float]:
    """What the risk of a typical loyal customer is made of.

    Parameters
    ----------
    contributions : pandas.DataFrame of shape (n_customers, n_families)
        Log-odds of churn by family, of a whole population.
    stage : pandas.Categorical of length n_customers
        Where in its life each customer is.

    Returns
    -------
    dict of str to float
        Median by family of the loyal customers; where they are fewer than 30, of all in an
        active stage. Families without any figure are left out. Empty where nobody is active:
        then the model's own average is what is typical. The same whatever the order of the rows.
    """
    stages = np.asarray(stage, dtype=object)
    chosen = np.isin(stages, LOYAL)
    if chosen.sum() < ENOUGH:
        chosen = np.isin(stages, ACTIVE)
    return {
        str(name): float(value) for name, value in contributions[chosen].median().dropna().items()
    }


def reasons(
    frame: pd.DataFrame,
    contributions: pd.DataFrame,
    *,
    typical: Mapping[str, float] | None = None,
    currency: str = "",
    moved: pd.DataFrame | None = None,
) -> pa.Array:
    """Name what moves each customer's risk most.

    Parameters
    ----------
    frame : pandas.DataFrame of shape (n_customers, n_columns)
        Behaviour rows.
    contributions : pandas.DataFrame of shape (n_customers, n_families)
        Log-odds of churn by family, row for row with `frame`; positive raises the risk.
    typical : mapping of str to float, optional
        Log-odds by family that count as nothing out of the ordinary; 0 where not given.
    currency : str, optional
        Written behind amounts of money; the catalogue's units tell which numbers are.
    moved : pandas.DataFrame of shape (n_customers, n_columns), optional
        Log-odds of churn by behaviour column, where the model tells them; `typical` holds for
        them too.

    Returns
    -------
    pyarrow.ListArray of struct<family, text, direction, weight>
        At most three a customer by falling absolute weight; tied families in the order of
        their columns. The weight is rounded to three decimals.
    """
    names = [str(name) for name in contributions.columns]
    ordinary = np.array([(typical or {}).get(name, 0.0) for name in names])
    weights = contributions.to_numpy(dtype="float64", na_value=np.nan) - ordinary
    weights = np.round(weights, DECIMALS)
    weights = np.where(np.isfinite(weights) & (np.abs(weights) >= LEAST), weights, 0.0)
    order = np.argsort(-np.abs(weights), axis=1, kind="stable")[:, :TOP]
    top = np.take_along_axis(weights, order, axis=1)
    rows, places = np.nonzero(top)
    if moved is not None and not moved.empty:
        moved = moved - np.array([(typical or {}).get(str(name), 0.0) for name in moved])
    else:
        moved = None
    families, weight = order[rows, places], top[rows, places]
    items = pa.StructArray.from_arrays(
        [
            _picked(names, families),
            _texts(frame, names, rows, np.where(weight > 0, 1, -1), families, currency, moved),
            _picked([LOWERS, RAISES], (weight > 0).astype(np.int64)),
            pa.array(weight, pa.float64()),
        ],
        names=["family", "text", "direction", "weight"],
    )
    ends = np.cumsum(np.count_nonzero(top, axis=1))
    offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
    return pa.ListArray.from_arrays(offsets, items)


def family(name: str) -> Family:
    """Family by name: the catalogue's, or a plain one.

    Parameters
    ----------
    name : str

    Returns
    -------
    Family
        One without phrases, labelled by its name, when nobody describes it.
    """
    described = {item.name: item for item in FAMILIES}
    return described.get(name) or Family(name=name, label=name.replace("_", " "), phrases=())


def _picked(names: list[str], codes: np.ndarray) -> pa.Array:
    return pa.array(names, pa.string()).take(pa.array(codes, pa.int64()))


def _texts(
    frame: pd.DataFrame,
    names: list[str],
    rows: np.ndarray,
    signs: np.ndarray,
    families: np.ndarray,
    currency: str,
    moved: pd.DataFrame | None,
) -> pa.Array:
    """Text of each reason: written family by family and phrase by phrase, then put in place."""
    written, places = [pa.array([], pa.string())], [np.array([], dtype=np.int64)]
    for (code, name), sign in product(enumerate(names), (1, -1)):
        left = np.flatnonzero((families == code) & (signs == sign))
        speaker = family(name)
        phrases = speaker.spoken(sign)
        chosen = _chosen(frame, phrases, rows[left], sign, moved)
        for number in np.unique(chosen):
            mine = left[chosen == number]
            written.append(
                _write(frame, phrases[number], rows[mine], currency)
                if number >= 0
                else pa.repeat(speaker.label, len(mine))
            )
            places.append(mine)
    back = np.argsort(np.concatenate(places), kind="stable")
    return pa.concat_arrays(written).take(pa.array(back))


def _chosen(
    frame: pd.DataFrame,
    phrases: tuple[Phrase, ...],
    rows: np.ndarray,
    sign: int,
    moved: pd.DataFrame | None,
) -> np.ndarray:
    """Which phrase speaks for each row, of equal ones the first; -1 for none."""
    chosen, best = np.full(len(rows), -1), np.full(len(rows), -np.inf)
    for number, phrase in enumerate(phrases):
        if moved is None and (chosen >= 0).all():
            break
        speaks = _speaks(frame, phrase, rows)
        weight = np.zeros(len(rows))
        if moved is not None:
            about = [name for name in phrase.about if name in moved]
            weight = sign * moved[about].to_numpy(dtype="float64")[rows].sum(axis=1)
            speaks &= (weight >= LEAST) | (phrase.leans == 0)
            # The last one has nothing to tell.
            weight = weight if phrase.about else np.full(len(rows), -np.finfo(float).max)
        better = speaks & (weight > best)
        chosen, best = np.where(better, number, chosen), np.where(better, weight, best)
    return chosen


def _speaks(frame: pd.DataFrame, phrase: Phrase, rows: np.ndarray) -> np.ndarray:
    """Where a phrase fits, as `Phrase.fits` says it of one customer."""
    if not set(phrase.needs) <= set(frame.columns):
        return np.zeros(len(rows), dtype=bool)
    fits = np.ones(len(rows), dtype=bool)
    for name in phrase.needs:
        fits &= frame[name].notna().to_numpy()[rows]
    for name, low, high in phrase.when:
        values = _numbers(frame, name, rows)
        fits &= (low <= values) & (values <= high)
    return fits


def _write(frame: pd.DataFrame, phrase: Phrase, rows: np.ndarray, currency: str) -> pa.Array:
    """Fill a phrase for some rows, column by column, as `Phrase.say` fills it for one."""
    parts: list[pa.Array | pa.Scalar] = [pa.repeat("", len(rows))]
    for literal, name, spec, _ in Formatter().parse(phrase.template):
        parts.append(pa.scalar(literal))
        if name is not None:
            unit = f" {currency}" if currency and name in _MONEY else ""
            parts += [_written(_sizes(frame, name, rows), spec or ""), pa.scalar(unit)]
    return pc.binary_join_element_wise(*parts, "")


def _written(values: np.ndarray, spec: str) -> pa.Array:
    """Numbers as text; each distinct one is formatted once."""
    codes, distinct = pd.factorize(values)
    texts = [format(value, spec) for value in distinct.tolist()]
    return pa.array(texts, pa.string()).take(pa.array(codes))


def _sizes(frame: pd.DataFrame, name: str, rows: np.ndarray) -> np.ndarray:
    """Numbers without their signs; words as they are."""
    if pd.api.types.is_numeric_dtype(frame[name].dtype):
        return np.abs(_numbers(frame, name, rows))
    return frame[name].to_numpy(dtype=object)[rows]


def _numbers(frame: pd.DataFrame, name: str, rows: np.ndarray) -> np.ndarray:
    return frame[name].to_numpy(dtype="float64", na_value=np.nan)[rows]
