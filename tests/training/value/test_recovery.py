"""Known parameters come back, and the intervals hold them as often as they say.

The whole study: `python benchmarks/recovery.py`. Its table stands at the end of pytest's output.
"""

import numpy as np
import pytest
from scipy.stats import binom

from benchmarks import recovery
from benchmarks.recovery import COVERAGE, TRUTHS, shown, study
from training.value.delta import standard_error
from training.value.simulate import Truth, simulate

SAMPLES, CUSTOMERS = 24, 1_000
# In a million right programs some dozen lines would fail once.
LEVEL = 1e-5


@pytest.mark.parametrize("name", [*TRUTHS, "gamma_gamma"])
def test_parameters_and_forecasts_are_recovered(name, record_property):
    found = study(name, SAMPLES, CUSTOMERS, np.random.default_rng(7))
    record_property("table", ("Known parameters, found again", shown(found)))
    assert (found["samples"] >= SAMPLES - 2).all()
    assert _near(found).all(), shown(found)
    held = found["coverage"] * found["samples"]
    least, most = (binom.ppf(q, found["samples"], COVERAGE) for q in (LEVEL, 1 - LEVEL))
    assert held.between(least, most).all(), shown(found)
    # As wide as the estimates really scatter: a deviation of 24 numbers is known to 15 per cent.
    assert found["error"].between(0.5 * found["spread"], 2 * found["spread"]).all(), shown(found)


def test_delta_method_is_exact_for_what_is_linear_in_the_coordinates():
    """Var(2 u + v) = 4 · 0.09 + 0.04 + 2 · 2 · 0.03 = 0.52; a constant has no error."""
    covariance = ((0.09, 0.03), (0.03, 0.04))
    error = standard_error(
        lambda at: [2 * at[0] + at[1], 5.0], lambda at: at, [1.0, 3.0], covariance
    )
    np.testing.assert_allclose(error, [np.sqrt(0.52), 0.0], rtol=1e-9)


def test_a_wrong_model_does_not_recover(monkeypatch):
    """The study can fail: customers of Pareto/NBD, taken for BG/NBD's."""
    wrong = Truth(TRUTHS["pareto_nbd"])
    monkeypatch.setattr(recovery, "simulate", lambda _, *rest: simulate(wrong, *rest))
    found = study("bg_nbd", 8, CUSTOMERS, np.random.default_rng(7)).set_index("what")
    assert found.loc["return after 3, 90 d", "coverage"] < 0.5
    assert not _near(found).all()


def _near(found):
    """Bias within the Monte Carlo error.

    A maximum-likelihood estimate has a bias of the order of its variance beside.
    """
    return found["bias"].abs() <= 4 * found["bias_error"] + found["spread"] ** 2
