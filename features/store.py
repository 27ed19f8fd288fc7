"""The folder of results: behaviour tables, occasions, scores and rejected rows.

A file is written beside its place under a name of its own, flushed to disk and then moved into
place in one step, so that a reader sees the old file or the new one and never half of one,
whenever the writer is killed. Temporary files of writers that are gone are removed by the next
writer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

Kind = Literal["behaviour", "occasions", "events", "subscriptions", "accounts", "scores"]

_NAME = re.compile(r"as_of=(\d{4}-\d{2}-\d{2})\.parquet")
# Rows of a row group: enough to compress well, few enough to stream.
_ROWS_PER_GROUP = 122_880


@dataclass(frozen=True)
class Store:
    """Paths within a store; nothing is made until something is written.

    Parameters
    ----------
    path : Path
        Folder of the store.
    """

    path: Path

    def behaviour(self, as_of: date) -> Path:
        """Path of the behaviour table of a date."""
        return self._dated("behaviour", as_of)

    def occasions(self, as_of: date) -> Path:
        """Path of the occasions before a date."""
        return self._dated("occasions", as_of)

    def events(self, as_of: date) -> Path:
        """Path of the complaints, marks, contacts and uses before a date."""
        return self._dated("events", as_of)

    def subscriptions(self, as_of: date) -> Path:
        """Path of the subscriptions that had begun before a date, as known on it."""
        return self._dated("subscriptions", as_of)

    def accounts(self, as_of: date) -> Path:
        """Path of the accounts that customers belonged to at a build for a date."""
        return self._dated("accounts", as_of)

    def scores(self, as_of: date) -> Path:
        """Path of the score table of a date."""
        return self._dated("scores", as_of)

    def rejects(self) -> Path:
        """Folder with the rejected rows, one CSV file per source."""
        return self.path / "rejects"

    def report(self) -> Path:
        """Path of the newest data report, as JSON."""
        return self.path / "report.json"

    def plans(self) -> Path:
        """Folder with the plans, and the key of their draws."""
        return self.path / "plans"

    def trainings(self) -> Path:
        """Folder with a locked file for each training under way."""
        return self.path / "trainings"

    def audit(self) -> Path:
        """File that says who did what; lines are only ever added."""
        return self.path / "audit.jsonl"

    def latest(self, kind: Kind) -> date | None:
        """Last as-of date for which a table of the kind is there, or None.

        Parameters
        ----------
        kind : {"behaviour", "occasions", "events", "subscriptions", "accounts", "scores"}

        Returns
        -------
        date or None
        """
        return max(self.dates(kind), default=None)

    def dates(self, kind: Kind) -> tuple[date, ...]:
        """As-of dates for which a table of the kind is there, oldest first.

        Parameters
        ----------
        kind : {"behaviour", "occasions", "events", "subscriptions", "accounts", "scores"}

        Returns
        -------
        tuple of date
        """
        names = (path.name for path in (self.path / kind).glob("as_of=*.parquet"))
        dates = (date.fromisoformat(m.group(1)) for n in names if (m := _NAME.fullmatch(n)))
        return tuple(sorted(dates))

    def _dated(self, kind: Kind, as_of: date) -> Path:
        return self.path / kind / f"as_of={as_of.isoformat()}.parquet"


def write_parquet(
    table: ir.Table | pa.Table | pa.RecordBatchReader,
    path: Path,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """Write a table as one Parquet file, whole or not at all.

    Parameters
    ----------
    table : ibis table, Arrow table or Arrow record batch reader
        An Ibis table is computed here and streamed, never held whole.
    path : Path
        File to replace; its folder is made when missing.
    metadata : mapping of str to str, optional
        Kept as key-value metadata of the Parquet schema.

    Returns
    -------
    int
        Rows written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    reader = _reader(table)
    extra = {key.encode(): value.encode() for key, value in (metadata or {}).items()}
    schema = reader.schema.with_metadata({**(reader.schema.metadata or {}), **extra})
    rows = 0
    with replacing(path) as partial, pq.ParquetWriter(partial, schema, compression="zstd") as out:
        for batch in reader:
            if batch.num_rows:
                whole = pa.Table.from_batches([batch]).replace_schema_metadata(schema.metadata)
                out.write_table(whole, row_group_size=_ROWS_PER_GROUP)
                rows += batch.num_rows
    return rows


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8, whole or not at all.

    Parameters
    ----------
    path : Path
        File to replace; its folder is made when missing.
    text : str
        Its content.
    """
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="")


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write to; on leaving, it takes the place of `path`.

    When the block raises, `path` stays as it was and the temporary file is removed.

    Parameters
    ----------
    path : Path
        File to replace; its folder is made when missing.

    Yields
    ------
    Path
        Temporary file in the same folder; locked while its writer lives.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    partial, lock = _claim(path)
    try:
        yield partial
        _flush(partial)
        partial.replace(path)
        _flush(path.parent)
    finally:
        partial.unlink(missing_ok=True)
        os.close(lock)


def _claim(path: Path) -> tuple[Path, int]:
    """Make a temporary file and lock it; made anew if another writer took it for stale."""
    while True:
        partial = path.parent / f".{path.name}.{secrets.token_hex(8)}.tmp"
        lock = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        fcntl.flock(lock, fcntl.LOCK_SH)
        if partial.exists():
            return partial, lock
        os.close(lock)


def _remove_stale(path: Path) -> None:
    """Remove temporary files of `path` whose writers are gone: nobody holds their lock."""
    for partial in path.parent.glob(f".{path.name}.*.tmp"):
        with contextlib.suppress(OSError):
            lock = os.open(partial, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                partial.unlink(missing_ok=True)
            finally:
                os.close(lock)


def _flush(path: Path) -> None:
    """Make a file's content, or a folder's names, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _reader(table: Any) -> pa.RecordBatchReader:
    import pyarrow as pa

    if isinstance(table, pa.RecordBatchReader):
        return table
    if isinstance(table, pa.Table):
        return table.to_reader()
    from features.compat import batches

    return batches(table, _ROWS_PER_GROUP)
