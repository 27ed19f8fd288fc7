"""A business of subscribers from its settings to its score table: check, train, score."""

from __future__ import annotations

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from regulars import cli
from training.subscriptions import simulate

EXAMPLE = Path(__file__).parents[2] / "examples" / "streaming.toml"
FIRST, DAYS, LATER = date(2023, 1, 1), 330, 60
AS_OF = FIRST + timedelta(days=DAYS)
WORDS = {"voluntary": "cancelled", "involuntary": "Card declined"}
BUSINESS = simulate.Business(
    plans={name: plan for name, plan in simulate.Business().plans.items() if name != "annual"}
)


def run(config: Path, *arguments: str, code: int = 0) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "-c", str(config), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else result.stderr


@pytest.fixture(scope="module")
def paid() -> pd.DataFrame:
    """Paid periods of 4,000 customers, the 60 days after the as-of date among them."""
    random = np.random.default_rng(11)
    return simulate.periods(BUSINESS, 4_000, FIRST, DAYS + LATER, random)


@pytest.fixture(scope="module")
def service(paid, tmp_path_factory, empty_mlflow) -> Path:
    """The example's settings on one row a subscription, with the words of the example."""
    folder = tmp_path_factory.mktemp("streaming")
    rows = simulate.subscriptions(paid)
    rows["end_reason"] = rows["end_reason"].map(WORDS)
    named = {"customer_id": "customer", "start": "started", "end": "ended", "end_reason": "reason"}
    rows.rename(columns=named).to_csv(folder / "subscriptions.csv", index=False)
    text = EXAMPLE.read_text().replace("${REGULARS_DATA}", str(folder))
    text = text.replace("horizon_days = 90", f"horizon_days = {LATER}")
    (folder / "regulars.toml").write_text(text)
    store = folder / ".regulars" / "streaming"
    store.mkdir(parents=True)
    shutil.copy(empty_mlflow, store / "mlflow.db")
    return folder / "regulars.toml"


@pytest.fixture(scope="module")
def trained(service) -> dict[str, Any]:
    return run(service, "train", "--as-of", str(AS_OF))


@pytest.fixture(scope="module")
def scores(service, trained) -> pd.DataFrame:
    out = service.parent / "scores.csv"
    found = run(service, "score", "--as-of", str(AS_OF), "--out", str(out))
    assert found["counts"]["customers"] > 1_000
    assert len(pd.read_csv(out)) == found["counts"]["customers"]
    return pq.read_table(found["paths"][0], partitioning=None).to_pandas()


def test_the_check_says_what_there_is_and_what_it_is_enough_for(service):
    found = run(service, "check")
    (source,) = found["sources"]
    assert source["source"] == "subscriptions" and source["rejected"] == {}
    assert {one["question"]: one["ready"] for one in found["answers"]} == dict.fromkeys(
        ("retention", "risk", "grade", "value"), True
    )
    assert found["obstacle"] is None


def test_the_first_training_is_graded_and_becomes_champion(trained):
    assert trained["promoted"]
    assert set(trained["grades"]) == {"risk", "purchases", "spend"}


def test_everyone_who_runs_is_scored_once_and_no_one_else(scores, paid):
    rows = simulate.subscriptions(paid)
    day = np.datetime64(AS_OF)
    runs = (rows["start"] < day) & ~(rows["end"] < day)
    assert scores["customer_id"].is_unique
    assert set(scores["customer_id"]) == set(rows["customer_id"][runs])


def test_what_came_of_it_is_what_was_said(scores, paid):
    """60 days that the model has not seen: who left, how many renewals, and how much."""
    rows = simulate.subscriptions(paid)
    day, end = np.datetime64(AS_OF), np.datetime64(AS_OF + timedelta(days=LATER))
    closed = rows[rows["end_reason"].notna() & (rows["end"] >= day) & (rows["end"] < end)]
    left = scores["customer_id"].isin(closed["customer_id"])
    said = scores["churn_probability"]
    assert said.sum() == pytest.approx(left.sum(), rel=0.12)
    high = said >= said.quantile(0.9)
    assert left[high].mean() > 1.3 * left.mean()
    came = paid[(paid["start"] >= day) & (paid["start"] < end)]
    came = came[came["customer_id"].isin(scores["customer_id"])]
    assert scores["expected_purchases"].sum() == pytest.approx(len(came), rel=0.08)
    assert scores["expected_spend"].sum() == pytest.approx(came["price"].sum(), rel=0.10)


def test_the_columns_say_what_a_contract_tells(scores):
    assert (scores["next_purchase_by"] >= AS_OF).all()
    assert (scores["next_purchase_by"] <= AS_OF + timedelta(days=31)).all()
    assert set(scores["stage"]) >= {"new", "growing", "loyal", "won_back"}
    assert set(scores["tier"]) >= {"key", "core"}
    assert scores[["p_alive", "rfm", "potential_value"]].isna().all(axis=None)
    assert set(scores["abstained"]) == {"not asked of subscriptions: p_alive, potential_value, rfm"}
    inside = scores["expected_purchases"].between(
        scores["expected_purchases_lower"] - 1, scores["expected_purchases_upper"] + 1
    )
    assert inside.all()


def test_reasons_tell_what_moves_the_risk_and_not_what_is_on_record_besides(scores, paid):
    """Here a rise of the price and the plan move it; a payment that failed before does not."""
    rows = simulate.subscriptions(paid)
    ended = rows[rows["end"] < np.datetime64(AS_OF)].dropna(subset="end_reason")
    back = scores[scores["customer_id"].isin(ended["customer_id"])]
    assert set(back["stage"]) <= {"won_back", "loyal", "at_risk"}
    failed = ended["customer_id"][ended["end_reason"] == "involuntary"]
    texts = [one["text"] for row in scores["reasons"] for one in row]
    assert any("price went up" in text for text in texts)
    assert any("on the plan" in text for text in texts)
    of_failed = back["customer_id"].isin(failed)
    said = [any("payment failed" in one["text"] for one in row) for row in scores["reasons"]]
    assert set(scores["customer_id"][said]) <= set(back["customer_id"][of_failed])
    assert of_failed.sum() > 20 and sum(said) < 0.1 * of_failed.sum()


def test_months_and_failed_payments_come_as_they_were_said(scores, paid):
    """The columns of subscribers against the 60 days after, and the year that is simulated."""
    rows = simulate.subscriptions(paid)
    day, end = np.datetime64(AS_OF), np.datetime64(AS_OF + timedelta(days=LATER))
    closed = rows[rows["end_reason"].notna() & (rows["end"] >= day) & (rows["end"] < end)]
    closed = closed[closed["customer_id"].isin(scores["customer_id"])]
    failed = (closed["end_reason"] == "involuntary").sum()
    said = scores["involuntary_probability"]
    assert (said < scores["churn_probability"]).all()
    # 0.3 of the ends in simulate.Business.
    assert said.sum() == pytest.approx(failed, rel=0.25)
    assert said.sum() / scores["churn_probability"].sum() == pytest.approx(0.3, abs=0.05)
    months = scores["expected_months"]
    assert months.between(0, 365 / 30.4375 + 1e-9).all()
    assert np.corrcoef(months, scores["churn_probability"])[0, 1] < -0.5


def test_another_training_meets_the_gate(service, trained, scores):
    """The champion has seen the newest window, its twin has not: they are told apart."""
    again = run(service, "train", "--as-of", str(AS_OF))
    assert not again["promoted"]
    assert "log-loss" in again["why"]


def test_the_run_keeps_the_retention_and_the_card_the_words(service, trained):
    from mlflow.artifacts import download_artifacts

    from training.runs import registry

    uri = f"sqlite:///{service.parent}/.regulars/streaming/mlflow.db"
    kept = registry.client(uri).get_run(trained["run_id"]).data.params
    assert kept["speaker"] == "hazard" and float(kept["sbg.30.4375_days.alpha"]) > 0
    with registry.pointed(uri):
        place = download_artifacts(run_id=trained["run_id"], artifact_path="model_card.md")
    card = Path(place).read_text()
    assert "leave at the first renewal" in card and "were involuntary" in card
    assert "was not renewed within its grace" in card
    kinds = card[card.index("## Kinds of customers") : card.index("## Models")]
    for kind in ("plan", "tenure", "renewals", "stage", "tier"):
        assert f"| {kind} |" in kinds, kind
