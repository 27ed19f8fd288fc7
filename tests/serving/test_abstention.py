"""Abstention: names exactly what is null, and why."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.abstention import ANSWERS, explain


def told(gone: set[str], *, known: bool) -> str | None:
    missing = {name: np.array([name in gone]) for name in ANSWERS}
    return explain(missing, np.array([known]))[0].as_py()


def test_nothing_is_said_where_nothing_is_missing():
    assert told(set(), known=True) is None


@pytest.mark.golden
def test_the_sentences():
    assert told({"clv", "tier", "potential_value"}, known=True) == (
        "no number from the model: clv, potential_value, tier"
    )
    assert told({"stage"}, known=True) == (
        "nothing to compare with in the last full scoring: stage"
    )
    assert told({"churn_probability", "p_alive", "rfm"}, known=False) == (
        "no number from the model: churn_probability; no purchases on record: p_alive, rfm"
    )


@given(st.sets(st.sampled_from(ANSWERS)), st.booleans())
def test_it_names_every_null_column_and_no_other(gone, known):
    text = told(gone, known=known) or ""
    lists = [part.split(": ")[1] for part in text.split("; ") if part]
    named = [name for names in lists for name in names.split(", ")]
    assert sorted(named) == sorted(gone)


def test_each_row_has_its_own_reason():
    missing = {name: np.zeros(3, dtype=bool) for name in ANSWERS}
    missing["clv"] = np.array([True, False, True])
    texts = explain(missing, np.array([True, True, False])).to_pylist()
    assert texts == ["no number from the model: clv", None, "no purchases on record: clv"]
