"""Lines of a CSV file whose quotes are in order, and those whose quotes are not.

A double quote that is opened and never closed would take all the lines after it into one value,
and CSV readers then lose them or make one row of them. Here such a line is taken out on its own
and the lines after it stay. Quotes inside an unquoted value (5" nail) are part of the value.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_QUOTE = ord('"')
# A record this long, in bytes, is taken for one with a quote that was never closed.
LONGEST_RECORD = 1 << 20
_WINDOW = 1 << 23
_WINDOW_AFTER_BREAK = 1 << 8
_MESSAGE = "A double quote is not closed, or not doubled."


@dataclass(frozen=True)
class Malformed:
    """A line that does not fit.

    Parameters
    ----------
    line : int
        Where it stands; the first line of the file is 1.
    message : str
        What is wrong with it.
    text : str
        The line, at most ten thousand characters of it.
    """

    line: int
    message: str
    text: str


def sound_lines(
    chunks: Iterator[bytes],
    malformed: list[Malformed],
    *,
    delimiter: bytes,
    newline: bytes = b"\n",
    first_line: int = 1,
) -> Iterator[bytes]:
    """Pass on whole lines with their quotes in order; set the others aside.

    Parameters
    ----------
    chunks : iterator of bytes
        The file from the start of a line on, in UTF-8, cut anywhere.
    malformed : list of Malformed
        Gets the lines that are taken out.
    delimiter, newline : bytes
        One byte each.
    first_line : int
        Number of the first line, for `malformed`.

    Yields
    ------
    bytes
        Whole lines, in order.
    """
    line, held, window = first_line, b"", _WINDOW
    for chunk, last in _with_last(chunks):
        held += chunk
        at = 0
        while at < len(held):
            all_seen = at + window >= len(held)
            final = last and all_seen
            end = len(held) if final else held.rfind(newline, at, at + window) + 1
            whole, broken = _scan(held[at:end], final, delimiter, newline)
            if whole:
                yield held[at : at + whole]
                line += held.count(newline, at, at + whole)
                at += whole
            if broken:
                end = held.find(newline, at) + 1 or len(held)
                malformed.append(Malformed(line, _MESSAGE, _shown(held[at:end])))
                line += 1
                at = end
                # More may follow at once: look only a little ahead, then further.
                window = _WINDOW_AFTER_BREAK
            elif all_seen:
                break
            else:
                window *= 2
        held = held[at:]
        if len(held) > 2 * _WINDOW:
            # No line is this long: let the reader say so.
            yield held
            held = b""


def _shown(line: bytes) -> str:
    return line[:10_000].decode("utf-8", errors="replace").rstrip("\r\n")


def _with_last(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Tell of each chunk whether it is the last one."""
    before = next(chunks, None)
    while before is not None:
        after = next(chunks, None)
        yield before, after is None
        before = after


def _scan(lines: bytes, last: bool, delimiter: bytes, newline: bytes) -> tuple[int, bool]:
    """Give the bytes that are sound records, and whether the line after them is broken.

    `lines` are whole lines. A value that is still open at their end may be closed by what
    follows, unless it is the end of the file or too long.
    """
    data = np.frombuffer(lines, dtype=np.uint8)
    quotes = np.flatnonzero(data == _QUOTE)
    if not _all_in_order(data, quotes, delimiter):
        record, broken = _walk(lines, quotes.tolist(), delimiter, newline)
    else:
        record, broken = _open_record(lines, quotes, newline), False
    if record is None:
        return len(lines), False
    return record, broken or last or len(lines) - record > LONGEST_RECORD


def _open_record(lines: bytes, quotes: np.ndarray, newline: bytes) -> int | None:
    """Give the start of the record whose value is open at the end; quotes are in order."""
    if len(quotes) % 2 == 0:
        return None
    place = len(quotes) - 1
    while True:
        start = lines.rfind(newline, 0, int(quotes[place])) + 1
        before = int(np.searchsorted(quotes, start))
        if start == 0 or before % 2 == 0:
            return start
        # The line starts within a value of the same record.
        place = before - 1


def _all_in_order(data: np.ndarray, quotes: np.ndarray, delimiter: bytes) -> bool:
    """Whether quotes open and close by turns at the edges of values; doubled ones do both."""
    edge = np.zeros(256, dtype=bool)
    edge[[delimiter[0], ord("\n"), ord("\r")]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    doubled = opening[1:] == closing[: len(opening) - 1] + 1
    before = (opening == 0) | edge[data[np.maximum(opening - 1, 0)]]
    before[1:] |= doubled
    after = (closing == len(data) - 1) | edge[data[np.minimum(closing + 1, len(data) - 1)]]
    after[: len(doubled)] |= doubled
    return bool(before.all() and after.all())


def _walk(
    lines: bytes, quotes: list[int], delimiter: bytes, newline: bytes
) -> tuple[int | None, bool]:
    """Follow the quotes one by one: some stand inside unquoted values, or are wrong.

    Gives the start of the record whose value is open at the end, or is wrongly closed.
    """
    edges = {delimiter[0], ord("\n"), ord("\r")}
    record, closed, skip, is_open = 0, 0, -1, False
    for place in quotes:
        if place == skip:
            continue
        after = lines[place + 1] if place + 1 < len(lines) else ord("\n")
        if not is_open:
            if place == 0 or lines[place - 1] in edges:
                record = lines.rfind(newline, closed, place) + 1 or record
                is_open = True
        elif after == _QUOTE:
            skip = place + 1
        elif after in edges:
            is_open, closed = False, place
        else:
            return record, True
    return (record if is_open else None), False
