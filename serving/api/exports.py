"""The score table as a file, streamed: CSV or Parquet, a batch at a time.

In: Arrow batches. Out: bytes of one file. In CSV the reasons are one text, as the command line
writes them.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Literal, get_args

import pyarrow as pa

from serving import scores

Format = Literal["csv", "parquet"]
FORMATS: tuple[str, ...] = get_args(Format)
MEDIA_TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


def stream(batches: pa.RecordBatchReader, kind: str) -> Iterator[bytes]:
    """Bytes of a file, batch by batch.

    Parameters
    ----------
    batches : pyarrow.RecordBatchReader
        Columns of the score table.
    kind : {"csv", "parquet"}

    Yields
    ------
    bytes
    """
    sink = _Pieces()
    with _writer(sink, batches.schema, kind) as writer:
        for batch in batches:
            table = pa.Table.from_batches([batch])
            writer.write_table(_plain(table) if kind == "csv" else table)
            yield from sink.taken()
    yield from sink.taken()


def _plain(table: pa.Table) -> pa.Table:
    return scores.flat(table) if "reasons" in table.column_names else table


def _writer(sink: io.RawIOBase, schema: pa.Schema, kind: str) -> pa.csv.CSVWriter:
    if kind == "parquet":
        import pyarrow.parquet as pq

        return pq.ParquetWriter(sink, schema, compression="zstd")
    from pyarrow import csv

    options = csv.WriteOptions(quoting_style="needed")
    return csv.CSVWriter(sink, _plain(schema.empty_table()).schema, write_options=options)


class _Pieces(io.RawIOBase):
    """A file that hands out what was written to it, and keeps nothing."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, piece: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(piece))
        self._written += len(piece)
        return len(piece)

    def taken(self) -> list[bytes]:
        pieces, self._pieces = self._pieces, []
        return [piece for piece in pieces if piece]
