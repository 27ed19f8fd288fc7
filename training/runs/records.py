"""What the run of a training left behind for people: its card, its tables and its plots.

In: a tracking store and a run. Out: texts and pictures as they were logged.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from training.errors import RegistryError

CARD, BACKTEST, RELIABILITY = "model_card.md", "backtest.csv", "reliability.csv"

Rows = tuple[dict[str, str], ...]


@dataclass(frozen=True)
class Record:
    """One training, as it was logged.

    Attributes
    ----------
    card : str
        Markdown; empty where there is none.
    backtest, reliability : tuple of dict of str to str
        Rows of the tables; empty where there are none.
    plots : mapping of str to bytes
        PNG pictures by name.
    """

    card: str = ""
    backtest: Rows = ()
    reliability: Rows = ()
    plots: Mapping[str, bytes] = field(default_factory=dict)


def read(tracking_uri: str, run_id: str) -> Record:
    """Read what a run left behind.

    Parameters
    ----------
    tracking_uri : str
        The tracking store.
    run_id : str
        The parent run of a training.

    Returns
    -------
    Record

    Raises
    ------
    RegistryError
        If the run's files cannot be read.
    """
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    from training.runs.registry import client

    try:
        listed = client(tracking_uri).list_artifacts(run_id)
        wanted = {item.path for item in listed} & {CARD, BACKTEST, RELIABILITY, "plots"}
        with TemporaryDirectory() as folder:
            for name in wanted:
                download_artifacts(
                    run_id=run_id, artifact_path=name, dst_path=folder, tracking_uri=tracking_uri
                )
            return _record(Path(folder))
    except (MlflowException, OSError) as problem:
        raise RegistryError(
            "the files of that training cannot be read; were they moved or removed? Train again"
        ) from problem


def _record(folder: Path) -> Record:
    card = folder / CARD
    plots = {path.stem: path.read_bytes() for path in sorted((folder / "plots").glob("*.png"))}
    return Record(
        card.read_text(encoding="utf-8") if card.is_file() else "",
        _rows(folder / BACKTEST),
        _rows(folder / RELIABILITY),
        plots,
    )


def _rows(path: Path) -> Rows:
    if not path.is_file():
        return ()
    return tuple(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))
