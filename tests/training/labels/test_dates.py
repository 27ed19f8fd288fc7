"""Dates in attributes: read in the ways that businesses write them, and nothing else."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from training.labels.dates import days

DAY = float((date(2024, 3, 1) - date(1970, 1, 1)).days)


@pytest.mark.parametrize(
    "written",
    ["2024-03-01", "2024-3-1", "2024-03-01 23:59:59", "2024-03-01T00:00:00Z", "01.03.2024"],
)
def test_a_day_is_the_same_however_it_is_written(written):
    assert days(pd.Series([written])).tolist() == [DAY]


def test_whole_numbers_can_be_days():
    assert days(pd.Series([20240301.0, np.nan])).fillna(-1).tolist() == [DAY, -1]


def test_a_column_decides_whether_its_days_or_its_months_come_first():
    assert days(pd.Series(["03/01/2024", "03/31/2024"])).tolist() == [DAY, DAY + 30]
    assert days(pd.Series(["01/03/2024", "31/03/2024"])).tolist() == [DAY, DAY + 30]


@pytest.mark.parametrize("far", ["9999-12-31", 99991231])
def test_a_day_without_end_is_no_day(far):
    first = "2024-03-01" if isinstance(far, str) else 20240301
    read = days(pd.Series([first, far]))
    assert read.isna().tolist() == [False, True]


@pytest.mark.parametrize(
    "values",
    [
        ["gold", "silver"],
        [20.5, 20240301.0],
        [20241399.0, 20240101.5],
        [True, False],
        [None, None],
        ["2024-03-01"] * 9 + ["unknown"],
    ],
)
def test_what_is_not_nearly_all_dates_is_none(values):
    assert days(pd.Series(values)) is None
