"""Quotes of CSV lines: a line in disorder goes alone, and no line is lost."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.opening.quotes import LONGEST_RECORD, sound_lines

LINE = b"C1,2024,5\n"


def _sorted_out(data: bytes, size: int = 1 << 20) -> tuple[bytes, list[tuple[int, str]]]:
    """The sound lines together, and number and text of the others."""
    chunks: Iterator[bytes] = (data[at : at + size] for at in range(0, len(data), size))
    others: list = []
    sound = b"".join(sound_lines(chunks, others, delimiter=b","))
    return sound, [(line.line, line.text) for line in others]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        LINE * 3,
        b'"a",b\n' + LINE,
        b'"a\nb",c\n' + LINE,
        b'"a""\n""b",c',
        b'a,"""b"""\r\n"",""\n',
        # Quotes within an unquoted value are part of it.
        b'4,5" nail,6\n' + LINE,
        b'a"b,"c"\n"d\ne",f\n',
        'é"é,"é"\n'.encode(),
    ],
)
def test_lines_in_order_pass_as_they_are(data: bytes) -> None:
    assert _sorted_out(data) == (data, [])


@pytest.mark.parametrize(
    ("data", "sound", "others"),
    [
        # Opened and never closed: only its own line goes.
        (LINE + b'"a,b\n' + LINE * 3, LINE * 4, [(2, '"a,b')]),
        # Closed by a quote that opens another value.
        (LINE + b'"a,b\n' + LINE + b'"x",2\n', LINE * 2 + b'"x",2\n', [(2, '"a,b')]),
        (b'4,"o"pen,6\n' + LINE, LINE, [(1, '4,"o"pen,6')]),
        (LINE + b'x,"', LINE, [(2, 'x,"')]),
        (b'"a,\n"b,\n"c,\n' + LINE, LINE, [(1, '"a,'), (2, '"b,'), (3, '"c,')]),
    ],
)
def test_a_line_in_disorder_goes_alone(
    data: bytes, sound: bytes, others: list[tuple[int, str]]
) -> None:
    assert _sorted_out(data) == (sound, others)


def test_a_value_that_never_ends_is_given_up() -> None:
    data = b'"a,b\n' + LINE * (LONGEST_RECORD // len(LINE) + 1000) + b'"x",2\n'
    sound, others = _sorted_out(data, size=100_000)
    assert others == [(1, '"a,b')]
    assert sound == data.removeprefix(b'"a,b\n')


TEXTS = st.text(alphabet='ab,"\n\r é', max_size=6)


@given(st.lists(st.lists(TEXTS, min_size=2, max_size=3), max_size=12), st.integers(1, 20))
def test_what_a_csv_writer_writes_is_in_order(rows: list[list[str]], size: int) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    data = text.getvalue().encode()
    assert _sorted_out(data, size) == (data, [])


@given(st.text(alphabet='a,"\n', max_size=60), st.integers(1, 20))
def test_no_line_is_lost_and_cuts_do_not_matter(text: str, size: int) -> None:
    data = text.encode()
    sound, others = _sorted_out(data, size)
    assert (sound, others) == _sorted_out(data)
    lines = data.splitlines(keepends=True)
    assert sound.count(b"\n") + len(others) >= data.count(b"\n")
    assert len(sound.splitlines()) + len(others) == len(lines)
    rows = list(csv.reader(io.StringIO(sound.decode(), newline=""), strict=True))
    assert len(rows) <= len(lines)
