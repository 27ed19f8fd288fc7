"""CSV and TSV files as tables of text.

Every column is read as text, so that the contract and not the reader judges a value. The
dialect is fixed (one separator, double quotes doubled inside quotes) and nothing is guessed. A
line that does not fit the header, or whose quotes are not in order, is kept aside with its
reason: it counts as read and as rejected.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from features.errors import InputError, SettingsError
from features.opening.columns import names
from features.opening.quotes import Malformed, sound_lines

if TYPE_CHECKING:
    import pyarrow as pa

    from features.section import Source

_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_CHUNK = 1 << 20
_PROBE = 1 << 16
# Longer than any line whose quotes are in order.
_BLOCK = 1 << 23


@dataclass(frozen=True)
class Delimited:
    """A CSV source, opened but not read.

    Parameters
    ----------
    reader : pyarrow.RecordBatchReader
        All columns as text, null when blank; to be read once.
    malformed : list of Malformed
        Gets the lines that do not fit while `reader` is read.
    failures : list of InputError
        Gets the reason when `reader` cannot be read to its end; the engine that reads it
        would only pass on its text.
    ambiguous : frozenset of str
        Names that the header holds more than once.
    """

    reader: pa.RecordBatchReader
    malformed: list[Malformed]
    failures: list[InputError]
    ambiguous: frozenset[str]


@dataclass(frozen=True)
class _File:
    """One file: its dialect, and what stands before the first row."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_text: str
    newline: bytes


def open_delimited(files: Sequence[Path], source: Source) -> Delimited:
    """Open CSV or TSV files, plain or gzipped, as one table of text.

    Parameters
    ----------
    files : sequence of Path
        At least one; all with the same header.
    source : Source
        For `encoding` and `delimiter`.

    Returns
    -------
    Delimited

    Raises
    ------
    InputError
        If a file is empty, not text in the encoding, or its header differs from the others'.
        Reading raises it too, where a file turns out so further down.
    SettingsError
        If the delimiter cannot be one.
    """
    import pyarrow as pa

    encoding = _known_encoding(source.encoding or "utf-8", source.uri)
    delimiter = source.delimiter or ("\t" if ".tsv" in files[0].suffixes[-2:] else ",")
    if not delimiter.isascii() or delimiter in '"\r\n':
        raise SettingsError(f"delimiter = {delimiter!r} cannot be; use for instance ',' or ';'.")
    opened = [_opened(path, encoding, delimiter) for path in files]
    header = opened[0].header
    for other in opened[1:]:
        if other.header != header:
            raise InputError(
                f"{other.path} has the header {names(other.header)}, but {files[0]} has "
                f"{names(header)}; files read as one table need the same header."
            )
    columns, ambiguous = _unique(header)
    malformed: list[Malformed] = []
    failures: list[InputError] = []
    schema = pa.schema([(name, pa.string()) for name in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            for file in opened:
                yield from _batches(file, columns, malformed)
        except InputError as error:
            failures.append(error)
            raise

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    return Delimited(reader, malformed, failures, ambiguous)


def _batches(
    file: _File, columns: Sequence[str], malformed: list[Malformed]
) -> Iterator[pa.RecordBatch]:
    """Read the rows of a file; lines that do not fit go to `malformed`, in order."""
    import pyarrow as pa
    import pyarrow.csv as pc

    broken: list[Malformed] = []
    unfit: list[tuple[int, str, str]] = []
    first_line = file.header_text.count(file.newline.decode()) + 1
    lines = sound_lines(
        _rows_in_utf8(file),
        broken,
        delimiter=file.delimiter.encode(),
        newline=file.newline,
        first_line=first_line,
    )
    failed: list[Exception] = []

    def set_aside(row: Any) -> str:
        message = f"{row.expected_columns} columns expected, {row.actual_columns} found."
        unfit.append((row.number or 1, message, row.text[:10_000]))
        return "skip"

    try:
        with pc.open_csv(
            pa.PythonFile(_Stream(lines, failed), mode="r"),
            read_options=pc.ReadOptions(
                use_threads=False, block_size=_BLOCK, column_names=list(columns)
            ),
            parse_options=pc.ParseOptions(
                delimiter=file.delimiter, newlines_in_values=True, invalid_row_handler=set_aside
            ),
            convert_options=pc.ConvertOptions(
                check_utf8=False,
                column_types=dict.fromkeys(columns, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        ) as rows:
            yield from rows
    except (pa.ArrowException, OSError) as error:
        if "Empty CSV file" in str(error) and not failed:
            return
        if "straddling" in str(error):
            raise InputError(f"{file.path} has a line over 8 MB; is it a CSV file?") from None
        cause = failed[0] if failed else error
        raise _unreadable(file.path, file.encoding, cause) from None
    finally:
        placed = _placed(unfit, broken, first_line)
        malformed += sorted([*broken, *placed], key=lambda one: one.line)


def _placed(
    unfit: Sequence[tuple[int, str, str]], broken: Sequence[Malformed], first_line: int
) -> Iterator[Malformed]:
    """Where rows stand in the file that a reader counted who never saw the broken lines."""
    before = 0
    for number, message, text in unfit:
        line = first_line + number - 1
        while before < len(broken) and broken[before].line <= line + before:
            before += 1
        yield Malformed(line + before, message, text)


class _Stream(io.RawIOBase):
    """Chunks of bytes as a file, and what went wrong while making them."""

    def __init__(self, chunks: Iterator[bytes], failed: list[Exception]) -> None:
        self._chunks = chunks
        self._failed = failed
        self._rest = b""

    def readable(self) -> bool:
        """Whether it can be read: yes."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; none at the end."""
        try:
            while not self._rest and (chunk := next(self._chunks, None)) is not None:
                self._rest = chunk
        except (OSError, EOFError, zlib.error, UnicodeError) as error:
            self._failed.append(error)
            raise OSError(str(error)) from error
        given = self._rest if size < 0 else self._rest[:size]
        self._rest = self._rest[len(given) :]
        return given


def _rows_in_utf8(file: _File) -> Iterator[bytes]:
    """Read what follows the header, in UTF-8; text that is not in the encoding is an error."""
    decoder = codecs.getincrementaldecoder(file.encoding)()
    skip = len(file.header_text.encode("utf-8"))
    line = 1
    with _open(file.path) as raw:
        while chunk := raw.read(_CHUNK):
            try:
                text = decoder.decode(chunk)
            except UnicodeDecodeError as error:
                error.reason = _about(line + error.object.count(b"\n", 0, error.start))
                raise
            line += text.count("\n")
            data = text.encode("utf-8")
            skipped = min(skip, len(data))
            skip -= skipped
            if len(data) > skipped:
                yield data[skipped:]
        if rest := decoder.decode(b"", final=True):
            yield rest.encode("utf-8")


def _about(line: int) -> str:
    return f"about line {line}"


def _known_encoding(encoding: str, uri: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise InputError(
            f"{uri}: encoding = {encoding!r} is not known; "
            "use for instance 'utf-8', 'latin-1', 'cp1252' or 'utf-16'."
        ) from None


def _open(file: Path) -> gzip.GzipFile | IO[bytes]:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _opened(path: Path, encoding: str, delimiter: str) -> _File:
    """Look at the first bytes of a file and read its header."""
    try:
        with _open(path) as raw:
            start = raw.read(_PROBE)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path} cannot be read: {error}.") from None
    if not start.strip():
        raise InputError(f"{path} is empty; expected a header line and rows.")
    _refuse_other_encoding(path, start, encoding)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeError as error:
        if isinstance(error, UnicodeDecodeError):
            error.reason = _about(start.count(b"\n", 0, error.start) + 1)
        raise _unreadable(path, encoding, error) from None
    header, header_text = _header(path, text, delimiter)
    _refuse_other_delimiter(path, header, delimiter)
    newline = b"\r" if "\n" not in text and "\r" in text else b"\n"
    return _File(path, encoding, delimiter, tuple(header), header_text, newline)


def _header(path: Path, text: str, delimiter: str) -> tuple[list[str], str]:
    """Read the first record that is not blank, and the text up to its end."""
    mark = "\ufeff" if text.startswith("\ufeff") else ""
    read: list[str] = [mark]

    def lines() -> Iterator[str]:
        for line in io.StringIO(text.removeprefix(mark), newline=""):
            read.append(line)
            yield line

    try:
        header = next((row for row in csv.reader(lines(), delimiter=delimiter) if row), [])
    except csv.Error as error:
        raise InputError(f"{path}: the header cannot be read: {error}.") from None
    return header, "".join(read)


def _unreadable(path: Path, encoding: str, error: Exception) -> InputError:
    if isinstance(error, UnicodeError):
        return InputError(
            f"{path} is not {encoding} ({getattr(error, 'reason', error)}); name its encoding, "
            "for instance encoding = 'latin-1', 'cp1252' or 'utf-16'."
        )
    return InputError(f"{path} cannot be read: {error}.")


def _refuse_other_encoding(file: Path, start: bytes, encoding: str) -> None:
    seen = next((name for bom, name in _BOMS.items() if start.startswith(bom)), None)
    if seen is None and encoding == "utf-8":
        seen = _utf16_without_mark(start[:1000])
    if seen is not None and not encoding.startswith(seen):
        raise InputError(f"{file} looks like {seen}, not {encoding}; set encoding = {seen!r}.")


def _utf16_without_mark(start: bytes) -> str | None:
    """Name UTF-16 by its zero bytes: text of Western letters has them at every other place."""
    even, odd = start[0::2], start[1::2]
    if odd.count(0) > 0.7 * len(odd) and even.count(0) < 0.1 * len(even):
        return "utf-16-le"
    if even.count(0) > 0.7 * len(even) and odd.count(0) < 0.1 * len(odd):
        return "utf-16-be"
    return None


def _refuse_other_delimiter(file: Path, header: Sequence[str], delimiter: str) -> None:
    if len(header) != 1:
        return
    counts = Counter({sign: header[0].count(sign) for sign in ";\t|," if sign != delimiter})
    sign, times = counts.most_common(1)[0]
    if times:
        raise InputError(
            f"{file} has the single column {header[0]!r} when split at {delimiter!r}; "
            f"it looks separated by {sign!r}: set delimiter = {sign!r}."
        )


def _unique(header: Sequence[str]) -> tuple[list[str], frozenset[str]]:
    """Name every column apart, capitals aside as the engine does; tell the names met twice."""
    times = Counter(name.strip().lower() for name in header)
    columns: list[str] = []
    taken: set[str] = set()
    for place, given in enumerate(header, start=1):
        name = given.strip() or f"column{place}"
        while name.lower() in taken:
            name = f"{name}_{place}"
        taken.add(name.lower())
        columns.append(name)
    return columns, frozenset(n.strip() for n in header if times[n.strip().lower()] > 1)
