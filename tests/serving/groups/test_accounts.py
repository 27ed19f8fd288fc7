"""Accounts: sums of their customers, all of whom have to leave, the fewest who hold the profit."""

from __future__ import annotations

from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.opening import connection
from serving.groups import accounts, ledger, tiers


def rolled(rows: pd.DataFrame) -> pd.DataFrame:
    """Accounts of rows with a customer, an account, a risk and a value."""
    scores = rows.drop(columns="account").assign(expected_spend=1.0, expected_purchases=2.0)
    kinds = {"customer_id": "string", "churn_probability": "float64", "clv": "float64"}
    kinds |= {"expected_spend": "float64", "expected_purchases": "float64"}
    belonging = rows[["customer_id", "account"]]
    given_ = ibis.memtable(belonging, schema={"customer_id": "string", "account": "string"})
    return accounts.accounts(ibis.memtable(scores[list(kinds)], schema=kinds), given_).to_pandas()


@pytest.mark.golden
def test_an_account_by_hand():
    """Two buyers of Acme: 0.5 · 0.2 leave both; 0.5 · 100 + 0.2 · 50 is expected to be lost."""
    rows = pd.DataFrame(
        {
            "customer_id": ["a", "b", "c", "d"],
            "account": ["Acme", "Acme", None, "Zeta"],
            "churn_probability": [0.5, 0.2, 0.9, 0.0],
            "clv": [100.0, 50.0, 10.0, np.nan],
        }
    )
    got = rolled(rows).set_index("account")
    assert got.loc["Acme", ["customers", "clv", "clv_at_risk"]].tolist() == [2, 150.0, 60.0]
    assert got.loc["Acme", "churn_probability"] == pytest.approx(0.1)
    assert got.loc["Acme", "expected_purchases"] == 4.0
    assert got["named"].to_dict() == {"Acme": True, "c": False, "Zeta": True}
    assert got["is_key"].to_dict() == {"Acme": True, "c": False, "Zeta": False}
    assert got.loc["Zeta", "churn_probability"] == 0.0
    assert np.isnan(got.loc["Zeta", "clv"])


def test_a_customer_named_as_an_account_is_not_mixed_up_with_it():
    rows = pd.DataFrame({"customer_id": ["a", "b"], "account": [None, "a"], "clv": [1.0, 2.0]})
    got = rolled(rows.assign(churn_probability=0.5))
    assert sorted(zip(got["account"], got["named"], got["clv"], strict=True)) == [
        ("a", False, 1.0),
        ("a", True, 2.0),
    ]


@settings(max_examples=25)
@given(st.lists(st.integers(-20, 500), min_size=1, max_size=30))
def test_key_accounts_are_those_that_the_tiers_would_choose(history, worths):
    """With one customer an account, the cut is that of `serving.groups.tiers`."""
    clv = np.array(worths, dtype=float)
    names = [f"c{place}" for place in range(len(clv))]
    rows = pd.DataFrame({"customer_id": names, "account": names, "clv": clv})
    got = rolled(rows.assign(churn_probability=0.5)).set_index("account").loc[names, "is_key"]
    cut = tiers.learn(history(spend=np.full(len(clv), 50.0)), clv).key
    assert got.tolist() == [cut is not None and value >= cut for value in clv]


def test_accounts_add_up_to_the_score_table(tmp_path: Path, score_file):
    frame = score_file(tmp_path / "scores.parquet", 200)
    names = [None if n % 5 == 0 else f"firm {n % 17}" for n in range(200)]
    rows = pd.DataFrame({"customer_id": frame["customer_id"].astype(str), "account": names})
    rows.to_parquet(tmp_path / "accounts.parquet")
    engine = connection.duckdb()
    got = accounts.accounts(
        ledger.scores(engine, tmp_path / "scores.parquet"),
        ledger.behaviour(engine, tmp_path / "accounts.parquet"),
    ).to_pandas()
    assert got["customers"].sum() == 200
    assert got["clv"].sum() == pytest.approx(float(frame["clv"].sum()), abs=1e-3)
    lost = float((frame["clv"] * frame["churn_probability"]).sum())
    assert got["clv_at_risk"].sum() == pytest.approx(lost, abs=1e-3)
    assert (~got["named"]).sum() == 40
