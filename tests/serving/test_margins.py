"""The margin of score rows, and what a customer who is sold to at a loss comes to."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from serving import margins, scores, scoring
from serving.groups.population import Thresholds
from serving.groups.tiers import Costs
from tests.serving.conftest import AS_OF
from training.margins import Margins


class Selling:
    """The made model of a business whose log states margins."""

    def __init__(self, made, found: Margins) -> None:
        self.made, self.margins = made, found
        self.horizon_days, self.clv_horizon_days = made.horizon_days, made.clv_horizon_days

    def predict(self, frame, horizon_days=None):
        """Lifetime values at the customer's own rate, as the registered scorer gives them."""
        given = self.made.predict(frame, horizon_days)
        return given.assign(clv=given["clv"] * self.margin_rates(frame) / 0.3)

    def margin_rates(self, frame):
        """Rates of the customers."""
        return self.margins.rates(frame)

    def contributions(self, frame):
        """Log-odds by family."""
        return self.made.contributions(frame)


@pytest.fixture(scope="module")
def shop(people):
    """300 customers: two thirds with their own margins, one in ten bought at a loss."""
    frame = people(300)
    frame["spend_total"] = frame["spend_total"].clip(lower=1.0)
    kept = np.where(np.arange(300) % 10 == 0, -0.25, 0.35) * frame["spend_total"]
    stated = np.arange(300) % 3 > 0
    return frame.assign(
        margin_total=np.where(stated, kept, np.nan),
        margin_spend=np.where(stated, frame["spend_total"], np.nan),
    )


COSTS = Costs(0.3)


def scored(frame, scorer, costs=COSTS, thresholds=None):
    when = datetime(2024, 7, 2, tzinfo=UTC)
    given = {"as_of": AS_OF, "model_version": "7", "scored_at": when, "costs": costs}
    return scoring.score(frame, scorer, thresholds=thresholds, **given)


def test_a_row_has_its_own_rate_and_else_that_of_the_settings():
    told = [0.4, None, -0.2]
    frame = pd.DataFrame({"margin_rate": pd.Series(told, dtype="double[pyarrow]")})
    table = pa.table({"margin_rate": pa.array(told)})
    for rows in (frame, frame.astype("float64"), table):
        assert margins.rates(rows, 0.3).tolist() == [0.4, 0.3, -0.2]
    older = {"clv": [1.0, 2.0]}
    for rows in (pd.DataFrame(older), pa.table(older)):
        assert margins.rates(rows, 0.3).tolist() == [0.3, 0.3]


def test_score_rows_say_the_rate_of_every_customer(shop, made_scorer):
    found = Margins(0.3, within=4.0, between=0.02)
    rows, _ = scored(shop, Selling(made_scorer, found))
    assert rows["margin_rate"].tolist() == found.rates(shop).tolist()
    without = shop["margin_total"].isna().to_numpy()
    assert set(rows["margin_rate"][without]) == {0.3}
    assert scores.validate(rows).num_rows == len(rows)


def test_who_is_sold_to_at_a_loss_is_costly(shop, made_scorer):
    rows, thresholds = scored(shop, Selling(made_scorer, Margins(0.3, within=4.0, between=0.02)))
    lost = (shop["margin_total"] < 0).to_numpy()
    assert lost.sum() > 15
    assert (rows["tier"][lost] == "costly").all()
    assert (rows["clv"][lost].to_numpy(float) < 0).any()
    assert (rows["tier"][~lost & (shop["margin_total"] > 0).to_numpy()] != "costly").all()
    # What they lose is no part of the profit that the key customers hold most of.
    assert thresholds.cuts.key > 0
    kept = Thresholds.from_json(json.dumps(thresholds.to_dict()))
    alone, _ = scored(
        shop[lost].head(1), Selling(made_scorer, Margins(0.3, 4.0, 0.02)), thresholds=kept
    )
    assert alone["tier"].tolist() == ["costly"]


def test_a_margin_on_record_is_held_against_the_cost_to_serve(shop, made_scorer):
    """The lines without a margin count at the customer's rate, here that of the business."""
    one = shop.head(4).assign(
        frequency=0.0,
        spend_total=[100.0, 100.0, 100.0, 100.0],
        margin_total=[9.0, 11.0, None, 4.0],
        margin_spend=[100.0, 100.0, None, 80.0],
    )
    scorer = Selling(made_scorer, Margins(0.3))
    rows, _ = scored(one, scorer, Costs(0.05, per_order=10.0))
    # 9 < 10; 11; 0.3 · 100 = 30; 4 + 0.3 · 20 = 10.
    assert (rows["tier"] == "costly").tolist() == [True, False, False, False]


def test_margins_that_nobody_states_change_nothing(shop, made_scorer):
    bare = shop.drop(columns=["margin_total", "margin_spend"])
    null = shop.assign(margin_total=np.nan, margin_spend=np.nan)
    expected, learned = scored(bare, made_scorer)
    for frame in (bare, null):
        rows, again = scored(frame, made_scorer)
        assert scores.to_table(rows).equals(scores.to_table(expected))
        assert again == learned
    assert set(expected["margin_rate"]) == {0.3}
