"""Metrics: each with a perfect model, a constant one, and what must not change it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.errors import StatisticalWarning
from training.grading import metrics

Y = np.array([0, 0, 1, 1, 0, 1, 0, 0, 0, 0], dtype=float)
RATE = Y.mean()
CONSTANT = np.full(10, RATE)


@pytest.fixture(scope="module")
def honest() -> tuple[np.ndarray, np.ndarray]:
    """20,000 outcomes drawn from the probabilities that are given with them."""
    rng = np.random.default_rng(0)
    p = rng.beta(2.0, 3.0, 20_000)
    return (rng.random(20_000) < p).astype(float), p


@pytest.mark.parametrize(
    ("metric", "perfect", "constant"),
    [
        (metrics.roc_auc, 1.0, 0.5),
        (metrics.pr_auc, 1.0, RATE),
        (metrics.log_loss, 0.0, -(RATE * np.log(RATE) + (1 - RATE) * np.log(1 - RATE))),
        (metrics.brier, 0.0, RATE * (1 - RATE)),
        (metrics.calibration_error, 0.0, 0.0),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_perfect_model_and_the_base_rate_of_a_probability(metric, perfect, constant):
    """Constant values from the definitions: entropy and variance of a coin with the base rate."""
    assert metric(Y, Y) == pytest.approx(perfect, abs=1e-12)
    assert metric(Y, CONSTANT) == pytest.approx(constant)


@pytest.mark.parametrize(
    ("metric", "constant"),
    [(metrics.mae, 32.0), (metrics.rmse, np.sqrt(1280.0)), (metrics.total_bias, 0.0)],
    ids=["mae", "rmse", "total_bias"],
)
def test_a_perfect_model_and_the_mean_of_an_amount(metric, constant):
    """By hand: 0, 20, 20, 100, 60 has mean 40 and distances 40, 20, 20, 60, 20.

    Their mean is 160/5 = 32; their squares' mean (1600 + 400 + 400 + 3600 + 400)/5 = 1280.
    """
    spend = np.array([0.0, 20.0, 20.0, 100.0, 60.0])
    assert metric(spend, spend) == 0.0
    assert metric(spend, np.full(5, spend.mean())) == pytest.approx(constant)


def test_total_bias_is_relative_and_signed():
    spend = np.array([10.0, 30.0])
    assert metrics.total_bias(spend, spend * 1.25) == pytest.approx(0.25)
    assert metrics.total_bias(spend, spend * 0.5) == pytest.approx(-0.5)
    # Refunds beyond the sales: ten too many is still ten too many.
    assert metrics.total_bias(np.array([-30.0, 10.0]), np.array([-20.0, 10.0])) == 0.5


def test_total_bias_of_nothing_spent_is_undefined():
    with pytest.warns(StatisticalWarning, match="sum to 0"):
        assert np.isnan(metrics.total_bias(np.zeros(3), np.ones(3)))


@pytest.mark.parametrize("fate", [0.0, 1.0])
def test_one_fate_has_no_auc_but_has_a_log_loss(fate):
    y, p = np.full(5, fate), np.linspace(0.1, 0.9, 5)
    with pytest.warns(StatisticalWarning, match="ROC AUC is not defined"):
        assert np.isnan(metrics.roc_auc(y, p))
    expected = -np.log(p if fate else 1 - p).mean()
    assert metrics.log_loss(y, p) == pytest.approx(expected)


def test_without_a_positive_there_is_no_precision():
    with pytest.warns(StatisticalWarning, match="PR AUC is not defined"):
        assert np.isnan(metrics.pr_auc(np.zeros(4), np.linspace(0.1, 0.4, 4)))


def test_a_certain_miss_costs_much_but_not_everything():
    loss = metrics.log_loss(np.array([1.0]), np.array([0.0]))
    assert 30 < loss < 40


def test_ties_count_half_in_the_auc():
    """Of 2 · 2 pairs three are won and one is tied."""
    y, p = np.array([1.0, 1.0, 0.0, 0.0]), np.array([0.9, 0.5, 0.5, 0.1])
    assert metrics.roc_auc(y, p) == pytest.approx(3.5 / 4)


def test_the_truth_has_the_best_log_loss_and_brier(honest):
    y, p = honest
    for other in (np.sqrt(p), p**2, np.full(len(p), y.mean())):
        assert metrics.log_loss(y, p) < metrics.log_loss(y, other)
        assert metrics.brier(y, p) < metrics.brier(y, other)


def test_the_truth_is_calibrated_and_a_distortion_is_not(honest):
    y, p = honest
    # By chance alone about sqrt(2/π · p(1-p)/2000) ≈ 0.008 a bin.
    assert metrics.calibration_error(y, p) < 0.015
    assert metrics.calibration_error(y, np.clip(p + 0.1, 0, 1)) == pytest.approx(0.1, abs=0.015)


def test_the_calibration_table_covers_the_truth_and_counts_everyone(honest):
    y, p = honest
    table = metrics.calibration_table(y, p)
    assert table["customers"].tolist() == [2_000] * 10
    assert table["predicted"].is_monotonic_increasing
    assert ((table["lower"] <= table["observed"]) & (table["observed"] <= table["upper"])).all()
    # 90 % intervals miss one of ten on average; four would be a chance of 1 %.
    assert table["predicted"].between(table["lower"], table["upper"]).sum() >= 7


@pytest.mark.golden
def test_the_interval_is_wilsons():
    """Wilson (1927) with z = 1.645 for 5 of 10: 0.5 ± 1.645/(1 + 0.2706) · sqrt(0.025 + 0.006764).

    By hand: z²/n = 0.27055, half width = 1.64485/1.27055 · sqrt(0.025 + 0.0067638) = 0.23073.
    """
    table = metrics.calibration_table(np.repeat([0.0, 1.0], 5), np.full(10, 0.3))
    assert table["observed"].tolist() == [0.5]
    assert table["lower"][0] == pytest.approx(0.5 - 0.23073, abs=1e-5)
    assert table["upper"][0] == pytest.approx(0.5 + 0.23073, abs=1e-5)


def test_equal_probabilities_stay_in_one_bin():
    y = np.tile([0.0, 1.0], 50)
    p = np.r_[np.full(70, 0.2), np.linspace(0.3, 0.9, 30)]
    table = metrics.calibration_table(y, p)
    assert table["customers"].sum() == 100
    assert table["customers"].max() >= 70
    assert metrics.calibration_table(y, np.full(100, 0.5))["customers"].tolist() == [100]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=40), st.randoms())
def test_row_order_changes_nothing(rows, random):
    """Scores from six levels only, so that ties abound."""
    rows = [*rows, (True, 1), (False, 2)]
    shuffled = random.sample(rows, len(rows))
    reports = []
    for case in (rows, shuffled):
        y = np.array([float(fate) for fate, _ in case])
        p = np.array([level / 5 for _, level in case])
        reports.append(metrics.classification_report(y, p) | metrics.spend_report(y * 7, p))
    assert reports[0] == pytest.approx(reports[1])


def test_the_reports_hold_every_figure_and_all_are_finite(honest):
    y, p = honest
    report = metrics.classification_report(y, p)
    assert set(report) == {
        "roc_auc", "pr_auc", "log_loss", "brier", "calibration_error", "lift_10", "total_bias",
    }  # fmt: skip
    assert report["roc_auc"] == metrics.roc_auc(y, p)
    assert abs(report["total_bias"]) < 0.02
    amounts = metrics.spend_report(y * 10, p * 10)
    assert set(amounts) == {"mae", "rmse", "total_bias", "spearman", "normalised_gini"}
    assert np.isfinite([*report.values(), *amounts.values()]).all()


def test_a_customer_of_weight_three_counts_as_three(honest):
    y, p = honest[0][:2_000], honest[1][:2_000]
    many = 1 + np.arange(2_000) % 3
    weighted = metrics.classification_report(y, p, many.astype(float))
    repeated = metrics.classification_report(np.repeat(y, many), np.repeat(p, many))
    assert weighted == pytest.approx(repeated)
    table = metrics.calibration_table(y, p, 10, many.astype(float))
    assert table["customers"].sum() == 2_000
    # Three of one customer are no three customers: the interval is wider than theirs.
    other = metrics.calibration_table(np.repeat(y, many), np.repeat(p, many))
    assert ((table["upper"] - table["lower"]) > (other["upper"] - other["lower"])).all()


def test_equal_weights_change_no_bit(honest):
    y, p = honest
    assert metrics.classification_report(y, p) == metrics.classification_report(
        y, p, np.ones(len(y))
    )


@pytest.mark.parametrize(
    ("y", "p", "complaint"),
    [
        ([0.0, 1.0], [0.5], "expected two columns of one length"),
        ([], [], "at least one customer"),
        ([0.0, 1.0], [0.5, np.nan], "1 predictions that are missing"),
        ([0.0, np.nan], [0.5, 0.5], "1 outcomes that are missing"),
        ([0.0, 2.0], [0.5, 0.5], "outcomes from 0.0 to 2.0, expected 0 and 1"),
        ([0.0, 1.0], [0.5, 1.5], "expected probabilities"),
    ],
)
def test_what_cannot_be_measured_is_refused(y, p, complaint):
    with pytest.raises(ValueError, match=complaint):
        metrics.log_loss(np.array(y), np.array(p))


def test_right_probabilities_miss_their_bins_by_luck():
    """The mean over 400 draws of outcomes from the probabilities themselves."""
    random = np.random.default_rng(5)
    p = random.beta(1.0, 2.0, 600)
    drawn = [metrics.calibration_error(random.random(600) < p, p, 6) for _ in range(400)]
    assert metrics.calibration_luck(p, 6) == pytest.approx(np.mean(drawn), rel=0.05)


def test_nothing_is_luck_where_all_is_certain():
    assert metrics.calibration_luck(np.array([0.0, 1.0, 1.0]), 2) == 0.0
