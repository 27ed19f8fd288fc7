"""Rules of thumb for renewals: by hand."""

import numpy as np
import pandas as pd
import pytest

from training.subscriptions.curves import ENOUGH, rules

MONTH, YEAR = 30.4375, 365.25


def histories(*rows):
    names = ("plan", "term_days", "renewals", "active", "customers")
    return pd.DataFrame([("a", *row) for row in rows], columns=names)


def at(curve, renewals, term, ahead=1):
    frame = pd.DataFrame({"subscription_renewals": [renewals], "subscription_term_days": [term]})
    return curve.chances(frame, np.zeros((1, ahead)))[0]


# 1,000 begin; at renewal 1 200 end, 100 are watched no longer; at renewal 2 70 of 700 end.
KNOWN = histories(
    (MONTH, 0, False, 200),
    (MONTH, 0, True, 100),
    (MONTH, 1, False, 70),
    (MONTH, 2, True, 630),
    (YEAR, 0, False, 50),
    (YEAR, 1, True, 50),
)


def test_kaplan_meier_is_ends_over_those_whom_the_renewal_came_up_for():
    curve = rules(KNOWN)["kaplan_meier"]
    assert at(curve, 0, MONTH) == pytest.approx([200 / 900])
    assert at(curve, 1, MONTH, ahead=3) == pytest.approx([0.1, 0.1, 0.1])
    assert at(curve, 0, YEAR) == pytest.approx([0.5])


def test_a_constant_rate_is_ends_over_renewals_that_came_up():
    curve = rules(KNOWN)["constant_rate"]
    assert at(curve, 9, MONTH, ahead=2) == pytest.approx([270 / 1600] * 2)
    assert at(curve, 0, 7.0) == pytest.approx([320 / 1700])


def test_few_customers_far_out_are_taken_together():
    few = histories(
        (MONTH, 0, False, 50),
        (MONTH, 0, True, 0),
        *((MONTH, n, n % 2 == 0, 10) for n in range(1, 9)),
    )
    curve = rules(few)["kaplan_meier"].by_term[MONTH]
    came_up = [130, *(80 - 10 * n + 0 for n in range(0, 8))]
    assert len(curve) <= sum(number >= ENOUGH for number in came_up) + 1
    assert all(0 < chance < 1 for chance in curve)
