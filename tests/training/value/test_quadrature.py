import numpy as np
import pytest
from scipy.special import hyp2f1

from training.value.quadrature import beta_rule, purchases_while_alive

SHAPES = [
    (0.01, 2.4),
    (0.5, 0.05),
    (1.0, 1.0),
    (2.0, 10_000.0),
    (1e-7, 1e-6),
    (1e7, 4e7),
    (6.0, 1e9),
]


@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_rule_integrates_powers_exactly(a, b):
    """E[pᵏ] = Π (a + i) / (a + b + i), i < k, for Beta(a, b): exact up to degree 2n − 1."""
    points, weights = beta_rule(a, b, 16)
    steps = np.arange(6)
    moments = np.cumprod((a + steps) / (a + b + steps))
    for degree, moment in enumerate(moments, start=1):
        assert weights @ points**degree == pytest.approx(moment, rel=1e-9)
    assert weights.sum() == pytest.approx(1.0, rel=1e-12)
    assert points.min() > 0 and points.max() <= 1 and weights.min() >= 0


@pytest.mark.parametrize("a", [0.3, 2.5])
def test_mean_equals_the_closed_form_away_from_its_pole(a):
    """Fader, Hardie & Lee (2005), equation 10, without P(alive)."""
    b, s, c = np.array([2.4, 3.4, 12.4]), np.array([0.2, 1.2, 10.2]), np.array([0.1, 3.0, 0.5])
    z, g = c / (1 + c), a + b - 1
    closed = g / (a - 1) * (1 - (1 + c) ** -s * hyp2f1(s, b, g, z))
    np.testing.assert_allclose(purchases_while_alive(a, b, s, c), closed, rtol=1e-11)


def test_mean_lies_between_the_values_for_certain_and_no_dropout():
    b, s, c = np.meshgrid([1e-6, 0.5, 50.0, 1e4], [1e-3, 0.3, 20.0, 1e4], [0.0, 1e-6, 1.0, 5e3])
    b, s, c = b.ravel(), s.ravel(), c.ravel()
    for a in (1e-6, 0.5, 1.0, 50.0, 1e6):
        mean = purchases_while_alive(a, b, s, c)
        assert np.all(mean <= s * c * (1 + 1e-9))
        assert np.all(mean >= -np.expm1(-s * np.log1p(c)) * (1 - 1e-9))


def test_hard_rows_do_not_change_the_easy_ones():
    """A row is refined alone: what it is computed with makes no difference to it."""
    b, s, c = np.array([2.4, 2.4, 52.4]), np.array([20.0, 0.2, 50.2]), np.array([3650.0, 0.5, 1.0])
    together = purchases_while_alive(0.5, b, s, c)
    alone = [purchases_while_alive(0.5, b[[i]], s[[i]], c[[i]])[0] for i in range(3)]
    np.testing.assert_allclose(together, alone, rtol=1e-14)


def test_no_rows_give_no_rows():
    assert purchases_while_alive(0.5, np.zeros(0), np.zeros(0), np.zeros(0)).size == 0
