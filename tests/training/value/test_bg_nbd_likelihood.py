import numpy as np
import pytest

from training.value.bg_nbd_likelihood import lay_out, log_likelihood
from training.value.counted import Distinct, count

POINTS = [
    (0.243, 4.414, 0.793, 2.426),
    (3.0, 0.05, 1e-3, 40.0),
    (1e-3, 900.0, 7.0, 1e-4),
    (1e5, 3e5, 1e4, 1e5),
]


@pytest.fixture(scope="module")
def counts(cdnow):
    """CDNOW with three very frequent customers added, one long gone."""
    x = np.append(cdnow["frequency"], [10_000, 10_000, 500]).astype(float)
    T = np.append(cdnow["T"], [38.86, 38.86, 38.86])
    t_x = np.append(cdnow["recency"], [38.85, 20.0, 38.0])
    return lay_out(count((x, T, t_x)))


@pytest.mark.parametrize("point", POINTS)
def test_gradient_is_the_slope_of_the_value(counts, point):
    """Central differences in the logarithm of each parameter, step 1e-4: error near 1e-8."""
    at, step = np.log(point), 1e-4
    _, gradient = log_likelihood(counts, *point)
    for index, unit in enumerate(np.eye(4) * step):
        above = log_likelihood(counts, *np.exp(at + unit))[0]
        below = log_likelihood(counts, *np.exp(at - unit))[0]
        slope = (above - below) / (2 * step)
        # The floor is the rounding of the values over the step.
        floor = 1e-13 * abs(above) / step
        assert gradient[index] == pytest.approx(slope, rel=1e-6, abs=floor + 1e-4)


@pytest.mark.parametrize("point", POINTS[:3])
@pytest.mark.parity
def test_value_equals_lifetimes(cdnow, oracle, point):
    fitter = oracle("BetaGeoFitter")
    one = np.ones(len(cdnow))
    x, t_x, T = (cdnow[name].to_numpy(float) for name in ("frequency", "recency", "T"))
    mean = fitter._negative_log_likelihood(np.log(point), x, t_x, T, one, 0.0)
    value, _ = log_likelihood(lay_out(count((x, T, t_x))), *point)
    assert value == pytest.approx(-mean * len(cdnow), rel=1e-12)


def test_value_is_smooth_towards_equal_rates(counts):
    """At r → ∞ with r / alpha fixed the value tends to a limit; digits must not get lost.

    The distance to the limit falls as 1 / r, so from 1e7 to 1e9 it falls by a hundred.
    """
    values = [log_likelihood(counts, r, 2 * r, 0.8, 2.4)[0] for r in (1e7, 1e9, 1e11)]
    assert abs(values[2] - values[1]) < 0.02 * abs(values[1] - values[0]) + 1e-9 * abs(values[0])


def test_blocks_of_rows_add_up():
    """Rows are worked in blocks: 40,000 distinct rows equal the sum over their two halves."""
    random = np.random.default_rng(5)
    T = random.uniform(1, 700, 40_000)
    rows = Distinct((random.integers(0, 40, T.size).astype(float), T, T / 2), np.ones(T.size))
    halves = [
        Distinct(tuple(column[half] for column in rows.columns), rows.counts[half])
        for half in (slice(None, 20_000), slice(20_000, None))
    ]
    whole = log_likelihood(lay_out(rows), 0.7, 60.0, 0.2, 3.0)
    parts = [log_likelihood(lay_out(half), 0.7, 60.0, 0.2, 3.0) for half in halves]
    assert whole[0] == pytest.approx(parts[0][0] + parts[1][0], rel=1e-13)
    np.testing.assert_allclose(whole[1], parts[0][1] + parts[1][1], rtol=1e-10)
