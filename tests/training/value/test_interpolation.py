import numpy as np
import pytest

from training.value.interpolation import scale


def interpolated(function, scaled, values):
    return (function(scaled.points) @ scaled.series()) @ scaled.basis(values)


@pytest.mark.parametrize("offset", [0.0, 0.3, 50.0, 1e9])
@pytest.mark.parametrize("power", [-3.7, -0.2, 0.5, 2.0])
def test_powers_and_logarithms_are_exact_to_rounding(offset, power):
    """Singular at −offset alone, over days in thirty years."""
    scaled, values = scale(1.0, 11_000.0, offset), np.geomspace(1.0, 11_000.0, 500)

    def function(y):
        return (1.0 + y / max(offset, 1.0)) ** power + np.log(y + max(offset, 1.0))

    ours, exact = interpolated(function, scaled, values), function(values)
    np.testing.assert_allclose(ours, exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())


def test_number_of_points_grows_with_the_range_in_the_logarithm():
    """But for what the offset takes off it: 25 for days in two years beside a month."""
    assert scale(1.0, 730.0, 30.0).points.size <= 26
    assert 35 <= scale(1.0, 730.0, 0.0).points.size <= 45


def test_one_value_is_a_range_too():
    scaled = scale(7.0, 7.0, 2.0)
    assert interpolated(np.sqrt, scaled, np.array([7.0]))[0] == pytest.approx(np.sqrt(7.0))
