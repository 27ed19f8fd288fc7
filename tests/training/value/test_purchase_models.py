"""What holds for every purchase model, by name."""

import dataclasses
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from training.errors import NotEnoughData, StatisticalWarning, TrainingError
from training.value import bg_nbd
from training.value.gamma_gamma import Parameters as Values
from training.value.purchase_models import DEFAULT, PURCHASE_MODELS, name_of, purchase_model
from training.value.simulate import Truth, simulate

NAMES = tuple(PURCHASE_MODELS)
# In days; the last number of each is a probability's shape or a time.
TRUTHS = {
    "bg_nbd": [(0.243, 30.9, 0.793, 2.426)],
    "mbg_nbd": [(0.525, 43.3, 0.891, 1.614), (1.4, 9.5, 0.3, 8.0)],
    "pareto_nbd": [(0.553, 74.0, 0.606, 81.7), (1.4, 60.0, 2.0, 900.0)],
}
YEARLY = np.log(1.1) / 365
SIZES = st.floats(-5, 5).map(lambda power: 10**power)
COLUMNS = ("frequency", "recency", "T")


@st.composite
def histories(draw):
    """One customer: up to 10,000 purchases in up to thirty years, or brand-new."""
    x = draw(st.sampled_from([0.0, 1.0, 2.0, 10.0, 1000.0, 10_000.0]))
    T = draw(st.floats(0, 11_000))
    t_x = T * draw(st.floats(0, 1)) if x else 0.0
    return np.array([x]), np.array([t_x]), np.array([T])


def typical(name):
    return purchase_model(name).Parameters(*TRUTHS[name][0])


@pytest.fixture(scope="module")
def grid():
    x, share, T = np.meshgrid([0, 1, 2, 7, 40], [0.1, 0.5, 0.99, 1.0], [1.0, 270.0, 550.0])
    x, T = x.ravel().astype(float), T.ravel()
    return x, np.where(x > 0, share.ravel() * T, 0.0), T


@pytest.fixture(scope="module", params=["mbg_nbd", "pareto_nbd"])
def fitted(request, cdnow):
    """A model and its fit of CDNOW in weeks; BG/NBD's has a file of its own."""
    model = purchase_model(request.param)
    return model, model.fit(*(cdnow[name] for name in COLUMNS))


def test_names_lead_to_models_that_offer_the_same():
    assert NAMES == ("bg_nbd", "mbg_nbd", "pareto_nbd") and DEFAULT == "bg_nbd"
    assert purchase_model("bg_nbd") is bg_nbd
    for model in PURCHASE_MODELS.values():
        assert set(model.__all__) == set(bg_nbd.__all__)
    with pytest.raises(TrainingError, match="Got the purchase model 'nbd'; expected one of bg_nbd"):
        purchase_model("nbd")


def test_parameters_know_the_name_of_their_model():
    assert [name_of(typical(name)) for name in NAMES] == list(NAMES)
    with pytest.raises(TrainingError, match="Got parameters of Parameters; expected those of one"):
        name_of(Values(1.0, 2.0, 3.0))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80, deadline=None)
@given(sizes=st.tuples(*[SIZES] * 4), history=histories(), t=st.floats(1e-6, 1825))
def test_forecasts_are_ordered_for_any_customer(name, sizes, history, t):
    """0 <= return <= alive <= 1, return <= purchases, discounted <= purchases, all finite."""
    model = purchase_model(name)
    params = model.Parameters(*sizes)
    alive = model.p_alive(params, *history)[0]
    back = model.return_probability(params, t, *history)[0]
    purchases = model.expected_purchases(params, t, *history)[0]
    discounted = model.discounted_purchases(params, t, YEARLY, *history)[0]
    assert 0 <= back <= alive <= 1
    assert back <= purchases * (1 + 1e-9) and np.isfinite(purchases)
    # Discounting is a sum over sixteen moments, right to 5e-6.
    assert purchases * np.exp(-YEARLY * t) * (1 - 1e-9) <= discounted <= purchases * (1 + 5e-6)
    likelihood = model.log_likelihoods(params, *history)
    assert np.isfinite(likelihood).all()
    total = model.log_likelihood(params, *history)
    assert total == pytest.approx(likelihood[0], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=80, deadline=None)
@given(
    sizes=st.tuples(*[SIZES] * 4), history=histories(), t=st.floats(0, 900), more=st.floats(0, 900)
)
def test_more_happens_in_a_longer_window(name, sizes, history, t, more):
    """Up to the rounding of a probability of one."""
    model = purchase_model(name)
    params = model.Parameters(*sizes)
    for forecast, slack in ((model.return_probability, 1e-13), (model.expected_purchases, 0.0)):
        shorter, longer = (forecast(params, window, *history)[0] for window in (t, t + more))
        assert shorter <= longer * (1 + 1e-11) + slack


@pytest.mark.parametrize("name", NAMES)
def test_nothing_happens_in_no_time(name, grid):
    model, params = purchase_model(name), typical(name)
    nothing = np.zeros(grid[0].size)
    for forecast in (model.return_probability, model.expected_purchases):
        assert np.array_equal(forecast(params, 0.0, *grid), nothing)
    assert np.array_equal(model.discounted_purchases(params, 0.0, YEARLY, *grid), nothing)


@pytest.mark.parametrize("name", NAMES)
def test_discounting_is_the_sum_over_short_spells(name, grid):
    """∫ e^(−δu) dE(u) by 400 spells with the discount of their middle; δ of 0.15 % a day."""
    model, params, rate = purchase_model(name), typical(name), 0.0015
    edges = np.linspace(0.0, 365.0, 401)
    cumulated = np.array([model.expected_purchases(params, t, *grid) for t in edges])
    summed = np.exp(-rate * (edges[1:] + edges[:-1]) / 2) @ np.diff(cumulated, axis=0)
    ours = model.discounted_purchases(params, 365.0, rate, *grid)
    np.testing.assert_allclose(ours, summed, rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_likelihood_of_longer_silence_is_the_chance_of_no_purchase(name, grid):
    """L(x, t_x, T + t) / L(x, t_x, T) = 1 − P(a purchase in (T, T + t]).

    Two roads: the likelihood of the path, and the forecast. Lets the likelihood be held out.
    """
    model, params = purchase_model(name), typical(name)
    x, t_x, T = grid
    for t in (1.0, 90.0, 1000.0):
        apart = model.log_likelihoods(params, x, t_x, T + t)
        apart = apart - model.log_likelihoods(params, *grid)
        silence = 1.0 - model.return_probability(params, t, *grid)
        np.testing.assert_allclose(np.exp(apart), silence, rtol=1e-11)


@pytest.mark.parametrize("name", NAMES)
def test_customer_gets_the_same_answer_alone_and_among_others(name, grid):
    model, params = purchase_model(name), typical(name)
    answers = {
        "alive": lambda h: model.p_alive(params, *h),
        "back": lambda h: model.return_probability(params, 90.0, *h),
        "purchases": lambda h: model.expected_purchases(params, 90.0, *h),
        "discounted": lambda h: model.discounted_purchases(params, 365.0, YEARLY, *h),
        "likelihood": lambda h: model.log_likelihoods(params, *h),
    }
    for answer in answers.values():
        together = answer(grid)
        for index in (0, 7, 44):
            assert answer(tuple(column[[index]] for column in grid))[0] == together[index]


@pytest.mark.parametrize("name", NAMES)
def test_ten_thousand_purchases_leave_an_active_customer_alive(name):
    """Daily for 27 years, last one yesterday; then the same, gone for half a year."""
    model, params = purchase_model(name), typical(name)
    x, T = np.array([1e4, 1e4]), np.array([1e4, 1e4])
    alive = model.p_alive(params, x, np.array([9_999.0, 9_800.0]), T)
    assert alive[0] > 0.99 and alive[1] < 1e-50


def test_log_likelihood_of_a_fit_is_the_one_at_its_parameters(cdnow, fitted):
    model, found = fitted
    value = model.log_likelihood(found.params, *(cdnow[name] for name in COLUMNS))
    assert found.log_likelihood == pytest.approx(value, rel=1e-12)


def test_time_unit_scales_the_times_alone(cdnow, fitted):
    """Days for weeks: alpha, and beta of Pareto/NBD, times seven."""
    model, found = fitted
    x, t_x, T = (cdnow[name] for name in COLUMNS)
    days = model.fit(x, 7 * t_x, 7 * T).params
    for name, value in vars(found.params).items():
        factor = 7 if name in {"alpha", "beta"} else 1
        assert getattr(days, name) == pytest.approx(factor * value, rel=1e-7)


def test_weights_are_repeated_rows(cdnow, fitted):
    model, _ = fitted
    some = cdnow.head(500)
    weights = np.arange(500) % 3
    weighted = model.fit(*(some[name] for name in COLUMNS), weights=weights)
    repeated = some.loc[some.index.repeat(weights)]
    assert weighted == model.fit(*(repeated[name] for name in COLUMNS))


def test_order_of_rows_changes_nothing(cdnow, fitted):
    model, found = fitted
    shuffled = cdnow.sample(frac=1, random_state=1)
    assert model.fit(*(shuffled[name] for name in COLUMNS)) == found


@pytest.mark.parametrize(
    ("name", "truth"), [(name, truth) for name in NAMES[1:] for truth in TRUTHS[name]]
)
def test_known_parameters_are_recovered(name, truth):
    """Within four standard errors, which are below .3 for 10,000 customers."""
    model, random = purchase_model(name), np.random.default_rng(0)
    ages = random.uniform(30, 730, 10_000)
    drawn = simulate(Truth(purchases=model.Parameters(*truth)), ages, 1.0, random)
    found = model.fit(*(drawn[column] for column in COLUMNS))
    assert found.verdict == "converged"
    away = np.log(np.array(dataclasses.astuple(found.params)) / truth)
    assert np.all(np.abs(away) < 4 * np.array(found.relative_errors))
    assert max(found.relative_errors) < 0.3


@pytest.mark.parametrize("name", NAMES[1:])
def test_too_few_or_impossible_customers_are_refused(name):
    model, x = purchase_model(name), np.repeat([0.0, 2.0], [500, 9])
    with pytest.raises(NotEnoughData, match="Got 9 customers with a repeat purchase among 509"):
        model.fit(x, 5 * x, np.full(509, 100.0))
    with pytest.raises(TrainingError, match="recency between 0 and T"):
        model.fit([2, 1], [5, 9], [9, 5])


def whole_numbers(low, high, size):
    return arrays(np.float64, size, elements=st.integers(low, high).map(float))


@pytest.mark.parametrize("name", NAMES[1:])
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(x=whole_numbers(0, 9, 25), share=whole_numbers(1, 20, 25), T=whole_numbers(0, 60, 25))
def test_any_small_business_gets_a_verdict_and_finite_forecasts(name, x, share, T):
    """Twelve customers who came back and 25 of any kind: clumped, idle, all alike."""
    model = purchase_model(name)
    x = np.append(x * (T > 0), np.ones(12))
    T = np.append(T, np.full(12, 30.0))
    t_x = np.where(x > 0, np.ceil(T * np.append(share, np.full(12, 10.0)) / 20), 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        found = model.fit(x, t_x, T)
    assert found.verdict in {"converged", "boundary", "failed"}
    assert np.isfinite(dataclasses.astuple(found.params)).all()
    assert np.isfinite(found.log_likelihood)
    for forecast in (model.return_probability, model.expected_purchases):
        assert np.isfinite(forecast(found.params, 365.0, x, t_x, T)).all()
