"""The engine that a reading runs in: DuckDB in memory, or a Spark session that is there.

DuckDB spills to a folder of its own when memory runs out; folders of processes that are gone
are removed by the next one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import Any

from features.errors import InputError


def duckdb(spill: Path | None = None) -> Any:
    """In-memory DuckDB as an Ibis backend; its session is in UTC and loads nothing from afar.

    Parameters
    ----------
    spill : Path, optional
        Folder under which to keep what does not fit into memory; DuckDB's own choice when not
        given.

    Returns
    -------
    ibis DuckDB backend
    """
    import ibis

    settings: dict[str, Any] = {"autoinstall_known_extensions": False}
    if spill is not None:
        settings["temp_directory"] = str(_own_folder(spill))
    return ibis.duckdb.connect(":memory:", **settings)


def spark() -> Any:
    """Active Spark session as an Ibis backend.

    Ibis sets the session's time zone to UTC.

    Returns
    -------
    ibis PySpark backend

    Raises
    ------
    InputError
        If Spark is not installed or no session is active.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise InputError(
            "A Spark source needs pyspark, which is not installed; "
            "install regulars[spark] and Java 17 or newer."
        ) from None
    import ibis

    session = SparkSession.getActiveSession()
    if session is None:
        raise InputError(
            "A Spark source needs an active Spark session; start one before, "
            "or hand an Ibis connection to it to the reading."
        )
    return ibis.pyspark.connect(session)


def _own_folder(spill: Path) -> Path:
    """Name a folder for this process; remove those of processes that are gone."""
    for folder in spill.glob("spill-*-*"):
        if not _alive(folder.name.split("-")[1]):
            shutil.rmtree(folder, ignore_errors=True)
    return spill / f"spill-{os.getpid()}-{secrets.token_hex(4)}"


def _alive(process: str) -> bool:
    with contextlib.suppress(ValueError, ProcessLookupError):
        try:
            os.kill(int(process), 0)
        except PermissionError:
            return True
        return True
    return False
