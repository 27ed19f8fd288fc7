"""What holds for the churn model and the logistic regression alike."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, logit
from sklearn.base import clone
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from training.errors import NotEnoughData, StatisticalWarning
from training.learners.calibration import Sigmoid
from training.learners.churn import ChurnModel
from training.learners.logistic import LogisticModel

MODELS = [ChurnModel, LogisticModel]
both = pytest.mark.parametrize("kind", MODELS)

REFUSAL = "one fate is a refusal of its own, NotEnoughData, which is no ValueError"


def expected_failures(model: ChurnModel | LogisticModel) -> dict[str, str]:
    """scikit-learn's checks that cannot hold here, each with the reason."""
    failing = {"check_classifiers_one_label": REFUSAL, "check_fit2d_1sample": REFUSAL}
    if isinstance(model, ChurnModel):
        failing["check_sample_weight_equivalence_on_dense_data"] = (
            "rows are bagged and leaves have a least count, so a row with weight 2 is not two rows"
        )
    return failing


@parametrize_with_checks(
    [kind() for kind in MODELS], expected_failed_checks=expected_failures, legacy=True
)
def test_scikit_learn_conventions_hold(estimator, check):
    check(estimator)


def customers(n: int, seed: int = 0, shift: float = 0.0) -> tuple[pd.DataFrame, ...]:
    """Customers whose true log-odds of churn are known.

    They rise with the days away and fall with the orders; "gold" members stay, and an age that
    is missing (a third) raises the risk. `noise` has no part in it. Returns the frame, who
    churned, and the true probability.
    """
    rng = np.random.default_rng(seed)
    days, orders = rng.gamma(2.0, 40.0, n), rng.poisson(4.0, n)
    plan = rng.choice(np.array(["gold", "silver", "free"], dtype=object), n)
    unknown = rng.random(n) < 1 / 3
    truth = expit(
        1.2 * (np.log1p(days) - 4.0) - 0.3 * (orders - 4) - 1.5 * (plan == "gold") + unknown + shift
    )
    frame = pd.DataFrame(
        {
            "days": days,
            "orders": orders,
            "plan": plan,
            "age": np.where(unknown, np.nan, rng.normal(45.0, 12.0, n)),
            "noise": rng.normal(size=n),
        }
    )
    return frame, (rng.random(n) < truth).astype(int), truth


@pytest.fixture(scope="module", params=MODELS)
def fitted(request) -> ChurnModel | LogisticModel:
    """Each model, fitted on 3,000 customers and calibrated on 1,500 others."""
    frame, churned, _ = customers(3_000)
    later, fate, _ = customers(1_500, seed=1, shift=0.5)
    return request.param().fit(frame, churned).calibrate(later, fate)


@pytest.fixture(scope="module")
def asked() -> pd.DataFrame:
    """500 customers that no model was fitted on."""
    return customers(500, seed=2)[0]


def test_the_columns_are_stays_and_churns_and_add_up(fitted, asked):
    probability = fitted.predict_proba(asked)
    assert probability.shape == (500, 2)
    assert list(fitted.classes_) == [0, 1]
    assert ((probability > 0) & (probability < 1)).all()
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, atol=1e-15)
    # Long absent without orders against the opposite: the second column is the risk.
    extremes = asked.iloc[:2].assign(days=[400.0, 1.0], orders=[0, 12], plan=["free", "gold"])
    risk = fitted.predict_proba(extremes)[:, 1]
    assert risk[0] > 0.8 > 0.2 > risk[1]
    np.testing.assert_array_equal(fitted.predict(extremes), [1, 0])


@both
def test_with_enough_data_it_comes_close_to_the_truth(kind):
    model = kind().fit(*customers(20_000)[:2]).calibrate(*customers(5_000, seed=2)[:2])
    frame, churned, truth = customers(20_000, seed=1)
    risk = model.predict_proba(frame)[:, 1]
    assert log_loss(churned, risk) < log_loss(churned, truth) + 0.01
    assert risk.mean() == pytest.approx(truth.mean(), abs=0.02)


def test_contributions_sum_to_the_calibrated_log_odds(fitted, asked):
    parts = fitted.contributions(asked)
    assert list(parts.columns) == [*asked.columns, "bias"]
    np.testing.assert_allclose(parts.sum(axis=1), logit(fitted.predict_proba(asked)[:, 1]))
    np.testing.assert_allclose(parts.sum(axis=1), fitted.decision_function(asked), atol=1e-12)
    assert parts.index.equals(asked.index)


def test_contributions_name_the_drivers(fitted, asked):
    pushed = fitted.contributions(asked.assign(days=400.0))["days"]
    pulled = fitted.contributions(asked.assign(days=5.0))["days"]
    assert (pushed > 0).all()
    assert (pulled < 0).all()
    size = fitted.contributions(asked).abs().mean()
    assert size["noise"] < 0.2 * min(size[["days", "orders", "plan", "age"]])


def test_a_saved_model_predicts_the_same_bits(fitted, asked, tmp_path):
    fitted.save(tmp_path / "model")
    again = type(fitted).load(tmp_path / "model")
    np.testing.assert_array_equal(again.predict_proba(asked), fitted.predict_proba(asked))
    pd.testing.assert_frame_equal(
        again.contributions(asked), fitted.contributions(asked), check_exact=True
    )
    assert again.get_params() == fitted.get_params()
    pd.testing.assert_series_equal(again.importance(), fitted.importance())


def test_the_folder_holds_text_only(fitted, tmp_path):
    fitted.save(tmp_path)
    assert {path.suffix for path in tmp_path.iterdir()} <= {".json", ".txt"}
    for path in tmp_path.iterdir():
        path.read_text(encoding="utf-8")
    fitted.save(tmp_path)  # a second save replaces the first
    json.loads((tmp_path / fitted._file).read_text(encoding="utf-8"))


def test_a_customer_alone_gets_the_bits_of_the_table(fitted, asked):
    table = fitted.predict_proba(asked)
    alone = [fitted.predict_proba(asked.iloc[[i]]) for i in range(0, 500, 25)]
    np.testing.assert_array_equal(np.vstack(alone), table[::25])


def test_columns_are_taken_by_name(fitted, asked):
    turned = asked.assign(extra=1.0)[["extra", *reversed(asked.columns)]]
    np.testing.assert_array_equal(fitted.predict_proba(turned), fitted.predict_proba(asked))
    with pytest.raises(ValueError, match="Missing column 'days'"):
        fitted.predict_proba(asked.drop(columns="days"))


def test_no_customers_are_no_rows(fitted, asked):
    assert fitted.predict_proba(asked.iloc[:0]).shape == (0, 2)
    assert fitted.contributions(asked.iloc[:0]).shape == (0, 6)


def test_a_level_never_seen_counts_as_missing(fitted, asked):
    unseen, missing = asked.assign(plan="platinum"), asked.assign(plan=None)
    np.testing.assert_array_equal(fitted.predict_proba(unseen), fitted.predict_proba(missing))


def test_importance_is_shares_with_the_noise_last(fitted):
    shares = fitted.importance()
    assert set(shares.index) == {"days", "orders", "plan", "age", "noise"}
    assert shares.sum() == pytest.approx(1.0)
    assert shares.is_monotonic_decreasing
    assert shares.index[-1] == "noise"


@both
def test_a_second_fit_gives_the_same_bits(kind, asked):
    frame, churned, _ = customers(1_000)
    first, second = (kind().fit(frame, churned).predict_proba(asked) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@both
def test_calibration_moves_the_level_and_keeps_the_order(kind, asked):
    model = kind().fit(*customers(3_000)[:2])
    before = model.predict_proba(asked)[:, 1]
    later, fate, _ = customers(4_000, seed=1, shift=1.0)
    model.calibrate(later, fate)
    assert model.predict_proba(later)[:, 1].mean() == pytest.approx(fate.mean(), abs=0.002)
    after = model.predict_proba(asked)[:, 1]
    np.testing.assert_array_equal(np.argsort(before, kind="stable"), np.argsort(after))


@both
def test_a_new_fit_forgets_the_old_calibration(kind):
    frame, churned, _ = customers(800)
    model = kind().fit(frame, churned).calibrate(*customers(800, seed=1)[:2])
    assert model.fit(frame, churned).sigmoid_ == Sigmoid()


@both
def test_a_later_snapshot_of_one_fate_leaves_it_uncalibrated(kind):
    frame, churned, _ = customers(800)
    model = kind().fit(frame, churned)
    with pytest.warns(StatisticalWarning, match="one fate"):
        model.calibrate(frame, np.zeros(800, dtype=int))
    assert model.sigmoid_ == Sigmoid()


@both
@pytest.mark.parametrize("fate", [0, 1])
def test_one_fate_is_refused(kind, fate):
    frame, _, _ = customers(50)
    with pytest.raises(NotEnoughData, match="Only one class: all 50 customers"):
        kind().fit(frame, np.full(50, fate))


@both
def test_columns_that_never_vary_are_refused_when_there_are_no_others(kind):
    frame, churned, _ = customers(200)
    constant = pd.DataFrame({"a": np.ones(200), "b": ["x"] * 200, "c": [None] * 200})
    with pytest.raises(NotEnoughData, match="None of the 3 columns varies over the 200"):
        kind().fit(constant, churned)
    model = kind().fit(constant.assign(days=frame["days"]), churned)
    risk = model.predict_proba(constant.assign(days=frame["days"]))[:, 1]
    assert roc_auc_score(churned, risk) > 0.6


@both
def test_empty_columns_of_every_type_change_nothing(kind, asked):
    """As the catalogue's columns are where a source is absent."""
    frame, churned, _ = customers(600)
    empty = {"care": np.nan, "first_month": pd.Series([None] * 600, dtype="str"), "none": None}
    model = kind().fit(frame.assign(**empty), churned)
    plain = kind().fit(frame, churned)
    wide = asked.assign(care=3.0, first_month="7", none="x")
    np.testing.assert_allclose(model.predict_proba(wide), plain.predict_proba(asked), atol=1e-6)
    assert (model.contributions(wide)[list(empty)].abs() < 1e-6).all(axis=None)


@both
def test_any_two_labels_do_and_the_greater_is_churn(kind, asked):
    frame, churned, _ = customers(800)
    words = np.where(churned == 1, "left", "here")
    model = kind().fit(frame, words)
    assert list(model.classes_) == ["here", "left"]
    expected = kind().fit(frame, churned).predict_proba(asked)
    np.testing.assert_array_equal(model.predict_proba(asked), expected)
    flags = kind().fit(frame, churned.astype(bool))
    np.testing.assert_array_equal(flags.predict_proba(asked), expected)


@both
def test_labels_that_were_not_learned_are_refused(kind):
    frame, churned, _ = customers(100)
    model = kind().fit(frame, churned)
    with pytest.raises(ValueError, match=r"among them \[2\]; expected one of \[0, 1\]"):
        model.calibrate(frame, churned * 2)
    with pytest.raises(ValueError, match="Got 99 labels for 100 customers"):
        model.calibrate(frame, churned[1:])
    with pytest.raises(ValueError, match="binary"):
        kind().fit(frame, np.arange(100) % 3)


@both
def test_plain_matrices_work_too(kind):
    frame, churned, _ = customers(400)
    matrix = frame[["days", "orders", "age"]].to_numpy()
    model = kind().fit(matrix, churned)
    named = kind().fit(frame[["days", "orders", "age"]], churned)
    np.testing.assert_array_equal(
        model.predict_proba(matrix), named.predict_proba(frame[["days", "orders", "age"]])
    )


@both
def test_weights_count(kind, asked):
    frame, churned, _ = customers(2_000)
    doubled = pd.concat([frame, frame], ignore_index=True)
    both_ways = np.r_[churned, 1 - churned]
    weights = np.r_[np.full(2_000, 1.0), np.full(2_000, 0.001)]
    model = kind().fit(doubled, both_ways, sample_weight=weights)
    plain = kind().fit(frame, churned)
    close = np.corrcoef(model.decision_function(asked), plain.decision_function(asked))[0, 1]
    assert close > 0.95
    with pytest.raises(ValueError, match="at least one non-zero"):
        kind().fit(frame, churned, sample_weight=np.zeros(2_000))


@both
def test_a_folder_without_the_model_says_what_it_expected(kind, tmp_path):
    with pytest.raises(FileNotFoundError, match=f"No {kind.__name__} in .*expected {kind._file}"):
        kind.load(tmp_path)


@both
def test_another_format_is_refused(kind, tmp_path):
    kind().fit(*customers(200)[:2]).save(tmp_path)
    path = tmp_path / kind._file
    head = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(head | {"format": 99}), encoding="utf-8")
    with pytest.raises(ValueError, match="of format 99"):
        kind.load(tmp_path)


@both
def test_a_clone_is_unfitted_with_the_same_parameters(kind):
    model = kind().fit(*customers(200)[:2])
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "encoder_")
