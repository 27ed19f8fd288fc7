"""The card's words on silence: every rule with its figures, and the customers it would have hit."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from training.silence import reach, shape
from training.silence.limits import sentences
from training.silence.shape import FACTOR


def table(**columns: object) -> pd.DataFrame:
    known = {"customer_id": [f"c{n}" for n in range(40)], "T": 400.0, "order_mean": 20.0}
    return pd.DataFrame(known | {"order_max": 30.0, "complaints_total": 1} | columns)


def told(*frames: pd.DataFrame, rule: str = "inactivity") -> list[str]:
    seen = list(frames)
    scorer = SimpleNamespace(reach=reach.learn(seen), shape=shape.learn(seen), rule=rule)
    return list(sentences(scorer, seen))


def test_each_rule_has_its_figures():
    stale, missing, changed, outside = told(table(), table(order_mean=40.0))
    assert "silent for longer" in stale
    assert "3 of transactions, 1 of events" in missing
    assert "nothing was learned from customers, subscriptions" in missing
    assert "20 to 40" in changed
    assert f"below {20 / 2**3:.4g} or above {40 * 2**3:.4g}" in changed and FACTOR < 2**3
    assert "largest order 90;" in outside and "days since the first purchase 1,200" in outside
    assert "0 of its 40 customers (0.00%)" in outside


def test_who_of_the_newest_table_would_have_been_outside_is_counted():
    far = table(order_max=np.where(np.arange(40) < 3, 91.0, 30.0))
    assert "3 of its 40 customers (7.50%)" in told(table(), far)[-1]
    assert "customers (" not in told(far)[-1]


@pytest.mark.parametrize(
    ("rule", "column", "who"),
    [("label", "order_mean", "purchase"), ("subscription", "subscription_price", "price")],
)
def test_customers_of_whom_something_is_missing_are_a_group(rule, column, who):
    some = table(**{column: np.where(np.arange(40) < 30, np.nan, 5.0)})
    assert f"No {who}" in told(some, rule=rule)[-1].replace("on record", "")
    assert "30 of 40 customers" in told(some, rule=rule)[-1]


def test_a_scorer_that_knows_no_limits_has_none_to_tell():
    assert sentences(SimpleNamespace(reach=None, shape=None), [table()]) == ()
