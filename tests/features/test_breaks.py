"""Breaks in amounts: a change of the unit is found wherever it falls, and trade is no break."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from features import breaks

FIRST, DAYS = date(2024, 1, 1), 360


def _log(rows: int, seed: int = 1) -> pd.DataFrame:
    """Purchases of 20 in the middle, half of them between 9 and 45, some refunds and gifts."""
    random = np.random.default_rng(seed)
    day = np.sort(random.integers(0, DAYS, rows))
    amount = np.round(random.lognormal(np.log(20), 1.2, rows), 2)
    amount[::17], amount[::23] = -30.0, 0.0
    return pd.DataFrame({"day": [FIRST + timedelta(int(one)) for one in day], "amount": amount})


def _found(log: pd.DataFrame, as_of: date = date(2025, 1, 1)) -> tuple[breaks.Break, ...]:
    table = ibis.memtable(log)
    return breaks.find(table.mutate(amount=table.amount.cast("decimal(18, 6)")), as_of)


def _in_cents(log: pd.DataFrame, since: date, until: date = date(2025, 1, 1)) -> pd.DataFrame:
    is_in = (log["day"] >= since) & (log["day"] < until)
    return log.assign(amount=log["amount"].where(~is_in, log["amount"] * 100))


@pytest.mark.parametrize("rows", [300, 2_000, 40_000])
@pytest.mark.parametrize("seed", range(3))
def test_trade_without_a_change_of_the_unit_is_no_break(rows: int, seed: int):
    assert _found(_log(rows, seed)) == ()


@pytest.mark.parametrize("rows", [1_000, 2_000, 40_000])
@pytest.mark.parametrize("day", range(80, 281, 8))
def test_cents_from_some_day_on_are_one_break_near_it_with_its_factor(rows: int, day: int):
    since = FIRST + timedelta(day)
    (found,) = _found(_in_cents(_log(rows), since))
    stretch = DAYS / min(breaks.MOST_STRETCHES, rows * 0.9 // breaks.LEAST)
    assert abs((found.since - since).days) <= 1.5 * stretch
    assert found.later > found.earlier and 50 < found.factor < 200


def test_a_stay_in_another_unit_breaks_twice_and_the_words_say_when_and_what_to_look_at():
    spoilt = _in_cents(_log(20_000), date(2024, 5, 1), date(2024, 8, 1))
    there, back = _found(spoilt)
    assert there.later > there.earlier and back.later < back.earlier
    table = ibis.memtable(spoilt)
    (said,) = breaks.sentences(table, date(2025, 1, 1))
    assert str(there.since) in said and str(back.since) in said
    assert "times higher" in said and "times lower" in said and "[sources.transactions]" in said


def test_rows_from_the_as_of_date_on_and_the_order_of_rows_change_nothing():
    spoilt = _in_cents(_log(5_000), date(2024, 7, 1))
    assert _found(spoilt, date(2024, 7, 1)) == ()
    assert _found(spoilt.sample(frac=1.0, random_state=3)) == _found(spoilt) != ()


def test_spark_finds_the_same(spark: Any):
    spoilt = _in_cents(_log(3_000), date(2024, 7, 1))
    spark._session.createDataFrame(spoilt).createOrReplaceTempView("spoilt")
    table = spark.table("spoilt")
    table = table.mutate(amount=table.amount.cast("decimal(18, 6)"))
    assert breaks.find(table, date(2025, 1, 1)) == _found(spoilt) != ()


def test_too_few_purchases_and_no_log_say_nothing():
    assert _found(_in_cents(_log(150), date(2024, 7, 1))) == ()
    assert breaks.find(None, date(2025, 1, 1)) == ()
    assert _found(_log(50).iloc[:0].astype({"amount": float})) == ()
