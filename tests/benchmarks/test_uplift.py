"""Whom to treat: an action alone is a trial of its own."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from benchmarks import uplift
from training.uplift.trial import RETURNED, SPEND, Trial


def drawn() -> Trial:
    """900 customers by lot to nothing, the first or the second of two actions."""
    random = np.random.default_rng(0)
    arm, returned = random.integers(0, 3, 900), random.random(900) < 0.4
    outcomes = {RETURNED: returned.astype(float), SPEND: returned * 5.0}
    columns = pd.DataFrame({"recency": random.random(900)})
    return Trial(columns, ("none", "first", "second"), arm, np.full((900, 3), 1 / 3), outcomes)


@pytest.mark.parametrize("action", [1, 2])
def test_an_action_alone_keeps_its_customers_and_those_who_got_nothing(action: int):
    whole = drawn()
    one = uplift.alone(whole, action)
    kept = np.isin(whole.arm, (0, action))
    assert one.arms == ("none", whole.arms[action])
    assert (one.arm == (whole.arm[kept] == action)).all()
    assert one.outcomes[RETURNED].tolist() == whole.outcomes[RETURNED][kept].tolist()
    assert one.propensity == pytest.approx(0.5)


def test_a_visit_is_worth_what_visits_brought():
    assert uplift.spend_per_visit(drawn()) == pytest.approx(5.0)
