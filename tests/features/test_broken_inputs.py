"""Broken inputs: each is a clear error, or rejected rows that add up."""

# ruff: noqa: E501 - one case a line is easier to compare than one over ten lines.

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.compat import arrow
from features.contracts.contract import (
    AMOUNT_RANGE,
    FUTURE,
    MALFORMED,
    NO_AMOUNT,
    NO_CUSTOMER,
    NON_FINITE_AMOUNT,
    TOO_OLD,
    UNPARSEABLE_AMOUNT,
    UNPARSEABLE_DATE,
)
from features.errors import FeaturesError
from tests.features.reading import read_transactions

HEAD = "id,at,amount\n"
GOOD = "C1,2024-03-01,5\n"


def _parquet(**columns: Any) -> Callable[[Path], Path]:
    """Write columns as a Parquet file; those not given are of one good row."""
    given = {"id": ["C1"], "at": [datetime(2024, 3, 1)], "amount": [5.0], **columns}
    rows = max(len(values) for values in given.values())
    filled = {k: v if len(v) == rows else pa.array(list(v) * rows) for k, v in given.items()}

    def _write(folder: Path) -> Path:
        pq.write_table(pa.table(filled), folder / "x.parquet")
        return folder / "x.parquet"

    return _write


def _truncated(folder: Path) -> Path:
    path = _parquet(amount=[5.0] * 1000)(folder)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return path


def _spoilt(folder: Path) -> Path:
    """A Parquet file whose end is whole and whose data are not."""
    path = _parquet(amount=[float(n) for n in range(100_000)])(folder)
    data = bytearray(path.read_bytes())
    data[1000 : len(data) - 5000] = b"\xff" * (len(data) - 6000)
    path.write_bytes(bytes(data))
    return path


def _folder(folder: Path) -> Path:
    (folder / "x.csv").mkdir()
    return folder / "x.csv"


def _named(name: str, content: bytes) -> Callable[[Path], Path]:
    def _write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return _write


ERRORS: dict[str, tuple[Any, dict[str, str], str]] = {
    "utf-16 with a mark": ((HEAD + GOOD).encode("utf-16"), {}, "set encoding = 'utf-16'"),
    "utf-16 without one": ((HEAD + GOOD).encode("utf-16-le"), {}, "set encoding = 'utf-16-le'"),
    "latin-1": ((HEAD + "Zoë,2024-03-01,5\n").encode("latin-1"), {}, "is not utf-8 (about line 2)"),
    "latin-1 far down": (
        (HEAD + GOOD * 50_000 + "Zoë,2024-03-01,5\n").encode("latin-1"),
        {},
        "is not utf-8 (about line 50002)",
    ),
    "another encoding than said": (HEAD + "Zoë,2024-03-01,5\n", {"encoding": "ascii"}, "is not ascii"),
    "an encoding nobody knows": (HEAD + GOOD, {"encoding": "klingon"}, "is not known"),
    "an empty file": (b"", {}, "is empty"),
    "blank lines only": (b"\n \n\n", {}, "is empty"),
    "a header only": (HEAD, {}, "no rows"),
    "a missing column": ("id,at,Amount\nC1,2024-03-01,5\n", {}, "Did you mean 'Amount'?"),
    "a missing id column": ("idd,at,amount\n" + GOOD, {}, "transactions.csv: sources.transactions.customer_id = 'id': no such column. Did you mean 'idd'?"),
    "a name twice in the header": ("id,at,amount,Amount\n" + GOOD, {}, "more than once"),
    "no header": (GOOD * 2, {}, "The columns are 'C1', '2024-03-01', '5'"),
    "semicolons": ("id;at;amount\nC1;2024-03-01;5\n", {}, "set delimiter = ';'"),
    "a folder": (_folder, {}, "is a folder"),
    "a file that is not there": (lambda folder: folder / "x.csv", {}, "does not exist"),
    "a pattern without files": (lambda folder: folder / "*.csv", {}, "No file matches"),
    "a spreadsheet": (_named("x.xlsx", b"PK"), {}, "no known kind of source"),
    "text named Parquet": (_named("x.parquet", b"id,at,amount"), {}, "is not Parquet"),
    "truncated Parquet": (_truncated, {}, "is not Parquet, or was cut short"),
    "spoilt Parquet": (_spoilt, {}, "cannot be read to its end"),
    "empty Parquet": (_parquet(id=pa.array([], pa.string()), at=pa.array([], pa.date32()), amount=pa.array([], pa.float64())), {}, "no rows"),
    "a broken gzip": (_named("x.csv.gz", gzip.compress((HEAD + GOOD * 10**5).encode())[:-50]), {}, "ended before"),
    "dates as numbers": (_parquet(at=[45352]), {}, "timestamp_format = '%Y%m%d'"),
    "a line without end": (_named("x.csv", HEAD.encode() + b"x" * 20_000_000), {}, "line over 8 MB"),
    "an amount that is a query": (HEAD + GOOD, {"amount": "(select 1)"}, "is not allowed"),
    "a filter that names nothing": (HEAD + GOOD, {"where": "country = 'FR'"}, "country is no column"),
    "a zone nobody knows": (HEAD + GOOD, {"timezone": "Europe/Atlantis"}, "is not known"),
    "a format that is none": (HEAD + GOOD, {"timestamp_format": "DD/MM"}, "strptime format"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
def test_what_cannot_be_read_is_a_clear_error(tmp_path: Path, name: str) -> None:
    content, given, message = ERRORS[name]
    content = content(tmp_path) if callable(content) else content
    with pytest.raises(FeaturesError, match=re.escape(message)) as caught:
        read_transactions(tmp_path, content, **given)
    # A sentence for a person: no trace of the engine, no cause to read on.
    assert caught.value.__cause__ is None
    assert "\n" not in str(caught.value)


def _lines(*values: str) -> str:
    return HEAD + GOOD + "".join(f"{value}\n" for value in values)


# What is read, settings, rows read, and the rejected ones by reason.
ROWS: dict[str, tuple[Any, dict[str, Any], int, dict[str, int]]] = {
    "one customer": (HEAD + GOOD, {}, 1, {}),
    "all refunds": (HEAD + "C1,2024-03-01,-5\nC2,2024-03-02,-5\n", {}, 2, {}),
    "year 9999": (_lines("C1,9999-12-31,5"), {}, 2, {FUTURE: 1}),
    "year 1": (_lines("C1,0001-01-01,5"), {}, 2, {TOO_OLD: 1}),
    "tomorrow": (_lines("C1,2025-01-02,5"), {}, 2, {FUTURE: 1}),
    "amounts as text": (_lines("C1,2024-03-01,five", "C1,2024-03-01,£5"), {}, 3, {UNPARSEABLE_AMOUNT: 2}),
    "amounts with thousands": (_lines('C1,2024-03-01,"1,234.50"'), {}, 2, {UNPARSEABLE_AMOUNT: 1}),
    "blank amounts": (_lines("C1,2024-03-01,", 'C1,2024-03-01," "'), {}, 3, {NO_AMOUNT: 2}),
    "infinite amounts": (_lines("C1,2024-03-01,inf", "C1,2024-03-01,-Infinity", "C1,2024-03-01,NaN", "C1,2024-03-01,1e400"), {}, 5, {NON_FINITE_AMOUNT: 4}),
    "huge amounts": (_lines("C1,2024-03-01,1e9", "C1,2024-03-01,-99999999999999999999"), {}, 3, {AMOUNT_RANGE: 2}),
    "negative zero": (_lines("C1,2024-03-01,-0.0"), {}, 2, {}),
    "mixed zones": (_lines("C1,2024-03-01T23:30:00-05:00", "C1,2024-03-01T23:30:00+05:30,5", "C1,2024-03-01T23:30,5"), {}, 4, {MALFORMED: 1}),
    "impossible dates": (_lines("C1,2024-02-30,5", "C1,2023-02-29,5", "C1,2024-13-01,5"), {}, 4, {UNPARSEABLE_DATE: 3}),
    "dates of another country": (_lines("C1,31/12/2023,5", "C1,12/31/2023,5"), {}, 3, {UNPARSEABLE_DATE: 2}),
    "serial dates": (_lines("C1,45352,5", "C1,45352.5,5"), {}, 3, {UNPARSEABLE_DATE: 2}),
    "compact dates": (_lines("C1,20240301,5"), {}, 2, {UNPARSEABLE_DATE: 1}),
    "the wrong format": (HEAD + "C1,2024-03-01,5\nC1,01/03/2024,5\n", {"timestamp_format": "%d/%m/%Y"}, 2, {UNPARSEABLE_DATE: 1}),
    "blank ids": (_lines(",2024-03-01,5", '"",2024-03-01,5'), {}, 3, {NO_CUSTOMER: 2}),
    "white-space ids": (_lines("  ,2024-03-01,5", "\t,2024-03-01,5"), {}, 3, {NO_CUSTOMER: 2}),
    "ids that are nulls": (_lines("nan,2024-03-01,5", "NULL,2024-03-01,5"), {}, 3, {NO_CUSTOMER: 2}),
    "ragged rows": (_lines("C1,2024-03-01", "C1,2024-03-01,5,6", "C1"), {}, 4, {MALFORMED: 3}),
    "an open quote": (HEAD + '"C1,2024-03-01,5\n' + GOOD * 3, {}, 4, {MALFORMED: 1}),
    "a quote in the midst": (_lines('C1,2024-03-01,"5"0'), {}, 2, {MALFORMED: 1}),
    "quoted newlines": (_lines('"C\n1",2024-03-01,5'), {}, 2, {}),
    "zero bytes": (HEAD.encode() + GOOD.encode() + b"\0" * 40 + b"\n" + b"C1,2024-03-01,5\0\n", {}, 3, {MALFORMED: 1, UNPARSEABLE_AMOUNT: 1}),
    "a byte-order mark": ("\ufeff" + HEAD + GOOD, {}, 1, {}),
    "line ends of every kind": (HEAD + "C1,2024-03-01,5\r\nC2,2024-03-01,5\rC3,2024-03-01,5\n\n", {}, 3, {}),
    "an unused name twice": ("id,at,amount,x,X,\n" + "C1,2024-03-01,5,6,7,8\n", {}, 1, {}),
    "the header again": (_lines("id,at,amount"), {}, 2, {UNPARSEABLE_DATE: 1}),
    "nothing but rejects": (HEAD + ",,\n,,\n", {}, 2, {NO_CUSTOMER: 2}),
    "floats as ids": (_parquet(id=[17850.0, None, float("nan")]), {}, 3, {NO_CUSTOMER: 2}),
    "floats that are not finite": (_parquet(amount=[float("nan"), float("inf"), None, 1e300, -0.0]), {}, 5, {NON_FINITE_AMOUNT: 2, NO_AMOUNT: 1, AMOUNT_RANGE: 1}),
    # The file's own minimum and maximum leave NaN out.
    "a NaN among numbers": (_parquet(amount=[5.0, float("nan")]), {}, 2, {NON_FINITE_AMOUNT: 1}),
    "overflowing arithmetic": (_parquet(amount=[1e300, 2.0]), {"amount": "amount * amount * amount"}, 2, {NON_FINITE_AMOUNT: 1}),
    "whole numbers that overflow": (_parquet(amount=[2**62, 3]), {"amount": "amount * amount"}, 2, {AMOUNT_RANGE: 1}),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_rows_that_cannot_serve_are_rejected_and_add_up(tmp_path: Path, name: str) -> None:
    content, given, rows, rejected = ROWS[name]
    content = content(tmp_path) if callable(content) else content
    inputs = read_transactions(tmp_path, content, **given)
    (report,) = inputs.reports
    assert dict(report.rejected) == rejected
    assert report.read == rows == report.accepted + sum(rejected.values())
    assert arrow(inputs.transactions).num_rows == report.accepted
    assert (tmp_path / "store" / "rejects" / "transactions.csv").exists() == bool(rejected)


def test_a_million_rows_of_one_customer(tmp_path: Path) -> None:
    write = _parquet(amount=pa.array([0.1] * 1_000_000))
    inputs = read_transactions(tmp_path, write(tmp_path))
    (report,) = inputs.reports
    assert (report.read, report.accepted, report.customers) == (1_000_000, 1_000_000, 1)
    total = arrow(inputs.transactions.aggregate(x=inputs.transactions.amount.sum()))["x"][0]
    assert str(total.as_py()) == "100000.000000"
    assert any("999,999 exact repeats" in note for note in report.notes)
