"""CDNOW as the papers print it, lifetimes as the oracle, and simulated customers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from importlib.resources import files
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from training.value.simulate import Truth, simulate


def _dataset(name: str) -> StringIO:
    """A file of lifetimes, without importing `lifetimes.datasets`, which needs pkg_resources."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return StringIO((files("lifetimes") / "datasets" / name).read_text())


@pytest.fixture(scope="session")
def cdnow() -> pd.DataFrame:
    """CDNOW 1/10 sample: 2,357 customers; frequency, recency and T in weeks, to 1997-09-30."""
    return pd.read_csv(_dataset("cdnow_customers_summary.csv"))


@pytest.fixture(scope="session")
def cdnow_values() -> pd.DataFrame:
    """The same customers with the exact mean value of their repeat days, in dollars.

    From the sample's log (customer, date, dollars) before 1997-10-01. The summary file of lifetimes
    rounds the means to cents, which moves the last printed digit of the paper's γ.
    """
    log = pd.read_csv(
        _dataset("CDNOW_sample.txt"),
        sep=r"\s+",
        names=["full_id", "ID", "date", "discs", "dollars"],
    )
    days = log[log["date"] < 19971001].groupby(["ID", "date"])["dollars"].sum().reset_index()
    repeat = days[days["date"] > days.groupby("ID")["date"].transform("min")]
    mean = repeat.groupby("ID")["dollars"].agg(["size", "mean"])
    customers = pd.DataFrame(index=pd.Index(days["ID"].unique(), name="ID"))
    customers["frequency"] = mean["size"].reindex(customers.index, fill_value=0)
    customers["monetary_value"] = mean["mean"].reindex(customers.index, fill_value=0.0)
    return customers


@pytest.fixture(scope="session")
def shoppers() -> pd.DataFrame:
    """40,000 simulated customers with CDNOW's parameters, 30 to 730 days old; 180 days ahead."""
    random = np.random.default_rng(20260101)
    return simulate(Truth(), random.integers(30, 731, 40_000), 180.0, random)


@pytest.fixture
def oracle() -> Iterator[Callable[..., object]]:
    """Fitters of lifetimes by name; its warnings are not ours to mend."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lifetimes

        yield lambda name: getattr(lifetimes, name)(penalizer_coef=0.0)
