"""The holdout: random for whoever has no key, the same again for whoever has."""

from __future__ import annotations

import stat
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.campaigns.holdout import assignment_ids, draw, key_of, strata
from serving.errors import CampaignError

KEY = bytes(range(32))


def ids(number: int) -> list[str]:
    return [f"c{one}" for one in range(number)]


@given(st.lists(st.sampled_from("abc"), max_size=60), st.floats(0.05, 0.9), st.randoms())
def test_every_stratum_gives_its_share_whatever_the_order(groups, share, random):
    customers = ids(len(groups))
    held = draw(customers, groups, share, plan_id="p", key=KEY)
    for name in set(groups):
        mine = np.array([one == name for one in groups])
        assert abs(held[mine].sum() - share * mine.sum()) < 1 + 1e-9
    assert abs(held.sum() - share * len(held)) < 1 + 1e-9
    order = list(range(len(groups)))
    random.shuffle(order)
    again = draw(
        [customers[k] for k in order], [groups[k] for k in order], share, plan_id="p", key=KEY
    )
    assert again.tolist() == held[order].tolist()


def test_everyone_is_held_out_with_the_same_chance():
    """Over 2,000 plans, one of three and six of twenty: each within 4 standard errors of 0.3."""
    groups = ["few"] * 3 + ["many"] * 20
    draws = [draw(ids(23), groups, 0.3, plan_id=f"p{one}", key=KEY) for one in range(2_000)]
    assert np.mean(draws, axis=0) == pytest.approx(np.full(23, 0.3), abs=4 * (0.21 / 2_000) ** 0.5)


def test_small_strata_do_not_add_up_to_no_holdout():
    """Twenty strata of one customer each, of which a tenth is two."""
    groups = [f"g{one:02}" for one in range(20)]
    for plan in range(50):
        assert draw(ids(20), groups, 0.1, plan_id=f"p{plan}", key=KEY).sum() == 2


def test_another_plan_or_key_draws_others():
    usual = draw(ids(200), ["a"] * 200, 0.5, plan_id="p", key=KEY)
    assert (draw(ids(200), ["a"] * 200, 0.5, plan_id="q", key=KEY) != usual).any()
    assert (draw(ids(200), ["a"] * 200, 0.5, plan_id="p", key=KEY[::-1]) != usual).any()


def test_the_parts_of_a_hash_are_kept_apart():
    left, right = assignment_ids(["ab", "a"], ["c", "bc"], plan_id="p", key=KEY)
    assert left != right and len(left) == 16


def test_a_stratum_is_action_tier_and_third_of_the_risk():
    risk = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    found = strata(["call"] * 6, ["key"] * 6, risk)
    assert found.tolist() == [f"call/key/{one}" for one in ("low", "middle", "high") for _ in "ab"]


def test_the_key_is_made_once_and_for_its_owner_alone(tmp_path: Path):
    folder = tmp_path / "plans"
    key = key_of(folder)
    assert len(key) == 32 and key_of(folder) == key
    assert stat.S_IMODE((folder / "key").stat().st_mode) == 0o600
    assert [file.name for file in folder.iterdir()] == ["key"]


def test_a_file_that_is_no_key_is_refused(tmp_path: Path):
    (tmp_path / "key").write_bytes(b"short")
    with pytest.raises(CampaignError, match="from a backup"):
        key_of(tmp_path)
    with pytest.raises(CampaignError, match="share of 1"):
        draw([], [], 1.0, plan_id="p", key=KEY)
