"""How prices move is learned from the renewals of several dates, and kept bit for bit."""

import numpy as np
import pandas as pd
import pytest

from training.subscriptions.prices import AFTER, PARTS, Prices

MONTH, YEAR = 30.4375, 365.25


def renewed(customers, moved, *, ratio=1.2, term=MONTH):
    """Subscribers ten days after a renewal, at which some of the prices moved."""
    changed = np.where(np.arange(customers) < moved, 10.0, 200.0)
    return pd.DataFrame(
        {
            "subscription_days_to_renewal": round(term) - 10,
            "subscription_term_days": term,
            "subscription_renewals": 8,
            "subscription_days_since_price_change": changed,
            "subscription_price_ratio": ratio,
        }
    )


def learned(*frames):
    return Prices.learn(frames, np.random.default_rng(0))


def test_the_share_of_renewals_with_a_move_comes_out():
    prices = learned(renewed(1_000, 200))
    one = np.array(prices.ratios[MONTH][0])
    assert set(one) == {1.0, 1.2}
    assert (one > 1).mean() == pytest.approx(0.2, abs=0.02)
    mean = np.array(prices.ratios[MONTH][AFTER.index(3)]).mean()
    # E[M_j] = 1.04^j, averaged over the first four.
    assert mean == pytest.approx(np.mean(1.04 ** np.arange(1, 5)), rel=0.02)


def test_a_rise_for_everyone_at_one_of_ten_dates_is_one_of_ten():
    prices = learned(renewed(200, 200), *(renewed(200, 0) for _ in range(9)))
    assert (np.array(prices.ratios[MONTH][0]) > 1).mean() == pytest.approx(0.1, abs=0.02)


def test_each_term_moves_by_itself_and_a_rare_one_with_all():
    prices = learned(renewed(500, 0), renewed(500, 250, term=YEAR), renewed(50, 50, term=7.0))
    terms = np.array([MONTH, YEAR, 7.0, 91.3125])
    means = prices.table(terms, np.ones(4, dtype=int)).mean(axis=1)
    assert means[0] == 1.0 and means[1] == pytest.approx(1.1, abs=0.01)
    assert means[2] == means[3] and 1.0 < means[2] < means[1]


def test_where_nothing_moved_or_was_renewed_prices_stay():
    newcomers = renewed(100, 100).assign(subscription_renewals=0)
    for prices in (learned(renewed(100, 0)), learned(newcomers), Prices()):
        assert not prices.ratios
        assert prices.quantile(np.array([MONTH]), np.array([3]), np.array([0.99])) == 1.0
        assert (prices.table(np.array([MONTH]), np.array([3])) == 1.0).all()


def test_a_ratio_that_cannot_be_a_price_does_not_count():
    assert not learned(renewed(100, 50, ratio=60.0)).ratios


def test_distributions_rise_and_quantiles_are_theirs():
    prices = learned(renewed(1_000, 300, ratio=0.9))
    for row in prices.ratios[MONTH]:
        assert len(row) == PARTS and list(row) == sorted(row)
    levels = np.linspace(0, 1, 21)
    found = prices.quantile(np.full(21, MONTH), np.full(21, 5), levels)
    assert np.all(np.diff(found) >= 0)
    assert found[0] == prices.ratios[MONTH][AFTER.index(4)][0]


def test_saved_and_loaded_they_are_the_same(tmp_path):
    for prices in (learned(renewed(300, 40)), Prices()):
        prices.save(tmp_path)
        assert Prices.load(tmp_path) == prices
