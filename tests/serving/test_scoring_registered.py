"""Scoring with the models that are registered, over rows of the real behaviour table."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from serving import scores
from serving.groups.population import Thresholds

AS_OF = date(2024, 7, 1)
HORIZON_DAYS = 90


@pytest.fixture(scope="module")
def behaviour_rows() -> pd.DataFrame:
    """Behaviour table of 800 customers, through the plan that runs in the engine.

    As the value model has it: a rate of one's own, from a day of one's own, and after each
    purchase a chance of one's own to leave.
    """
    import ibis

    from features.inputs import MONEY_TYPE, Inputs
    from features.table import behaviour

    rng = np.random.default_rng(6)
    start = np.datetime64(AS_OF) - rng.integers(1, 700, 800)
    gaps = np.maximum(1, rng.exponential(40 / rng.gamma(1, 1, 800)[:, None], (800, 40))).astype(int)
    stays = rng.random((800, 40)) > rng.beta(0.8, 2.5, 800)[:, None]
    days = start[:, None] + np.cumsum(np.hstack([np.zeros((800, 1), int), gaps]), axis=1)
    bought = np.hstack([np.full((800, 1), True), stays.cumprod(axis=1).astype(bool)])
    kept = bought & (days < np.datetime64(AS_OF))
    owner = np.nonzero(kept)[0]
    connection = ibis.duckdb.connect()
    rows = pd.DataFrame(
        {
            "customer_id": [f"c{number}" for number in owner],
            "day": days[kept].astype("datetime64[us]"),
            "amount": np.round(rng.gamma(3, 1, kept.sum()) * rng.gamma(4, 4, 800)[owner], 2),
        }
    )
    table = connection.create_table("log", pa.Table.from_pandas(rows, preserve_index=False))
    nothing = {name: ibis.null("string") for name in ("order_id", "product_id", "category")}
    table = table.mutate(
        occurred_at=table.day,
        day=table.day.date(),
        amount=table.amount.cast(MONEY_TYPE),
        **nothing,
    )
    inputs = Inputs(transactions=table, connection=connection)
    return behaviour(inputs, AS_OF, horizon_days=HORIZON_DAYS).to_pandas()


@pytest.fixture(scope="module", params=["value", "blend"])
def scorer(request, behaviour_rows):
    """The value model alone, then the blend beside it, with intervals."""
    from training.asked import Asked
    from training.fitting import fit_origin
    from training.settings import ChurnSettings, ValueSettings
    from training.windows.known import know
    from training.windows.panel import Origin
    from training.windows.spread import learn
    from training.windows.window import Window

    asked = Asked(ChurnSettings(horizon_days=HORIZON_DAYS), ValueSettings())
    quiet = behaviour_rows["overdue_ratio"].fillna(1.0) + behaviour_rows["days_since_last"] / 90
    back = (quiet < quiet.median()).to_numpy().astype(int)
    often = back * (1 + np.arange(len(back)) % 3)
    came = {"returned": back, "occasions": often, "spend": often * 20.0 * (1 + back)}
    past = know(
        behaviour_rows.assign(**{f"{k}_in_{asked.window_days}": v for k, v in came.items()}), asked
    )
    earlier = AS_OF - timedelta(days=asked.window_days)
    now = know(behaviour_rows, asked)
    fitted = fit_origin(Origin(AS_OF, (earlier,)), {earlier: past}, now, asked)
    told = fitted.scorer(request.param, asked, {}).predict(behaviour_rows)
    return fitted.scorer(request.param, asked, {}, learn([Window(told, pd.DataFrame(came))]))


@pytest.fixture(scope="module")
def full(behaviour_rows, scorer, scored):
    """Score rows and thresholds of the whole population."""
    return scored(behaviour_rows, scorer=scorer)


@pytest.mark.parity
def test_some_customers_score_as_in_the_full_table(behaviour_rows, scorer, scored, full):
    rows, thresholds = full
    kept = Thresholds.from_json(thresholds.to_json())
    for places in ([7], [799], list(range(0, 800, 9))):
        some, _ = scored(behaviour_rows.iloc[places], scorer=scorer, thresholds=kept)
        pd.testing.assert_frame_equal(some, rows.iloc[places].reset_index(drop=True))


def test_another_horizon_moves_no_lifetime_value_and_no_decision(
    behaviour_rows, scorer, scored, full
):
    rows, thresholds = full
    longer, _ = scored(behaviour_rows, scorer=scorer, thresholds=thresholds, horizon_days=180)
    assert (longer["return_probability"] >= rows["return_probability"]).all()
    same = ["clv", "potential_value", "next_purchase_by", "stage", "tier", "rfm"]
    pd.testing.assert_frame_equal(longer[same], rows[same])


def test_everything_is_said_of_every_buyer(full):
    rows, _ = full
    scores.validate(rows)
    assert rows["abstained"].isna().all()
    assert (
        rows[[name for name in rows if name.endswith(("_lower", "_upper"))]].notna().all(axis=None)
    )
    assert (rows["next_purchase_by"] >= AS_OF).all()
    assert (rows["next_purchase_by"] < AS_OF + timedelta(days=365)).all()
    assert rows["reasons"].map(len).between(0, 3).all()
    assert rows["reasons"].map(len).gt(0).mean() > 0.9


def test_a_saved_scorer_scores_the_same(behaviour_rows, scorer, scored, full, tmp_path):
    from training.scorer import Scorer

    scorer.save(tmp_path / "scorer")
    rows, thresholds = full
    loaded = Scorer.load(tmp_path / "scorer")
    again, _ = scored(behaviour_rows, scorer=loaded, thresholds=thresholds)
    pd.testing.assert_frame_equal(again, rows)
