"""The store: paths by date, and files that are whole or absent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from datetime import date
from pathlib import Path

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.store import Store, replacing, write_parquet, write_text

DAY = date(2024, 3, 1)


def _leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_paths_are_by_date(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.behaviour(DAY) == tmp_path / "behaviour" / "as_of=2024-03-01.parquet"
    assert store.events(DAY) == tmp_path / "events" / "as_of=2024-03-01.parquet"
    assert store.occasions(DAY) == tmp_path / "occasions" / "as_of=2024-03-01.parquet"
    assert store.scores(DAY) == tmp_path / "scores" / "as_of=2024-03-01.parquet"
    assert store.rejects() == tmp_path / "rejects"
    assert list(tmp_path.iterdir()) == []


def test_the_latest_is_the_greatest_date_of_its_kind(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.latest("behaviour") is None
    for day in (date(2023, 12, 31), DAY, date(2024, 2, 29)):
        write_parquet(pa.table({"x": [1]}), store.behaviour(day))
    (tmp_path / "behaviour" / "as_of=9999.parquet").touch()
    (tmp_path / "behaviour" / ".as_of=2025-01-01.parquet.0.tmp").touch()
    assert store.latest("behaviour") == DAY
    assert store.latest("scores") is None


def test_every_form_of_a_table_is_written_with_its_metadata(tmp_path: Path) -> None:
    rows = pa.table({"x": [1, 2, 3], "y": ["a", None, "c"]})
    forms = {
        "arrow": rows,
        "reader": rows.to_reader(max_chunksize=1),
        "ibis": ibis.duckdb.connect().create_table("rows", rows),
    }
    for name, form in forms.items():
        path = tmp_path / f"{name}.parquet"
        assert write_parquet(form, path, {"regulars": '{"a": "ü"}'}) == 3
        assert pq.read_table(path).to_pydict() == rows.to_pydict()
        assert pq.read_schema(path).metadata[b"regulars"].decode() == '{"a": "ü"}'
    assert _leftovers(tmp_path) == []


def test_an_empty_table_keeps_its_columns(tmp_path: Path) -> None:
    schema = pa.schema([("x", pa.int64())])
    assert write_parquet(schema.empty_table(), tmp_path / "empty.parquet") == 0
    assert pq.read_table(tmp_path / "empty.parquet").schema.names == ["x"]


def test_a_failure_in_the_midst_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_parquet(pa.table({"x": [1]}), path)
    schema = pa.schema([("x", pa.int64())])

    def batches() -> object:
        yield pa.record_batch([[2]], schema=schema)
        raise RuntimeError("the engine stopped")

    with pytest.raises(RuntimeError, match="the engine stopped"):
        write_parquet(pa.RecordBatchReader.from_batches(schema, batches()), path)
    assert pq.read_table(path)["x"].to_pylist() == [1]
    assert _leftovers(tmp_path) == []


_WRITER = """
    import sys
    from pathlib import Path
    import pyarrow as pa
    from features.store import write_parquet

    schema = pa.schema([("x", pa.int64())])

    def batches():
        yield pa.record_batch([list(range(200_000))], schema=schema)
        print("half", flush=True)
        sys.stdin.read()

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    write_parquet(reader, Path(sys.argv[1]))
"""


def _half_written(path: Path) -> subprocess.Popen[bytes]:
    """A process that has written half of a table and waits."""
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(_WRITER), str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"half\n"
    return writer


def _close(writer: subprocess.Popen[bytes]) -> None:
    for pipe in (writer.stdin, writer.stdout):
        if pipe is not None:
            pipe.close()


def test_a_killed_writer_leaves_the_old_file_and_the_next_one_tidies_up(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_parquet(pa.table({"x": [1]}), path)
    writer = _half_written(path)
    writer.send_signal(signal.SIGKILL)
    writer.wait(timeout=60)
    _close(writer)
    assert writer.returncode == -signal.SIGKILL
    assert pq.read_table(path)["x"].to_pylist() == [1]
    assert len(_leftovers(tmp_path)) == 1
    write_parquet(pa.table({"x": [2]}), path)
    assert pq.read_table(path)["x"].to_pylist() == [2]
    assert _leftovers(tmp_path) == []


def test_a_writer_at_work_is_not_tidied_away(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    writer = _half_written(path)
    write_parquet(pa.table({"x": [2]}), path)
    assert len(_leftovers(tmp_path)) == 1
    _close(writer)
    assert writer.wait(timeout=60) == 0
    assert pq.read_table(path).num_rows == 200_000
    assert _leftovers(tmp_path) == []


def test_text_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "notes.json"
    write_text(path, "é\r\n")
    write_text(path, "b")
    assert path.read_bytes() == b"b"
    with pytest.raises(OSError, match="no room"), replacing(path) as partial:
        partial.write_text("half")
        raise OSError("no room")
    assert path.read_bytes() == b"b"
    assert _leftovers(path.parent) == []


def test_files_are_readable_by_others_as_usual(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    write_parquet(pa.table({"x": [1]}), path)
    assert path.stat().st_mode & 0o777 == 0o644 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
