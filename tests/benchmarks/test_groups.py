"""The table of the groups: parts add up, an order that fails is named."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from benchmarks import groups
from benchmarks.data_sets import Case
from serving.groups.tiers import TIERS


def seen(returns: dict[str, float], spends: dict[str, float], size: int = 200) -> groups.Seen:
    """Stages with these return rates and tiers with these spends; `size` customers each."""
    stages = np.repeat(list(returns), size)
    returned = np.concatenate([np.arange(size) < rate * size for rate in returns.values()])
    tiers = np.resize(np.repeat(list(spends), size), len(stages))
    after = np.array([spends[tier] for tier in tiers], dtype=float)
    rows = pd.DataFrame({"stage": stages, "tier": tiers, "returned": returned.astype(float)})
    rows = rows.assign(clv=after, after=after, before=1.0, as_key=after > 5)
    return groups.Seen(Case("made", date(2024, 1, 1), 90), rows)


GOOD = {"loyal": 0.9, "growing": 0.6, "at_risk": 0.3, "lapsed": 0.1}
SPENDS = {"key": 9.0, "core": 4.0, "small": 1.0}


def test_orders_that_hold_are_reached():
    assert [bar.met for bar in groups.orders(seen(GOOD, SPENDS))] == [True, True]


def test_an_order_that_fails_is_named():
    stages, tiers = groups.orders(seen(GOOD | {"lapsed": 0.4}, SPENDS | {"small": 5.0}))
    assert (stages.met, tiers.met) == (False, False)
    assert "lapsed above at_risk" in stages.found
    assert "small above core" in tiers.found


def test_few_customers_are_not_judged():
    bars = list(groups.orders(seen(GOOD | {"lapsed": 0.4}, SPENDS, size=199)))
    assert bars[0].found == "0 of 0 pairs"


def test_shares_add_up():
    rows = seen(GOOD, SPENDS).rows
    lines = list(groups.shares(rows, "tier", TIERS))
    assert [line["tier"] for line in lines] == ["key", "core", "small"]
    assert sum(float(line["of all"].rstrip("%")) for line in lines) == pytest.approx(100, abs=0.2)


@pytest.mark.golden
def test_a_difference_with_its_interval():
    """Welch: variances 2.5 and 10 over 5 each give an error of √2.5."""
    gap, half = groups.difference(np.arange(5.0) + 3, np.arange(0.0, 10.0, 2.0))
    assert gap == pytest.approx(1.0)
    assert half == pytest.approx(1.96 * 2.5**0.5)
