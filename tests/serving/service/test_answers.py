"""What the service answers: every column, in order, equal to the score table row for row."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime

import pandas as pd
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from serving import questions, scores
from serving.api import messages

pytestmark = pytest.mark.service

COMMON = {"customer_id", "stage", "rfm", "abstained"}


def plain(value):
    """A value of the score table as JSON has it."""
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, date) else value


def table_rows(shop):
    """The score table as JSON values by customer."""
    rows = scores.to_table(shop.scores).to_pylist()
    return {row["customer_id"]: {name: plain(v) for name, v in row.items()} for row in rows}


@pytest.mark.parity
@pytest.mark.parametrize("question", ["risk", "value"])
def test_a_question_is_answered_with_the_score_tables_own_numbers(service, shop, known, question):
    told = service.post(f"/{question}", {"customer_ids": known})
    assert told.status_code == 200
    expected = table_rows(shop)
    columns = COMMON | set(questions.OF[question])
    assert told.json()["items"] == [
        {name: value for name, value in expected[one].items() if name in columns} for one in known
    ]


@pytest.mark.parity
def test_raw_transactions_score_as_the_same_customers_do_in_the_table(service, shop, known):
    expected = table_rows(shop)
    for start in range(0, len(known), 150):
        some = known[start : start + 150]
        told = service.post("/score", {"customers": [shop.raw(one) for one in some]}).json()
        for item in told["items"]:
            row = dict(expected[item["customer_id"]])
            row["scored_at"] = told["meta"]["scored_at"]
            assert item.pop("ignored_transactions") >= 0
            assert item.pop("ignored_subscriptions") == item.pop("ignored_events") == 0
            assert item.pop("notes") == []
            assert item == row


@pytest.mark.parity
def test_a_customer_alone_scores_as_among_others(service, shop, known):
    together = service.post("/score", {"customers": [shop.raw(one) for one in known[:40]]}).json()
    for one, expected in list(zip(known, together["items"], strict=False))[::8]:
        (alone,) = service.post("/score", {"customers": [shop.raw(one)]}).json()["items"]
        assert {**alone, "scored_at": None} == {**expected, "scored_at": None}


def test_rows_after_the_as_of_date_are_counted_and_change_nothing(service, shop, known):
    later = shop.log[shop.log["timestamp"] >= "2024-07-01"]["customer_id"]
    one = next(one for one in known if (later == one).any())
    raw = shop.raw(one)
    before = [row for row in raw["transactions"] if row["timestamp"] < "2024-07-01"]
    given = {"customers": [raw, {**raw, "transactions": before}]}
    whole, cut = service.post("/score", given).json()["items"]
    assert whole.pop("ignored_subscriptions") == cut.pop("ignored_subscriptions") == 0
    assert whole.pop("ignored_transactions") == (later == one).sum()
    assert cut.pop("ignored_transactions") == 0
    assert whole == cut


def test_amounts_as_text_and_moments_with_an_offset_are_read_as_in_a_file(service, shop, known):
    raw = shop.raw(known[0])
    written = [
        {**row, "amount": f" {row['amount']:.2f}", "timestamp": shift(row["timestamp"])}
        for row in raw["transactions"]
    ]
    given = {"customers": [raw, {**raw, "transactions": written}]}
    first, second = service.post("/score", given).json()["items"]
    assert first == second


def shift(moment: str) -> str:
    """The same instant, written in UTC, of a wall clock in London."""
    local = pd.Timestamp(moment).tz_localize("Europe/London", ambiguous=False)
    return local.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("transactions", "code", "said"),
    [
        ([], "no_purchase", "nothing to score"),
        ([{"timestamp": "2024-02-01", "amount": -5}], "no_purchase", "nothing to score"),
        ([{"timestamp": "2024-08-01", "amount": 5}], "no_purchase", "nothing to score"),
        ([{"timestamp": "2024-13-01", "amount": 5}], "bad_transaction", "[0]: unparseable date"),
        ([{"timestamp": 20240201, "amount": 5}], "bad_transaction", "[0]: unparseable date"),
        ([{"amount": 5}], "bad_transaction", "[0]: no date"),
        ([{"timestamp": "2024-02-01"}], "bad_transaction", "[0]: no amount"),
        ([{"timestamp": "2024-02-01", "amount": "much"}], "bad_transaction", "unparseable amount"),
        ([{"timestamp": "2024-02-01", "amount": True}], "bad_transaction", "unparseable amount"),
        ([{"timestamp": "2024-02-01", "amount": "inf"}], "bad_transaction", "non-finite amount"),
        ([{"timestamp": "2024-02-01", "amount": 1e12}], "bad_transaction", "out of range"),
        ([{"timestamp": "9999-01-01", "amount": 5}], "bad_transaction", "future"),
        ([{"timestamp": "1969-12-31", "amount": 5}], "bad_transaction", "before 1970"),
    ],
)
def test_a_customer_who_cannot_be_scored_fails_alone(
    service, shop, known, transactions, code, said
):
    good = shop.raw(known[0])
    given = {"customers": [{"customer_id": "x", "transactions": transactions}, good]}
    told = service.post("/score", given)
    assert told.status_code == 200
    bad, scored = told.json()["items"]
    assert bad["customer_id"] == "x"
    assert bad["error"]["code"] == code
    assert said in bad["error"]["message"]
    assert scored["churn_probability"] is not None


def test_one_bad_row_among_good_ones_is_named_by_its_place(service, shop, known):
    raw = shop.raw(known[0])
    raw["transactions"].insert(1, {"timestamp": "2024-02-30", "amount": 5})
    (item,) = service.post("/score", {"customers": [raw]}).json()["items"]
    assert item["error"]["message"] == "transactions[1]: unparseable date."


def test_the_same_id_twice_is_answered_twice(service, shop, known):
    raw = shop.raw(known[0])
    short = {**raw, "transactions": raw["transactions"][:1]}
    items = service.post("/score", {"customers": [raw, short]}).json()["items"]
    assert [item["customer_id"] for item in items] == [known[0]] * 2
    items = service.post("/risk", {"customer_ids": [known[0]] * 2}).json()["items"]
    assert items[0] == items[1]


def test_an_unknown_id_fails_as_an_item(service, known):
    told = service.post("/value", {"customer_ids": ["nobody", known[0], 17]})
    assert told.status_code == 200
    nobody, somebody, number = told.json()["items"]
    assert nobody["error"]["code"] == "unknown_customer"
    assert "2024-07-01" in nobody["error"]["message"]
    assert somebody["clv"] is not None
    assert number["customer_id"] == "17"


@pytest.mark.parametrize("path", ["/risk", "/value"])
def test_another_horizon_is_scored_anew_with_the_tables_thresholds(service, shop, known, path):
    usual = service.post(path, {"customer_ids": known[:30]}).json()
    longer = service.post(path, {"customer_ids": known[:30], "horizon_days": 120}).json()
    assert usual["meta"]["horizon_days"] == 60
    assert longer["meta"]["horizon_days"] == 120
    for short, long in zip(usual["items"], longer["items"], strict=True):
        assert long["stage"] == short["stage"]
        assert long["rfm"] == short["rfm"]
        if path == "/risk":
            assert long["churn_probability"] < short["churn_probability"]
            assert long["next_purchase_by"] == short["next_purchase_by"]
        else:
            assert long["expected_purchases"] > short["expected_purchases"]
            assert long["tier"] == short["tier"]


def test_another_horizon_is_the_same_from_the_table_and_from_raw_transactions(service, shop, known):
    ids = known[:5]
    told = service.post("/risk", {"customer_ids": ids, "horizon_days": 30}).json()["items"]
    customers = [shop.raw(one) for one in ids]
    raw = service.post("/score", {"customers": customers, "horizon_days": 30}).json()["items"]
    for item, scored in zip(told, raw, strict=True):
        assert {name: scored[name] for name in item} == item


def between(service, ids, start, until):
    """Items of /value between two days, and what they rest on."""
    body = {"customer_ids": ids, "from": start, "until": until}
    told = service.post("/value", body)
    assert told.status_code == 200
    messages.ValueAnswer.model_validate_json(told.content, extra="forbid")
    return told.json()["items"], told.json()["meta"]


@pytest.mark.parity
def test_neighbouring_days_add_up_to_the_horizon(service, known):
    """120 days from 1 July; the lifetime value and the tier are the table's."""
    ids = [*known[:20], "nobody"]
    whole = service.post("/value", {"customer_ids": ids, "horizon_days": 120}).json()["items"]
    first, _ = between(service, ids, "2024-07-01", "2024-08-20")
    rest, meta = between(service, ids, "2024-08-20", "2024-10-29")
    assert meta["span"]["from"] == "2024-08-20" and meta["span"]["until"] == "2024-10-29"
    assert "intervals are null" in meta["span"]["note"]
    assert meta["horizon_days"] is None and meta["as_of"] == "2024-07-01"
    assert first[-1] == rest[-1] == whole[-1]
    for one, two, both in list(zip(first, rest, whole, strict=True))[:-1]:
        for name in ("expected_purchases", "expected_spend"):
            assert one[name] > 0 and two[name] > 0
            assert one[name] + two[name] == pytest.approx(both[name], rel=1e-9)
            assert two[f"{name}_lower"] is None and two[f"{name}_upper"] is None
        same = set(both) - {n for n in both if n.startswith("expected_")}
        assert {n: two[n] for n in same} == {n: both[n] for n in same}


def test_every_answer_says_what_it_rests_on(service, shop, known):
    asked = {
        "/risk": {"customer_ids": known[:1]},
        "/value": {"customer_ids": known[:1]},
        "/customers": {},
        "/score": {"customers": [shop.raw(known[0])]},
    }
    today = datetime.now(UTC).date()
    for path, body in asked.items():
        meta = service.post(path, body).json()["meta"]
        assert meta["as_of"] == "2024-07-01"
        assert meta["horizon_days"] == 60
        assert meta["clv_horizon_days"] == 365
        assert meta["model_version"] == "7"
        assert meta["currency"] == "GBP"
        assert meta["grades"] == {"risk": "A", "value": "B"}
        assert abs(meta["staleness_days"] - (today - date(2024, 7, 1)).days) <= 1


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/risk", messages.RiskAnswer),
        ("/value", messages.ValueAnswer),
        ("/customers", messages.CustomersAnswer),
        ("/score", messages.ScoreAnswer),
    ],
)
def test_answers_are_of_the_types_that_are_documented(service, shop, known, path, model):
    bodies = {"/customers": {}, "/score": {"customers": [shop.raw(one) for one in known[:20]]}}
    told = service.post(path, bodies.get(path, {"customer_ids": [*known[:20], "nobody"]}))
    strict = model.model_validate_json(told.content, extra="forbid")
    assert len(getattr(strict, "items", None) or strict.rows) >= 20


def test_a_page_of_customers_is_filtered_sorted_and_counted(service, shop):
    frame = shop.scores
    body = {
        "filter": {"stage": ["lapsed", "at_risk"], "at_least": {"churn_probability": 0.5}},
        "sort": ["-clv"],
        "page": 2,
        "page_size": 10,
    }
    told = service.post("/customers", body).json()
    kept = frame[frame["stage"].isin(["lapsed", "at_risk"]) & (frame["churn_probability"] >= 0.5)]
    kept = kept.sort_values(["clv", "customer_id"], ascending=[False, True])
    assert told["total"] == len(kept)
    assert [row["customer_id"] for row in told["rows"]] == kept["customer_id"].tolist()[10:20]
    assert told["rows"][0] == table_rows(shop)[told["rows"][0]["customer_id"]]


def test_pages_hold_every_customer_once(service, known):
    seen = []
    for page in range(1, 6):
        body = {"sort": ["stage", "tier"], "page": page, "page_size": 100}
        seen += [row["customer_id"] for row in service.post("/customers", body).json()["rows"]]
    assert sorted(seen) == sorted(known)


def test_customers_are_searched_by_the_beginning_of_their_id(service, known):
    body = {"filter": {"customer_id_starts_with": known[3][:12]}, "sort": ["customer_id"]}
    told = service.post("/customers", body).json()
    assert [row["customer_id"] for row in told["rows"]] == sorted(
        one for one in known if one.startswith(known[3][:12])
    )


@pytest.mark.parity
def test_the_parquet_export_is_the_score_table(service, shop):
    told = service.get("/export?format=parquet")
    assert told.headers["content-type"] == "application/vnd.apache.parquet"
    given = pq.read_table(io.BytesIO(told.content))
    assert given.schema.remove_metadata() == scores.SCHEMA
    expected = scores.to_table(shop.scores).sort_by("customer_id")
    assert given.to_pylist() == expected.to_pylist()


def test_the_csv_export_holds_what_the_command_line_writes(service, shop, tmp_path):
    told = service.get("/export", params={"stage": "loyal", "min_clv": "5", "sort": "-clv"})
    assert told.headers["content-type"].startswith("text/csv")
    assert told.headers["content-disposition"] == 'attachment; filename="scores-2024-07-01.csv"'
    assert told.headers["x-regulars-model-version"] == "7"
    given = pyarrow.csv.read_csv(io.BytesIO(told.content)).to_pandas()
    kept = shop.scores[(shop.scores["stage"] == "loyal") & (shop.scores["clv"] >= 5)]
    kept = kept.sort_values(["clv", "customer_id"], ascending=[False, True])
    assert given["customer_id"].tolist() == kept["customer_id"].tolist()
    assert given["clv"].tolist() == kept["clv"].tolist()
    flat = scores.flat(scores.to_table(kept))["reasons"].to_pylist()
    assert given["reasons"].tolist() == flat


def test_health_is_told_without_a_key(service):
    for path in ("/livez", "/readyz", "/healthz"):
        assert service.get(path, key=None).status_code == 200
