import numpy as np
import pytest
from scipy.special import digamma, gammaln

from training.value.gammas import log_rising, log_rising_slope

SIZES = [1e-9, 1e-3, 0.7, 3.0, 15.999, 16.0, 250.0, 1e5, 1e9, 1e13]


@pytest.mark.parametrize("z", SIZES)
def test_rising_by_one_multiplies_by_the_argument(z):
    """Γ(z + 1) = z Γ(z), so ln Γ(z + 1) − ln Γ(z) = ln z (Abramowitz & Stegun 6.1.15)."""
    assert log_rising(z, 1.0) == pytest.approx(np.log(z), rel=1e-13)
    assert log_rising_slope(z, 1.0) == pytest.approx(1.0 / z, rel=1e-13)


@pytest.mark.parametrize("z", SIZES)
def test_rising_steps_add_up_where_plain_differences_lose_their_digits(z):
    """(z)ₙ = z (z + 1) … (z + n − 1): the sum of ten thousand logarithms."""
    steps = np.arange(10_000)
    assert log_rising(z, 10_000.0) == pytest.approx(np.log(z + steps).sum(), rel=1e-12)
    assert log_rising_slope(z, 10_000.0) == pytest.approx((1.0 / (z + steps)).sum(), rel=1e-11)


def test_rising_equals_the_gamma_functions_for_any_real_step():
    z, n = np.array([0.3, 5.0, 40.0]), np.array([0.5, 2.25, 7.75])
    np.testing.assert_allclose(log_rising(z, n), gammaln(z + n) - gammaln(z), rtol=1e-13)
    np.testing.assert_allclose(log_rising_slope(z, n), digamma(z + n) - digamma(z), rtol=1e-12)


def test_rising_by_nothing_is_zero():
    assert np.array_equal(log_rising(np.array(SIZES), 0.0), np.zeros(len(SIZES)))
