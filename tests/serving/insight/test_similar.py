"""Similar customers: the distances are those of ranks, worked out by hand by another road."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from features.store import Store, write_parquet
from serving import desk
from serving.insight import similar


@pytest.fixture(scope="module")
def shelf(tmp_path_factory, score_file, people, as_of):
    """Scores of 200 customers and their behaviour; two of them alike, one without a purchase."""
    store = Store(tmp_path_factory.mktemp("similar"))
    score_file(store.scores(as_of), 200)
    frame = people(200, seed=200).assign(order_mean=lambda f: f["first_order"])
    columns = ["customer_id", *similar.COLUMNS]
    frame.loc[17, columns[1:]] = frame.loc[150, columns[1:]]
    frame.loc[3, columns[1:]] = np.nan
    write_parquet(
        pa.Table.from_pandas(frame[columns], preserve_index=False), store.behaviour(as_of)
    )
    return store, desk.load(store.scores(as_of)), frame[columns]


def test_distances_are_of_midranks(shelf):
    store, at_hand, frame = shelf
    known = frame.dropna().set_index("customer_id")
    ranks = (known.round(2).rank(method="average") - 0.5) / len(known)
    for one in known.index[::37]:
        apart = (ranks - ranks.loc[one]).abs().mean(axis=1).drop(one)
        found = similar.nearest(store, at_hand, one, 5)
        assert len(found) == 5
        assert one not in {alike.customer_id for alike in found}
        expected = np.sort(apart.to_numpy())[:5]
        assert [alike.distance for alike in found] == pytest.approx(expected, abs=1e-6)
        assert [apart[alike.customer_id] for alike in found] == pytest.approx(expected, abs=1e-6)


def test_a_twin_is_nearest(shelf):
    store, at_hand, _ = shelf
    (first,) = similar.nearest(store, at_hand, "c000017", 1)
    assert (first.customer_id, first.distance) == ("c000150", 0.0)


@pytest.mark.parametrize("who", ["c000003", "nobody"])
def test_who_never_bought_is_like_nobody(shelf, who):
    store, at_hand, _ = shelf
    assert similar.nearest(store, at_hand, who, 5) == ()


def test_without_a_behaviour_table_there_is_nobody_to_compare_with(shelf, tmp_path):
    _, at_hand, _ = shelf
    assert similar.nearest(None, at_hand, "c000017", 5) == ()
    assert similar.nearest(Store(tmp_path), at_hand, "c000017", 5) == ()
