"""CSV files as tables of text: nothing guessed, nothing lost."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.errors import InputError, SettingsError
from features.opening.delimited import Delimited, open_delimited
from features.settings import CustomersSource

TEXT = 'id,name\n1,Zoë\n2,"a,""b""\nc"\n3,\n'
ROWS = [("1", "Zoë"), ("2", 'a,"b"\nc'), ("3", None)]


def _opened(*files: Path, **given: Any) -> Delimited:
    source = CustomersSource(uri=str(files[0]), customer_id="id", **given)
    return open_delimited(files, source)


def _rows(opened: Delimited) -> list[tuple[str | None, ...]]:
    table = opened.reader.read_all()
    assert set(table.schema.types) == {pa.string()}
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-32"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("zipped", [False, True])
def test_every_encoding_gives_the_same_text(
    tmp_path: Path, encoding: str, end: str, zipped: bool
) -> None:
    data = TEXT.replace("\n", end).encode(encoding)
    path = tmp_path / ("x.csv.gz" if zipped else "x.csv")
    path.write_bytes(gzip.compress(data) if zipped else data)
    opened = _opened(path, encoding=encoding)
    inner_end = [(a, b.replace("\n", end) if b else b) for a, b in ROWS]
    assert _rows(opened) == inner_end
    assert opened.malformed == []


def test_several_files_are_one_table(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / f"{name}.csv").write_text(f"id,name\n{name},1\n")
    (tmp_path / "d.csv").write_text("id,name\n")
    files = [tmp_path / f"{name}.csv" for name in "abcd"]
    assert _rows(_opened(*files)) == [("a", "1"), ("b", "1"), ("c", "1")]


def test_files_with_different_headers_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,name\n1,2\n")
    (tmp_path / "b.csv").write_text("name,id\n1,2\n")
    with pytest.raises(InputError, match="need the same header"):
        _opened(tmp_path / "a.csv", tmp_path / "b.csv")


@pytest.mark.parametrize(
    ("name", "text", "given"),
    [("x.tsv", "id\tname\n1\tb\n", {}), ("x.csv", "id;name\n1;b\n", {"delimiter": ";"})],
)
def test_the_separator_follows_from_the_name_or_is_given(
    tmp_path: Path, name: str, text: str, given: dict[str, str]
) -> None:
    path = tmp_path / name
    path.write_text(text)
    assert _rows(_opened(path, **given)) == [("1", "b")]


@pytest.mark.parametrize("delimiter", ["§", '"', "\n"])
def test_a_separator_that_cannot_be_is_refused(tmp_path: Path, delimiter: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text(TEXT)
    with pytest.raises(SettingsError, match="delimiter"):
        _opened(path, delimiter=delimiter)


def test_lines_that_do_not_fit_are_kept_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('id,name\n1,a\n2\n3,b,c\n4,"d\n5,e\n')
    opened = _opened(path)
    assert _rows(opened) == [("1", "a"), ("5", "e")]
    found = {line.text: line.message for line in opened.malformed}
    assert found == {
        "2": "2 columns expected, 1 found.",
        "3,b,c": "2 columns expected, 3 found.",
        '4,"d': "A double quote is not closed, or not doubled.",
    }
    assert {line.text: line.line for line in opened.malformed}["2"] == 3


def test_one_open_quote_costs_one_line_of_a_long_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    lines = [f"{number},a" for number in range(300_000)]
    lines[7] = '7,"a'
    path.write_text("id,name\n" + "\n".join(lines))
    opened = _opened(path)
    assert len(_rows(opened)) == 299_999
    assert [(line.line, line.text) for line in opened.malformed] == [(9, '7,"a')]


def test_a_line_that_was_taken_out_counts_for_the_place_of_those_after_it(tmp_path: Path) -> None:
    lines = [f"{number},a" for number in range(2, 5_000)]
    bad = {3: '3,"a', 10: "10,a,b", 20: '20,"a', 21: '21,"b', 22: "22", 4_900: "4900,a,b"}
    for line, text in bad.items():
        lines[line - 2] = text
    paths = [tmp_path / "1.csv", tmp_path / "2.csv"]
    for path in paths:
        path.write_text("id,name\n" + "\n".join(lines) + "\n")
    opened = _opened(*paths)
    assert len(_rows(opened)) == 2 * (len(lines) - len(bad))
    assert [(line.line, line.text) for line in opened.malformed] == [*bad.items()] * 2


def test_a_wrong_byte_far_down_is_found_while_reading(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b"id,name\n" + b"1,a\n" * 300_000 + "2,é\n".encode("latin-1"))
    opened = _opened(path)
    with pytest.raises(InputError, match=r"is not utf-8 \(about line 300002\)"):
        opened.reader.read_all()
    assert [str(error) for error in opened.failures]


def test_names_met_twice_are_told_apart_and_remembered(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("id,Price,,price, id2 \n1,2,3,4,5\n")
    opened = _opened(path)
    assert opened.reader.schema.names == ["id", "Price", "column3", "price_4", "id2"]
    assert opened.ambiguous == {"Price", "price"}


CELLS = st.text(alphabet="a1,\"\n'; é", max_size=5)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(st.lists(st.tuples(CELLS, CELLS, CELLS), min_size=1, max_size=20))
def test_what_a_csv_writer_writes_is_read_back(
    tmp_path: Path, rows: list[tuple[str, str, str]]
) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "b", "c"), *rows])
    path = tmp_path / "x.csv"
    path.write_text(text.getvalue(), newline="")
    opened = _opened(path)
    assert _rows(opened) == [tuple(cell or None for cell in row) for row in rows]
    assert opened.malformed == []
