"""Moments: read once and strictly, and shown by the business's clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compat import arrow, engine
from features.contracts.moments import moments
from features.errors import InputError, SettingsError

NEW_YORK = "America/New_York"

# Text -> wall clock in New York; None where it cannot be read.
ISO = {
    "2024-03-01": "2024-03-01 00:00:00",
    "2024-02-29": "2024-02-29 00:00:00",
    "2024-03-01 23:30": "2024-03-01 23:30:00",
    "2024-03-01T23:30:15.25": "2024-03-01 23:30:15.250000",
    " 2024-03-01 ": "2024-03-01 00:00:00",
    # With an offset it is an instant: the same evening in New York, written three ways.
    "2024-03-01T23:30:00-05:00": "2024-03-01 23:30:00",
    "2024-03-02T04:30:00Z": "2024-03-01 23:30:00",
    "2024-03-02 10:00:00+0530": "2024-03-01 23:30:00",
    "2024-03-02T04:30:00.123456789+00": "2024-03-01 23:30:00.123456",
    # Either side of the hour that New York leaves out on 2024-03-10, and has twice on 11-03.
    "2024-03-10T06:59:59Z": "2024-03-10 01:59:59",
    "2024-03-10T07:00:00Z": "2024-03-10 03:00:00",
    "2024-11-03T05:30:00Z": "2024-11-03 01:30:00",
    "2024-11-03T06:30:00Z": "2024-11-03 01:30:00",
    "9999-12-31": "9999-12-31 00:00:00",
    "2024-02-30": None,
    "2023-02-29": None,
    "2024-13-01": None,
    "2024-03-01T24:00:00": None,
    "2024-03-01T23:60:00": None,
    "2024-03-01T23:59:60": None,
    "2024-03-01T23:30:00+25:00": None,
    "2024-03-01Z": None,
    "2024-03-01T": None,
    "2024-3-1": None,
    "20240301": None,
    "2024/03/01": None,
    "31/12/2024": None,
    "45352": None,
    "24-03-01": None,
    "2024-03-01 (BC)": None,
    "infinity": None,
    "NaT": None,
    "now": None,
}
FORMATS = [
    ("%d/%m/%Y", "31/12/2024", "2024-12-31 00:00:00"),
    ("%d/%m/%Y", "1/2/2024", "2024-02-01 00:00:00"),
    ("%d/%m/%Y", "12/31/2024", None),
    ("%d/%m/%Y", "31/12/2024 x", None),
    ("%d/%m/%Y", "31/12/24", None),
    ("%m/%d/%Y %H:%M", "12/1/2010 8:26", "2010-12-01 08:26:00"),
    ("%Y%m%d", "20240301", "2024-03-01 00:00:00"),
    ("%Y%m%d", "2024031", None),
    ("%Y%m%d", "20240230", None),
    ("%b %d, %Y %I:%M %p", "Mar 5, 2024 3:04 PM", "2024-03-05 15:04:00"),
    ("%Y-%m-%dT%H:%M:%S%z", "2024-03-02T04:30:00+0000", "2024-03-01 23:30:00"),
    ("%Y-%m-%dT%H:%M:%S%z", "2024-03-02T04:30:00", None),
]


@pytest.fixture(params=["duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def texts(request: pytest.FixtureRequest) -> Any:
    """Makes a table of texts in either engine."""
    if request.param == "duckdb":
        connection = ibis.duckdb.connect()
        return lambda values: connection.create_table("rows", pa.table({"x": values}))
    spark = request.getfixturevalue("spark")

    def _make(values: list[str | None]) -> Any:
        frame = spark._session.createDataFrame(pa.table({"x": values}))
        frame.createOrReplaceTempView("rows")
        return spark.table("rows")

    return _make


def _read(table: Any, format_: str | None = None, timezone: str = NEW_YORK) -> Any:
    return moments(
        table.x,
        key="k",
        timezone=timezone,
        engine=engine(table),
        is_instant=False,
        format_=format_,
    )


def _wall(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def test_iso_texts_are_read_strictly(texts: Any) -> None:
    table = texts([*ISO, "", "  ", None])
    found = _read(table)
    rows = arrow(table.select(x=table.x, y=found.local, z=found.zoned, b=found.blank)).to_pylist()
    given = {row["x"]: row["y"] for row in rows if not row["b"]}
    assert given == {text: _wall(wall) for text, wall in ISO.items()}
    zoned = {row["x"] for row in rows if row["z"]}
    assert zoned == {t for t, w in ISO.items() if w and (t.endswith("Z") or "+" in t or "-05" in t)}
    assert {row["x"] for row in rows if row["b"]} == {"", "  ", None}


def test_formats_are_read_exactly(texts: Any) -> None:
    for format_ in dict.fromkeys(format_ for format_, *_ in FORMATS):
        cases = {text: _wall(wall) for f, text, wall in FORMATS if f == format_}
        table = texts(list(cases))
        rows = arrow(table.select(x=table.x, y=_read(table, format_).local)).to_pylist()
        assert {row["x"]: row["y"] for row in rows} == cases, format_
        if engine(table) == "duckdb":
            table.get_backend().drop_table("rows")


@settings(deadline=None, max_examples=5)
@given(
    st.lists(st.datetimes(datetime(1971, 1, 1), datetime(2037, 1, 1)), min_size=50, max_size=50),
    st.sampled_from([NEW_YORK, "Europe/London", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_an_instant_is_shown_as_the_zone_has_it(instants: list[datetime], zone: str) -> None:
    # The oracle is the standard library's time zones.
    table = ibis.duckdb.connect().create_table(
        "rows", pa.table({"x": [f"{i.isoformat(timespec='microseconds')}Z" for i in instants]})
    )
    utc = ZoneInfo("UTC")
    expected = [
        i.replace(tzinfo=utc).astimezone(ZoneInfo(zone)).replace(tzinfo=None) for i in instants
    ]
    assert arrow(table.select(y=_read(table, timezone=zone).local))["y"].to_pylist() == expected


@pytest.mark.parametrize(
    ("kind", "is_instant", "wall"),
    [
        (pa.timestamp("us", "UTC"), True, "2024-03-01 23:30:00"),
        (pa.timestamp("us", "Asia/Kolkata"), True, "2024-03-01 23:30:00"),
        (pa.timestamp("ns"), False, "2024-03-02 04:30:00"),
        (pa.timestamp("s"), False, "2024-03-02 04:30:00"),
        (pa.date32(), False, "2024-03-02 00:00:00"),
    ],
)
def test_typed_columns_are_instants_only_with_a_zone(
    kind: pa.DataType, is_instant: bool, wall: str
) -> None:
    moment = date(2024, 3, 2) if pa.types.is_date(kind) else datetime(2024, 3, 2, 4, 30)
    table = ibis.duckdb.connect().create_table("rows", pa.table({"x": pa.array([moment], kind)}))
    found = moments(
        table.x, key="k", timezone=NEW_YORK, engine="duckdb", is_instant=is_instant, format_=None
    )
    assert arrow(table.select(y=found.local))["y"].to_pylist() == [_wall(wall)]


def test_numbers_need_a_format() -> None:
    table = ibis.duckdb.connect().create_table("rows", pa.table({"x": [20240301]}))
    with pytest.raises(InputError, match=r"type int64.*timestamp_format = '%Y%m%d'"):
        _read(table)
    found = arrow(table.select(y=_read(table, "%Y%m%d").local))
    assert found["y"].to_pylist() == [datetime(2024, 3, 1)]


@pytest.mark.parametrize("format_", ["%Q", "YYYY-MM-DD", "%d/%m/%Y %Z", "", "%"])
def test_formats_that_are_none_are_refused(format_: str) -> None:
    table = ibis.duckdb.connect().create_table("rows", pa.table({"x": ["1"]}))
    with pytest.raises(SettingsError, match="expected a strptime format"):
        _read(table, format_)


@pytest.mark.parametrize(
    ("format_", "meant"),
    [
        ("dd.mm.yyyy", "%d.%m.%Y"),
        ("DD/MM/YYYY", "%d/%m/%Y"),
        ("YYYY-MM-DD", "%Y-%m-%d"),
        ("TT.MM.JJJJ", "%d.%m.%Y"),
        # A minute comes after an hour and is written as a month is.
        ("dd.mm.yyyy hh:mm", "%d.%m.%Y %H:%M"),
        ("yyyy-MM-dd HH:mm:ss", "%Y-%m-%d %H:%M:%S"),
        ("d mmm yy", "%d %b %y"),
        ("yyyymmdd", "%Y%m%d"),
    ],
)
def test_a_format_of_letters_is_refused_with_its_right_spelling(format_: str, meant: str) -> None:
    table = ibis.duckdb.connect().create_table("rows", pa.table({"x": ["1"]}))
    with pytest.raises(SettingsError, match=f"write it as '{meant}': expected"):
        _read(table, format_)
    # What is proposed is a format.
    _read(table, meant)


@pytest.mark.parametrize("format_", ["soon", "", "%Q", "HH:mm", "dd.mm", "%d.%m.%Y %Z"])
def test_a_format_that_tells_no_day_is_refused_without_a_guess(format_: str) -> None:
    table = ibis.duckdb.connect().create_table("rows", pa.table({"x": ["1"]}))
    with pytest.raises(SettingsError, match="expected a strptime format") as caught:
        _read(table, format_)
    assert "write it as" not in str(caught.value)


@pytest.mark.spark
@pytest.mark.parametrize("format_", ["%d/%m/%y", "%Y-%j", "%H:%M:%S.%f %Y"])
def test_what_spark_reads_otherwise_is_refused_there(spark: Any, format_: str) -> None:
    spark._session.createDataFrame(pa.table({"x": ["1"]})).createOrReplaceTempView("rows")
    with pytest.raises(SettingsError, match="Spark does not read"):
        _read(spark.table("rows"), format_)
