"""Rejected rows, kept as a CSV file for a person to look at.

One file per source: ``reason``, ``detail`` (where a malformed line stands and what is wrong
with it), then the raw columns as they were read. The file is replaced in one step; a source
without rejected rows has none.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import ibis

from features.compat import batches, missing
from features.contract import MALFORMED
from features.store import replacing

if TYPE_CHECKING:
    import ibis.expr.types as ir


def write_rejects(judged: ir.Table, malformed: ir.Table | None, path: Path) -> None:
    """Write the rejected rows of a source.

    Parameters
    ----------
    judged : ibis table
        With ``reason_`` and ``raw_`` as `features.contract` leaves them.
    malformed : ibis table or None
        Lines that did not fit, as `features.delimited.malformed_lines` gives them.
    path : Path
        File to replace.
    """
    import pyarrow as pa
    import pyarrow.csv as pc

    rows = _rows(judged)
    schema = pa.schema([(name, pa.string()) for name in rows.columns])
    with replacing(path) as partial, pc.CSVWriter(partial, schema) as out:
        for batch in batches(rows):
            out.write_batch(batch.cast(schema))
        if malformed is not None:
            for batch in batches(_lines(malformed, rows.columns)):
                out.write_batch(batch.cast(schema))


def remove_rejects(path: Path) -> None:
    """Remove the file of an earlier reading: nothing was rejected now.

    Parameters
    ----------
    path : Path
    """
    path.unlink(missing_ok=True)


def _rows(judged: ir.Table) -> ir.Table:
    rejected = judged.filter(judged.reason_.notnull())
    fields = list(judged.raw_.type().names)
    columns: dict[str, Any] = {_free("reason", fields): rejected.reason_}
    columns[_free("detail", fields)] = missing("string")
    columns |= {name: rejected.raw_[name].cast("string") for name in fields}
    return rejected.select(**columns)


def _free(name: str, taken: list[str]) -> str:
    lower = {other.lower() for other in taken}
    while name in lower:
        name += "_"
    return name


def _lines(malformed: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    """Malformed lines in the columns of the file; their text is in the detail."""
    where = ibis.literal("line ") + (malformed.line + malformed.place).cast("string")
    detail = where + ": " + malformed.message + " In: " + malformed.text.fill_null("")
    reason, second, *others = columns
    return malformed.select(
        **{reason: ibis.literal(MALFORMED), second: detail},
        **dict.fromkeys(others, missing("string")),
    )
