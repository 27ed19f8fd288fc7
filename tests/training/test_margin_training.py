"""Training on a log that states margins: lifetime values differ by them, and nothing else does."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import ibis
import numpy as np
import pandas as pd
import pytest

from features.inputs import MONEY_TYPE, Inputs
from tests.training.conftest import AS_OF, HORIZON
from training.asked import Asked
from training.evidence import Evidence, Order
from training.margins import Margins
from training.pipeline import Training, gather
from training.runs import report
from training.scorer import PREDICTED, Scorer
from training.windows.panel import behaviour_frame

LIFETIME = ("clv", "clv_lower", "clv_upper")


def selling(shop: Inputs) -> Inputs:
    """The shop with a margin on every line: every fifth customer buys at a loss."""
    log = shop.transactions
    number = log.customer_id.right(5).cast("int64")
    rate = ibis.cases((number % 5 == 0, -0.2), else_=0.4)
    # Some luck from day to day.
    luck = (log.day.day_of_week.index() - 3) * 0.02
    margin = (log.amount.cast("float64") * (rate + luck)).cast(MONEY_TYPE)
    return replace(shop, transactions=log.mutate(margin=margin))


@pytest.fixture(scope="module")
def evidence(shop: Inputs, order: Callable[..., Order]) -> Evidence:
    """What was found on the log with margins."""
    asked = Asked(order().churn, order().value, order().seed)
    return gather(selling(shop), order(), asked, lambda *_: None)


@pytest.fixture(scope="module")
def rows(shop: Inputs) -> pd.DataFrame:
    """Behaviour rows of the same log on the day of the training."""
    return behaviour_frame(selling(shop), AS_OF, horizon_days=HORIZON)


def test_nothing_but_the_lifetime_value_knows_of_margins(
    trained: Training, evidence: Evidence, rows: pd.DataFrame
) -> None:
    plain = trained.evidence.scorer.predict(rows)
    found = evidence.scorer.predict(rows)
    others = [name for name in PREDICTED if name not in LIFETIME]
    pd.testing.assert_frame_equal(found[others], plain[others], check_exact=True)
    assert list(found.columns) == list(PREDICTED)


def test_lifetime_values_are_at_the_customers_own_rate(
    trained: Training, evidence: Evidence, rows: pd.DataFrame
) -> None:
    margins = evidence.scorer.margins
    assert margins is not None
    assert margins.rate == pytest.approx(0.8 * 0.4 - 0.2 * 0.2, abs=0.05)
    assert margins.between == pytest.approx(0.16 * 0.36, rel=0.2)
    plain, found = trained.evidence.scorer.predict(rows), evidence.scorer.predict(rows)
    factor = evidence.scorer.margin_rates(rows) / 0.3
    np.testing.assert_allclose(found["clv"], plain["clv"] * factor, rtol=1e-12)
    lost = factor < 0
    assert 0.1 < lost.mean() < 0.25
    assert (found["clv"][lost] <= 0).all()
    known = found["clv_lower"].notna()
    assert known.all()
    assert (found["clv_lower"] <= found["clv_upper"]).all()
    np.testing.assert_allclose(
        found["clv_lower"][lost], plain["clv_upper"][lost] * factor[lost], rtol=1e-12
    )
    assert not np.signbit(found.loc[found["clv"] == 0, "clv"]).any()


def test_a_saved_scorer_keeps_the_margins(
    trained: Training, evidence: Evidence, rows: pd.DataFrame, tmp_path: Path
) -> None:
    evidence.scorer.save(tmp_path / "stated")
    again = Scorer.load(tmp_path / "stated")
    assert again.margins == evidence.scorer.margins
    pd.testing.assert_frame_equal(
        again.predict(rows), evidence.scorer.predict(rows), check_exact=True
    )
    trained.evidence.scorer.save(tmp_path / "plain")
    assert Scorer.load(tmp_path / "plain").margins is None
    # A scorer from before there were margins is read as one without.
    head = json.loads((tmp_path / "plain" / "scorer.json").read_text(encoding="utf-8"))
    del head["margins"]
    (tmp_path / "plain" / "scorer.json").write_text(json.dumps(head), encoding="utf-8")
    assert Scorer.load(tmp_path / "plain").margins is None


def test_a_log_without_margins_has_the_rate_of_the_settings(
    trained: Training, rows: pd.DataFrame
) -> None:
    scorer = trained.evidence.scorer
    assert scorer.margins is None
    assert set(scorer.margin_rates(rows)) == {0.3}
    assert not set(scorer.families) & {"margin_total", "margin_spend"}


def test_the_model_card_tells_the_rates(
    trained: Training, evidence: Evidence, order: Callable[..., Order]
) -> None:
    card = report.model_card(evidence, order())
    assert isinstance(evidence.scorer.margins, Margins)
    assert evidence.scorer.margins.in_words() in card
    assert "discounted margin (each customer's own, 10% a year)" in card
    assert "discounted margin (30%, 10% a year)" in report.model_card(trained.evidence, order())
