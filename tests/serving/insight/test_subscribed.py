"""What-ifs of subscribers: the changed rows of the store are those of a log changed alike."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from features import intake, records, table
from features.catalogue import FEATURES
from features.fates import histories
from features.inputs import Inputs
from features.settings import Sources
from features.store import Store, write_parquet
from serving import desk, scores, scoring
from serving.api import billing, raw, whatifs, why
from serving.api.failures import Failure
from serving.api.plans import Plans
from serving.api.submitted import ScoreRequest
from serving.deployment import Deployment, Names
from serving.errors import ScoringError
from serving.insight import subscribed, whatif
from serving.insight.supposed import Change
from serving.workbench import insight, pages
from serving.worker import Worker
from training.subscriptions import simulate
from training.subscriptions.hazard import Hazard
from training.subscriptions.margins import TermMargins
from training.subscriptions.plans import Plans as Retention
from training.subscriptions.scorer import SubscriptionScorer
from training.terms import Terms

AS_OF, NOW = date(2024, 2, 1), datetime(2024, 2, 2, 6, tzinfo=UTC)
FIRST = date(2023, 1, 1)
COLUMNS = ["start", "end", "plan", "price", "end_reason", "margin"]
KEPT = {"terms": {"annual": "year"}, "grace_days": 5}
NAMES = Names("made", "EUR", "Europe/Berlin")
SHAPES = ("subscription", "period")
CONTRACT = [feature.name for feature in FEATURES if feature.family == "subscription"]
RENEWAL = "subscription_days_to_renewal"


@dataclass(frozen=True)
class Business:
    """Its rows as text, its store, and how its rows are kept."""

    rows: pd.DataFrame
    store: Store
    behaviour: pd.DataFrame
    kept: dict[str, Any]
    folder: Path


def as_text(rows: pd.DataFrame) -> pd.DataFrame:
    days = {name: pd.to_datetime(rows[name]).dt.strftime("%Y-%m-%d") for name in ("start", "end")}
    # A third of the price is left, and of every other customer nobody knows.
    left = (rows["price"] / 3).round(2).where(rows["customer_id"].str[-1].isin(list("13579")))
    told = rows.assign(**days, margin=left)[["customer_id", *COLUMNS]].astype(object)
    return told.where(told.notna(), None)


def read(folder: Path, rows: pd.DataFrame, kept: dict[str, Any], events: Any = None) -> Inputs:
    folder.mkdir(exist_ok=True)
    parts = {"subscriptions": rows} | ({} if events is None else {"events": events})
    sources: dict[str, Any] = {}
    for name, part in parts.items():
        part.to_csv(folder / f"{name}.csv", index=False)
        sources[name] = {"uri": str(folder / f"{name}.csv"), **{c: c for c in part}}
    sources["subscriptions"] |= kept
    return intake.read(Sources.model_validate(sources), timezone=NAMES.timezone, now=NOW)


def behave(inputs: Inputs, as_of: date = AS_OF) -> pd.DataFrame:
    rows = table.behaviour(inputs, as_of, horizon_days=60, population="subscribers")
    return rows.order_by("customer_id").to_pyarrow().to_pandas()


@pytest.fixture(scope="module")
def making(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Business]:
    """Four hundred subscribers in either shape, some with a complaint, as a build leaves them."""
    paid = simulate.periods(simulate.Business(), 400, FIRST, 500, np.random.default_rng(5))
    paid = paid[paid["start"] < pd.Timestamp(AS_OF)]
    shapes = {"subscription": simulate.subscriptions(paid), "period": paid}
    made: dict[str, Business] = {}

    def make(shape: str) -> Business:
        if shape in made:
            return made[shape]
        folder, kept = tmp_path_factory.mktemp(shape), {"rows": shape, **KEPT}
        rows = as_text(shapes[shape])
        rows["end"] = rows["end"].where((shape == "period") | (rows["end"] < str(AS_OF)), None)
        who = rows["customer_id"].unique()[::3]
        day = [(FIRST + timedelta(days=200 + n)).isoformat() for n in range(len(who))]
        events = pd.DataFrame({"customer_id": who, "timestamp": day, "kind": "complaint"})
        inputs, store = read(folder, rows, kept, events), Store(folder / "store")
        found = behave(inputs)
        write_parquet(
            table.behaviour(inputs, AS_OF, horizon_days=60, population="subscribers"),
            store.behaviour(AS_OF),
        )
        records.write(inputs, AS_OF, store)
        made[shape] = Business(rows, store, found, kept, folder)
        return made[shape]

    return make


def changed(business: Business, change: Change) -> pd.DataFrame:
    plans = Plans(NAMES.timezone, 60, billing=business.kept, subscribers=True)
    ids = business.behaviour["customer_id"].tolist()
    with duckdb.connect() as engine:
        known = whatif.past(business.store, engine, AS_OF, ids, subscribers=True)
        found = whatif.behaviour(known, change, plans, engine.cursor())
    assert list(found) == list(business.behaviour)
    return found.set_index("customer_id").sort_index()


def before(business: Business) -> pd.DataFrame:
    return business.behaviour.set_index("customer_id").sort_index()


def alike(found: pd.DataFrame, expected: pd.DataFrame, *, but: tuple[str, ...] = ()) -> None:
    assert len(expected) > 100
    assert found.index.tolist() == expected.index.tolist()
    for name in (name for name in CONTRACT if name not in but):
        one, other = found[name].astype(object), expected[name].astype(object)
        differ = one[(one != other) & ~(one.isna() & other.isna())]
        assert differ.empty, (name, differ.head(), other[differ.index].head())


def latest(business: Business, known: pd.DataFrame) -> pd.Series:
    """Place of each subscriber's row that counts now, by the rule of `features`."""
    rows = business.rows[business.rows["customer_id"].isin(known.index)]
    until = rows["end"].fillna("9999-12-31")
    order = rows.assign(until=until).sort_values(["until", "start"])
    return order.groupby("customer_id").tail(1).reset_index().set_index("customer_id")["index"]


def paid_last(business: Business, known: pd.DataFrame) -> pd.Series:
    """Day of the latest payment: month by month from the row's start, in plain pandas."""
    rows = business.rows.loc[latest(business, known)].set_index("customer_id")
    months = np.where(rows["plan"] == "annual", 12, 1)
    days = {}
    for one, start, step in zip(rows.index, pd.to_datetime(rows["start"]), months, strict=True):
        ahead = [start + pd.DateOffset(months=int(step) * n) for n in range(40)]
        days[one] = max(day for day in ahead if day < pd.Timestamp(AS_OF))
    return pd.Series(days)


@pytest.mark.parity
@pytest.mark.parametrize("shape", SHAPES)
def test_a_complaint_leaves_the_contract_bit_for_bit(making, shape):
    business = making(shape)
    found = changed(business, Change("complaint"))
    alike(found, before(business))
    assert (found["complaints_total"] - before(business)["complaints_total"]).unique() == [1]


def with_other(business: Business, known: pd.DataFrame, **other: Any) -> pd.DataFrame:
    """The rows with the latest payment otherwise."""
    rows, last = business.rows.copy(), latest(business, known)
    if business.kept["rows"] == "period":
        return rows.assign(**{c: rows[c].mask(rows.index.isin(last), v) for c, v in other.items()})
    day = paid_last(business, known)
    parted = rows.loc[last].set_index("customer_id")
    renewed = pd.to_datetime(parted["start"]) < day
    first = parted[renewed].assign(end=day[renewed].dt.strftime("%Y-%m-%d"), end_reason=None)
    second = parted.assign(start=day.dt.strftime("%Y-%m-%d"))
    second = second.assign(
        **{c: v.set_axis(last.index) if isinstance(v, pd.Series) else v for c, v in other.items()}
    )
    return pd.concat([rows.drop(last), first.reset_index(), second.reset_index()])


@pytest.mark.parity
@pytest.mark.parametrize("shape", SHAPES)
def test_a_discount_is_the_latest_payment_at_another_price(making, shape, tmp_path):
    business = making(shape)
    known = before(business)
    last = business.rows.loc[latest(business, known)]
    price = last["price"].astype(float) * 0.75
    margin = (last["margin"].astype(float) - price / 3).round(6)
    rows = with_other(business, known, price=price, margin=margin)
    expected = behave(read(tmp_path, rows, business.kept)).set_index("customer_id")
    found = changed(business, Change("price_change", percent=-25.0))
    alike(found, expected, but=(RENEWAL,))
    pd.testing.assert_series_equal(found[RENEWAL], known[RENEWAL])
    assert (found["subscription_price"] / known["subscription_price"]).to_numpy() == pytest.approx(
        0.75
    )
    renewed = known["subscription_renewals"] > 0
    assert renewed.any()
    assert found.loc[renewed, "subscription_price_ratio"].notna().mean() > 0.9


@pytest.mark.parity
def test_another_plan_is_the_latest_payment_for_it(making, tmp_path):
    business = making("subscription")
    known = before(business)
    rows = with_other(business, known, plan="annual", price=50.0, margin=None)
    expected = behave(read(tmp_path, rows, business.kept)).set_index("customer_id")
    found = changed(business, Change("plan_change", amount=50.0, plan="annual"))
    alike(found, expected)
    assert set(found["subscription_plan"]) == {"annual"}
    was = known["subscription_plan"] != "annual"
    assert found.loc[was, RENEWAL].min() > 300


def test_a_plan_costs_what_its_subscribers_pay(making):
    business = making("period")
    known = before(business)
    found = changed(business, Change("plan_change", plan="annual"))
    usual = known.loc[known["subscription_plan"] == "annual", "subscription_price"].median()
    was = known["subscription_plan"] != "annual"
    assert set(found.loc[was, "subscription_price"]) == {usual}
    assert found.loc[was, "subscription_term_days"].unique() == [365.25]
    # Who has the plan already has it as it was.
    assert (~was).any()
    assert found.loc[~was, "subscription_price"].equals(known.loc[~was, "subscription_price"])


def test_a_year_that_is_cheaper_by_the_month_is_no_rise_of_the_price(making):
    business = making("subscription")
    known = before(business)
    monthly = known[known["subscription_plan"] != "annual"]
    price = 0.6 * 12 * monthly["subscription_price"].min()
    found = changed(business, Change("plan_change", amount=price, plan="annual")).loc[monthly.index]
    # Who paid for the first time has nothing to compare with: the payment itself is another one.
    told = found[found["subscription_plan_changes"] > monthly["subscription_plan_changes"]]
    assert len(told) > 50
    assert (told["subscription_price_ratio"] <= 0.6 + 1e-6).all()


def test_a_plan_that_nobody_has_is_refused_with_those_there_are(making):
    with pytest.raises(ScoringError, match=r"platinum.*annual"):
        changed(making("period"), Change("plan_change", plan="platinum"))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_payment_that_failed_is_late_and_an_end_that_nobody_wanted(making, shape):
    business = making(shape)
    known = before(business)
    found = changed(business, Change("failed_payment"))
    renewed = known["subscription_renewals"] > 0
    assert 100 < renewed.sum() < len(known)
    assert found.index.tolist() == known.index[renewed].tolist()
    known = known[renewed]
    moved = found["subscription_involuntary_ends"] - known["subscription_involuntary_ends"]
    assert moved.unique() == [1]
    late = found["subscription_late_renewals"] - known["subscription_late_renewals"]
    assert set(late) <= {0, 1}
    assert late.mean() > 0.8  # all but those who had been late, or paid on the day before
    same = ["tenure_days", "renewals", "days_to_renewal", "plan", "price", "earlier"]
    for name in (f"subscription_{name}" for name in same):
        pd.testing.assert_series_equal(found[name], known[name])


@pytest.mark.parity
def test_days_later_the_rows_are_those_of_a_later_date(making, tmp_path):
    business = making("subscription")
    later = AS_OF + timedelta(days=40)
    expected = behave(read(tmp_path, business.rows, business.kept), later)
    found = changed(business, Change("silence", days=40))
    alike(found, expected.set_index("customer_id"))
    assert set(found["as_of"]) == {later}


def test_days_later_paid_periods_have_gone_on(making):
    business = making("period")
    known, found = before(business), changed(making("period"), Change("silence", days=40))
    assert found.index.tolist() == known.index.tolist()
    assert (found["subscription_tenure_days"] - known["subscription_tenure_days"]).unique() == [40]
    made = found["subscription_renewals"] - known["subscription_renewals"]
    monthly = known["subscription_plan"] != "annual"
    assert set(made[monthly]) == {1, 2}
    assert set(made[~monthly]) == {0, 1}
    assert found[RENEWAL].min() >= 0


@pytest.fixture(scope="module")
def worker(making, tmp_path_factory) -> Worker:
    """A service of the business, scored by the retention of its plans."""
    business = making("subscription")
    inputs = read(tmp_path_factory.mktemp("again"), business.rows, business.kept)
    retention = Retention.fit(histories(inputs.subscriptions, AS_OF).to_pyarrow().to_pandas())
    terms = Terms("subscription", 60, 365, 0.5, 0.1, str(AS_OF), 60)
    scorer = SubscriptionScorer(terms, Hazard(retention, 0.1))
    frame, thresholds = scoring.score(
        business.behaviour, scorer, thresholds=None, as_of=AS_OF, model_version="3", scored_at=NOW
    )
    meta = scores.Meta(
        name="made",
        currency="EUR",
        timezone=NAMES.timezone,
        as_of=AS_OF,
        horizon_days=60,
        clv_horizon_days=365,
        model_version="3",
        run_id="r",
        speaker=scorer.speaker,
        grades={},
        scored_at=NOW,
        thresholds=thresholds,
        counts=scores.counts(frame),
    )
    scores.write(frame, meta, business.store.scores(AS_OF))
    newest = SimpleNamespace(current=lambda: table_at_hand)
    table_at_hand = desk.load(business.store.scores(AS_OF))
    plans = Plans(NAMES.timezone, 60, billing=business.kept, subscribers=True)
    kept = billing.kept({"sources": {"subscriptions": {"uri": "x", **business.kept}}})
    deployed = Deployment(NAMES, business.store, None, "3", thresholds, kept)
    return Worker(deployed, scorer, newest, plans, lambda: NOW)


def asked(worker: Worker, ids: list[str], **change: Any) -> list[dict[str, Any]]:
    request = whatifs.WhatifRequest.model_validate({"customer_ids": ids, "change": change})
    told = whatifs.answer(worker, request, ["risk", "value"])
    whatifs.WhatifAnswer.model_validate(told)
    return told["items"]


def test_before_is_the_score_table_and_after_a_discount_is_worth_less(worker):
    rows = scores.read(worker.deployment.store.scores(AS_OF))
    ids = rows["customer_id"].astype(str).tolist()[:50]
    known = rows.set_index("customer_id")
    for item in asked(worker, ids, kind="price_change", percent=-50):
        one = known.loc[item["customer_id"]]
        assert item["before"]["churn_probability"] == one["churn_probability"]
        assert item["before"]["clv"] == one["clv"]
        # The retention of plans does not know the price.
        assert item["after"]["churn_probability"] == one["churn_probability"]
        assert item["after"]["clv"] == pytest.approx(one["clv"] / 2)


def test_who_has_not_renewed_has_no_payment_that_could_have_failed(worker, making):
    known = before(making("subscription"))
    new = known.index[known["subscription_renewals"] == 0][0]
    old = known.index[known["subscription_renewals"] > 0][0]
    first, second, nobody = asked(worker, [new, old, "nobody"], kind="failed_payment")
    assert first["error"]["code"] == "no_renewal" and "before" in first
    assert second["after"]["stage"]
    assert nobody["error"]["code"] == "unknown_customer"


def test_a_plan_is_known_by_its_word_capitals_and_blanks_aside(worker):
    ids = known_ids(worker)[:20]
    exact = asked(worker, ids, kind="plan_change", plan="annual")
    assert asked(worker, ids, kind="plan_change", plan=" Annual") == exact
    assert any(item["before"] != item["after"] for item in exact)


@pytest.mark.parametrize("plan", ["Basic ", "platinum"])
def test_a_plan_sent_to_score_is_known_by_its_word_or_noted(worker, making, plan):
    rows = making("subscription").rows
    row = {"start": "2023-05-01", "price": 9.0}
    sent = [
        {"customer_id": word, "subscriptions": [{**row, "plan": word}]} for word in ("basic", plan)
    ]
    assert set(rows["plan"]) == {"annual", "basic", "gold"}
    request = ScoreRequest.model_validate({"as_of": AS_OF, "customers": sent})
    known, other = raw.score(worker, worker.desk, request).items
    assert known["churn_probability"] is not None and known.pop("notes") == []
    if plan == "platinum":
        (said,) = other["notes"]
        assert "nobody has" in said and "basic" in said
    else:
        assert {**other, "customer_id": "basic"} == {**known, "notes": []}


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"kind": "purchase"}, "not_for_subscribers"),
        ({"kind": "no_refunds"}, "not_for_subscribers"),
        ({"kind": "plan_change", "plan": "platinum"}, "unknown_plan"),
    ],
)
def test_what_cannot_be_of_subscribers_is_refused_with_what_can(worker, change, code):
    with pytest.raises(Failure) as caught:
        asked(worker, ["x", next(iter(known_ids(worker)))], **change)
    assert (caught.value.status, caught.value.code) == (422, code)
    assert "annual" in caught.value.message or "failed_payment" in caught.value.message


def known_ids(worker: Worker) -> list[str]:
    rows = scores.read(worker.deployment.store.scores(AS_OF))
    return rows["customer_id"].astype(str).tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "price_change"},
        {"kind": "price_change", "percent": -100},
        {"kind": "plan_change"},
        {"kind": "failed_payment", "percent": 3},
        {"kind": "complaint", "plan": "annual"},
    ],
)
def test_a_change_that_cannot_be_is_refused(change):
    with pytest.raises(ValueError, match=r"percent|plan"):
        whatifs.ChangeRequest.model_validate(change)


def test_plans_are_told_by_how_many_have_them(making):
    business = making("period")
    with duckdb.connect() as engine:
        found = subscribed.plans(business.store, engine, AS_OF)
    counted = business.behaviour["subscription_plan"].value_counts()
    assert [counted[one.name] for one in found] == sorted(counted, reverse=True)
    assert {one.name: one.term for one in found}["annual"] == (12, 0)


def test_a_value_is_split_by_renewals_and_the_page_tells_it(worker, making):
    rows = scores.to_table(scores.read(worker.deployment.store.scores(AS_OF))).to_pylist()
    known, desk_ = before(making("subscription")), worker.need_desk()
    told = why.explained(worker, desk_, [row["customer_id"] for row in rows], ["risk", "value"])
    for row in rows:
        split = why.Split.model_validate(told[row["customer_id"]]["split"])
        assert split.price == pytest.approx(known.loc[row["customer_id"], "subscription_price"])
        assert split.renewals * split.price == pytest.approx(row["expected_spend"])
        assert split.lifetime_renewals * split.profit_per_renewal == pytest.approx(row["clv"])
        assert split.months is None and split.purchases_if_back is None
    # Among them years that are not up within the horizon.
    assert sum(row["expected_spend"] == 0 for row in rows) > 10
    row = next(row for row in rows if row["expected_spend"] == 0)
    alone = why.explained(worker, desk_, [row["customer_id"]], ["value"])[row["customer_id"]]
    assert set(alone["split"]) == {"price", "profit_per_renewal"}
    page = pages.environment("en").get_template("customer_why.html")
    shown = page.render(
        row=row,
        meta=SimpleNamespace(currency="EUR"),
        sees={"risk": True, "value": True},
        why={"split": told[row["customer_id"]]["split"]},
        since=None,
    )
    assert "0.00 renewals paid × " in shown and "to come back" not in shown


def form(worker: Worker, one: str, **asked: str) -> dict[str, Any]:
    found = insight.content(
        worker, worker.need_desk(), one, tuple(asked.items()), ["risk", "value"]
    )
    return found["whatif"]


def test_the_page_offers_what_can_be_asked_of_subscribers(worker):
    offered = [kind for kind, _ in form(worker, known_ids(worker)[0])["offered"]]
    assert set(offered) == set(whatif.offered(subscribers=True))


def test_a_what_if_of_the_page_is_the_answer_of_the_api(worker):
    one = known_ids(worker)[0]
    for change, given in (
        ({"change": "price_change", "percent": "-25"}, {"percent": -25}),
        ({"change": "plan_change", "plan": "annual"}, {"plan": "annual"}),
    ):
        (item,) = asked(worker, [one], kind=change["change"], **given)
        assert form(worker, one, **change)["said"] == item
    assert "This change cannot be" in form(worker, one, change="plan_change")["refused"]


@pytest.mark.parametrize("spoken", ["en", "zh"])
@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"change": "price_change", "percent": "-25"}, "Next renewal is due"),
        ({"change": "failed_payment"}, "Has not renewed yet"),
        ({"change": "plan_change", "plan": "annual"}, "in none of the figures"),
    ],
)
def test_the_page_tells_it_in_the_words_of_a_contract(worker, making, spoken, asked, said):
    known = before(making("subscription"))
    new = known.index[known["subscription_renewals"] == 0][0]
    told = html.unescape(
        pages.environment(spoken)
        .get_template("customer_whatif.html")
        .render(
            row={"customer_id": new},
            meta=SimpleNamespace(currency="EUR"),
            sees={"risk": True, "value": True},
            whatif=form(worker, new, **asked),
            alike=[],
        )
    )
    assert 'name="percent"' in told and 'name="amount"' not in told
    assert '<option value="-25"' in told and ">annual</option>" in told
    assert (said in told) == (spoken == "en")


def test_margins_of_the_rows_are_the_rates_of_the_subscribers(making):
    """A third of the price, to the cent, is stated for half of them; plans tell the others."""
    rows = making("period").behaviour
    found = TermMargins.learn(rows)
    assert found is not None
    stated = rows["subscription_margin"].notna().to_numpy()
    assert 0.3 < stated.mean() < 0.7
    assert found.rates(rows) == pytest.approx(1 / 3, abs=0.001)
    assert set(found.plans) == set(rows["subscription_plan"].dropna())
