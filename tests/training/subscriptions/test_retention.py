"""sBG: what follows from two parameters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.subscriptions import retention
from training.subscriptions.retention import Parameters

HIGH_END = Parameters(0.668, 3.806)
SIZES = st.floats(0.05, 50.0)


@pytest.mark.golden
def test_residual_lifetime_of_the_high_end_cohort():
    """7.530 years at 10 % after seven renewals: as jdmaturen/shifted_beta_geometric_py prints."""
    assert retention.residual_lifetime(HIGH_END, 7, 0.10) == pytest.approx(7.530, abs=5e-4)


@pytest.mark.golden
def test_survival_of_the_high_end_cohort_beyond_the_seventh_year():
    """The same source, years 8 to 12."""
    ahead = retention.survival(HIGH_END, np.arange(8, 13))
    np.testing.assert_allclose(ahead, [0.460, 0.436, 0.414, 0.395, 0.378], atol=6e-4)


@given(SIZES, SIZES, st.integers(0, 30), st.floats(0.02, 1.0))
def test_the_closed_form_of_the_residual_lifetime_is_the_sum(alpha, beta, survived, discount):
    truth = Parameters(alpha, beta)
    steps = np.arange(1, 3_000)
    terms = retention.survival(truth, steps, survived) * (1 + discount) ** -(steps - 1.0)
    closed = retention.residual_lifetime(truth, survived, discount)
    assert closed == pytest.approx(terms.sum(), rel=1e-8)


@given(SIZES, SIZES, st.integers(0, 50))
def test_survival_is_the_product_of_the_retention_rates(alpha, beta, survived):
    truth = Parameters(alpha, beta)
    rates = 1 - retention.ending(truth, survived + np.arange(12))
    np.testing.assert_allclose(
        retention.survival(truth, np.arange(1, 13), survived), np.cumprod(rates), rtol=1e-9
    )


@given(SIZES, SIZES)
def test_the_retention_rate_of_a_cohort_rises(alpha, beta):
    assert np.all(np.diff(retention.ending(Parameters(alpha, beta), np.arange(40))) < 0)


def test_expected_renewals_are_the_sum_of_survival_and_grow_with_the_span():
    survived = np.array([0, 3, 9])
    one, many = (retention.expected_renewals(HIGH_END, survived, ahead) for ahead in (1, 24))
    np.testing.assert_allclose(one, 1 - retention.ending(HIGH_END, survived))
    assert np.all(many > one) and np.all(many < 24)
    assert retention.expected_renewals(HIGH_END, 2, 0) == 0.0


def test_without_discount_a_heavy_tail_never_ends():
    assert np.isinf(retention.residual_lifetime(Parameters(0.9, 2.0), 0, 0.0))
    sure = Parameters(3.0, 4.0)
    steps = np.arange(1, 400_000)
    total = retention.survival(sure, steps, 2).sum()
    assert retention.residual_lifetime(sure, 2, 0.0) == pytest.approx(total, rel=1e-4)


@pytest.mark.parametrize("wrong", [(0.0, 1.0), (1.0, -1.0), (np.nan, 1.0), (1.0, np.inf)])
def test_parameters_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="above 0"):
        Parameters(*wrong)


def test_a_negative_discount_is_refused():
    with pytest.raises(ValueError, match="0 or more"):
        retention.residual_lifetime(HIGH_END, 0, -0.1)
