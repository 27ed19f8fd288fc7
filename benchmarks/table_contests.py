"""From a log to rows per customer: Regulars, plain pandas and `lifetimes`, from the same file.

Each `prepare_…` is called in the contender's process and gives what is timed. Regulars starts from
the accepted rows in its engine, pandas and `lifetimes` from a data frame; reading and checking
the file is a contest of its own. All hand over a data frame by customer.
"""

from __future__ import annotations

import warnings
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.clock import Action

if TYPE_CHECKING:
    from features.inputs import Inputs

#: Later rows would be of the future.
NOW = datetime(2025, 1, 1, tzinfo=UTC)
COLUMNS = ("customer_id", "timestamp", "amount", "order_id", "product_id", "category")


def prepare_reading(file: Path) -> Action:
    """Regulars' intake: every row accepted, or rejected with a reason.

    Parameters
    ----------
    file : Path
        The log.

    Returns
    -------
    callable
        What is timed.
    """

    def read() -> pd.DataFrame:
        (report,) = _inputs(file).reports
        # It says "3 exact repeats of other rows kept; …" where there are any.
        repeats = sum(int(n.split()[0].replace(",", "")) for n in report.notes if "repeat" in n)
        found = {
            "accepted": report.accepted,
            "customers": report.customers,
            "repeats": repeats,
        }
        return pd.DataFrame([found])

    read()
    return read


def prepare_reading_pandas(file: Path) -> Action:
    """The same rules on a data frame.

    Parameters
    ----------
    file : Path
        The log.

    Returns
    -------
    callable
        What is timed.
    """

    def read() -> pd.DataFrame:
        log = pd.read_parquet(file)
        log["customer_id"] = log["customer_id"].astype("str").str.strip()
        bad = (
            log["customer_id"].isin(["", "nan", "NaN", "None", "<NA>", "NULL"])
            | log["timestamp"].isna()
            | (log["timestamp"] < pd.Timestamp(1970, 1, 1))
            | (log["timestamp"] > pd.Timestamp(NOW.replace(tzinfo=None)))
            | ~np.isfinite(log["amount"])
            | (log["amount"].abs() >= 1e9)
        )
        accepted = log[~bad]
        # Regulars tells of exact repeats too.
        repeats = int(accepted.duplicated().sum())
        customers = accepted["customer_id"].nunique()
        found = {"accepted": len(accepted), "customers": customers, "repeats": repeats}
        return pd.DataFrame([found])

    return read


def prepare_rfm(file: Path, as_of: date) -> Action:
    """Regulars' rfm family.

    Parameters
    ----------
    file : Path
        The log.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    callable
        What is timed.
    """
    from features.families import rfm
    from features.occasions import occasions, paced

    inputs = _inputs(file)

    def run() -> pd.DataFrame:
        days = paced(occasions(inputs.transactions, as_of), as_of)
        totals = days.group_by("customer_id").aggregate(**rfm.totals(days))
        totals = totals.filter(totals.occasions > 0)
        return totals.select("customer_id", **rfm.features(totals)).to_pyarrow().to_pandas()

    return run


def prepare_rfm_pandas(file: Path, as_of: date) -> Action:
    """The same in pandas.

    Parameters
    ----------
    file : Path
        The log.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    callable
        What is timed.
    """
    from benchmarks import pandas_behaviour

    log = pd.read_parquet(file, columns=list(COLUMNS[:3]))
    return lambda: pandas_behaviour.rfm(log, as_of)


def prepare_rfm_lifetimes(file: Path, as_of: date) -> Action:
    """The same by `lifetimes.utils.summary_data_from_transaction_data`.

    Parameters
    ----------
    file : Path
        The log.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    callable
        What is timed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes.utils import summary_data_from_transaction_data
    log = pd.read_parquet(file, columns=list(COLUMNS[:3]))
    # Its observation period ends with the last day that is seen.
    end = as_of - timedelta(days=1)

    def run() -> pd.DataFrame:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return summary_data_from_transaction_data(
                log, "customer_id", "timestamp", "amount", observation_period_end=end
            )

    return run


def prepare_behaviour(file: Path, as_of: date, horizon_days: int) -> Action:
    """Regulars' whole behaviour table.

    Parameters
    ----------
    file : Path
        The log.
    as_of : date
        Rows from this day on are not seen.
    horizon_days : int
        Sets the window of the same season.

    Returns
    -------
    callable
        What is timed.
    """
    from training.windows.panel import behaviour_frame

    inputs = _inputs(file)
    return lambda: behaviour_frame(inputs, as_of, horizon_days=horizon_days)


def prepare_behaviour_pandas(file: Path, as_of: date, horizon_days: int) -> Action:
    """Every column of it that a log can fill, in pandas.

    Parameters
    ----------
    file : Path
        The log.
    as_of : date
        Rows from this day on are not seen.
    horizon_days : int
        Sets the window of the same season.

    Returns
    -------
    callable
        What is timed.
    """
    from benchmarks import pandas_behaviour

    log = pd.read_parquet(file)
    return lambda: pandas_behaviour.behaviour(log, as_of, horizon_days)


def _inputs(file: Path) -> Inputs:
    from features import intake
    from features.settings import Sources, TransactionsSource

    source = TransactionsSource.model_validate(
        {"uri": str(file), **{name: name for name in COLUMNS}}
    )
    return intake.read(Sources(transactions=source), timezone="UTC", now=NOW)
