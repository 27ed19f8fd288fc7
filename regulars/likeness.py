"""Whether the newest rows still look like what the champion learned from, before a scoring.

In: accepted rows and the champion of a registry that is a file. Out: the findings that the next
full scoring would make of the whole table (`training.silence.unsaid`): columns that are gone,
amounts in another unit. It takes the behaviour table of the day, so it is left out where that takes
minutes.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from regulars import jobs

if TYPE_CHECKING:
    from features.inputs import Inputs
    from regulars.settings import Settings
    from training.silence.unsaid import Finding

#: Rows of all sources up to which a behaviour table takes a few seconds (docs/speed.md).
MOST_ROWS = 2_000_000


def find(settings: Settings, inputs: Inputs, as_of: date) -> tuple[Finding, ...] | None:
    """Find what the champion could not back in scores of a day.

    Parameters
    ----------
    settings : Settings
        Store and registry.
    inputs : Inputs
        Accepted rows.
    as_of : date
        Nothing at or after its midnight is read.

    Returns
    -------
    tuple of Finding or None
        Without stale sources (`features.freshness`). None where it was not looked at: no champion
        in a registry that is a file, more than `MOST_ROWS` rows, or rows that stand in the way.
    """
    from features import table
    from training.errors import RegistryError
    from training.runs import registry
    from training.scorer import Scorer
    from training.silence import unsaid

    rows = sum(report.accepted for report in inputs.reports)
    if rows > MOST_ROWS or not has_registry(settings) or jobs.obstacle(settings, inputs):
        return None
    try:
        champion = registry.champion(str(settings.tracking.uri), settings.name)
    except RegistryError:
        return None
    if champion is None:
        return None
    whom = jobs.population(settings)
    built = table.behaviour(
        inputs, as_of, horizon_days=settings.churn.horizon_days, population=whom
    )
    return unsaid.find(Scorer.load(champion.path), built.to_pyarrow().to_pandas())


def has_registry(settings: Settings) -> bool:
    """Whether the registry is a file that is there; one that is not would be made by asking."""
    uri = str(settings.tracking.uri)
    return uri.startswith("sqlite") and Path(uri.partition(":///")[2]).is_file()
