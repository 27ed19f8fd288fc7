"""The measurements of a store: `<store>/measured/<plan_id>.json`, one for each measured plan.

Measuring a plan again replaces its file. No customer is in it.
"""

from __future__ import annotations

import json
from pathlib import Path

from features.store import write_text
from serving.campaigns.results import Measurement
from serving.errors import CampaignError


def keep(store: Path, measured: Measurement) -> Path:
    """Write a measurement, whole or not at all.

    Parameters
    ----------
    store : Path
        Folder of the store.
    measured : Measurement

    Returns
    -------
    Path
        Its file.
    """
    file = store / "measured" / f"{measured.plan_id}.json"
    write_text(file, json.dumps(measured.to_dict(), indent=1, allow_nan=False) + "\n")
    return file


def read(store: Path) -> tuple[Measurement, ...]:
    """All measurements of a store, the newest campaign first.

    Parameters
    ----------
    store : Path
        Folder of the store.

    Returns
    -------
    tuple of Measurement

    Raises
    ------
    CampaignError
        If a file is not what `keep` writes.
    """
    found = [_read(file) for file in sorted((store / "measured").glob("*.json"))]
    return tuple(sorted(found, key=lambda one: (one.as_of, one.plan_id), reverse=True))


def _read(file: Path) -> Measurement:
    try:
        return Measurement.from_dict(json.loads(file.read_text(encoding="utf-8")))
    except (KeyError, TypeError, ValueError) as error:
        raise CampaignError(
            f"Got {file.name} among the measurements, which cannot be read ({error}); expected "
            "what `regulars measure` writes. Measure the plan again."
        ) from error
