"""Shape: a table like those of the training is no finding, and a spoilt one is the right one."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.inputs import Inputs
from training.pipeline import Training
from training.silence.shape import Shape, learn
from training.silence.unsaid import AMOUNTS_CHANGED, COLUMN_MISSING
from training.windows.panel import behaviour_frame

MONEY = ("monetary_value", "refund_amount", "unmatched_refunds", "same_season_spend")


def table(rows: int = 500, seed: int = 0, **columns: object) -> pd.DataFrame:
    """Behaviour rows with an attribute of words, one of numbers and a column that is half there."""
    random = np.random.default_rng(seed)
    known = {
        "customer_id": [f"c{n}" for n in range(rows)],
        "order_mean": random.lognormal(3.0, 0.6, rows),
        "spend_30": random.lognormal(3.5, 0.8, rows),
        "occasions_30": random.integers(0, 4, rows),
        "spend_90": random.lognormal(3.8, 0.8, rows),
        "satisfaction_last": np.where(random.random(rows) < 0.5, 4.0, np.nan),
        "complaints_total": random.integers(0, 2, rows),
        "attribute_city": random.choice(["Bern", "Chur", "Genf"], rows),
        "attribute_age": random.normal(40.0, 9.0, rows),
        "value_p_alive": 1.0,
    }
    return pd.DataFrame(known | columns)


@pytest.fixture(scope="module")
def shape() -> Shape:
    return learn([table(seed=n) for n in range(3)])


def found(shape: Shape, frame: pd.DataFrame) -> list[tuple[str, str]]:
    return [(one.reason, one.subject) for one in shape.compare(frame)]


@pytest.mark.parametrize("seed", range(8))
def test_another_table_of_the_same_kind_is_no_finding(shape, seed):
    assert found(shape, table(seed=100 + seed)) == []
    assert found(shape, table(rows=3, seed=seed)) == []


@pytest.mark.parametrize(
    ("spoilt", "subject"),
    [
        ({"attribute_city": None}, "attribute_city"),
        ({"attribute_city": "BERN"}, "attribute_city"),
        ({"attribute_age": "forty"}, "attribute_age"),
        ({"attribute_age": None, "attribute_city": None}, "customers"),
        ({"satisfaction_last": np.nan}, "satisfaction_last"),
        ({"satisfaction_last": np.nan, "complaints_total": np.nan}, "events"),
    ],
)
def test_what_is_gone_is_named(shape, spoilt, subject):
    assert found(shape, table(**spoilt)) == [(COLUMN_MISSING, subject)]


def test_an_attribute_that_is_not_there_at_all_is_gone(shape):
    frame = table().drop(columns="attribute_city")
    assert found(shape, frame) == [(COLUMN_MISSING, "attribute_city")]
    assert shape.fitting(frame)["attribute_city"].isna().all()


def test_a_table_that_fits_is_left_as_it_is(shape):
    frame = table()
    pd.testing.assert_frame_equal(shape.fitting(frame), frame)


def test_a_few_rows_without_a_value_that_is_often_missing_are_no_finding(shape):
    assert found(shape, table(rows=8, satisfaction_last=np.nan)) == []


@pytest.mark.parametrize("factor", [100.0, 0.01, 5.0])
def test_amounts_in_another_unit(shape, factor):
    spoilt = table()
    for name in ("order_mean", "spend_30", "spend_90"):
        spoilt[name] *= factor
    (one,) = shape.compare(spoilt)
    assert one.reason == AMOUNTS_CHANGED
    assert {"order_mean", "spend_90"} <= set(one.columns)
    assert "customer_id" not in one.columns and "occasions_30" not in one.columns
    assert ("too high" if factor > 1 else "too low") in one.seen


def test_amounts_that_changed_a_month_ago_are_found_before_the_means_move(shape):
    (one,) = shape.compare(table(spend_30=table()["spend_30"] * 100))
    assert one.reason == AMOUNTS_CHANGED and "last 30 days" in one.seen


@pytest.mark.parametrize("factor", [2.0, 0.5])
def test_prices_that_double_are_no_other_unit(shape, factor):
    dearer = table()
    for name in ("order_mean", "spend_30"):
        dearer[name] *= factor
    assert shape.compare(dearer) == []


def test_amounts_that_moved_widely_in_training_may_do_so_again():
    wide = learn([table(order_mean=np.full(500, amount)) for amount in (10.0, 40.0)])
    narrow = learn([table(order_mean=np.full(500, 40.0))])
    now = table(order_mean=np.full(500, 400.0))
    assert found(wide, now) == [] and found(narrow, now) != []


def test_the_order_of_the_rows_changes_nothing(shape):
    spoilt = table(attribute_city=None, order_mean=1e6)
    assert shape.compare(spoilt) == shape.compare(spoilt.sample(frac=1.0, random_state=1))
    turned = [table(seed=n).iloc[::-1] for n in range(3)]
    assert learn(turned) == shape


def test_a_population_that_lies_elsewhere_is_named_and_silences_nothing(shape):
    older = table(attribute_age=np.full(500, 95.0))
    assert shape.moved(table()) == ()
    assert shape.moved(older) == ("attribute_age",)
    assert shape.compare(older) == []


def test_it_is_saved_as_it_is(shape, tmp_path: Path):
    shape.save(tmp_path)
    assert Shape.load(tmp_path) == shape
    assert Shape.load(tmp_path / "nowhere") is None


def test_a_scorer_knows_the_shape_of_its_training(
    trained: Training, shop: Inputs, tmp_path: Path
) -> None:
    scorer = trained.evidence.scorer
    assert scorer.shape is not None
    scorer.save(tmp_path)
    assert type(scorer).load(tmp_path).shape == scorer.shape
    for days in (0, 40, 90):
        at = date(2023, 1, 2) + timedelta(days=420 + days)
        now = behaviour_frame(shop, at, horizon_days=90)
        assert scorer.shape.compare(now) == [], days
        assert scorer.reach is not None
        assert not np.any([told != "" for told in scorer.reach.beyond(now).values()]), days
