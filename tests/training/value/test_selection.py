import dataclasses
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from training.errors import NotEnoughData, TrainingError
from training.value import bg_nbd, mbg_nbd, pareto_nbd, selection
from training.value.selection import choose

TRUTHS = {
    "bg_nbd": bg_nbd.Parameters(0.7, 30.0, 0.8, 2.4),
    "mbg_nbd": mbg_nbd.Parameters(0.7, 30.0, 0.8, 1.6),
    "pareto_nbd": pareto_nbd.Parameters(0.7, 30.0, 0.6, 80.0),
}
NOBODY_LEAVES = bg_nbd.Parameters(0.7, 30.0, 1e-9, 1.0)


def two_dates(params, number, seed):
    """Behaviour rows of the same simulated customers at two dates, 180 days apart.

    Every purchase is drawn: times at random, up to the last one that happens.
    """
    random = np.random.default_rng(seed)
    ages = random.uniform(30, 730, number)
    count = random.poisson(random.gamma(params.r, 1 / params.alpha, number) * (ages + 180))
    who = np.repeat(np.arange(number), count)
    when = random.random(who.size) * (ages + 180)[who]
    order = np.lexsort((when, who))
    who, when = who[order], when[order]
    if isinstance(params, pareto_nbd.Parameters):
        stay = random.exponential(1, number) / random.gamma(params.s, 1 / params.beta, number)
        happens = when <= stay[who]
    else:
        leaving = np.maximum(random.beta(params.a, params.b, number), 1e-12)
        last = random.geometric(leaving) - params.first
        happens = np.arange(who.size) - np.repeat(np.cumsum(count) - count, count) < last[who]
    frames = []
    for T in (ages, ages + 180):
        seen = happens & (when <= T[who])
        recency = np.zeros(number)
        np.maximum.at(recency, who[seen], when[seen])
        frequency = np.bincount(who[seen], minlength=number)
        columns = {"frequency": frequency, "recency": recency, "T": T}
        frames.append(pd.DataFrame({"customer_id": np.arange(number), **columns}))
    return frames


@pytest.fixture(scope="module")
def dates():
    return two_dates(TRUTHS["pareto_nbd"], 2_000, 1)


@pytest.fixture(scope="module")
def choice(dates):
    return choose(*dates)


@pytest.mark.parametrize("name", TRUTHS)
def test_the_process_that_made_the_customers_is_chosen(name):
    found = choose(*two_dates(TRUTHS[name], 3_000, 0))
    assert found.best == name == max(found.scores, key=found.scores.get)
    assert set(found.scores) == set(TRUTHS) and found.customers == 3_000


def test_score_is_the_likelihood_of_what_happened_between_the_dates(dates, choice):
    """Of the total: at both dates, with the parameters of the earlier one."""
    for name, fit in choice.fits.items():
        model = selection.PURCHASE_MODELS[name]
        earlier, later = (
            model.log_likelihood(fit.params, *(frame[c] for c in ("frequency", "recency", "T")))
            for frame in dates
        )
        assert fit.log_likelihood == pytest.approx(earlier, rel=1e-12)
        assert choice.scores[name] == pytest.approx((later - earlier) / 2_000, rel=1e-9)


def test_score_of_those_who_stay_away_is_the_forecast_of_it(dates, choice):
    """Without a purchase between the dates: ln(1 − P(return within 180 days))."""
    earlier, later = dates
    away = earlier["frequency"] == later["frequency"]
    found = choose(earlier, later[away])
    history = tuple(earlier.loc[away, name] for name in ("frequency", "recency", "T"))
    for name, fit in found.fits.items():
        assert fit == choice.fits[name]
        model = selection.PURCHASE_MODELS[name]
        back = model.return_probability(fit.params, 180.0, *history)
        assert found.scores[name] == pytest.approx(np.log1p(-back).mean(), rel=1e-9)


def test_only_customers_of_both_dates_count_and_their_order_does_not(dates, choice):
    earlier, later = dates
    newcomer = pd.DataFrame({"customer_id": [-1], "frequency": [3], "recency": [20.0], "T": [50.0]})
    shuffled = pd.concat([newcomer, later]).sample(frac=1, random_state=0)
    found = choose(earlier, shuffled)
    assert found.customers == 2_000
    for name, score in choice.scores.items():
        assert found.scores[name] == pytest.approx(score, rel=1e-12)


def test_null_histories_are_left_out(dates, choice):
    gaps = [frame.astype({"frequency": "Float64", "T": "Float64"}) for frame in dates]
    gaps[1].loc[5, "T"] = pd.NA
    found = choose(*gaps)
    assert found.customers == 1_999 and found.fits == choice.fits


def test_lag_behind_the_best_has_a_standard_error(choice):
    assert choice.lags[choice.best] == 0
    behind = choice.scores[choice.best] - choice.scores["bg_nbd"]
    # Two thousand customers tell these two apart by more than twice its error.
    assert behind > 2 * choice.lags["bg_nbd"] > 0


def test_at_a_limit_that_all_models_share_bg_nbd_is_held():
    """Nobody leaves: three names for the negative binomial, and no reason to change."""
    earlier, later = two_dates(NOBODY_LEAVES, 3_000, 8)
    found = choose(earlier, later)
    assert {fit.verdict for fit in found.fits.values()} == {"boundary"}
    assert max(found.scores.values()) - min(found.scores.values()) < 1e-6
    assert found.best == "bg_nbd"


def failing(model):
    """A purchase model whose fit fails at parameters that would win."""

    def fit(*history):
        return dataclasses.replace(model.fit(*history), verdict="failed")

    return SimpleNamespace(fit=fit, log_likelihoods=model.log_likelihoods)


def test_model_whose_fit_failed_cannot_win(dates, choice, monkeypatch):
    winner = choice.best
    assert winner != "bg_nbd"
    models = {**selection.PURCHASE_MODELS}
    models[winner] = failing(models[winner])
    monkeypatch.setattr(selection, "PURCHASE_MODELS", models)
    found = choose(*dates)
    assert found.best != winner and np.isnan(found.scores[winner])


def test_bg_nbd_is_held_when_all_fits_fail(dates, monkeypatch):
    models = {name: failing(model) for name, model in selection.PURCHASE_MODELS.items()}
    monkeypatch.setattr(selection, "PURCHASE_MODELS", models)
    found = choose(*dates)
    assert found.best == "bg_nbd" and np.isnan(list(found.scores.values())).all()


def test_dates_in_the_wrong_order_are_refused(dates):
    earlier, later = dates
    with pytest.raises(TrainingError, match=r"Got 2000 of 2000 .* does not continue"):
        choose(later, earlier)
    bought = (later["frequency"] > earlier["frequency"]).idxmax()
    moved = later.copy()
    moved.loc[bought, "recency"] = earlier.loc[bought, "T"] / 2
    with pytest.raises(TrainingError, match=r"Got 1 of 2000 .* does not continue"):
        choose(earlier, moved)


def test_tables_that_do_not_fit_are_refused(dates):
    earlier, later = dates
    with pytest.raises(TrainingError, match="without recency, T"):
        choose(earlier.drop(columns=["recency", "T"]), later)
    with pytest.raises(TrainingError, match="one row a customer"):
        choose(earlier, pd.concat([later, later.head(1)]))
    with pytest.raises(NotEnoughData, match="no customer that is known at both dates"):
        choose(earlier, later.assign(customer_id=later["customer_id"] + 9_999))
