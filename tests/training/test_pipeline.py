"""A whole training: what it leaves behind, and what it must never have seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import mlflow
import numpy as np
import pandas as pd
import pytest

from features.inputs import Inputs
from tests.training.conftest import AS_OF, FIRST, HORIZON, as_inputs
from training import pipeline
from training.asked import Asked
from training.errors import NotEnoughData
from training.evidence import Evidence, Order
from training.pipeline import Training, gather, train
from training.runs import registry, report
from training.scorer import PREDICTED, Scorer
from training.settings import ChurnSettings, ValueSettings
from training.windows.panel import behaviour_frame, schedule
from training.windows.swing import of


def _gathered(inputs: Inputs, order: Order) -> Evidence:
    return gather(inputs, order, Asked(order.churn, order.value, order.seed), lambda *_: None)


def _files(scorer: Scorer, folder: Path) -> dict[str, bytes]:
    scorer.save(folder)
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_the_first_training_becomes_champion(
    trained: Training, order: Callable[..., Order]
) -> None:
    assert trained.verdict.passed
    found = registry.champion(order().tracking_uri, "shop")
    assert found is not None
    assert found.version == trained.version == "1"
    assert Scorer.load(found.path).trained_as_of == AS_OF


def test_the_same_training_again_is_refused_and_the_champion_stays(
    shop: Inputs, trained: Training, order: Callable[..., Order]
) -> None:
    again = train(shop, order())
    assert not again.verdict.passed
    assert "not better" in again.verdict.why
    assert registry.champion_version(order().tracking_uri, "shop") == trained.version
    newest = registry.versions(order().tracking_uri, "shop")[0]
    assert newest.version == again.version
    assert newest.aliases == ("challenger",)


def test_days_from_the_as_of_date_on_change_nothing(
    shop_log: pd.DataFrame, trained: Training, order: Callable[..., Order], tmp_path: Path
) -> None:
    known = shop_log[shop_log["day"] < (AS_OF - FIRST).days]
    assert len(known) < len(shop_log)
    blind = _gathered(as_inputs(known), order())
    assert blind.data == trained.evidence.data
    assert _files(blind.scorer, tmp_path / "a") == _files(trained.evidence.scorer, tmp_path / "b")


def test_nothing_of_the_test_window_reaches_the_tested_models(
    shop_log: pd.DataFrame, trained: Training, order: Callable[..., Order], tmp_path: Path
) -> None:
    window = (AS_OF - FIRST).days - HORIZON
    inside = (shop_log["day"] >= window) & (shop_log["day"] < window + HORIZON)
    other = shop_log.assign(amount=shop_log["amount"].where(~inside, 1.0))
    other = other[~inside | (other["who"] % 2 == 0)]
    found = _gathered(as_inputs(other), order())
    assert found.twin is not None
    assert trained.evidence.twin is not None
    speaker = trained.evidence.twin.speaker
    mine, theirs = found.tested.newest, trained.evidence.tested.newest
    asked = Asked(order().churn, order().value)
    assert mine is not None
    assert theirs is not None
    assert _files(mine.scorer(speaker, asked, {}), tmp_path / "a") == _files(
        theirs.scorer(speaker, asked, {}), tmp_path / "b"
    )


def test_the_runs_hold_what_a_reviewer_asks_for(
    trained: Training, order: Callable[..., Order]
) -> None:
    api = registry.client(order().tracking_uri)
    parent = api.get_run(trained.run_id)
    assert parent.data.params["horizon_days"] == str(HORIZON)
    assert parent.data.tags["data_fingerprint"] == trained.evidence.data.digest
    assert parent.data.tags["code_version"] == "test"
    names = {item.path for item in api.list_artifacts(trained.run_id)}
    assert {"model_card.md", "settings.json", "backtest.csv", "tested_scorer"} <= names
    children = api.search_runs(
        [parent.info.experiment_id], f"tags.mlflow.parentRunId = '{trained.run_id}'"
    )
    plots = {
        child.info.run_name: {
            Path(item.path).name for item in api.list_artifacts(child.info.run_id, "plots")
        }
        for child in children
    }
    churn = {"calibration", "lift", "gain", "feature_importance"}
    assert {f"{name}.{end}" for name in churn for end in ("html", "png")} == plots["churn"]
    assert {"deciles.html", "deciles.png"} == plots["value"]
    (value,) = [child for child in children if child.info.run_name == "value"]
    choice = trained.evidence.fitted.choice
    assert choice is not None
    assert value.data.params["purchase_model"] == choice.family.purchases
    assert value.data.metrics["choice.mbg_nbd.gain"] == choice.gains["mbg_nbd"]
    assert value.data.metrics["independence.p_value"] == choice.values.p_value
    card = report.model_card(trained.evidence, order())
    assert choice.in_words() in card
    assert choice.values.in_words() in card
    swing = of(trained.evidence.scorer)
    assert swing is not None
    assert f"Totals over all customers: {swing.in_words()}." in card
    assert parent.data.metrics["swing.spend"] == swing.spend


def test_the_registered_model_scores_with_plain_mlflow_and_no_pickle(
    shop: Inputs, trained: Training, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    frame = behaviour_frame(shop, AS_OF, horizon_days=HORIZON)
    numbers = frame.select_dtypes("number").columns
    rows = frame.drop(columns=["customer_id", "as_of"]).astype(dict.fromkeys(numbers, "float64"))
    with registry.pointed(order().tracking_uri):
        model = mlflow.pyfunc.load_model(f"models:/regulars-shop/{trained.version}")
        answer = model.predict(rows, params={"contributions": True})
    expected = trained.evidence.scorer.predict(frame)
    pd.testing.assert_frame_equal(answer[list(PREDICTED)], expected, check_exact=True)
    assert any(name.startswith("contribution_") for name in answer.columns)


def test_no_artifact_is_a_pickle_and_none_names_a_customer(trained: Training, store: Path) -> None:
    files = [path for path in (store / "artifacts").rglob("*") if path.is_file()]
    assert files
    for path in files:
        assert path.suffix not in {".pkl", ".pickle", ".dill", ".joblib"}
        body = path.read_bytes()
        assert not body.startswith(b"\x80\x04")
        assert b"id-00" not in body


def test_a_short_log_leaves_the_value_model_alone_and_says_so(
    shop: Inputs, order: Callable[..., Order]
) -> None:
    early = order(as_of=FIRST + timedelta(days=110), churn=ChurnSettings(horizon_days=180))
    found = _gathered(shop, early)
    assert found.scorer.speaker == "value"
    assert found.grades == {}
    assert any("value model speaks alone" in note for note in found.notes)


def test_amounts_that_came_in_another_unit_are_a_note_of_the_training(
    shop_log: pd.DataFrame, trained: Training, order: Callable[..., Order], tmp_path: Path
) -> None:
    said = "Amounts seem to change their unit"
    assert not any(said in note for note in trained.evidence.notes)
    cents = shop_log.assign(
        amount=shop_log["amount"].where(shop_log["day"] < 60, shop_log["amount"] * 100)
    )
    early = order(
        as_of=FIRST + timedelta(days=110),
        churn=ChurnSettings(horizon_days=180),
        tracking_uri=f"sqlite:///{tmp_path}/mlflow.db",
        artifact_root=tmp_path,
    )
    (note,) = [note for note in train(as_inputs(cents), early).evidence.notes if said in note]
    assert "times higher" in note


def test_a_log_shorter_than_the_horizon_is_graded_over_shorter_windows(
    shop: Inputs, order: Callable[..., Order]
) -> None:
    early = order(as_of=FIRST + timedelta(days=200), churn=ChurnSettings(horizon_days=180))
    found = _gathered(shop, early)
    assert found.scorer.speaker == "blend"
    assert found.grades == {}
    assert found.others[60]
    assert any("shorter windows are graded instead" in note for note in found.notes)
    predicted = found.scorer.predict(behaviour_frame(shop, early.as_of, horizon_days=180))
    assert predicted["expected_spend_upper"].notna().all(), "the spread is of shorter windows"


def test_too_little_for_any_model_is_refused_with_what_is_missing(
    shop_log: pd.DataFrame, order: Callable[..., Order]
) -> None:
    few = as_inputs(shop_log[shop_log["who"] < 5])
    with pytest.raises(NotEnoughData, match="repeat"):
        _gathered(few, order())


def test_an_as_of_date_before_the_log_is_refused(shop: Inputs, order: Callable[..., Order]) -> None:
    with pytest.raises(NotEnoughData, match="no accepted transaction before 2022-01-01"):
        _gathered(shop, order(as_of=FIRST.replace(year=2022, day=1)))


def test_a_search_looks_at_no_window_that_grades() -> None:
    plan, asked = schedule(FIRST, AS_OF, HORIZON), Asked(ChurnSettings(), ValueSettings())
    origin, kept = pipeline._searchable(plan, asked)
    assert origin is not None
    assert origin in kept.tests
    assert kept.tests == plan.tests[: len(kept.tests)]
    graded = min(test.at for test in kept.tests)
    assert max(origin.dates) + timedelta(days=asked.window_days) <= graded
    train, (later,) = pipeline._stages(origin, asked)
    assert train
    assert max(train) + timedelta(days=asked.window_days) <= later


def test_the_trials_of_a_search_are_child_runs(shop: Inputs, order: Callable[..., Order]) -> None:
    seen: list[tuple] = []
    done = train(shop, order("searched", trials=2), lambda *step: seen.append(step))
    api = registry.client(order().tracking_uri)
    experiment = api.get_run(done.run_id).info.experiment_id
    children = api.search_runs([experiment], f"tags.mlflow.parentRunId = '{done.run_id}'")
    assert {"trial 0", "trial 1", "churn", "value"} == {c.info.run_name for c in children}
    assert ("search", 2, 2) in seen


@pytest.mark.postgres
def test_postgresql_behind_mlflow_holds_runs_versions_and_history(
    shop: Inputs, order: Callable[..., Order], postgres: tuple, tmp_path: Path
) -> None:
    server, database = postgres
    uri = server.uri(database).replace("postgresql://", "postgresql+psycopg://")
    done = train(shop, order(tracking_uri=uri, artifact_root=tmp_path / "artifacts"))
    champion = registry.champion(uri, "shop")
    assert champion is not None
    assert champion.version == done.version
    assert [c.to_version for c in registry.history(uri, "shop")] == [done.version]


def test_the_settings_of_value_reach_the_scorer(shop: Inputs, order: Callable[..., Order]) -> None:
    early = {"as_of": FIRST + timedelta(days=200), "churn": ChurnSettings(horizon_days=180)}
    thin = _gathered(shop, order(**early, value=ValueSettings(margin=0.1)))
    fat = _gathered(shop, order(**early, value=ValueSettings(margin=0.2)))
    frame = behaviour_frame(shop, early["as_of"], horizon_days=180)
    ratio = fat.scorer.predict(frame)["clv"] / thin.scorer.predict(frame)["clv"]
    np.testing.assert_allclose(ratio, 2.0)
