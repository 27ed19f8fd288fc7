"""Frames of mixed columns as one matrix of numbers, the same way for ever after.

In comes a DataFrame of numbers and strings; out goes a float64 matrix in the stored column
order, where a string is the number of its stored level. What is missing is NaN. So is a level
that was never seen, because the model has learned nothing about it. Nothing here looks at
outcomes, and nothing is imputed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

MOST_LEVELS = 64


@dataclass(frozen=True)
class Encoder:
    """Stored columns and levels that turn a frame into a matrix.

    Parameters
    ----------
    columns : tuple of str
        Feature columns in the order of the matrix.
    levels : mapping of str to tuple of str
        The levels of each string column, sorted; level i has code i. None at all for a column
        of objects or strings that was empty: it stays missing. A column that is not named here
        is numeric.
    pooled : tuple of str, default=()
        String columns with more than 64 levels. The 64 most frequent keep a code of their own;
        the rest, and any level met later, share the code after the last (`len(levels[column])`),
        since a new level of such a column is a rare one too.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"orders": [3, 1], "plan": ["gold", None]})
    >>> encoder = Encoder.learn(frame)
    >>> encoder.transform(frame)
    array([[ 3.,  0.],
           [ 1., nan]])
    """

    columns: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    pooled: tuple[str, ...] = ()

    @classmethod
    def learn(cls, frame: pd.DataFrame, columns: Sequence[str] | None = None) -> Encoder:
        """Read column order and levels off a training frame.

        Parameters
        ----------
        frame : DataFrame of shape (n_customers, n_columns)
            Numbers, booleans, strings or pandas categories.
        columns : sequence of str, optional
            The feature columns and their order; every column of the frame when left out.

        Returns
        -------
        Encoder

        Raises
        ------
        ValueError
            When a column is missing, named twice or not by a string, or is neither numbers nor
            strings.
        """
        names = tuple(frame.columns if columns is None else columns)
        unnamed = [name for name in names if not isinstance(name, str)]
        if unnamed:
            raise ValueError(f"Got a column named {unnamed[0]!r}, expected strings as names.")
        _require(frame, names)
        levels, pooled = {}, []
        for name in names:
            if _is_numeric(frame[name]):
                continue
            counts = _strings(frame[name]).value_counts()
            if len(counts) > MOST_LEVELS:
                pooled.append(name)
                # Ties at the border are settled by the level's name, not by row order.
                order = sorted(counts.index, key=lambda level: (-counts[level], level))
                kept = order[:MOST_LEVELS]
            else:
                kept = list(counts.index)
            levels[name] = tuple(sorted(kept))
        return cls(names, levels, tuple(pooled))

    @property
    def categorical(self) -> tuple[int, ...]:
        """Positions of the string columns in the matrix."""
        return tuple(i for i, name in enumerate(self.columns) if name in self.levels)

    def transform(self, frame: pd.DataFrame) -> np.ndarray:
        """Encode a frame; extra columns and another column order do not matter.

        Parameters
        ----------
        frame : DataFrame of shape (n_customers, at least n_columns)

        Returns
        -------
        ndarray of shape (n_customers, n_columns), float64, C order
            NaN where a value is missing or its level was never seen.

        Raises
        ------
        ValueError
            When a column is missing, holds text where numbers were learned (or the other way
            round), or holds an infinite value.
        """
        _require(frame, self.columns)
        matrix = np.empty((len(frame), len(self.columns)), dtype=np.float64)
        kinds = dict(zip(frame.columns, frame.dtypes, strict=True))
        # Plain numbers go over in one piece, which is what makes one row fast.
        plain = [
            i
            for i, name in enumerate(self.columns)
            if name not in self.levels and kinds[name].kind in "iufb"
        ]
        matrix[:, plain] = frame[[self.columns[i] for i in plain]].to_numpy(
            np.float64, na_value=np.nan
        )
        for i in sorted(set(range(len(self.columns))) - set(plain)):
            values = frame[self.columns[i]]
            matrix[:, i] = self._codes(values) if values.name in self.levels else _numbers(values)
        self._refuse_infinite(matrix)
        return matrix

    def _refuse_infinite(self, matrix: np.ndarray) -> None:
        infinite = np.isinf(matrix).sum(axis=0)
        if infinite.any():
            first = int(infinite.argmax())
            raise ValueError(
                f"Column {self.columns[first]!r} holds infinite values in {infinite[first]} rows; "
                "expected finite numbers or null."
            )

    def _codes(self, values: pd.Series) -> np.ndarray:
        name = str(values.name)
        if not self.levels[name]:
            # Empty in training, so that whatever comes was never seen.
            return np.full(len(values), np.nan)
        if _is_numeric(values) and values.notna().any():
            raise ValueError(
                f"Column {name!r} holds {values.dtype}, but strings were learned, such as "
                f"{', '.join(repr(level) for level in self.levels[name][:3])}. Give it as strings."
            )
        text = _strings(values)
        known = self.levels[name]
        codes = pd.Index(known, dtype=object).get_indexer(pd.Index(text)).astype(np.float64)
        unknown = codes < 0
        codes[unknown] = np.nan
        if name in self.pooled:
            codes[unknown & text.notna().to_numpy()] = len(known)
        return codes

    def to_dict(self) -> dict[str, Any]:
        """Return the encoder as JSON-ready lists and strings."""
        return {
            "columns": list(self.columns),
            "levels": {name: list(values) for name, values in self.levels.items()},
            "pooled": list(self.pooled),
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Encoder:
        """Return the encoder that `to_dict` described."""
        levels = {name: tuple(values) for name, values in stored["levels"].items()}
        return cls(tuple(stored["columns"]), levels, tuple(stored["pooled"]))


def _require(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise ValueError(
            f"Missing column {', '.join(repr(name) for name in missing)}: the model needs "
            f"{len(columns)} columns, and the frame has {len(frame.columns)}. "
            "Build the frame with the same catalogue as the training."
        )
    doubled = frame.columns[frame.columns.duplicated()].intersection(list(columns))
    if len(doubled):
        raise ValueError(f"Column {doubled[0]!r} is there more than once: each needs its own name.")


def _is_numeric(values: pd.Series) -> bool:
    """Numbers, or objects that are numbers throughout."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        return False
    if values.dtype != object:
        return pd.api.types.is_numeric_dtype(values)
    # The kind of an object column is the kind of what it holds.
    kind = pd.api.types.infer_dtype(values, skipna=True)
    return kind in {"integer", "floating", "mixed-integer-float", "boolean", "decimal"}


def _strings(values: pd.Series) -> pd.Series:
    kind = pd.api.types.infer_dtype(values, skipna=True)
    if kind not in {"string", "empty", "categorical"} and values.notna().any():
        raise ValueError(
            f"Column {values.name!r} holds {kind} values; a feature is all numbers or all "
            "strings. Cast it first."
        )
    return values.astype("string").astype(object).where(values.notna(), None)


def _numbers(values: pd.Series) -> np.ndarray:
    try:
        return pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"Column {values.name!r} holds {values.dtype}, but numbers were learned: {error}. "
            "Give it as numbers, null where there is none."
        ) from error
