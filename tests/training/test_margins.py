"""Margin rates by credibility: published figures, known truths, and what must not change them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

import ibis
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compat import arrow
from features.inputs import Inputs
from features.table import behaviour
from training.errors import StatisticalWarning, TrainingError
from training.margins import Margins, Observed, learn, variances

AS_OF = date(2024, 6, 1)
MONEY = pa.decimal128(18, 6)

# Average claims and their numbers of five states in twelve quarters: Hachemeister (1975),
# "Credibility for regression models with application to trend", Academic Press.
CLAIMS = np.array(
    [
        [1738, 1642, 1794, 2051, 2079, 2234, 2032, 2035, 2115, 2262, 2267, 2517],
        [1364, 1408, 1597, 1444, 1342, 1675, 1470, 1448, 1464, 1831, 1612, 1471],
        [1759, 1685, 1479, 1763, 1674, 2103, 1502, 1622, 1828, 2155, 2233, 2059],
        [1223, 1146, 1010, 1257, 1426, 1532, 1953, 1123, 1343, 1243, 1762, 1306],
        [1456, 1499, 1609, 1741, 1482, 1572, 1606, 1735, 1607, 1573, 1613, 1690],
    ],
    float,
)
NUMBERS = np.array(
    [
        [7861, 9251, 8706, 8575, 7917, 8263, 9456, 8003, 7365, 7832, 7849, 9077],
        [1622, 1742, 1523, 1515, 1622, 1602, 1964, 1515, 1527, 1748, 1654, 1861],
        [1147, 1357, 1329, 1204, 998, 1077, 1277, 1218, 896, 1003, 1108, 1121],
        [407, 396, 348, 341, 315, 328, 352, 331, 287, 384, 321, 342],
        [2902, 3172, 3046, 3068, 2693, 2910, 3275, 2697, 2663, 3017, 3242, 3425],
    ],
    float,
)
START = date(2023, 1, 1)


def log_of(rows):
    """Inputs of rows (customer, day, amount, margin)."""
    customers, days, amounts, margins = zip(*rows, strict=True)
    columns = {
        "customer_id": pa.array(customers, pa.string()),
        "occurred_at": pa.array([datetime(d.year, d.month, d.day, 12) for d in days]),
        "day": pa.array(days, pa.date32()),
        "amount": _money(amounts),
        **{name: pa.nulls(len(rows), pa.string()) for name in ("order_id", "product_id")},
        "category": pa.nulls(len(rows), pa.string()),
        "margin": _money(margins),
    }
    connection = ibis.duckdb.connect(threads=1)
    return Inputs(connection.create_table("log", pa.table(columns)), connection=connection)


def _money(values):
    exact = [None if value is None else Decimal(f"{value:.6f}") for value in values]
    return pa.array(exact, MONEY)


def frame_of(inputs):
    table = behaviour(inputs, AS_OF, horizon_days=90)
    return arrow(table.order_by("customer_id")).to_pandas()


def simulated(rng, customers=400, mean=0.3, between=0.02, within=3.0):
    """Rows, and the true rate of each customer: rates are normal, and days around them too."""
    truth = rng.normal(mean, np.sqrt(between), customers)
    rows = []
    for who, rate in enumerate(truth):
        for place in range(1 + rng.poisson(3.0)):
            spend = round(float(rng.gamma(2.0, 30.0)) + 1.0, 2)
            told = rate + rng.normal(0.0, np.sqrt(within / spend))
            day = START + timedelta(days=place * 20 + int(rng.integers(20)))
            rows.append((f"c{who:04d}", day, spend, round(spend * told, 2)))
    return rows, truth


@pytest.fixture(scope="module")
def known():
    rows, truth = simulated(np.random.default_rng(3))
    inputs = log_of(rows)
    return inputs, frame_of(inputs), truth, learn(inputs.transactions, AS_OF)


@pytest.mark.golden
def test_hachemeisters_claims_give_the_published_premiums():
    """R package actuar 3.3, vignette "Credibility theory features": cm with ratios and weights."""
    rows = [
        (f"state {state}", START + timedelta(days=quarter), number, claim * number)
        for state, (claims, numbers) in enumerate(zip(CLAIMS, NUMBERS, strict=True))
        for quarter, (claim, number) in enumerate(zip(claims, numbers, strict=True))
    ]
    inputs = log_of(rows)
    found = learn(inputs.transactions, AS_OF)
    assert found.within == pytest.approx(139_120_026, abs=0.5)
    assert found.between == pytest.approx(89_638.73, abs=0.005)
    assert found.rate == pytest.approx(1_683.713, abs=0.0005)
    premiums = found.rates(frame_of(inputs))
    assert premiums == pytest.approx([2055.165, 1523.706, 1793.444, 1442.967, 1603.285], abs=5e-4)


def test_shrunk_rates_err_less_than_the_customers_own_and_than_one_for_all(known):
    _, frame, truth, found = known
    raw = (frame["margin_total"] / frame["margin_spend"]).to_numpy(float)

    def error(rates):
        return float(np.sqrt(np.mean((rates - truth) ** 2)))

    shrunk = error(found.rates(frame))
    assert shrunk < 0.9 * error(raw)
    assert shrunk < 0.9 * error(np.full(len(truth), found.rate))
    # No linear estimate errs less than that with the true figures: sqrt of the mean of a (1 - Z).
    z = frame["margin_spend"].to_numpy(float)
    z = z / (z + 3.0 / 0.02)
    assert shrunk == pytest.approx(float(np.sqrt(np.mean(0.02 * (1.0 - z)))), rel=0.1)


def test_the_figures_of_simulated_customers_are_recovered():
    told = []
    for seed in range(8):
        rows, _ = simulated(np.random.default_rng(seed), customers=300)
        told.append(learn(log_of(rows).transactions, AS_OF))
    for name, true in (("rate", 0.3), ("within", 3.0), ("between", 0.02)):
        values = np.array([getattr(one, name) for one in told])
        error = values.std(ddof=1) / np.sqrt(len(values))
        assert abs(values.mean() - true) < 3.5 * error, (name, values)
        assert error < 0.1 * true, name


def test_the_rates_add_up_to_the_margin_that_was_earned(known):
    _, frame, _, found = known
    spent, kept = frame["margin_spend"].to_numpy(float), frame["margin_total"].to_numpy(float)
    assert (spent * found.rates(frame)).sum() == pytest.approx(kept.sum(), rel=1e-12)
    assert found.earned(frame) == pytest.approx(kept, rel=1e-12)


def test_customers_who_differ_by_luck_alone_share_one_rate():
    rows, _ = simulated(np.random.default_rng(1), between=0.0, within=30.0)
    inputs = log_of(rows)
    found = learn(inputs.transactions, AS_OF)
    total = sum(row[3] for row in rows) / sum(row[2] for row in rows)
    # The estimate is cut at 0 in about half of such logs, and in this one.
    assert found.between == 0.0
    assert found.rate == pytest.approx(total, rel=1e-12)
    assert set(found.rates(frame_of(inputs))) == {found.rate}


def test_the_currency_and_the_order_of_the_rows_leave_the_rates(known):
    inputs, frame, _, found = known
    rows = arrow(inputs.transactions)
    rows = list(zip(*(rows[n].to_pylist() for n in ("customer_id", "day")), strict=True))
    money = arrow(inputs.transactions).select(["amount", "margin"]).to_pylist()
    log = [
        (*row, float(m["amount"]), float(m["margin"])) for row, m in zip(rows, money, strict=True)
    ]
    mixed = [log[place] for place in np.random.default_rng(5).permutation(len(log))]
    assert learn(log_of(mixed).transactions, AS_OF) == found
    pence = log_of([(who, day, 100 * spend, 100 * kept) for who, day, spend, kept in log])
    dear = learn(pence.transactions, AS_OF)
    assert (dear.rate, dear.between) == pytest.approx((found.rate, found.between), rel=1e-9)
    assert dear.within == pytest.approx(100 * found.within, rel=1e-9)
    assert dear.rates(frame_of(pence)) == pytest.approx(found.rates(frame), rel=1e-9)


def test_duckdb_equals_spark(known, spark, tmp_path):
    inputs, _, _, found = known
    pq.write_table(arrow(inputs.transactions), tmp_path / "log.parquet")
    there = learn(spark.read_parquet(tmp_path / "log.parquet"), AS_OF)
    assert there.to_dict() == pytest.approx(found.to_dict(), rel=1e-9)


def test_nothing_from_as_of_on_is_looked_at(known):
    inputs, _, _, found = known
    later = log_of([("c0001", AS_OF + timedelta(days=n), 500.0, -400.0) for n in range(9)])
    both = pa.concat_tables([arrow(inputs.transactions), arrow(later.transactions)])
    table = ibis.duckdb.connect(threads=1).create_table("log", both)
    assert learn(table, AS_OF) == found
    assert learn(table, AS_OF + timedelta(days=9)) != found


def test_a_log_that_states_no_margin_has_none():
    rows = log_of([("a", START, 5.0, None), ("b", START, 5.0, None)]).transactions
    assert learn(None, AS_OF) is None
    assert learn(rows.drop("margin"), AS_OF) is None
    assert learn(rows, AS_OF) is None
    assert learn(log_of([("a", START, -5.0, -1.0)]).transactions, AS_OF) is None


def test_without_repeats_everybody_has_the_rate_of_the_business_and_that_is_said():
    inputs = log_of([("a", START, 10.0, 1.0), ("b", START, 30.0, 15.0)])
    with pytest.warns(StatisticalWarning, match="cannot be told apart"):
        found = learn(inputs.transactions, AS_OF)
    assert found == Margins(rate=0.4)
    assert found.rates(frame_of(inputs)).tolist() == [0.4, 0.4]


def test_a_business_that_loses_on_what_it_sells_is_doubted():
    rows = [(who, START + timedelta(days=n), 10.0, -1.0 - n) for who in "ab" for n in range(2)]
    with pytest.warns(StatisticalWarning, match="loses on what"):
        found = learn(log_of(rows).transactions, AS_OF)
    assert found.rate == pytest.approx(-0.15)


def test_refunds_take_their_margin_back(known):
    """A purchase that is sent back on another day leaves the rate that the others have."""
    found = known[3]
    bought = [("a", START, 100.0, 25.0), ("a", START + timedelta(days=9), 50.0, 20.0)]
    sold, back = ("a", START, 900.0, 450.0), ("a", START + timedelta(days=30), -900.0, -450.0)
    row = frame_of(log_of(bought))
    undone = frame_of(log_of([*bought, sold, back]))
    assert found.rates(undone) == found.rates(row) != found.rates(frame_of(log_of([*bought, sold])))
    # With the postage lost, the same spend left less.
    lost = row.assign(margin_total=row["margin_total"] - 40.0)
    assert found.rates(lost) < found.rates(row)
    gone = row.assign(margin_total=-40.0, margin_spend=0.0)
    assert found.rates(gone).tolist() == [found.rate]


# Money is exact in the engine, so nothing is smaller than its last decimal and yet not 0.
CENTS = st.integers(-100_000_000, 100_000_000).map(lambda cents: cents / 100)
MONEYS = st.one_of(st.none(), CENTS, st.sampled_from([0.0, 0.01, -0.01]))
FIGURES = st.builds(
    Margins,
    st.floats(-1.0, 1.0),
    st.one_of(st.just(0.0), st.floats(1e-3, 1e6)),
    st.one_of(st.just(0.0), st.floats(1e-6, 1.0)),
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(FIGURES, st.lists(st.tuples(MONEYS, MONEYS), min_size=1, max_size=8))
def test_a_rate_lies_between_the_customers_own_and_that_of_the_business(margins, rows):
    frame = pd.DataFrame(rows, columns=["margin_total", "margin_spend"], dtype="float64")
    rates = margins.rates(frame)
    assert np.isfinite(rates).all()
    for rate, (kept, spent) in zip(rates, rows, strict=True):
        if kept is None or spent is None or spent <= 0 or not margins.between:
            assert rate == margins.rate
            continue
        ends = sorted((kept / spent, margins.rate))
        slack = 1e-9 * max(map(abs, ends)) + 1e-12
        assert ends[0] - slack <= rate <= ends[1] + slack


CENTS = st.integers(-5_000, 10_000)
ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 5), CENTS, st.one_of(st.none(), CENTS)),
    min_size=1,
    max_size=20,
)


@pytest.mark.filterwarnings("ignore::training.errors.StatisticalWarning")
@settings(max_examples=40, deadline=None, derandomize=True)
@given(rows=ROWS)
def test_any_log_with_refunds_and_losses_gives_figures_or_none(rows):
    log = [
        (who, START + timedelta(days=day), cents / 100, None if kept is None else kept / 100)
        for who, day, cents, kept in rows
    ]
    inputs = log_of(log)
    found = learn(inputs.transactions, AS_OF)
    frame = frame_of(inputs)
    spent = frame["margin_spend"].to_numpy(float)
    if found is None:
        assert not (spent > 0).any()
    else:
        assert np.isfinite(found.rates(frame)).all()
        assert np.isfinite(found.earned(frame)).all()
        assert Margins.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("told", [(np.nan, 0.0, 0.0), (0.3, -1.0, 0.0), (0.3, 1.0, np.inf)])
def test_figures_that_can_not_be_are_refused(told):
    with pytest.raises(TrainingError, match="train again"):
        Margins(*told)


def test_the_variance_between_is_cut_at_zero():
    # Both customers have the same rate over all, and days that differ.
    alike = Observed(*(np.array(v, float) for v in ([2, 2], [20, 20], [6, 6], [2.6, 2.6])))
    within, between = variances(alike)
    assert within == pytest.approx((2.6 - 36 / 20) * 2 / 2)
    assert between == 0.0


def test_words_tell_the_rate_and_from_which_spend_on_a_customers_own_counts():
    said = Margins(0.31, within=3.0, between=0.02).in_words()
    assert "31.0%" in said
    assert "14.1 points" in said
    assert "150.00" in said
    assert "everybody has that one" in Margins(0.31, within=3.0).in_words()
