"""A business whose data are spoilt after its training: what rests on the fault is not said.

Trained once through the command line; then each fault is planted in the files, and everybody is
scored again. What the fault does not touch is the same as in the scores of the healthy data.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from regulars import cli, doubts
from regulars.scoring import Scored
from serving.abstention import ANSWERS

SETTINGS = """\
name = "deli"
currency = "EUR"
timezone = "UTC"

[sources.transactions]
uri = "sales.csv"
customer_id = "who"
timestamp = "day"
amount = "paid"
product_id = "product"

[sources.events]
uri = "calls.csv"
customer_id = "who"
timestamp = "day"
kind = "kind"

[churn]
horizon_days = 60
"""
CUSTOMERS, DAYS = 300, 240
FIRST, TRAINED, AS_OF = pd.Timestamp("2024-01-01"), "2024-07-01", "2024-08-01"
EARLY = pd.Timestamp(AS_OF) - pd.Timedelta(days=60)
RISK = {"churn_probability", "return_probability"}
MONEY = {"expected_spend", "clv", "potential_value", "tier"}
FIGURES = RISK | MONEY | {"expected_purchases"}


def run(config: Path, *arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "-c", str(config), "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), result.stderr


def sales() -> pd.DataFrame:
    """Purchases of customers who come at their own pace until they drop out."""
    random = np.random.default_rng(7)
    first = random.integers(0, DAYS // 2, CUSTOMERS)
    pace = random.gamma(2.0, 9.0, CUSTOMERS) + 2.0
    gaps = random.exponential(pace[:, None], (CUSTOMERS, 50))
    days = np.column_stack([first, first[:, None] + np.cumsum(gaps, axis=1)]).astype(int)
    stays = first + random.exponential(180.0, CUSTOMERS)
    who, visit = np.nonzero((days < DAYS) & (days <= np.maximum(stays, first)[:, None]))
    rows = {
        "who": [f"c{one:03}" for one in who],
        "day": FIRST + pd.to_timedelta(days[who, visit], unit="D"),
        "paid": np.round(random.gamma(4.0, 5.0, len(who)) + 0.5, 2),
        "product": random.choice(["bread", "cheese", "wine"], len(who)),
    }
    return pd.DataFrame(rows)


def calls() -> pd.DataFrame:
    """A few calls a day by anybody."""
    random = np.random.default_rng(8)
    day = np.repeat(np.arange(DAYS), 3)
    return pd.DataFrame(
        {
            "who": [f"c{one:03}" for one in random.integers(0, CUSTOMERS, len(day))],
            "day": FIRST + pd.to_timedelta(day, unit="D"),
            "kind": random.choice(["contact", "complaint"], len(day)),
        }
    )


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory, empty_mlflow: Path) -> Path:
    """The business after its training and the first scoring of healthy data."""
    folder = tmp_path_factory.mktemp("deli")
    sales().to_csv(folder / "sales.csv", index=False)
    calls().to_csv(folder / "calls.csv", index=False)
    (folder / "regulars.toml").write_text(SETTINGS)
    (folder / ".regulars").mkdir()
    shutil.copy(empty_mlflow, folder / ".regulars" / "mlflow.db")
    run(folder / "regulars.toml", "train", "--as-of", TRAINED)
    return folder / "regulars.toml"


Spoil = Callable[[pd.DataFrame, pd.DataFrame], tuple[pd.DataFrame, pd.DataFrame]]


@pytest.fixture(scope="module")
def scored(healthy: Path) -> Iterator[Callable[[Spoil], tuple[pd.DataFrame, str]]]:
    """`scored(spoil)`: the scores of spoilt files, and what was said beside them."""

    def make(spoil: Spoil) -> tuple[pd.DataFrame, str]:
        sold, called = spoil(sales(), calls())
        sold.to_csv(healthy.parent / "sales.csv", index=False)
        called.to_csv(healthy.parent / "calls.csv", index=False)
        found, aside = run(healthy, "score", "--as-of", AS_OF)
        rows = pq.read_table(found["paths"][0], partitioning=None).to_pandas()
        return rows.set_index("customer_id"), aside

    yield make
    make(lambda sold, called: (sold, called))


@pytest.fixture(scope="module")
def plain(scored: Callable[[Spoil], tuple[pd.DataFrame, str]]) -> pd.DataFrame:
    """Scores of the healthy data."""
    rows, _ = scored(lambda sold, called: (sold, called))
    assert rows["abstained"].isna().all()
    return rows


def whale(sold: pd.DataFrame) -> pd.DataFrame:
    """The sales with what one customer paid 1,000 times as high."""
    return sold.assign(paid=sold["paid"].where(sold["who"] != "c001", sold["paid"] * 1000))


FAULTS: dict[str, tuple[Spoil, str, set[str]]] = {
    "the log stopped": (
        lambda sold, called: (sold[sold["day"] < EARLY], called),
        "source stale (transactions)",
        set(ANSWERS) - {"rfm"},
    ),
    "the events stopped": (
        lambda sold, called: (sold, called[called["day"] < EARLY]),
        "source stale (events)",
        FIGURES,
    ),
    "the products are gone": (
        lambda sold, called: (sold.assign(product=None), called),
        "column missing (products_distinct, products_per_occasion)",
        FIGURES,
    ),
    "cents came for euros": (
        lambda sold, called: (sold.assign(paid=sold["paid"] * 100), called),
        "amounts changed (amount)",
        FIGURES,
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_rests_on_a_fault_is_null_with_the_reason_and_the_rest_is_as_it_was(
    fault, scored, plain
):
    spoil, reason, silent = FAULTS[fault]
    rows, aside = scored(spoil)
    told = ", ".join(name for name in ANSWERS if name in silent)
    assert (rows["abstained"] == f"{reason}: {told}").all()
    assert rows[sorted(silent)].isna().all(axis=None)
    assert f"{len(rows)} customers (100.0%): {told} not said: {reason}" in aside
    if fault != "the log stopped":
        kept = [name for name in ANSWERS if name not in silent]
        pd.testing.assert_frame_equal(rows[kept], plain[kept])


def test_of_one_who_pays_a_thousand_times_as_much_the_money_alone_is_not_said(scored, plain):
    rows, aside = scored(lambda sold, called: (whale(sold), called))
    mine, others = rows.loc["c001"], rows.drop(index="c001")
    assert mine["abstained"] == (
        "outside training range (spend of the last year over 3 times the most that was seen): "
        + ", ".join(name for name in ANSWERS if name in MONEY)
    )
    assert 0 < mine["churn_probability"] < 1 and mine["expected_purchases"] > 0
    assert others["abstained"].isna().all()
    # Tiers and what one could be worth go by all customers.
    kept = [name for name in ANSWERS if name not in ("potential_value", "tier", "rfm")]
    pd.testing.assert_frame_equal(others[kept], plain.drop(index="c001")[kept])
    assert "1 customer (0." in aside


def test_rows_from_the_as_of_date_on_and_the_order_of_rows_change_nothing(scored, plain):
    def later(sold: pd.DataFrame, called: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
        dear = sold.assign(paid=sold["paid"].where(sold["day"] < AS_OF, sold["paid"] * 100))
        return dear.sample(frac=1.0, random_state=3), called[called["day"] < AS_OF].iloc[::-1]

    rows, _ = scored(later)
    same = [name for name in plain.columns if name not in ("scored_at", "reasons")]
    pd.testing.assert_frame_equal(rows[same], plain[same])


def test_check_says_how_fresh_the_sources_are_and_whom_the_last_scores_leave_out(healthy, scored):
    scored(lambda sold, called: (whale(sold), called[called["day"] < EARLY]))
    found, _ = run(healthy, "check")
    fresh = {one["source"]: one for one in found["freshness"]}
    assert not fresh["transactions"]["stale"] and fresh["events"]["stale"]
    assert fresh["events"]["last_day"] == str((EARLY - pd.Timedelta(days=1)).date())
    assert found["scored"] == AS_OF
    (all_of_them,) = found["unanswered"]
    assert all_of_them["reason"] == "source stale (events)" and all_of_them["share"] == 1.0
    assert "Bring the events up to the as-of date" in all_of_them["mend"]
    shown = " ".join(CliRunner().invoke(cli.app, ["check", "-c", str(healthy)]).stdout.split())
    assert "How fresh the sources are" in shown and "stale" in shown
    assert f"What the scores of {AS_OF} do not say" in shown


@pytest.mark.parametrize("fault", ["the products are gone", "cents came for euros"])
def test_check_says_what_the_next_scores_will_not_say_before_they_are_made(healthy, fault):
    spoil, reason, _ = FAULTS[fault]
    for path, rows in zip(("sales.csv", "calls.csv"), spoil(sales(), calls()), strict=True):
        rows.to_csv(healthy.parent / path, index=False)
    found, aside = run(healthy, "check")
    (note,) = [note for note in found["notes"] if note.startswith("The next scores will not say")]
    assert reason in note and "churn_probability" in note and note in aside


def test_a_log_that_ends_before_the_rest_is_told_where_no_date_is_asked_for(healthy, scored):
    """The default as-of date follows the log, so no silence shows at it."""
    scored(lambda sold, called: (sold[sold["day"] < EARLY], called))
    last, called = (EARLY - pd.Timedelta(days=1)).date(), calls()["day"].max().date()
    told = f"The transactions end on {last}, {(called - last).days} days before the events"
    place = healthy.parent / ".regulars" / "scores"
    kept = {path: path.read_bytes() for path in place.glob("*.parquet")}
    try:
        for verb in ("check", "score"):
            found, aside = run(healthy, verb)
            (note,) = [note for note in found["notes"] if note.startswith("The transactions")]
            assert note.startswith(told) and note in aside
            assert f"61 days before the newest score table ({AS_OF})" in note
            assert f"30 days before the training of the champion ({TRAINED})" in note
            if verb == "check":
                fresh = {one["source"]: one for one in found["freshness"]}
                assert found["fresh_at"] == str(called + timedelta(days=1))
                assert fresh["transactions"]["stale"]
                assert fresh["events"]["last_day"] == str(called)
        assert found["as_of"] == str(EARLY.date()) and found["counts"]["abstained"] == 0
        _, aside = run(healthy, "score", "--as-of", str(EARLY.date()))
        assert "The transactions end" not in aside
        assert "Nothing is forecast" not in aside
        assert "these scores are no forecast" in aside
        # As of a day far behind the log nothing is said, so nobody is the likeliest to leave.
        asked = ["score", "-c", str(healthy), "--as-of", AS_OF]
        shown = " ".join(CliRunner().invoke(cli.app, asked).stdout.split())
        told = "Whom to look after first cannot be said: source stale (transactions)."
        assert told in shown and "likeliest" not in shown
        # The empty table is the newest one, and how to be rid of it is said.
        _, aside = run(healthy, "score", "--as-of", AS_OF)
        aside = " ".join(aside.split())
        assert f"Nothing is forecast of anybody as of {AS_OF}" in aside
        assert f"as_of={AS_OF}.parquet to go back to the scores of {EARLY.date()}" in aside
    finally:
        for path in place.glob("*.parquet"):
            path.unlink()
        for path, content in kept.items():
            path.write_bytes(content)


def test_a_log_that_reaches_the_rest_is_not_told(healthy, scored):
    scored(lambda sold, called: (sold, called))
    found, aside = run(healthy, "check")
    assert not found["notes"] and "Note:" not in aside
    # Of the score nothing but that its day lies 58 days after the training.
    found, aside = run(healthy, "score")
    (note,) = found["notes"]
    assert note.startswith(f"The champion was trained as of {TRAINED}, 58 days before 2024-08-28")
    assert found["trained_as_of"] == TRAINED and note in aside


def _done(as_of: str, speaker: str = "blend") -> Scored:
    day, trained = date.fromisoformat(as_of), date(2011, 12, 10)
    return Scored(day, (), pd.DataFrame(), "1", speaker, trained, {}, {})


@pytest.mark.parametrize("speaker", ["blend", "value", "logistic"])
def test_scores_of_a_day_before_the_training_are_called_no_forecast(speaker: str):
    for as_of in ("2011-09-10", "2011-12-09"):
        (said,) = doubts.of_date(_done(as_of, speaker))
        assert f"trained as of 2011-12-10 and has learned from what came after {as_of}" in said
        assert "no forecast" in said and "no test" in said
        assert f"`regulars train --as-of {as_of}`" in said
    assert not doubts.of_date(_done("2011-12-10", speaker))


def test_a_level_of_the_season_is_doubted_from_46_days_after_the_training_on():
    assert not doubts.of_date(_done("2012-01-24"))
    (said,) = doubts.of_date(_done("2012-01-25"))
    assert "46 days before 2012-01-25" in said and "level of the season" in said
    assert "`regulars train --as-of 2012-01-25`" in said
    # A model without such a level has none that could be off.
    assert not doubts.of_date(_done("2012-01-25", "value"))


def test_check_says_from_when_on_amounts_are_in_another_unit(healthy, scored):
    since = pd.Timestamp("2024-05-01")
    sold = sales()
    half = sold.assign(paid=sold["paid"].where(sold["day"] < since, sold["paid"] * 100))
    half.to_csv(healthy.parent / "sales.csv", index=False)
    found, aside = run(healthy, "check")
    (note,) = [note for note in found["notes"] if note.startswith("Amounts seem to change")]
    assert "times higher" in note and "from about 2024-0" in note and note in aside
    scored(lambda sold, called: (sold, called))


def test_the_card_says_where_the_model_is_silent(healthy):
    from training.runs import records, registry

    tracking = f"sqlite:///{healthy.parent / '.regulars' / 'mlflow.db'}"
    (version,) = registry.versions(tracking, "deli")
    card = records.read(tracking, version.run_id).card
    told = card.partition("## Where nothing is said")[2].partition("## Doubts")[0]
    for words in ("Source stale", "Column missing", "Amounts changed", "Outside training range"):
        assert f"- {words}" in told
    assert "nothing was learned from customers, subscriptions" in told
