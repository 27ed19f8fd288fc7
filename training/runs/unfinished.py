"""Trainings under way, and those whose process is gone: none stays RUNNING in MLflow for ever.

A training holds a locked file while it lives and writes the file's name on its run. The system
lets go of the lock however the process ends, SIGKILL and a power cut included, so a file that can
be locked tells of a training that is over; numbers of processes are given anew, and are not the
same in every container, so they would not.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from training.runs.registry import client

if TYPE_CHECKING:
    from mlflow import MlflowClient

#: Tag of a run with the name of its training's file.
TAG = "regulars.training"


@contextlib.contextmanager
def held(folder: Path | None) -> Iterator[dict[str, str]]:
    """Hold a locked file while a training is under way.

    A block that raises leaves its file, unlocked: the next `close` sees to it that the run has
    ended, in case not even that could be written.

    Parameters
    ----------
    folder : Path or None
        Where the files are, made when missing; None holds nothing.

    Yields
    ------
    dict of str to str
        Tags for the training's run; empty where nothing is held.
    """
    if folder is None:
        yield {}
        return
    folder.mkdir(parents=True, exist_ok=True)
    file, lock = _claim(folder)
    try:
        yield {TAG: file.name}
        file.unlink(missing_ok=True)
    finally:
        os.close(lock)


def close(tracking_uri: str, name: str, folder: Path) -> tuple[str, ...]:
    """Set to KILLED what MLflow shows as running and is not: runs of trainings that are gone.

    Parameters
    ----------
    tracking_uri, name : str
        Store, and the settings' ``name``.
    folder : Path
        Where `held` keeps its files. Trainings of other folders or machines are let be: whether
        they still work cannot be seen from here.

    Returns
    -------
    tuple of str
        Ids of the trainings' runs that were set; their children are set with them.
    """
    found: list[str] = []
    for file in sorted(folder.glob("*.lock")):
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            lock = os.open(file, os.O_RDWR)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.extend(_kill(client(tracking_uri), name, file.name))
                file.unlink(missing_ok=True)
            finally:
                os.close(lock)
    return tuple(found)


def _claim(folder: Path) -> tuple[Path, int]:
    """Make a file and lock it; made anew if a closing training took it for one that is over."""
    while True:
        file = folder / f"{secrets.token_hex(8)}.lock"
        lock = os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o644)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if file.exists():
            return file, lock
        os.close(lock)


def _kill(api: MlflowClient, name: str, mark: str) -> list[str]:
    """End the runs with a mark, and their children, as KILLED."""
    experiment = api.get_experiment_by_name(name)
    if experiment is None:
        return []
    place = [experiment.experiment_id]
    running = "attributes.status = 'RUNNING'"
    parents = [
        run.info.run_id for run in api.search_runs(place, f"tags.`{TAG}` = '{mark}' and {running}")
    ]
    for parent in parents:
        for child in api.search_runs(
            place, f"tags.`mlflow.parentRunId` = '{parent}' and {running}"
        ):
            api.set_terminated(child.info.run_id, "KILLED")
        api.set_terminated(parent, "KILLED")
    return parents
