"""Values that go with the frequency."""

import warnings

import numpy as np
import pandas as pd
import pytest

from training.errors import StatisticalWarning
from training.value import gamma_gamma
from training.value.gamma_gamma import Parameters
from training.value.model import HISTORY, OUTPUTS, ValueModel
from training.value.simulate import Truth, simulate
from training.value.value_by_frequency import Fit, expected_value, fit, scale

SLOPE = 0.3
# What plain Gamma-Gamma says of such values is what this module is for.
pytestmark = pytest.mark.filterwarnings("ignore:Frequency and value of purchases")


@pytest.fixture(scope="module")
def independent():
    """2,000 customers whose values know nothing of the frequency; one in two bought again."""
    random = np.random.default_rng(5)
    return simulate(Truth(), np.full(2_000, 400.0), 90.0, random)


@pytest.fixture(scope="module")
def leaning(independent):
    """The same with values in proportion to frequency to the power of 0.3."""
    by = scale(independent["frequency"], SLOPE)
    return independent.assign(monetary_value=independent["monetary_value"] * by)


@pytest.fixture(scope="module")
def found(leaning):
    return fit(leaning["frequency"], leaning["monetary_value"])


def test_slope_is_recovered_with_the_values_below_it(independent, found):
    """Dividing by the true g gives the independent values back; slopes scatter by some 0.04."""
    assert found.slope == pytest.approx(SLOPE, abs=0.12)
    assert found.p_value < 1e-6 and found.statistic > 20
    plain = gamma_gamma.fit(independent["frequency"], independent["monetary_value"])
    assert found.values.params.mean == pytest.approx(plain.params.mean, rel=0.15)


def test_test_of_independence_keeps_its_level():
    """Of 20 independent samples at most four are rejected at 5 % (binomial, 99.7 %)."""
    truth, random = Truth(), np.random.default_rng(11)
    p_values = []
    for _ in range(20):
        one = simulate(truth, np.full(300, 400.0), 0.0, random)
        p_values.append(fit(one["frequency"], one["monetary_value"]).p_value)
    assert sum(p < 0.05 for p in p_values) <= 4
    assert max(p_values) > 0.5


def test_likelihood_is_of_the_values_themselves(leaning, found):
    """At the slope: Gamma-Gamma's of m / g, less Σ ln g; above that without a slope by half LR."""
    x, m = leaning["frequency"].to_numpy(float), leaning["monetary_value"].to_numpy(float)
    plain = gamma_gamma.fit(x, m).log_likelihood
    leaned = gamma_gamma.log_likelihood(found.values.params, x, m / scale(x, found.slope))
    leaned -= np.log(scale(x, found.slope)[x > 0]).sum()
    assert 2 * (leaned - plain) == pytest.approx(found.statistic, rel=1e-3)


def test_without_slope_the_answer_is_gamma_gammas():
    params, x = Parameters(6.25, 3.74, 15.44), np.array([0.0, 1.0, 9.0])
    m = np.array([0.0, 20.0, 70.0])
    assert np.array_equal(
        expected_value(params, 0.0, x, m), gamma_gamma.expected_value(params, x, m)
    )


def test_expected_values_come_true_where_value_goes_with_frequency(leaning, found):
    """The sum over customers with many purchases, which plain Gamma-Gamma shrinks too far."""
    often = leaning[leaning["frequency"] >= 5]
    truth = (often["mean_value"] * scale(often["frequency"], SLOPE)).sum()
    history = often["frequency"], often["monetary_value"]
    ours = expected_value(found.values.params, found.slope, *history).sum()
    assert ours == pytest.approx(truth, rel=0.05)


def test_newcomers_are_taken_for_customers_with_one_purchase():
    params = Parameters(6.25, 3.74, 15.44)
    assert scale([0.0, 1.0], 0.7).tolist() == [1.0, 1.0]
    assert expected_value(params, 0.7, 0.0, 0.0) == params.mean


def test_too_few_customers_have_no_slope():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        plain = gamma_gamma.fit([1, 2, 3], [5.0, 7.0, 6.0])
    assert fit([1, 2, 3], [5.0, 7.0, 6.0]) == Fit(plain, 0.0, 0.0, 1.0)


@pytest.mark.parametrize("purchases", ["bg_nbd", "wandering"])
def test_refunds_negative_margins_and_newcomers(leaning, found, purchases):
    """Half of the spend came back, each sale costs money, and one customer came yesterday."""
    gross = leaning["monetary_value"] * leaning["frequency"]
    refunded = leaning.assign(spend_total=0.5 * gross, unmatched_refunds=-0.5 * gross)
    model = ValueModel(purchases).fit(refunded).leaning(found)
    newcomer = pd.DataFrame(0.0, index=[0], columns=list(HISTORY))
    back = pd.DataFrame(
        {"frequency": [3], "recency": [90.0], "T": [100.0], "monetary_value": [-4.0]}
    )
    some = pd.concat([newcomer, back, leaning[list(newcomer)].head(50)], ignore_index=True)
    gain, loss = (model.predict(some, 90, margin=margin) for margin in (0.3, -0.3))
    assert tuple(gain.columns) == OUTPUTS and np.isfinite(gain.to_numpy()).all()
    assert model.refund_factor_ == pytest.approx(0.5)
    np.testing.assert_allclose(loss["clv"], -gain["clv"])
    assert (gain["clv"] > 0).all() and (gain["expected_spend"] > 0).all()
    # Neither has a value of its own: half of the population's mean, times the purchases.
    worth = 0.5 * found.values.params.mean
    assert gain["expected_spend"][0] == pytest.approx(gain["expected_purchases"][0] * worth)
    by = 3.0**found.slope
    assert gain["expected_spend"][1] == pytest.approx(gain["expected_purchases"][1] * worth * by)
    again = ValueModel.from_dict(model.to_dict())
    pd.testing.assert_frame_equal(again.predict(some, 90), gain, check_exact=True)
