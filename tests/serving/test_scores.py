"""The score table: the design's columns, and files that are whole or not there."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from serving import scores
from serving.errors import OutputError, ScoreTableError
from serving.scores import Meta

# Section 5 of the design, in its order.
COLUMNS = [
    "customer_id",
    "as_of",
    "horizon_days",
    "churn_probability",
    "churn_probability_lower",
    "churn_probability_upper",
    "return_probability",
    "p_alive",
    "expected_purchases",
    "expected_purchases_lower",
    "expected_purchases_upper",
    "expected_spend",
    "expected_spend_lower",
    "expected_spend_upper",
    "clv",
    "clv_lower",
    "clv_upper",
    "clv_horizon_days",
    "margin_rate",
    "potential_value",
    "next_purchase_by",
    "involuntary_probability",
    "expected_months",
    "stage",
    "tier",
    "rfm",
    "reasons",
    "abstained",
    "model_version",
    "scored_at",
]


@pytest.fixture(scope="module")
def rows(people, scored) -> pd.DataFrame:
    frame = people(60)
    frame.loc[::9, ["days_since_last", "T", "gap_mean", "gap_last", "first_order"]] = None
    return scored(frame)[0]


@pytest.fixture(scope="module")
def meta(people, scored) -> Meta:
    scored_rows, thresholds = scored(people(60))
    return Meta(
        name="shop",
        currency="GBP",
        timezone="Europe/London",
        as_of=date(2024, 7, 1),
        horizon_days=90,
        clv_horizon_days=365,
        model_version="7",
        run_id="0af3",
        speaker="churn",
        grades={"churn": "A", "value": "B"},
        scored_at=datetime(2024, 7, 2, 3, 4, 5, 678901, tzinfo=UTC),
        thresholds=thresholds,
        counts=scores.counts(scored_rows),
    )


def test_the_columns_are_the_designs(rows):
    assert scores.SCHEMA.names == COLUMNS
    assert list(rows.columns) == COLUMNS
    assert scores.to_table(rows).schema == scores.SCHEMA


def test_parquet_brings_rows_and_metadata_back(rows, meta, tmp_path):
    path = tmp_path / "scores" / "as_of=2024-07-01.parquet"
    assert scores.write(rows, meta, path) == len(rows)
    assert scores.to_table(scores.read(path)).equals(scores.to_table(rows))
    pd.testing.assert_frame_equal(scores.read(path), rows)
    assert scores.read_meta(path) == meta


def test_any_reader_of_parquet_finds_the_schema(rows, meta, tmp_path):
    path = tmp_path / "scores.parquet"
    scores.write(rows, meta, path)
    assert pq.read_schema(path).remove_metadata() == scores.SCHEMA


def test_pandas_reads_the_file_by_itself(rows, meta, tmp_path):
    path = tmp_path / "scores.parquet"
    scores.write(rows, meta, path)
    read = pd.read_parquet(path)
    assert read["customer_id"].tolist() == rows["customer_id"].tolist()
    told = next(row for row in read["reasons"] if len(row))
    assert set(told[0]) == {"family", "text", "direction", "weight"}


def test_csv_holds_the_same_values(rows, meta, tmp_path):
    path = tmp_path / "scores.csv"
    assert scores.write(rows, meta, path) == len(rows)
    got = pd.read_csv(path, dtype={"customer_id": "str", "model_version": "str"})
    assert list(got.columns) == COLUMNS
    for name in ("churn_probability", "clv", "potential_value"):
        expected = rows[name].to_numpy(dtype=float, na_value=float("nan"))
        pd.testing.assert_series_equal(got[name], pd.Series(expected, name=name), rtol=0, atol=0)
    for name in ("customer_id", "stage", "tier", "rfm", "abstained"):
        assert got[name].fillna("").tolist() == rows[name].fillna("").tolist()
    assert pd.to_datetime(got["next_purchase_by"]).dt.date.dropna().tolist() == list(
        rows["next_purchase_by"].dropna()
    )
    assert set(pd.to_datetime(got["scored_at"])) == set(rows["scored_at"])


@pytest.mark.golden
def test_csv_reasons_are_readable(rows, meta, tmp_path):
    told = [
        {"family": "rhythm", "text": 'quiet; "long"', "direction": "raises risk", "weight": 1.0},
        {"family": "spend", "text": "spent 5", "direction": "lowers risk", "weight": -0.5},
    ]
    changed = rows.iloc[:2].copy()
    changed["reasons"] = pd.array([told, []], dtype=rows["reasons"].dtype)
    path = tmp_path / "scores.csv"
    scores.write(changed, meta, path)
    got = pd.read_csv(path, keep_default_na=False)["reasons"].tolist()
    assert got == ['raises risk: quiet; "long" | lowers risk: spent 5', ""]


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_rows_that_break_the_contract_leave_the_old_file_whole(rows, meta, tmp_path, name):
    path = tmp_path / name
    scores.write(rows, meta, path)
    before = path.read_bytes()
    broken = rows.assign(p_alive=pd.array([7.0] * len(rows), dtype=rows["p_alive"].dtype))
    with pytest.raises(ScoreTableError, match="p_alive is outside"):
        scores.write(broken, meta, path)
    assert path.read_bytes() == before
    assert [item.name for item in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["scores.parquet", "scores.csv"])
def test_an_empty_table_is_written_with_its_columns(rows, meta, tmp_path, name):
    path = tmp_path / name
    assert scores.write(rows.iloc[:0], meta, path) == 0
    got = scores.read(path) if path.suffix == ".parquet" else pd.read_csv(path)
    assert list(got.columns) == COLUMNS
    assert got.empty


def test_another_kind_of_file_is_refused(rows, meta, tmp_path):
    with pytest.raises(OutputError, match=r"scores\.xlsx.*\.parquet or \.csv"):
        scores.write(rows, meta, tmp_path / "scores.xlsx")


def test_columns_out_of_order_are_refused(rows):
    with pytest.raises(ScoreTableError, match="in this order"):
        scores.validate(rows[COLUMNS[::-1]])


def test_columns_of_another_type_are_refused(rows):
    with pytest.raises(ScoreTableError, match="other types"):
        scores.validate(rows.assign(clv="a lot"))


def test_a_plain_frame_is_read_with_null_for_nan(rows):
    """Values from numpy carry NaN for null; they become null."""
    plain = rows.assign(clv=rows["clv"].to_numpy(dtype=float, na_value=float("nan")))
    assert scores.validate(plain).equals(scores.to_table(rows))


def test_files_that_hold_no_scores_are_refused(rows, tmp_path):
    other = tmp_path / "other.parquet"
    pq.write_table(scores.to_table(rows), other)
    with pytest.raises(ScoreTableError, match="without score metadata"):
        scores.read_meta(other)
    text = tmp_path / "text.parquet"
    text.write_text("hello")
    with pytest.raises(ScoreTableError, match="no Parquet file"):
        scores.read(text)
    with pytest.raises(ScoreTableError, match="no Parquet file"):
        scores.read_meta(tmp_path / "nowhere.parquet")


def test_a_score_file_with_other_columns_is_refused(rows, meta, tmp_path):
    path = tmp_path / "old.parquet"
    table = scores.to_table(rows).drop_columns(["tier"])
    pq.write_table(table.replace_schema_metadata({"regulars": meta.to_json()}), path)
    with pytest.raises(ScoreTableError, match="other columns"):
        scores.read(path)


def test_metadata_survives_json_exactly(meta):
    assert Meta.from_json(meta.to_json()) == meta
    elsewhere = meta.scored_at.astimezone(timezone(timedelta(hours=-5)))
    assert Meta.from_json(replace(meta, scored_at=elsewhere, run_id=None).to_json()) == replace(
        meta, scored_at=elsewhere, run_id=None
    )


@pytest.mark.parametrize("text", ["{}", "[]", "not json", '{"as_of": "2024-07-01"}'])
def test_metadata_that_cannot_be_read_is_refused(text):
    with pytest.raises(ScoreTableError, match="run a full scoring again"):
        Meta.from_json(text)


def test_counts_add_up(rows):
    got = scores.counts(rows)
    without = int(rows["stage"].isna().sum())
    assert got["customers"] == len(rows) == sum(got["stage"].values()) + without
    assert sum(got["tier"].values()) == int(rows["tier"].notna().sum())
    assert got["abstained"] == without == 7


def test_arrow_rows_are_ready_for_json(rows):
    (first,) = scores.to_table(rows.iloc[[1]]).to_pylist()
    assert first["as_of"] == date(2024, 7, 1)
    assert first["scored_at"] == datetime(2024, 7, 2, 3, 4, 5, 678901, tzinfo=UTC)
    assert first["clv_lower"] is None
    assert set(first["reasons"][0]) == {"family", "text", "direction", "weight"}
    assert isinstance(scores.SCHEMA.field("scored_at").type, pa.TimestampType)


def test_the_moment_of_scoring_is_kept_in_utc(meta):
    elsewhere = meta.scored_at.astimezone(timezone(timedelta(hours=-5)))
    kept = replace(meta, scored_at=elsewhere).to_json()
    assert '"scored_at": "2024-07-02T03:04:05.678901+00:00"' in kept
    # As earlier versions kept it.
    older = kept.replace("2024-07-02T03:04:05.678901+00:00", "2024-07-01T22:04:05.678901-05:00")
    assert older != kept
    assert Meta.from_json(older).scored_at.isoformat() == "2024-07-02T03:04:05.678901+00:00"


def test_tables_of_earlier_versions_say_no_margin(meta):
    import json

    told = json.loads(replace(meta, margin=0.3).to_json())
    assert Meta.from_json(json.dumps(told)).margin == 0.3
    del told["margin"]
    assert Meta.from_json(json.dumps(told)).margin is None
