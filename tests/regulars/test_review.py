"""Segments, equity and cohorts on the command line: answers from the store, and refusals."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from regulars import cli, exits
from serving import deployment, scores, scoring
from serving.api import group_messages, groups
from serving.api.newest import Newest
from serving.worker import Worker

SETTINGS = """\
name = "kiosk"
currency = "EUR"
timezone = "UTC"

[sources.transactions]
uri = "lines.csv"
customer_id = "who"
timestamp = "day"
amount = "paid"

[sources.customers]
uri = "people.csv"
customer_id = "who"
account = "firm"

[segments.late_key]
where = "tier = 'key' and days_since_last > 20"
description = "Call them."

[segments.everybody]
where = "frequency >= 0"
"""
THEN, NOW = date(2024, 4, 15), date(2024, 6, 15)
BOUNDED = ("expected_purchases", "expected_spend", "clv")


class Simple:
    """A model of one formula: how lately and how often."""

    horizon_days, clv_horizon_days = 90, 365

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Predicted columns, whatever the horizon."""
        assert horizon_days in (None, self.horizon_days)
        stays = (frame["frequency"] + 1) / (frame["frequency"] + 2 + frame["days_since_last"] / 30)
        given = dict.fromkeys((f"{n}_{e}" for n in BOUNDED for e in ("lower", "upper")), np.nan)
        given |= dict.fromkeys((f"churn_probability_{e}" for e in ("lower", "upper")), np.nan)
        spend = stays * frame["spend_total"] / 2
        given |= {"return_probability": stays, "churn_probability": 1 - stays, "p_alive": stays}
        given |= {"expected_purchases": 2 * stays, "expected_spend": spend, "clv": 0.8 * spend}
        return pd.DataFrame(given, index=frame.index)

    def margin_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """One margin for all."""
        return np.full(len(frame), 0.8)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log-odds by family."""
        return pd.DataFrame({"rhythm": frame["days_since_last"] / 30 - 1}, index=frame.index)


def run(config: Path, verb: str, *arguments: str, code: int = exits.DONE) -> Any:
    result = CliRunner().invoke(cli.app, [verb, "-c", str(config), *arguments])
    assert result.exit_code == code, result.output
    return result


def figures(config: Path, verb: str, *arguments: str) -> Any:
    return json.loads(run(config, verb, *arguments, "--json").stdout)


@pytest.fixture(scope="module")
def kiosk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Half a year of a made-up kiosk's 80 customers, scored at two dates by a simple model."""
    folder = tmp_path_factory.mktemp("kiosk")
    random = np.random.default_rng(5)
    rows = []
    for number in range(80):
        day, pace = random.integers(0, 120), random.integers(3, 40)
        for visit in np.arange(day, random.integers(day + 1, 170), pace):
            paid = random.gamma(3.0, 4.0 + number) + 1.0
            rows.append(f"c{number:02},{date(2024, 1, 1) + timedelta(days=int(visit))},{paid:.2f}")
    (folder / "lines.csv").write_text("\n".join(["who,day,paid", *rows, ""]))
    firms = [f"c{number:02},{'' if number % 4 else f'firm {number % 3}'}" for number in range(80)]
    (folder / "people.csv").write_text("\n".join(["who,firm", *firms, ""]))
    config = folder / "regulars.toml"
    config.write_text(SETTINGS)
    for day in (THEN, NOW):
        _score(config, day)
    return config


def _score(config: Path, day: date) -> None:
    built = figures(config, "build", "--as-of", str(day))
    when = datetime(2024, 7, 1, tzinfo=UTC)
    frame, thresholds = scoring.score(
        pq.read_table(built["path"], partitioning=None).to_pandas(),
        Simple(),
        thresholds=None,
        as_of=day,
        model_version="1",
        scored_at=when,
    )
    meta = scores.Meta("kiosk", "EUR", "UTC", day, 90, 365, "1", None, "s", {}, when, thresholds)
    scores.write(frame, meta, config.parent / ".regulars" / "scores" / f"as_of={day}.parquet")


def stored(config: Path, day: date) -> pd.DataFrame:
    return scores.read(config.parent / ".regulars" / "scores" / f"as_of={day}.parquet")


def test_segments_are_those_of_the_last_score_table(kiosk: Path):
    frame, found = stored(kiosk, NOW), figures(kiosk, "segments")
    assert found["as_of"] == str(NOW)
    for kind in ("tiers", "stages", "named"):
        assert sum(group["customers"] for group in found[kind]) == len(frame)
    own = {group["name"]: group for group in found["rules"]}
    assert own["everybody"]["customers"] == len(frame)
    assert own["everybody"]["equity_share"] == 1.0
    assert 0 < own["late_key"]["customers"] < len(frame)


def test_the_customers_of_a_segment_go_into_a_file(kiosk: Path, tmp_path: Path):
    out = tmp_path / "late.parquet"
    told = figures(kiosk, "segments", "--name", "late_key", "--out", str(out))
    rows = scores.read(out)
    assert told["customers"] == len(rows) > 0
    assert set(rows["tier"]) == {"key"}
    since = {row["customer_id"]: row for row in stored(kiosk, NOW).to_dict("records")}
    assert all(
        since[one]["clv"] == clv for one, clv in zip(rows.customer_id, rows.clv, strict=True)
    )
    named = figures(kiosk, "segments", "--name", "champions", "--out", str(tmp_path / "c.csv"))
    champions = stored(kiosk, NOW)["rfm"].str.match("5-[45]")
    assert named["customers"] == champions.sum() == len(pd.read_csv(tmp_path / "c.csv"))


def test_equity_and_its_movement_add_up(kiosk: Path):
    then, now, found = stored(kiosk, THEN), stored(kiosk, NOW), figures(kiosk, "equity")
    assert found["since"]["as_of"] == str(THEN)
    total = float(now["clv"].sum())
    assert sum(group["equity"] for group in found["tiers"]) == pytest.approx(total)
    moved = found["since"]["movement"]
    assert moved["before"] == pytest.approx(float(then["clv"].sum()), abs=1e-3)
    assert moved["now"] == pytest.approx(total, abs=1e-3)
    assert sum(p["change"] for p in moved["parts"]) == pytest.approx(moved["change"])
    assert sum(gain["gain"] for gain in found["gains"]) > 0
    assert {"won", "grew", "shrank"} <= {part["kind"] for part in moved["parts"]}


@pytest.fixture
def valueless(kiosk: Path) -> Iterator[Path]:
    """The kiosk with a newest score table that says nothing of money."""
    path = kiosk.parent / ".regulars" / "scores" / f"as_of={NOW}.parquet"
    kept, frame = path.read_bytes(), scores.read(path)
    unsaid = {name: pd.array([None] * len(frame), "Float64") for name in ("clv", "expected_spend")}
    why = "amounts changed (amount): expected_spend, clv"
    scores.write(frame.assign(**unsaid, abstained=why), scores.read_meta(path), path)
    yield kiosk
    path.write_bytes(kept)


def test_a_value_that_is_not_said_is_no_zero(valueless: Path):
    then, found = stored(valueless, THEN), figures(valueless, "equity")
    for kind in ("tiers", "stages"):
        for group in found[kind]:
            told = (group["equity"], group["equity_share"], group["expected_spend"])
            assert told == (None, None, None)
            assert group["churn_probability"] is not None
    assert {(one["equity"], one["gain"], one["elasticity"]) for one in found["gains"]} == {
        (None, None, None)
    }
    moved = found["since"]["movement"]
    assert moved["before"] == pytest.approx(float(then["clv"].sum()), abs=1e-3)
    assert (moved["now"], moved["change"]) == (None, None)
    unsaid = next(part for part in moved["parts"] if part["kind"] == "unsaid")
    assert unsaid["before"] > 0 and (unsaid["now"], unsaid["change"]) == (None, None)
    for flow in found["since"]["stages"]:
        assert flow["clv_now"] == (0.0 if flow["now"] == "(gone)" else None)
    for group in figures(valueless, "segments")["rules"]:
        assert group["equity"] is None
    assert "0.00" not in run(valueless, "segments").stdout
    assert found["total"] == {"equity": None, "lower": None, "upper": None}
    told = groups.equity(worker(valueless), ["admin"], [])
    assert json.loads(json.dumps(told["since"], default=str)) == found["since"]
    group_messages.EquityAnswer.model_validate(told, extra="forbid")


def test_the_page_of_the_segments_shows_a_value_that_is_not_said_as_a_dash(valueless: Path):
    from serving.workbench import groups as page

    shop = worker(valueless)
    shown = page.content(shop, shop.need_desk(), ["admin"])
    assert shown["gained"] == {"customers": 80, "equity": None, "gain": None}


def test_one_value_that_is_not_said_leaves_the_parts_adding_up(kiosk: Path):
    path = kiosk.parent / ".regulars" / "scores" / f"as_of={NOW}.parquet"
    kept, frame = path.read_bytes(), scores.read(path)
    try:
        others = frame.index != frame["clv"].idxmax()
        clv = frame["clv"].astype("Float64").where(others, None)
        why = frame["abstained"].where(others, "outside training range (spend): clv")
        scores.write(frame.assign(clv=clv, abstained=why), scores.read_meta(path), path)
        moved = figures(kiosk, "equity")["since"]["movement"]
    finally:
        path.write_bytes(kept)
    assert moved["change"] == pytest.approx(moved["now"] - moved["before"])
    assert sum(part["change"] or 0 for part in moved["parts"]) == pytest.approx(moved["change"])
    assert next(part for part in moved["parts"] if part["kind"] == "unsaid")["now"] is None


def test_the_first_score_table_has_nothing_to_be_compared_with(kiosk: Path):
    assert figures(kiosk, "equity", "--as-of", str(THEN))["since"] is None


def test_no_raise_of_retention_is_worth_nothing(kiosk: Path):
    gains = figures(kiosk, "equity", "--retention", "0")["gains"]
    assert [gain["gain"] for gain in gains] == pytest.approx([0.0] * len(gains), abs=1e-6)


def test_people_read_the_same(kiosk: Path):
    shown = run(kiosk, "equity").stdout
    assert f"Customer equity as of {NOW}, by tier" in shown
    assert f"How the equity moved since {THEN}" in shown
    assert "late_key" in run(kiosk, "segments").stdout
    assert "2024-06" in run(kiosk, "cohorts").stdout


def worker(config: Path) -> Worker:
    """A service's worker over the same store, without a model."""
    found = deployment.resolve({"REGULARS_CONFIG": str(config), "REGULARS_SCORER": "none"})
    assert found.store is not None
    return Worker(found, None, Newest(found.store), clock=lambda: datetime(2024, 7, 1, tzinfo=UTC))


@pytest.fixture
def ranged(kiosk: Path) -> Iterator[dict[str, float]]:
    """The newest score table as a scoring leaves it whose model knows how far totals miss."""
    path = kiosk.parent / ".regulars" / "scores" / f"as_of={NOW}.parquet"
    kept, frame, meta = path.read_bytes(), scores.read(path), scores.read_meta(path)
    total = float(frame["clv"].sum())
    told = {"sum": total, "lower": 0.8 * total, "upper": 1.25 * total}
    scores.write(frame, replace(meta, counts={"expected": {"clv": told}}), path)
    yield told
    path.write_bytes(kept)


def test_equity_has_its_interval_in_print_in_answers_and_on_the_page(
    kiosk: Path, ranged: dict[str, float]
):
    from serving.workbench import groups as page

    printed = figures(kiosk, "equity")["total"]
    expected = {"equity": ranged["sum"], "lower": ranged["lower"], "upper": ranged["upper"]}
    assert printed == pytest.approx(expected)
    between = f"(80 %: {ranged['lower']:,.0f} to {ranged['upper']:,.0f})"
    assert f"{ranged['sum']:,.0f} EUR {between}." in run(kiosk, "equity").stdout
    shop = worker(kiosk)
    assert groups.equity(shop, ["value"], [])["total"] == printed
    shown = page.content(shop, shop.need_desk(), ["value"])["whole"]
    assert (shown.equity, shown.lower, shown.upper) == tuple(printed.values())


def test_equity_of_a_table_without_an_interval_is_a_sum(kiosk: Path):
    total = figures(kiosk, "equity")["total"]
    assert total["equity"] == pytest.approx(float(stored(kiosk, NOW)["clv"].sum()))
    assert (total["lower"], total["upper"]) == (None, None)
    assert "80 %" not in run(kiosk, "equity").stdout


@pytest.mark.parity
def test_the_service_answers_with_the_segments_of_the_command_line(kiosk: Path):
    printed, told = figures(kiosk, "segments"), groups.segments(worker(kiosk), ["admin"])
    for kind in ("tiers", "stages", "named"):
        assert told[kind] == printed[kind]
    own = [{name: one[name] for name in printed["rules"][0]} for one in told["rules"]]
    assert own == printed["rules"]
    assert told["rules"][0]["where"] == "tier = 'key' and days_since_last > 20"
    assert told["notes"] == []
    group_messages.SegmentsAnswer.model_validate(told, extra="forbid")


@pytest.mark.parity
@pytest.mark.parametrize("retention", ["0.05", "0.2"])
def test_the_service_answers_with_the_equity_of_the_command_line(kiosk: Path, retention: str):
    printed = figures(kiosk, "equity", "--retention", retention)
    told = groups.equity(worker(kiosk), ["admin"], [("retention", retention)])
    for part in ("total", "tiers", "stages", "raised", "gains"):
        assert json.loads(json.dumps(told[part])) == printed[part]
    assert json.loads(json.dumps(told["since"], default=str)) == printed["since"]
    group_messages.EquityAnswer.model_validate(told, extra="forbid")


def test_a_key_is_told_nothing_of_the_other_scope_by_groups(kiosk: Path):
    shop = worker(kiosk)
    risk, value = (groups.segments(shop, [scope]) for scope in ("risk", "value"))
    assert risk["tiers"] == []
    assert {one["equity"] for one in risk["stages"]} == {None}
    assert {one["churn_probability"] for one in value["stages"] + value["tiers"]} == {None}
    # One of the two names the tier, the other a number of purchases.
    assert [one["name"] for one in risk["rules"]] == ["everybody"]
    assert [one["name"] for one in value["rules"]] == ["late_key", "everybody"]
    assert groups.equity(shop, ["value"], [])["since"]["rises"] == []


def test_segments_of_the_settings_without_their_behaviour_are_told_to_be_missing(
    kiosk: Path, tmp_path: Path
):
    file = kiosk.parent / ".regulars" / "behaviour" / f"as_of={NOW}.parquet"
    moved = file.rename(tmp_path / "kept.parquet")
    try:
        told = groups.segments(worker(kiosk), ["admin"])
        assert told["rules"] == []
        assert "got no behaviour table" in told["notes"][0]
        assert sum(one["customers"] for one in told["stages"]) == len(stored(kiosk, NOW))
    finally:
        moved.rename(file)


def test_a_score_table_that_is_written_again_is_worked_out_again(kiosk: Path, tmp_path: Path):
    path = kiosk.parent / ".regulars" / "scores" / f"as_of={NOW}.parquet"
    before, kept = groups.segments(worker(kiosk), ["admin"]), path.read_bytes()
    try:
        frame = scores.read(path).head(7).reset_index(drop=True)
        scores.write(frame, scores.read_meta(path), path)
        after = groups.segments(worker(kiosk), ["admin"])
    finally:
        path.write_bytes(kept)
    assert sum(one["customers"] for one in before["tiers"]) == 80
    assert sum(one["customers"] for one in after["tiers"]) == 7


def test_cohorts_hold_every_buyer(kiosk: Path):
    found = figures(kiosk, "cohorts")
    assert sum(cohort["active"][0] for cohort in found["cohorts"]) == len(stored(kiosk, NOW))
    assert found["average"][0] == 1.0
    # June is not over on the fifteenth.
    assert found["cohorts"][0]["finished"] == len(found["cohorts"][0]["active"]) - 1


def test_accounts_hold_the_worth_of_their_customers(kiosk: Path, tmp_path: Path):
    out = tmp_path / "accounts.csv"
    found, frame = figures(kiosk, "accounts", "--out", str(out)), stored(kiosk, NOW)
    rows = pd.read_csv(out)
    assert found["accounts"] == len(rows)
    assert rows["customers"].sum() == len(frame)
    assert rows["clv"].sum() == pytest.approx(float(frame["clv"].sum()), abs=1e-3)
    number = frame["customer_id"].str[1:].astype(int)
    firm = frame[(number % 4 == 0) & (number % 3 == 1)]
    told = rows.set_index("account").loc["firm 1"]
    assert told["churn_probability"] == pytest.approx(float(firm["churn_probability"].prod()))
    assert "firm 1" in run(kiosk, "accounts").stdout
    at_risk = [row["clv_at_risk"] for row in found["at_risk"]]
    assert at_risk == sorted(at_risk, reverse=True)


def test_without_the_column_of_the_account_there_is_no_roll_up(config: Path):
    assert "names no account" in run(config, "accounts", code=exits.WRONG_USE).stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("segments", "--as-of", "2024-05-01"), exits.REFUSED, "no score table of 2024-05-01"),
        (("equity", "--since", "2024-06-15"), exits.REFUSED, "expected an earlier date"),
        (("equity", "--since", "2024-01-01"), exits.REFUSED, f"there are {THEN}, {NOW}"),
        (("segments", "--name", "x", "--out", "x.csv"), exits.WRONG_USE, "expected one of late_"),
        (("segments", "--name", "everybody"), exits.WRONG_USE, "go together"),
    ],
)
def test_what_is_not_there_is_refused(kiosk: Path, arguments: tuple, code: int, said: str):
    result = run(kiosk, *arguments, code=code)
    assert said in " ".join(result.stderr.split())


def test_without_scores_the_verb_to_make_them_is_named(config: Path):
    assert "`regulars score` makes one" in run(config, "segments", code=exits.REFUSED).stderr


def test_behaviour_that_is_gone_is_named(kiosk: Path, tmp_path: Path):
    file = kiosk.parent / ".regulars" / "behaviour" / f"as_of={THEN}.parquet"
    moved = file.rename(tmp_path / "kept.parquet")
    try:
        result = run(kiosk, "segments", "--as-of", str(THEN), code=exits.REFUSED)
        assert "got no behaviour table" in result.stderr
    finally:
        moved.rename(file)


def test_without_events_nothing_is_said_of_satisfaction(kiosk: Path):
    assert figures(kiosk, "satisfaction") == {"as_of": str(NOW), "satisfaction": None}
    assert "[sources.events]" in run(kiosk, "satisfaction").stderr


@pytest.fixture
def complaints(kiosk: Path) -> Iterator[int]:
    """The kiosk's last behaviour table as if every fourth customer had an open complaint."""
    path = kiosk.parent / ".regulars" / "behaviour" / f"as_of={NOW}.parquet"
    old = path.read_bytes()
    table = pq.read_table(path, partitioning=None)
    rows = len(table)
    for name in ("complaints_total", "complaints_open", "complaints_90"):
        place, values = table.column_names.index(name), [int(n % 4 == 0) for n in range(rows)]
        kind = table.schema.field(name).type
        table = table.set_column(place, name, pa.array(values, kind))
    pq.write_table(table, path)
    yield len(range(0, rows, 4))
    path.write_bytes(old)


def test_satisfaction_counts_every_customer_once(kiosk: Path, complaints: int):
    told = figures(kiosk, "satisfaction")["satisfaction"]
    assert told["open"] == complaints
    assert sum(one["customers"] or 0 for one in told["fields"]) == len(stored(kiosk, NOW))
    # Nobody gave a mark: that nobody is satisfied is not known.
    known = {one["mood"] for one in told["fields"] if one["customers"] is not None}
    assert known == {"unhappy", "silent"}
    unhappy = sum(one["customers"] for one in told["fields"] if one["mood"] == "unhappy")
    assert unhappy == complaints
    shown = run(kiosk, "satisfaction").stdout
    assert f"Satisfaction and loyalty as of {NOW}" in shown
    assert f"Open complaints: {complaints} customers" in shown
