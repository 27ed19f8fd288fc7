"""CSV and TSV files as tables of text.

Every column is read as text, so that the contract and not the reader judges a value. The
dialect is fixed (one separator, double quotes doubled inside quotes), nothing is guessed. A
line that does not fit the header is kept aside with its reason: it counts as read and as
rejected.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from features.columns import names
from features.compat import arrow
from features.errors import InputError

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.settings import Source

_BOMS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ENCODING = "INVALID ENCODING"
_TOO_LONG = "LINE SIZE OVER MAXIMUM"
_LONGEST_TEXT = 10_000
_CHUNK = 1 << 20
_PROBE = 1 << 16


@dataclass(frozen=True)
class Delimited:
    """A CSV source, opened but not read.

    Parameters
    ----------
    table : ibis table
        All columns as text; reading it once fills `malformed`.
    malformed : str
        Name of the DuckDB table that gets the lines that do not fit.
    ambiguous : frozenset of str
        Names that the header holds more than once.
    """

    table: ir.Table
    malformed: str
    ambiguous: frozenset[str]


def open_delimited(
    connection: Any, files: Sequence[Path], source: Source, name: str, work: Path
) -> Delimited:
    """Open CSV or TSV files, plain or gzipped, as one table of text.

    Parameters
    ----------
    connection : ibis DuckDB backend
    files : sequence of Path
        At least one; all with the same header.
    source : Source
        For `encoding` and `delimiter`.
    name : str
        Name of the table to make, unique within the connection.
    work : Path
        Folder for copies in UTF-8 of files in other encodings; may go once the table is read.

    Returns
    -------
    Delimited

    Raises
    ------
    InputError
        If a file is empty, not text in the encoding, or its header differs from the others'.
    """
    encoding = _known_encoding(source.encoding or "utf-8", source.uri)
    delimiter = source.delimiter or ("\t" if _is_tsv(files[0]) else ",")
    header = _header(files[0], encoding, delimiter)
    for file in files[1:]:
        if (other := _header(file, encoding, delimiter)) != header:
            raise InputError(
                f"{file} has the header {names(other)}, but {files[0]} has {names(header)}; "
                "files read as one table need the same header."
            )
    columns, ambiguous = _unique(header)
    readable = [_in_utf8(file, encoding, work, place) for place, file in enumerate(files)]
    malformed = f"{name}_malformed"
    table = connection.read_csv(
        [str(file) for file in readable],
        table_name=name,
        columns=dict.fromkeys(columns, "string"),
        auto_detect=False,
        header=True,
        delim=delimiter,
        quote='"',
        escape='"',
        store_rejects=True,
        rejects_table=malformed,
        rejects_scan=f"{name}_scans",
        rejects_limit=0,
    )
    return Delimited(table, malformed, ambiguous)


def malformed_lines(connection: Any, name: str, uri: str) -> ir.Table:
    """Lines that did not fit, once the table was read.

    A quote that is not closed takes the lines after it along; each of them is one of these.

    Parameters
    ----------
    connection : ibis DuckDB backend
    name : str
        `Delimited.malformed`.
    uri : str
        The source, for the error.

    Returns
    -------
    ibis table
        ``line`` int64 (where the record starts; the header is line 1), ``place`` int64 (0 for
        the record's first line), ``message`` string, ``text`` string; one row per line.

    Raises
    ------
    InputError
        If a line is not UTF-8, so that the whole file is in another encoding; or if a record
        is so long that a quote must be open, so that it cannot be said how much is lost.
    """
    errors = connection.table(name)
    kinds = errors.filter(errors.error_type.isin((_ENCODING, _TOO_LONG)))
    first = arrow(kinds.select("error_type", "line").order_by("line").limit(1)).to_pylist()
    if first and first[0]["error_type"] == _ENCODING:
        raise _not_utf8(uri, f"line {first[0]['line']}")
    if first:
        raise InputError(
            f"{uri}: the record at line {first[0]['line']} is longer than 2 MB. Most likely a "
            "double quote is opened there and never closed; repair the line."
        )
    records = errors.group_by(["file_id", "line"]).aggregate(
        message=errors.error_message.min(), text=errors.csv_line.min()
    )
    whole = records.text.fill_null("").rstrip()
    parts = records.select(
        line=records.line.cast("int64"), message=records.message, part=whole.split("\n")
    ).unnest("part", offset="place")
    return parts.select(
        line=parts.line,
        place=parts.place.cast("int64"),
        message=parts.message,
        text=parts.part.rstrip().substr(0, _LONGEST_TEXT),
    ).order_by("line", "place")


def _is_tsv(file: Path) -> bool:
    return ".tsv" in file.suffixes[-2:]


def _known_encoding(encoding: str, uri: str) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise InputError(
            f"{uri}: encoding = {encoding!r} is not known; "
            "use for instance 'utf-8', 'latin-1', 'cp1252' or 'utf-16'."
        ) from None


def _not_utf8(uri: str, place: str) -> InputError:
    return InputError(
        f"{uri} is not UTF-8 ({place}); name its encoding, for instance "
        "encoding = 'latin-1', 'cp1252' or 'utf-16'."
    )


def _open(file: Path) -> gzip.GzipFile | IO[bytes]:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")


def _header(file: Path, encoding: str, delimiter: str) -> list[str]:
    """Read the first record, having looked at the first bytes."""
    try:
        with _open(file) as raw:
            start = raw.read(_PROBE)
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}.") from None
    if not start.strip():
        raise InputError(f"{file} is empty; expected a header line and rows.")
    _refuse_other_encoding(file, start, encoding)
    lines = io.StringIO(_decoded(file, start, encoding), newline="")
    try:
        header = next((row for row in csv.reader(lines, delimiter=delimiter) if row), [])
    except csv.Error as error:
        raise InputError(f"{file}: the header cannot be read: {error}.") from None
    _refuse_other_delimiter(file, header, delimiter)
    return header


def _decoded(file: Path, start: bytes, encoding: str) -> str:
    """Decode the first bytes, of which the last may be half a character."""
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(start)
    except UnicodeDecodeError as error:
        line = start[: error.start].count(b"\n") + 1
        if encoding == "utf-8":
            raise _not_utf8(str(file), f"line {line}") from None
        raise _not_encoded(file, encoding, f"line {line}") from None
    except UnicodeError as error:
        raise _not_encoded(file, encoding, str(error)) from None
    return text.removeprefix("\ufeff")


def _not_encoded(file: Path, encoding: str, place: str) -> InputError:
    return InputError(f"{file} is not {encoding} ({place}); name its encoding.")


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


def _in_utf8(file: Path, encoding: str, work: Path, place: int) -> Path:
    """Give the file itself when it is UTF-8, else a copy in UTF-8."""
    if encoding == "utf-8":
        return file
    copy = work / f"{place}-{file.name.removesuffix('.gz')}"
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with _open(file) as raw, copy.open("wb") as out:
            while chunk := raw.read(_CHUNK):
                out.write(decoder.decode(chunk).encode("utf-8"))
            out.write(decoder.decode(b"", final=True).encode("utf-8"))
    except UnicodeError as error:
        raise _not_encoded(file, encoding, getattr(error, "reason", str(error))) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file} cannot be read: {error}.") from None
    return copy
