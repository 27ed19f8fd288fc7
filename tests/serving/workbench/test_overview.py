"""The first page where little is said: no purchases on record, nobody at all, another version."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from starlette.requests import Request

from serving import desk, scores
from serving.deployment import Deployment, Names
from serving.workbench import customers, overview, pages
from serving.worker import Worker

AS_OF = date(2024, 7, 1)
EVERYTHING = ("risk", "value", "admin")


class LabelScorer:
    """A model of a label: it says who leaves and nothing that rests on purchases."""

    horizon_days = 90
    clv_horizon_days = 365

    def predict(self, frame: pd.DataFrame, _: int | None = None) -> pd.DataFrame:
        """Probabilities, and null for the rest."""
        told = pd.DataFrame(np.nan, index=frame.index, columns=["p_alive", "clv"])
        told["churn_probability"] = np.linspace(0.1, 0.9, len(frame))
        told["return_probability"] = 1 - told["churn_probability"]
        for end in ("_lower", "_upper"):
            told[f"churn_probability{end}"] = np.nan
        for name in ("expected_purchases", "expected_spend", "clv"):
            for end in ("", "_lower", "_upper"):
                told[f"{name}{end}"] = np.nan
        return told

    def margin_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """One margin for all."""
        return np.full(len(frame), 0.3)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One family."""
        return pd.DataFrame({"attributes": 0.5}, index=frame.index)


def request(query: str = "") -> Request:
    return Request({"type": "http", "path": "/", "query_string": query.encode(), "headers": []})


def worker(
    model_version: str = "7", *, scorer: object = SimpleNamespace(), today: date = date(2024, 7, 3)
) -> Worker:
    found = Deployment(Names("shop", "EUR", "UTC"), None, None, model_version)
    now = datetime(today.year, today.month, today.day, tzinfo=UTC)
    return Worker(found, scorer, None, clock=lambda: now)


def shown(
    table: desk.Desk,
    *,
    by: Worker | None = None,
    scopes: tuple[str, ...] = EVERYTHING,
) -> str:
    content = overview.content(by or worker(), table, scopes)
    return bytes(pages.render("overview.html", request(), **content).body).decode()


def listed(table: desk.Desk, query: str = "") -> str:
    content = customers.content(worker(), table, request(query), EVERYTHING)
    return bytes(pages.render("customers.html", request(query), **content).body).decode()


@pytest.fixture
def labelled(people, scored, score_file, tmp_path):
    """Twelve customers without a purchase on record."""
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path)
    rows = people(12)
    numbers = [name for name in rows.columns if name not in ("customer_id", "as_of")]
    frame, _ = scored(rows.assign(**dict.fromkeys(numbers, np.nan)), scorer=LabelScorer())
    scores.write(frame, scores.read_meta(path), path)
    return desk.load(path)


def test_a_table_without_purchases_lists_everybody_by_risk(labelled):
    page = shown(labelled)
    assert "12 customers" in page
    assert "c000011" in page
    assert page.index("c000011") < page.index("c000002")
    assert "c000001" not in page  # the first ten
    assert "Stages and tiers" not in page
    assert "not lapsed yet" not in page
    assert "more likely than not" not in page
    assert "€0" not in page
    assert "lifetime value, highest first" not in listed(labelled)


def test_an_empty_table_is_a_page(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path)
    meta = scores.read_meta(path)
    scores.write(scores.to_frame(scores.SCHEMA.empty_table()), meta, path)
    empty = desk.load(path)
    assert "0 customers" in shown(empty)
    assert "Nobody is in this score table" in shown(empty)
    assert "No customer fits" in listed(empty)


@pytest.fixture
def usual(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    score_file(path, customers=60)
    return desk.load(path)


def test_totals_are_told_with_the_error_of_whole_windows(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    frame = score_file(path, customers=60)
    told = {"expected_spend": {"sum": 5e3, "lower": 4123.0, "upper": 6234.0}}
    meta = scores.read_meta(path)
    scores.write(frame, replace(meta, counts={**meta.counts, "expected": told}), path)
    page = shown(desk.load(path))
    assert "80 %: €4,123 to €6,234" in page
    assert "80 %" not in shown(desk.load(path), scopes=("risk",))


def test_scores_of_another_version_than_the_model_are_told(usual):
    assert "of model version 7" not in shown(usual)
    assert "of model version 7; this service runs version 8" in shown(usual, by=worker("8"))


def test_a_service_without_a_model_says_so(usual):
    assert "There is no model in this service" in shown(usual, by=worker(scorer=None))


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (date(2024, 6, 30), "dated in the future"),
        (AS_OF, "today"),
        (date(2024, 7, 2), "1 day old"),
    ],
)
def test_the_age_of_the_scores_is_told_as_it_is(usual, today, told):
    page = shown(usual, by=worker(today=today))
    ages = re.findall(r"<dt>Age</dt><dd>(?:<strong[^>]*>)?([^<]+)<", page)
    assert ages == [told]


def test_where_nobody_will_rather_leave_everybody_is_listed(score_file, tmp_path):
    path = tmp_path / "as_of=2024-07-01.parquet"
    frame = score_file(path, customers=60)
    assert (frame["stage"] == "at_risk").any()
    calm = frame.assign(churn_probability=0.49, return_probability=0.51)
    scores.write(calm, scores.read_meta(path), path)
    page = shown(desk.load(path))
    assert "60 customers" in page
    assert "more likely than not" not in page


def test_other_bounds_of_the_risk_stand_in_the_heading(usual):
    page = listed(usual, "stage=at_risk&min_churn_probability=0.75")
    assert re.search(r"<h2>\d+ customers? · at risk · leaving with 75 % or more</h2>", page)
    assert "more likely than not" not in page


def test_the_card_tells_how_many_can_still_be_kept(usual):
    page = shown(usual)
    assert usual.totals.keepable < usual.totals.churners
    assert f"<b>{usual.totals.keepable:,.0f} of them</b> not lapsed yet" in page


def test_a_filter_that_fits_nobody_is_told(usual):
    assert "No customer fits" in listed(usual, "min_clv=1e12")


def test_a_page_of_many_keeps_its_size_in_the_links(usual):
    page = listed(usual, "sort=customer_id&page_size=10&page=2")
    assert "11 to 20 of 60" in page
    assert "?sort=customer_id&amp;page_size=10&amp;page=3" in page
    assert "?sort=customer_id&amp;page_size=10&amp;page=1" in page


def test_before_anything_is_scored_the_page_tells_what_to_run():
    for trained in (False, True):
        told = pages.render(
            "empty.html", request(), worker=SimpleNamespace(newest=object()), trained=trained
        )
        page = bytes(told.body).decode()
        assert "regulars score -c regulars.toml" in page
        assert ("regulars train" in page) is not trained
