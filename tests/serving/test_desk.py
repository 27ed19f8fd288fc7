"""The score table at hand: rows by id, pages, batches and totals, straight from its file."""

from __future__ import annotations

import threading

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving import desk, scores
from serving.desk import Query
from serving.errors import ScoreTableError


@pytest.fixture(scope="module")
def frame_and_desk(score_file, tmp_path_factory):
    """400 customers in a folder whose name holds the signs of a glob."""
    path = tmp_path_factory.mktemp("st[o]re *?") / "as_of=2024-07-01.parquet"
    frame = score_file(path, customers=400)
    return frame, desk.load(path)


@pytest.mark.parity
def test_rows_are_those_of_the_file_in_every_column(frame_and_desk):
    frame, table = frame_and_desk
    ids = frame["customer_id"].tolist()
    found = table.rows([*ids[::-1], "nobody", ids[0]], scores.SCHEMA.names)
    expected = {row["customer_id"]: row for row in scores.to_table(frame).to_pylist()}
    assert found == expected


def test_nobody_asked_for_is_nobody_found(frame_and_desk):
    _, table = frame_and_desk
    assert table.rows([], ["clv"]) == {}
    assert table.rows(["'; DROP TABLE scores; --"], ["clv"]) == {}


@pytest.mark.parametrize(
    ("query", "keeps"),
    [
        (Query(), lambda f: f["customer_id"].notna()),
        (Query(stage=("lapsed",)), lambda f: f["stage"] == "lapsed"),
        (Query(tier=("key", "core")), lambda f: f["tier"].isin(["key", "core"])),
        (
            Query(at_least=(("clv", 2.0),), at_most=(("churn_probability", 0.9),)),
            lambda f: (f["clv"] >= 2) & (f["churn_probability"] <= 0.9),
        ),
        (Query(starts_with="c00001"), lambda f: f["customer_id"].str.startswith("c00001")),
        (Query(starts_with="c%"), lambda f: f["customer_id"] == ""),
    ],
)
def test_a_query_keeps_what_it_says(frame_and_desk, query, keeps):
    frame, table = frame_and_desk
    expected = frame[keeps(frame).fillna(False)].sort_values("customer_id")["customer_id"].tolist()
    rows, total = table.page(query, ["customer_id"], page=1, size=500)
    assert [row["customer_id"] for row in rows] == expected
    assert total == len(expected)
    streamed = table.batches(query, ["customer_id"]).read_all()
    assert streamed["customer_id"].to_pylist() == expected


def test_order_is_total_and_nulls_come_last(frame_and_desk):
    _, table = frame_and_desk
    for down in (False, True):
        query = Query(order=(("stage", down), ("clv", not down)))
        whole, _ = table.page(query, ["customer_id", "stage", "clv"], page=1, size=500)
        paged = [
            row
            for page in range(1, 6)
            for row in table.page(query, ["customer_id", "stage", "clv"], page=page, size=90)[0]
        ]
        assert paged == whole
        stages = [row["stage"] for row in whole]
        said = [stage for stage in stages if stage is not None]
        assert stages == sorted(said, reverse=down) + [None] * (len(stages) - len(said))


@pytest.mark.parity
@pytest.mark.parametrize(
    "query",
    [
        Query(order=(("clv", True),)),
        Query(order=(("tier", False), ("churn_probability", True))),
        Query(stage=("lapsed", "at_risk"), order=(("expected_spend", False),)),
        Query(order=(("customer_id", True),)),
    ],
)
def test_pages_far_down_are_those_that_a_search_would_find(frame_and_desk, monkeypatch, query):
    _, table = frame_and_desk
    near = [table.page(query, ["customer_id", "clv"], page=page, size=30) for page in range(1, 16)]
    monkeypatch.setattr(desk, "_NEAR", 0)
    far = [table.page(query, ["customer_id", "clv"], page=page, size=30) for page in range(1, 16)]
    assert far == near
    assert len({row["customer_id"] for rows, _ in far for row in rows}) == near[0][1]


def test_only_a_few_orders_are_held(frame_and_desk, monkeypatch):
    _, table = frame_and_desk
    monkeypatch.setattr(desk, "_NEAR", 0)
    for least in range(10):
        table.page(Query(at_least=(("clv", float(least)),)), ["clv"], page=1, size=5)
    assert len(table._sorted) == desk._SORTED


def test_words_that_nobody_foresaw_are_kept(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path, customers=20)
    rows = pq.read_table(path)
    odd = pa.array(["it's new", *rows["stage"].to_pylist()[1:]])
    at = rows.schema.get_field_index("stage")
    pq.write_table(rows.set_column(at, rows.schema.field(at), odd), path)
    table = desk.load(path)
    assert table.page(Query(stage=("it's new",)), ["stage"], page=1, size=5)[1] == 1
    assert table.page(Query(tier=("costly", "key")), ["tier"], page=1, size=5)[1] >= 0
    assert table.batches(Query(), ["stage"]).read_all()["stage"].to_pylist()[0] == "it's new"


def test_a_page_beyond_the_last_is_empty(frame_and_desk):
    _, table = frame_and_desk
    assert table.page(Query(), ["clv"], page=99, size=50) == ([], 400)


def test_totals_are_sums_over_the_table(frame_and_desk):
    frame, table = frame_and_desk
    totals = table.totals
    assert totals.customers == 400
    assert totals.abstained == frame["abstained"].notna().sum()
    assert totals.churners == pytest.approx(frame["churn_probability"].sum())
    assert totals.spend == pytest.approx(frame["expected_spend"].sum())
    assert totals.equity == pytest.approx(frame["clv"].sum())
    kept = frame[frame["stage"] != "lapsed"]
    assert 0 < len(kept) < 400
    assert totals.keepable == pytest.approx(kept["churn_probability"].sum())
    assert sum(totals.cells.values()) == 400
    counted = frame.groupby(["stage", "tier"], observed=True).size()
    assert {cell: totals.cells[cell] for cell in counted.index} == counted.to_dict()


def test_only_the_tables_own_columns_get_into_a_query(frame_and_desk):
    _, table = frame_and_desk
    for asked in (
        lambda: table.rows(["c1"], ["clv; DROP TABLE scores"]),
        lambda: table.page(Query(order=(('clv"', True),)), ["clv"], page=1, size=1),
        lambda: table.page(Query(at_least=(("1=1 OR clv", 0.0),)), ["clv"], page=1, size=1),
    ):
        with pytest.raises(ScoreTableError, match="expected"):
            asked()


def test_threads_do_not_meet(frame_and_desk):
    frame, table = frame_and_desk
    ids, wrong = frame["customer_id"].tolist(), []

    def ask(first: int) -> None:
        for one in ids[first::4]:
            if set(table.rows([one], ["clv"])) != {one}:
                wrong.append(one)

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_an_empty_table_has_nobody(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path)
    meta = scores.read_meta(path)
    scores.write(scores.to_frame(scores.SCHEMA.empty_table()), meta, path)
    table = desk.load(path)
    assert table.totals.customers == 0
    assert table.totals.equity is None
    assert table.page(Query(), ["clv"], page=1, size=10) == ([], 0)


@pytest.mark.parametrize("harm", ["missing", "cut", "text", "columns", "no meta", "twice"])
def test_a_file_that_is_no_score_table_is_refused(score_file, tmp_path, harm):
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path)
    whole = pq.read_table(path, partitioning=None)
    if harm == "missing":
        path.unlink()
    elif harm == "cut":
        path.write_bytes(path.read_bytes()[:-50])
    elif harm == "text":
        path.write_text("customer_id,clv\n")
    elif harm == "columns":
        pq.write_table(whole.drop_columns("clv"), path)
    elif harm == "no meta":
        pq.write_table(whole.replace_schema_metadata(None), path)
    else:
        pq.write_table(pa.concat_tables([whole, whole.slice(0, 1)]), path)
    with pytest.raises(ScoreTableError):
        desk.load(path)


def test_rows_whose_data_pages_are_harmed_are_refused(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path)
    content = bytearray(path.read_bytes())
    content[100:600] = b"\xff" * 500
    path.write_bytes(bytes(content))
    with pytest.raises(ScoreTableError, match="cannot be loaded"):
        desk.load(path)


def test_numbers_survive_to_the_last_bit(frame_and_desk):
    frame, table = frame_and_desk
    found = table.rows(frame["customer_id"].tolist(), ["clv"])
    given = pd.Series([found[one]["clv"] for one in frame["customer_id"]], dtype="float64")
    assert (given.fillna(-1) == frame["clv"].astype("float64").fillna(-1)).all()
