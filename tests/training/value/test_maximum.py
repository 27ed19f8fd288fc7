import numpy as np
import pytest

from training.value.maximum import Box, maximise

BOX = Box(np.array([-5.0, -5.0]), np.array([5.0, 5.0]))
STARTS = np.array([[-3.0, 3.0], [2.0, -1.0]])


def hill(top, curvature):
    """A log-likelihood with its top and information known."""

    def objective(at):
        away = at - top
        return -0.5 * away @ curvature @ away, -curvature @ away

    return objective


def test_top_inside_the_box_is_found_to_the_last_digits():
    top, curvature = np.array([1.25, -0.5]), np.array([[400.0, 390.0], [390.0, 400.0]])
    found = maximise(hill(top, curvature), STARTS, BOX, 100.0)
    assert found.verdict == "converged" and found.limits == ()
    np.testing.assert_allclose(found.at, top, atol=1e-9)
    np.testing.assert_allclose(found.covariance, np.linalg.inv(curvature), rtol=1e-6)


def test_higher_of_two_tops_wins():
    """A low hill at −3 and a high one at 2, each with a start beside it."""

    def objective(at):
        low, high = 10 * np.exp(-((at[0] + 3) ** 2)), 20 * np.exp(-((at[0] - 2) ** 2))
        slope = -2 * (at[0] + 3) * low - 2 * (at[0] - 2) * high
        return low + high - at[1] ** 2, np.array([slope, -2 * at[1]])

    assert maximise(objective, STARTS, BOX, 1.0).at[0] == pytest.approx(2.0, abs=1e-6)


def test_top_beyond_the_box_is_a_limit():
    found = maximise(hill(np.array([9.0, 0.0]), np.eye(2)), STARTS, BOX, 1.0)
    assert found.verdict == "boundary" and found.limits == ((0, "high"),)
    assert found.at[0] == BOX.high[0] and found.covariance is None


def test_plateau_that_reaches_the_edge_is_a_limit_though_the_slope_vanishes_before_it():
    """1 − e^(−x): flat to the eye from x = 20 on."""
    box = Box(np.array([-5.0, -5.0]), np.array([50.0, 5.0]))

    def objective(at):
        return -np.exp(-at[0]) - at[1] ** 2, np.array([np.exp(-at[0]), -2 * at[1]])

    found = maximise(objective, STARTS, box, 1.0)
    assert found.verdict == "boundary" and found.limits == ((0, "high"),)


def test_slope_that_does_not_belong_to_the_value_fails():
    """The gradient points one way and never ends: nothing to converge to."""

    def objective(at):
        return -float(np.abs(at).sum()), np.array([1.0, 0.0])

    assert maximise(objective, STARTS, BOX, 1.0).verdict == "failed"


def test_coordinate_held_by_its_bounds_is_no_limit():
    held = Box(np.array([0.5, -5.0]), np.array([0.5, 5.0]))
    found = maximise(hill(np.array([1.0, 2.0]), np.eye(2)), STARTS, held, 1.0)
    assert found.verdict == "converged" and found.at[0] == 0.5
    assert found.at[1] == pytest.approx(2.0, abs=1e-9)
