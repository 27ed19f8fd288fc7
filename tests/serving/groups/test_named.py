"""Named segments: one for every cell of recency and frequency, the usual ones."""

from __future__ import annotations

import itertools

import ibis
import pytest

from serving.groups import named
from serving.groups.segments import SEGMENTS


def test_every_cell_has_exactly_one_name():
    for r, f in itertools.product(range(1, 6), repeat=2):
        names = [one.name for one in named.TABLE if r in one.recency and f in one.frequency]
        assert len(names) == 1, (r, f)
    assert set(named.BY_RFM) == set(SEGMENTS)
    assert set(named.BY_RFM.values()) == set(named.NAMES)


@pytest.mark.golden
@pytest.mark.parametrize(
    ("rfm", "name"),
    [
        # Corners and edges of the map that most RFM tools ship, by recency and frequency.
        ("5-5-5", "champions"),
        ("5-1-5", "new"),
        ("1-5-1", "cannot_lose"),
        ("1-1-1", "hibernating"),
        ("3-3-3", "need_attention"),
        ("4-4-1", "loyal"),
    ],
)
def test_the_usual_names(rfm, name):
    assert named.BY_RFM[rfm] == name


def test_the_engine_names_as_the_table_does():
    table = ibis.memtable({"rfm": [*SEGMENTS, None]}, schema={"rfm": "string"})
    got = table.select("rfm", name=named.named(table.rfm)).to_pyarrow().to_pylist()
    assert {row["rfm"]: row["name"] for row in got} == {**named.BY_RFM, None: None}
