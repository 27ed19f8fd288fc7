"""The label rule as a whole: what is left out, what is measured, and for whom it is true."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from features.inputs import Inputs
from tests.training.conftest import as_inputs
from training import fingerprint
from training.errors import NotEnoughData
from training.evidence import Evidence, Order
from training.fitting import Asked
from training.grading import metrics
from training.labels import crossfit, label_snapshot, labelled
from training.pipeline import gather, train
from training.runs import registry, report
from training.scorer import Scorer
from training.settings import ChurnSettings

BASE_RATE = 0.08


@pytest.fixture(autouse=True)
def _few_repeats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossfit, "REPEATS", 2)
    # A column that knows the answer bears any number of trees.
    monkeypatch.setattr(crossfit, "MOST_TREES", crossfit.FEWEST_TREES)


def gathered(inputs: Inputs, order: Order) -> Evidence:
    return gather(inputs, order, Asked(order.churn, order.value, order.seed), lambda *_: None)


def customers(n: int, seed: int, **more: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
    """Customers of whom those on a monthly plan, and the young, leave more often."""
    random = np.random.default_rng(seed)
    monthly, age = random.random(n) < 0.5, random.normal(40, 10, n)
    churned = random.random(n) < expit(np.where(monthly, -0.4, -2.2) - (age - 40) / 15)
    known = {
        "customer_id": [f"id-{number:05}" for number in range(n)],
        "attribute_plan": np.where(monthly, "monthly", "yearly"),
        "attribute_age": age,
        "churned": churned,
    }
    return pd.DataFrame(known | {name: made(churned) for name, made in more.items()})


def inputs(rows: pd.DataFrame, log: Inputs | None = None) -> Inputs:
    connection = ibis.duckdb.connect() if log is None else log.connection
    table = connection.create_table("customers", rows, temp=True)
    transactions = None if log is None else log.transactions
    return Inputs(transactions=transactions, customers=table, connection=connection)


@pytest.fixture
def asked(order: Callable[..., Order]) -> Callable[..., Order]:
    """Makes an order for a training under the label rule."""

    def make(name: str = "labelled", **churn: object) -> Order:
        return order(name, churn=ChurnSettings(rule="label", **churn))  # type: ignore[arg-type]

    return make


def test_labels_train_without_a_transaction_log(asked: Callable[..., Order]) -> None:
    found = gathered(inputs(customers(1_500, seed=3)), asked())
    figures = found.tested.figures.set_index(["model", "metric"])["figure"]
    speaker = found.scorer.speaker
    assert figures[speaker, "log_loss"] < figures["base_rate", "log_loss"]
    assert figures[speaker, "log_loss_spread"] < 0.02
    assert found.grades["risk"].letter == found.scorer.grades["risk"] == "B"
    predicted = found.scorer.predict(found.test)
    assert predicted["churn_probability"].between(0, 1).all()
    assert predicted[["clv", "expected_spend", "p_alive"]].isna().all(axis=None)
    # All of the behaviour is empty without a log, and nobody reads it.
    assert set(found.scorer.families) == {"attribute_plan", "attribute_age"}


def test_a_log_brings_behaviour_and_value_and_margins(
    shop_log: pd.DataFrame, asked: Callable[..., Order]
) -> None:
    log = as_inputs(shop_log)
    half = (log.transactions.amount.cast("float64") / 2).cast("decimal(18, 6)")
    log = replace(log, transactions=log.transactions.mutate(margin=half))
    found = gathered(inputs(customers(700, seed=1), log), asked())
    assert {"attribute_plan", "frequency", "value_p_alive"} <= set(found.scorer.families)
    assert found.test is not None
    assert not {"value_p_alive", "churned"} & {*found.test.columns, *found.example.columns}
    assert found.scorer.predict(found.test)["clv"].notna().any()
    assert found.scorer.margins is not None
    assert found.scorer.margin_rates(found.test) == pytest.approx(0.5)
    assert not {"margin_total", "margin_spend"} & set(found.scorer.families)


@pytest.mark.filterwarnings("ignore:The model does not rank:training.errors.StatisticalWarning")
def test_noise_is_graded_c(asked: Callable[..., Order]) -> None:
    rows = customers(600, seed=0)
    shuffled = rows.assign(churned=np.random.default_rng(1).permutation(rows["churned"]))
    found = gathered(inputs(shuffled), asked())
    assert found.grades["risk"].letter == "C"
    assert "not shown to be better" in found.grades["risk"].sentence


PLANTED = {"attribute_reason": lambda left: np.where(left, "moved", None)}


def test_what_knows_the_answer_is_left_out_and_said(asked: Callable[..., Order]) -> None:
    clean = gathered(inputs(customers(500, seed=3)), asked())
    found = gathered(inputs(customers(500, seed=3, **PLANTED)), asked())
    assert "attribute_reason" not in found.scorer.families
    assert found.test is not None
    assert not {"attribute_reason"} & {*found.test.columns, *found.example.columns}
    assert any(note.startswith("Left out") and "reason (" in note for note in found.notes)
    card = report.model_card(found, asked())
    assert "or that name customers: reason (the label in other words" in card
    assert "out of fold. Lifetime value" in card
    assert found.parameters["left_out"] == "attribute_reason"
    pd.testing.assert_frame_equal(found.tested.figures, clean.tested.figures)


def test_what_is_vouched_for_is_read_and_said(asked: Callable[..., Order]) -> None:
    rows = inputs(customers(500, seed=3, **PLANTED))
    found = gathered(rows, asked(keep=("reason",)))
    assert "attribute_reason" in found.scorer.families
    assert any("vouches" in note and "reason (" in note for note in found.notes)
    figures = found.tested.figures.set_index(["model", "metric"])["figure"]
    assert figures[found.scorer.speaker, "roc_auc"] > 0.98


def test_nothing_but_leaks_is_refused(asked: Callable[..., Order]) -> None:
    rows = customers(400, seed=3, **PLANTED)[["customer_id", "churned", "attribute_reason"]]
    with pytest.raises(NotEnoughData, match=r"no column is left .* reason \("):
        gathered(inputs(rows), asked())


def test_too_few_of_a_fate_are_refused(asked: Callable[..., Order]) -> None:
    rows = customers(400, seed=3)
    few = rows[~rows["churned"] | (rows["churned"].cumsum() < 50)]
    with pytest.raises(NotEnoughData, match=r"got 49 churned .* at least 50 of each"):
        gathered(inputs(few), asked())


def test_an_oversampled_table_answers_for_the_population(asked: Callable[..., Order]) -> None:
    """2,000 of either fate from a population in which one in twelve leaves.

    The corrected model is judged on 40,000 other customers of the population, and its figures out
    of fold have to be those that it has there. Standard errors: of the mean probability 0.002, of
    the log-losses 0.006 and 0.002.
    """
    people = customers(200_000, seed=0)
    less = people["churned"] & (np.random.default_rng(1).random(len(people)) > BASE_RATE / 0.3)
    people = people[~less]
    true = float(people["churned"].mean())
    others, chosen = people.iloc[:40_000], people.iloc[40_000:]
    part = pd.concat([chosen[chosen["churned"] == fate].head(2_000) for fate in (True, False)])
    found = gathered(inputs(part), asked(base_rate=true))
    naive = gathered(inputs(part), asked())
    left = others["churned"].to_numpy(int)
    said = found.scorer.predict(others)["churn_probability"].to_numpy()
    assert said.mean() == pytest.approx(left.mean(), abs=0.008)
    assert metrics.calibration_error(left, said) < 0.012
    assert metrics.calibration_error(left, naive.scorer.predict(others)["churn_probability"]) > 0.2
    figures = found.tested.figures.set_index(["model", "metric"])["figure"]
    here = metrics.classification_report(left, said)
    for name, give in (("log_loss", 0.015), ("roc_auc", 0.02), ("brier", 0.008)):
        assert figures[found.scorer.speaker, name] == pytest.approx(
            metrics.classification_report(1 - left, 1 - said)[name], abs=give
        )
    assert figures[found.scorer.speaker, "calibration_error"] < 0.012
    assert here["total_bias"] == pytest.approx(0.0, abs=0.1)
    assert found.test is not None
    assert 1 - found.test["returned"].mean() == pytest.approx(true, abs=1e-3)
    assert any("`base_rate`" in note for note in found.notes)


def test_figures_are_compared_on_the_same_rows_columns_and_shares_only(
    asked: Callable[..., Order],
) -> None:
    """A champion that read the answer would else shut out honest ones for ever."""

    def digest(rows: pd.DataFrame, order: Order) -> str:
        given = inputs(rows)
        found = label_snapshot.read(given, order, Asked(order.churn, order.value))
        return labelled._compared(fingerprint.of_customers(given.customers), found).digest

    one, other = (customers(300, seed, **PLANTED) for seed in (3, 4))
    digests = [
        digest(one, asked()),
        digest(one.sample(frac=1, random_state=0), asked()),
        digest(one, asked(keep=("reason",))),
        digest(one, asked(base_rate=0.1)),
        digest(other, asked()),
    ]
    assert digests[0] == digests[1]
    assert len(set(digests)) == 4


def test_the_same_training_is_judged_by_its_log_loss_and_reads_back_bit_for_bit(
    asked: Callable[..., Order], tmp_path: Path
) -> None:
    rows = inputs(customers(500, 3))
    first, again = train(rows, asked()), train(rows, replace(asked(), seed=1))
    assert first.verdict.passed
    assert "log-loss" in again.verdict.why
    assert set(again.verdict.figures) == {"challenger_log_loss", "champion_log_loss"}
    again.evidence.scorer.save(tmp_path / "scorer")
    test = again.evidence.test
    assert test is not None
    pd.testing.assert_frame_equal(
        Scorer.load(tmp_path / "scorer").predict(test), again.evidence.scorer.predict(test)
    )
    kept = registry.client(asked().tracking_uri).get_run(again.run_id).data
    assert kept.params["repeats"] == "2"
    assert kept.metrics["risk.log_loss_spread"] >= 0
    assert kept.tags["grade_risk"] == again.evidence.grades["risk"].letter
