"""The real data sets of the quality table, read as a user would: by the settings in examples/.

`REGULARS_DATA` names the folder with Online Retail II and Telco (`../shared/data` beside the
project when it is not set); CDNOW and the Complete Journey come with installed packages and are
written by `regulars sample`. What is not there is skipped with a line that says so.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks.printed import tell
from regulars import jobs, samples
from regulars.settings import Settings, load

if TYPE_CHECKING:
    from features.inputs import Inputs

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("REGULARS_DATA", ROOT.parent / "shared" / "data"))

#: Name, settings file in examples/, and the sample that it is when it comes with a package.
SETS: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {
        "cdnow": ("cdnow.toml", "cdnow"),
        "online-retail": ("online_retail_ii.toml", None),
        "complete-journey": ("complete_journey.toml", "complete-journey"),
        "telco": ("telco.toml", None),
    }
)


@dataclass(frozen=True)
class Case:
    """A data set, seen as of a date, asked about the days after.

    Parameters
    ----------
    name : str
        One of `SETS`.
    as_of : date
    horizon_days : int
    """

    name: str
    as_of: date
    horizon_days: int

    def __str__(self) -> str:
        return f"{self.name} {self.as_of}, {self.horizon_days} d"


CASES = (
    Case("cdnow", date(1997, 10, 1), 273),
    Case("cdnow", date(1998, 3, 1), 120),
    Case("online-retail", date(2011, 6, 9), 180),
    Case("online-retail", date(2011, 9, 10), 90),
    Case("online-retail", date(2011, 6, 9), 90),
    Case("complete-journey", date(2017, 10, 1), 90),
)


@dataclass(frozen=True)
class DataSet:
    """A data set that was read.

    Parameters
    ----------
    settings : Settings
    inputs : Inputs
        Accepted rows.
    """

    settings: Settings
    inputs: Inputs


def read(name: str, folder: Path) -> DataSet | None:
    """Read a data set, judging its rows.

    Parameters
    ----------
    name : str
        One of `SETS`.
    folder : Path
        Where samples and rejected rows may be written.

    Returns
    -------
    DataSet or None
        None, and a line on the error stream, where its files are not there.
    """
    from features.errors import InputError

    file, sample = SETS[name]
    try:
        where = folder if sample else DATA
        if sample:
            samples.write(sample, folder)
        settings = load(ROOT / "examples" / file, {**os.environ, "REGULARS_DATA": str(where)})
        store = settings.store.model_copy(update={"path": str(folder / name)})
        settings = settings.model_copy(update={"store": store})
        tell(f"{name}: reading")
        return DataSet(
            settings, jobs.read(settings, now=jobs.instant(settings), tell=lambda *_: None)
        )
    except InputError as error:
        tell(f"{name}: skipped: {error}")
        return None


def each(
    names: Iterable[str], cases: Sequence[Case], folder: Path
) -> Iterator[tuple[Case, DataSet]]:
    """Cases of the data sets that are there, each set read once.

    Parameters
    ----------
    names : iterable of str
        Data sets, in the order that they are read.
    cases : sequence of Case
    folder : Path
        As in `read`.

    Yields
    ------
    case : Case
    data : DataSet
    """
    for name in names:
        data = read(name, folder)
        if data is not None:
            yield from ((case, data) for case in cases if case.name == name)
