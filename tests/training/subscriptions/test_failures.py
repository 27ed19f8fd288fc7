"""The involuntary part of the risk is that of past ends, each counted once."""

import numpy as np
import pandas as pd
import pytest

from training.subscriptions.failures import SHRINK, Failures


def snapshot(failed, voluntary, *, before=0, as_of="2024-01-01", after=10.0, first=0):
    """Ends of a kind, and as many who run on."""
    ends = ["involuntary"] * failed + ["voluntary"] * voluntary
    size = 2 * len(ends)
    return pd.DataFrame(
        {
            "customer_id": [f"c{first + n}" for n in range(size)],
            "as_of": pd.Timestamp(as_of),
            "ended_after": [after] * len(ends) + [np.nan] * len(ends),
            "end_reason": [*ends, *[None] * len(ends)],
            "subscription_involuntary_ends": before,
        }
    )


def test_shares_are_those_of_the_ends_weighed_down_by_all():
    found = Failures.learn([snapshot(20, 80), snapshot(60, 40, before=2, first=1_000)])
    # Of all 200 ends 80 were involuntary.
    assert found.never == pytest.approx((20 + SHRINK * 0.4) / (100 + SHRINK))
    assert found.again == pytest.approx((60 + SHRINK * 0.4) / (100 + SHRINK))
    rows = pd.DataFrame({"subscription_involuntary_ends": [0, 1, 5, None]})
    assert found.share(rows).tolist() == [found.never, found.again, found.again, found.never]


def test_an_end_that_two_snapshots_saw_counts_once():
    again = snapshot(60, 40, before=1, first=1_000)
    one, same = snapshot(30, 70), snapshot(30, 70, as_of="2023-12-01", after=41.0)
    once = Failures.learn([one, again])
    assert Failures.learn([same, one, again]) == once
    # Another end of the same customers, a month later.
    assert Failures.learn([one, snapshot(30, 70, as_of="2024-02-01"), again]) != once


def test_where_no_end_has_a_reason_nothing_is_said():
    silent = snapshot(5, 5).assign(end_reason=None)
    for found in (Failures.learn([silent]), Failures.learn([])):
        assert found == Failures() and not found.in_words()
        assert np.isnan(found.share(silent)).all()


def test_other_reasons_are_ends_too():
    moved = snapshot(10, 10).replace({"end_reason": {"voluntary": "moved"}})
    assert Failures.learn([moved]).never == pytest.approx(0.5)


def test_saved_and_loaded_it_is_the_same(tmp_path):
    for one in (Failures.learn([snapshot(3, 8)]), Failures()):
        one.save(tmp_path)
        assert Failures.load(tmp_path) == one
