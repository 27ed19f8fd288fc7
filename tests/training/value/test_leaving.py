from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import hyp2f1

from training.value.leaving import leaves_first, leaves_first_slopes

SHAPES = st.floats(-2, 6).map(lambda power: 10**power)


@pytest.fixture(scope="module")
def references():
    """h(k, s, ratio) and its slopes from 50-digit arithmetic.

    Made with mpmath 1.4.1: s/(s + k) ratio 2F1(1, s + 1; s + k + 1; 1 − ratio), for ratio > 1 one
    minus the same with the two rates exchanged; slopes by central differences of relative step
    1e-18. Points drawn from k in [0.003, 1e7], s in [0.005, 1e7] and ratios in [1e-8, 1e8].
    """
    return pd.read_csv(Path(__file__).with_name("leaving_mpmath.csv"))


@pytest.mark.golden
def test_value_equals_fifty_digit_arithmetic(references):
    k, ratio = (references[name].to_numpy(float) for name in ("k", "ratio"))
    for s, rows in references.groupby("s").indices.items():
        ours = leaves_first(k[rows], s, ratio[rows])
        np.testing.assert_allclose(ours, references["value"].to_numpy()[rows], rtol=1e-13)


@pytest.mark.golden
def test_slopes_equal_fifty_digit_arithmetic(references):
    """To 1e-12 of the value over the parameter, which is what the slope of a logarithm needs."""
    for row in references.itertuples():
        ours = leaves_first_slopes(np.array([row.k]), row.s, np.array([row.ratio]))
        value, in_k, in_s, in_log_ratio = (column[0] for column in ours)
        assert value == pytest.approx(row.value, rel=1e-13), row
        assert in_k == pytest.approx(row.in_k, abs=1e-12 * row.value / row.k), row
        assert in_s == pytest.approx(row.in_s, abs=1e-12 * row.value / row.s), row
        assert in_log_ratio == pytest.approx(row.in_log_ratio, abs=1e-12 * row.value), row


def test_equal_scales_leave_the_shapes_to_decide():
    """With A = B, μ / (λ + μ) is Beta(s, k): its mean is s / (s + k)."""
    k = np.array([1e-4, 0.3, 7.0, 1e4, 1e7])
    for s in (0.01, 1.0, 300.0):
        np.testing.assert_allclose(leaves_first(k, s, np.ones(k.size)), s / (s + k), rtol=1e-14)


def test_value_equals_the_hypergeometric_function_where_scipy_is_sound():
    k, ratio = (a.ravel() for a in np.meshgrid([0.3, 1.0, 2.5, 8.0], [0.3, 0.6, 0.95]))
    for s in (0.4, 1.0, 3.0):
        closed = s / (s + k) * ratio * hyp2f1(1, s + 1, s + k + 1, 1 - ratio)
        np.testing.assert_allclose(leaves_first(k, s, ratio), closed, rtol=1e-12)


@settings(max_examples=150, deadline=None)
@given(k=SHAPES, s=SHAPES, ratio=st.floats(-6, 6).map(lambda power: 10**power))
def test_one_or_the_other_comes_first(k, s, ratio):
    """Exchanging the two rates gives the other outcome: the two add up to one."""
    leaves = leaves_first(np.array([k]), s, np.array([ratio]))[0]
    buys = leaves_first(np.array([s]), k, np.array([1.0 / ratio]))[0]
    assert leaves + buys == pytest.approx(1.0, abs=1e-13)
    assert 0 < leaves <= 1


@settings(max_examples=150, deadline=None)
@given(k=SHAPES, s=SHAPES, ratio=st.floats(-6, 6).map(lambda power: 10**power))
def test_neighbours_in_k_satisfy_their_recurrence(k, s, ratio):
    """(k + s) h(k) + k (B/A − 1) h(k + 1) = s.

    From ∫ d[(1 + u/A)⁻ᵏ (1 + u/B)⁻ˢ] = −1.
    """
    here, next_one = leaves_first(np.array([k, k + 1]), s, np.array([ratio, ratio]))
    terms = np.array([(k + s) * here, k / ratio * next_one, -k * next_one, -s])
    assert abs(terms.sum()) < 1e-13 * np.abs(terms).sum()


def test_a_row_alone_has_the_bits_of_the_table():
    """Rows of few and of many steps, and enough of them for several blocks."""
    random = np.random.default_rng(2)
    k = random.choice([0.2, 1.2, 35.2, 9000.2], 3_000)
    ratio = np.exp(random.normal(0, 3, k.size))
    together = leaves_first(k, 0.6, ratio)
    for row in range(0, k.size, 271):
        assert leaves_first(k[[row]], 0.6, ratio[[row]])[0] == together[row]


def test_no_rows_give_no_rows():
    assert leaves_first(np.zeros(0), 0.5, np.zeros(0)).size == 0
