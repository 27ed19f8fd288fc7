"""Rejected rows, kept as a CSV file for a person to look at.

One file per source: ``reason``, ``detail`` (where a malformed line stands and what is wrong
with it; which setting would read a number), then the raw columns as they were read. The file is
replaced in one step; a source without rejected rows has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from features.compat import batches
from features.contracts.contract import MALFORMED
from features.contracts.specimens import remarks
from features.store import replacing

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from features.contracts.specimens import Specimen
    from features.opening.quotes import Malformed

_LINES = 100_000


def write_rejects(
    judged: ir.Table,
    malformed: Sequence[Malformed],
    path: Path,
    looked: Sequence[Specimen] = (),
) -> None:
    """Write the rejected rows of a source.

    Parameters
    ----------
    judged : ibis table
        With ``reason_`` and ``raw_`` as `features.contracts.contract` leaves them.
    malformed : sequence of Malformed
        Lines that did not fit their header.
    path : Path
        File to replace.
    looked : sequence of Specimen
        Columns whose values are remarked on.
    """
    import pyarrow as pa
    import pyarrow.csv as pc

    rows = _rows(judged, looked)
    schema = pa.schema([(name, pa.string()) for name in rows.columns])
    with replacing(path) as partial, pc.CSVWriter(partial, schema) as out:
        for batch in batches(rows):
            out.write_batch(batch.cast(schema))
        for line in range(0, len(malformed), _LINES):
            out.write_table(_lines(malformed[line : line + _LINES], schema))


def remove_rejects(path: Path) -> None:
    """Remove the file of an earlier reading: nothing was rejected now.

    Parameters
    ----------
    path : Path
    """
    path.unlink(missing_ok=True)


def _rows(judged: ir.Table, looked: Sequence[Specimen]) -> ir.Table:
    rejected = judged.filter(judged.reason_.notnull())
    fields = list(judged.raw_.type().names)
    columns: dict[str, Any] = {_free("reason", fields): rejected.reason_}
    columns[_free("detail", fields)] = remarks(rejected, looked)
    columns |= {name: rejected.raw_[name].cast("string") for name in fields}
    return rejected.select(**columns)


def _free(name: str, taken: list[str]) -> str:
    lower = {other.lower() for other in taken}
    while name in lower:
        name += "_"
    return name


def _lines(malformed: Sequence[Malformed], schema: pa.Schema) -> pa.Table:
    """Malformed lines in the columns of the file; their text is in the detail."""
    import pyarrow as pa

    reason, detail, *others = schema.names
    columns = {
        reason: [MALFORMED] * len(malformed),
        detail: [f"line {m.line}: {m.message} In: {m.text}" for m in malformed],
        **dict.fromkeys(others, [None] * len(malformed)),
    }
    return pa.table(columns, schema=schema)
