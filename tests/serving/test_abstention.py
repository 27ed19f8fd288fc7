"""Abstention: names exactly what is null, and why."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
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
    assert told({"next_purchase_by"}, known=True) == "no number from the model: next_purchase_by"
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


def test_what_the_model_cannot_back_is_told_for_all_of_its_numbers(people, scored, made_scorer):
    """Two beyond its experience, one of them without a purchase: decisions by rhythm stay."""
    frame = people(30)
    reason = "spend far beyond what was seen"
    far = np.where(np.arange(30) == 4, reason, "").astype(object)
    reach = SimpleNamespace(stale=lambda _: "", beyond=lambda _: far)
    scorer = type("Held", (type(made_scorer),), {"reach": reach})()
    rows, _ = scored(frame, scorer=scorer)
    told = rows.iloc[4]
    assert told["abstained"].startswith(f"{reason}: churn_probability, return_probability")
    assert pd.isna(told["churn_probability"]) and pd.isna(told["clv"]) and pd.isna(told["tier"])
    assert told["stage"] and not pd.isna(told["next_purchase_by"])
    assert rows.drop(index=4)["abstained"].isna().all()


def test_the_next_purchase_is_the_value_models_and_not_told_beyond_its_experience(
    people, scored, made_scorer
):
    """Days of 0.2, 1.0 and 1.2 are the first, first and second day; NaN is no return."""
    told = [0.2, 1.0, 1.2, np.nan, 9.0]
    far = np.array(["", "", "", "", "spend far beyond what was seen"], dtype=object)
    reach = SimpleNamespace(stale=lambda _: "", beyond=lambda _: far)
    says = {"days_to_next_purchase": lambda *_: np.array(told), "reach": reach}
    rows, _ = scored(people(5), scorer=type("Timed", (type(made_scorer),), says)())
    ahead = (pd.to_datetime(rows["next_purchase_by"]) - pd.Timestamp(rows["as_of"][0])).dt.days
    assert ahead.tolist()[:3] == [0, 0, 1]
    assert rows["next_purchase_by"].isna().tolist() == [False, False, False, True, True]
    assert rows["stage"].notna().all()
    assert rows["abstained"][3] == "no number from the model: next_purchase_by"
    assert "next_purchase_by" in rows["abstained"][4]
    assert rows["abstained"][4].startswith("spend far beyond what was seen: ")


def test_a_stale_log_leaves_the_model_silent_about_everybody(people, scored, made_scorer):
    reach = SimpleNamespace(stale=lambda _: "the log is silent", beyond=None)
    scorer = type("Held", (type(made_scorer),), {"reach": reach})()
    rows, _ = scored(people(30), scorer=scorer)
    assert rows["churn_probability"].isna().all() and rows["clv"].isna().all()
    assert rows["abstained"].str.startswith("the log is silent: churn_probability").all()
    assert rows["stage"].notna().all()
