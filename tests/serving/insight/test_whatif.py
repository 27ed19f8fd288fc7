"""What-ifs: the changed rows of the store are the rows of a log that was changed the same way."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import duckdb
import numpy as np
import pandas as pd
import pytest

from features import intake, records, table
from features.catalogue import FEATURES
from features.settings import Sources
from features.store import Store, write_parquet
from serving.api.plans import Plans
from serving.errors import ScoringError
from serving.insight import whatif
from serving.insight.supposed import Change

AS_OF = date(2024, 7, 1)
YESTERDAY = "2024-06-30T12:00:00"
#: What days do not hold.
COUNTED = {"products_distinct", "products_per_occasion", "categories_distinct", "orders_total"}


def made_logs() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Forty customers: several lines a day, gifts, refunds alone and beside purchases."""
    rng = np.random.default_rng(5)
    owner = np.repeat(np.arange(40), rng.integers(1, 30, 40))
    rows = len(owner)
    ago = rng.integers(-10, 500, rows)
    amount = np.round(rng.gamma(2, 20, rows), 2) * rng.choice([1, 1, 1, 0, -1], rows)
    log = pd.DataFrame(
        {
            "customer_id": [f"c{n:02d}" for n in owner],
            "timestamp": [f"{AS_OF - timedelta(days=int(n))}T09:30:00" for n in ago],
            "amount": np.round(amount, 2),
            "product_id": [f"p{n}" for n in rng.integers(0, 9, rows)],
            "order_id": [f"o{n // 2}" for n in range(rows)],
        }
    )
    kinds = ["complaint", "resolution", "satisfaction", "contact", "usage", "newsletter"]
    events = pd.DataFrame(
        {
            "customer_id": [f"c{n:02d}" for n in rng.integers(0, 30, 150)],
            "timestamp": [
                f"{AS_OF - timedelta(days=int(n))}T{n % 24:02d}:15:30.25"
                for n in rng.integers(-5, 200, 150)
            ],
            "kind": rng.choice(kinds, 150),
            "value": np.where(rng.random(150) < 0.7, np.round(rng.uniform(1, 5, 150), 2), np.nan),
        }
    )
    return log, events


def behaviour(folder, log, events, as_of=AS_OF, keep=None):
    """Behaviour rows of a log as the commands make them; kept in a store where one is given."""
    names = {"transactions": log, "events": events}
    sources = {}
    for name, frame in names.items():
        if frame is not None:
            path = folder / f"{name}.csv"
            frame.to_csv(path, index=False)
            sources[name] = {"uri": str(path), **{column: column for column in frame}}
    inputs = intake.read(
        Sources.model_validate(sources), timezone="Europe/London", now=datetime.now(UTC)
    )
    rows = table.behaviour(inputs, as_of, horizon_days=60).order_by("customer_id")
    if keep is not None:
        write_parquet(rows, keep.behaviour(as_of))
        records.write(inputs, as_of, keep)
    return rows.to_pyarrow().to_pandas()


@pytest.fixture(scope="module")
def plans():
    return Plans("Europe/London", 60)


def kept(folder, log, events):
    """Logs, and a store that was made from them."""
    store = Store(folder / "store")
    return log, events, store, behaviour(folder, log, events, keep=store)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    """A business with events."""
    return kept(tmp_path_factory.mktemp("shop"), *made_logs())


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A business without events."""
    return kept(tmp_path_factory.mktemp("plain"), made_logs()[0], None)


def changed(shop, plans, change):
    _, _, store, frame = shop
    with duckdb.connect() as engine:
        known = whatif.past(store, engine, AS_OF, frame["customer_id"].tolist())
        return whatif.behaviour(known, change, plans, engine.cursor())


def alike(found, expected, *, but=()):
    """Whether frames hold the same customers and the same bits, some columns apart."""
    names = [f.name for f in FEATURES if f.name not in but]
    left, right = (f.set_index("customer_id").sort_index() for f in (found, expected))
    assert left.index.tolist() == right.index.tolist()
    for name in names:
        one, other = left[name], right[name]
        if name == "first_month":
            assert one.tolist() == other.tolist()
            continue
        numbers = [c.to_numpy(dtype="float64", na_value=np.nan) for c in (one, other)]
        np.testing.assert_array_equal(*numbers, err_msg=name)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["shop", "plain"])
def test_silence_is_the_same_log_at_a_later_date(request, name, plans, tmp_path):
    log, events, _, _ = request.getfixturevalue(name)
    cut = [None if f is None else f[f["timestamp"] < "2024-07-01"] for f in (log, events)]
    expected = behaviour(tmp_path, *cut, as_of=AS_OF + timedelta(days=33))
    found = changed(request.getfixturevalue(name), plans, Change("silence", days=33))
    alike(found, expected)
    assert set(found["as_of"]) == {AS_OF + timedelta(days=33)}


@pytest.mark.parity
def test_without_refunds_is_the_log_without_them(shop, plans, tmp_path):
    log, events, _, frame = shop
    expected = behaviour(tmp_path, log[log["amount"] >= 0], events)
    whole = expected["customer_id"].isin(frame["customer_id"])
    alike(changed(shop, plans, Change("no_refunds")), expected[whole])


@pytest.mark.parity
def test_a_purchase_is_one_more_row_of_the_log(shop, plans, tmp_path):
    log, events, _, frame = shop
    ids = frame["customer_id"].tolist()
    usual = frame["lines_mean"].round().clip(lower=1).astype(int).tolist()
    more = pd.DataFrame(
        [
            {
                "customer_id": one,
                "timestamp": YESTERDAY,
                "amount": 0 if n else 35.5,
                "order_id": one,
            }
            for one, lines in zip(ids, usual, strict=True)
            for n in range(lines)
        ]
    )
    expected = behaviour(tmp_path, pd.concat([log, more]), events)
    found = changed(shop, plans, Change("purchase", 35.5))
    alike(found, expected, but=COUNTED - {"orders_total"})
    kept = [c for c in COUNTED if c != "orders_total"]
    pd.testing.assert_frame_equal(
        found.sort_values("customer_id")[kept].reset_index(drop=True), frame[kept]
    )


@pytest.mark.parametrize("kind", ["complaint", "resolution"])
@pytest.mark.parity
def test_an_event_is_one_more_row_of_the_events(shop, plans, tmp_path, kind):
    log, events, _, frame = shop
    more = pd.DataFrame({"customer_id": frame["customer_id"], "timestamp": YESTERDAY, "kind": kind})
    expected = behaviour(tmp_path, log, pd.concat([events, more]))
    alike(changed(shop, plans, Change(kind)), expected)


@pytest.mark.parametrize("kind", ["complaint", "resolution"])
def test_where_no_events_are_kept_it_says_so(plain, plans, kind):
    with pytest.raises(ScoringError, match=r"sources\.events"):
        changed(plain, plans, Change(kind))


def test_the_usual_purchase_is_the_mean_occasion(shop, plans):
    *_, frame = shop
    found = changed(shop, plans, Change("purchase")).sort_values("customer_id")
    day = found["order_last"].to_numpy()
    # Who bought on the day before has more than the usual on it.
    alone = (frame["days_since_last"] > 1).to_numpy()
    assert day[alone] == pytest.approx(frame["order_mean"].to_numpy()[alone], abs=1e-6)


def test_without_what_it_starts_from_it_says_what_to_do(tmp_path):
    with duckdb.connect() as engine:
        for store in (None, Store(tmp_path)):
            with pytest.raises(ScoringError, match="regulars build"):
                whatif.past(store, engine, AS_OF, ["a"])
