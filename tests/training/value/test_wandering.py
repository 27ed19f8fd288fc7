"""BG/NBD with rates that wander."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta, gamma

from training.errors import TrainingError
from training.value import bg_nbd, wandering
from training.value.wandering import Parameters

GROCER = (1.4, 9.5, 0.03, 30.0)
SIZES = st.floats(-4, 4).map(lambda power: 10**power)


@pytest.fixture(scope="module")
def histories():
    x, share, T = np.meshgrid([0.0, 1.0, 7.0, 120.0], [0.3, 0.9, 1.0], [30.0, 400.0])
    x, T = x.ravel(), T.ravel()
    return x, np.where(x > 0, share.ravel() * T, 0.0), T


@given(
    sizes=st.tuples(*[SIZES] * 5),
    x=st.sampled_from([0.0, 1.0, 3.0, 50.0, 10_000.0]),
    share=st.floats(0, 1),
    T=st.floats(0, 11_000),
    t=st.floats(1e-6, 1825),
)
def test_forecasts_are_ordered_for_any_customer(sizes, x, share, T, t):
    """0 <= return <= alive <= 1, return <= purchases, discounted <= purchases, all finite."""
    params, history = Parameters(*sizes), (x, share * T if x else 0.0, T)
    alive = wandering.p_alive(params, *history)[0]
    back = wandering.return_probability(params, t, *history)[0]
    bought = wandering.expected_purchases(params, t, *history)[0]
    later = wandering.discounted_purchases(params, t, 0.001, *history)[0]
    assert 0 <= back <= alive <= 1
    assert back <= bought * (1 + 1e-9) and 0 <= later <= bought * (1 + 1e-9)
    assert np.isfinite(bought)


def test_endless_memory_is_bg_nbd(histories):
    params, plain = Parameters(*GROCER, memory=1e15), bg_nbd.Parameters(*GROCER)
    for name, terms in (
        ("p_alive", ()),
        ("return_probability", (90.0,)),
        ("expected_purchases", (90.0,)),
        ("discounted_purchases", (365.0, 0.0003)),
    ):
        ours = getattr(wandering, name)(params, *terms, *histories)
        theirs = getattr(bg_nbd, name)(plain, *terms, *histories)
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, err_msg=name)


def test_regular_buyers_are_not_declared_dead_after_a_holiday():
    """Ninety purchases in half a year, and then three weeks away."""
    regular = (90.0, 180.0, 201.0)
    assert bg_nbd.p_alive(bg_nbd.Parameters(*GROCER), *regular)[0] < 0.3
    assert wandering.p_alive(Parameters(*GROCER, memory=10), *regular)[0] > 0.75
    seldom = (1.0, 60.0, 81.0)
    plain = bg_nbd.return_probability(bg_nbd.Parameters(*GROCER), 90, *seldom)[0]
    assert wandering.return_probability(Parameters(*GROCER), 90, *seldom)[0] == pytest.approx(
        plain, abs=0.05
    )


@pytest.mark.parametrize("memory", [3.0, 10.0, 400.0])
def test_constant_rates_are_not_underrated(memory):
    """Buyers who never leave and buy every 2.5 days: 36 purchases in 90 days, within 2 %.

    Four standard errors are 1 %; were the last purchase flattened too, it would be a quarter less
    with a memory of three.
    """
    random = np.random.default_rng(3)
    times = np.cumsum(random.exponential(2.5, (4_000, 200)), axis=1)
    seen = times <= 240.0
    x = seen.sum(axis=1).astype(float)
    t_x = np.where(seen, times, 0.0).max(axis=1)
    # Next to no prior, and nobody leaves.
    loyal = Parameters(0.01, 0.025, 1e-9, 30.0, memory=memory)
    bought = wandering.expected_purchases(loyal, 90.0, x, t_x, 240.0)
    assert bought.mean() == pytest.approx(36, rel=0.02)


def test_forecasts_are_means_over_the_flattened_rates():
    """By numerical integration over λ and p ~ Beta(a, b + x).

    A customer is silent for the wait with e^(−λ wait), λ ~ Gamma(k (r + x), k (alpha + t_x)), and
    then buys (1 − e^(−λ p t)) / p in t, λ ~ Gamma(k (r + x) + (1 − k) c, k (alpha + t_x) + wait).
    """
    r, alpha, a, b = 0.8, 40.0, 0.5, 2.0
    x, t_x, T, t, memory = 12.0, 90.0, 120.0, 60.0, 5.0
    k = memory / (memory + r + x)
    rate = gamma(k * (r + x), scale=1 / (k * (alpha + t_x)))
    silent = quad(lambda u: rate.pdf(u) * np.exp(-u * (T - t_x)), 0, 3)[0]
    c = 1 / quad(lambda u: np.exp(-u) / (memory + u), 0, 60)[0] - memory
    now = gamma(k * (r + x) + (1 - k) * c, scale=1 / (k * (alpha + t_x) + T - t_x))
    back = quad(lambda u: now.pdf(u) * -np.expm1(-u * t), 0, 3)[0]
    # After the x-th purchase: left with a / (a + b + x − 1), of p ~ Beta(a, b + x − 1).
    left = a / (a + b + x - 1)
    alive = (1 - left) * silent / ((1 - left) * silent + left)
    params = Parameters(r, alpha, a, b, memory)
    assert wandering.p_alive(params, x, t_x, T)[0] == pytest.approx(alive, rel=1e-7)
    answer = wandering.return_probability(params, t, x, t_x, T)[0]
    assert answer == pytest.approx(alive * back, rel=1e-7)
    stay = beta(a, b + x)
    # E[e^(−λ p t)] of the Gamma-distributed rate is its Laplace transform.
    shape, scale = now.args[0], 1 / now.kwds["scale"]
    mean = quad(lambda p: stay.pdf(p) * (1 - (1 + p * t / scale) ** -shape) / p, 0, 1)[0]
    bought = wandering.expected_purchases(params, t, x, t_x, T)[0]
    assert bought == pytest.approx(alive * mean, rel=1e-7)


def test_parameters_are_bg_nbds_and_the_memory_is_given(cdnow):
    columns = [cdnow[name] for name in ("frequency", "recency", "T")]
    found, plain = wandering.fit(*columns, memory=7), bg_nbd.fit(*columns)
    assert found.params == Parameters(*vars(plain.params).values(), memory=7)
    assert found.log_likelihood == plain.log_likelihood
    with pytest.raises(TrainingError, match="Got memory = 0; expected"):
        wandering.fit(*columns, memory=0)


def test_newcomers_buy_as_the_flattened_rate_says():
    params = Parameters(*GROCER)
    assert wandering.expected_purchases_new(params, 30.0) == pytest.approx(
        wandering.expected_purchases(params, 30.0, 0, 0, 0)[0]
    )
    assert wandering.expected_purchases_new(params, 0.0) == 0
