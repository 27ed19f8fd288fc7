"""The first list: the same from a frame, from the score table and from an address."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from serving import desk, questions, scores
from serving.api import answers, parameters
from serving.api.messages import CustomersRequest
from serving.groups import watchlist
from serving.scores import SCHEMA


@pytest.fixture(scope="module")
def frame_and_desk(score_file, tmp_path_factory):
    path = tmp_path_factory.mktemp("store") / "as_of=2024-07-01.parquet"
    frame = score_file(path, customers=2000)
    return frame, desk.load(path)


@pytest.mark.parity
@pytest.mark.parametrize("number", [1, 10, 5000])
def test_a_frame_gives_the_rows_that_the_score_table_gives(frame_and_desk, number):
    frame, table = frame_and_desk
    query = answers.query(watchlist.chosen(), ["-clv"], questions.columns(["admin"]))
    rows, total = table.page(query, SCHEMA.names, page=1, size=number)
    found = watchlist.top(frame.sample(frac=1.0, random_state=2), number)
    assert 10 < total < 2000
    assert found.rows == rows
    assert found.heading == watchlist.HEADING


def test_who_is_on_it_is_late_and_will_rather_leave(frame_and_desk):
    frame, _ = frame_and_desk
    listed = {row["customer_id"] for row in watchlist.top(frame, len(frame)).rows}
    late = frame["stage"].eq("at_risk")
    assert listed == set(frame.loc[late & (frame["churn_probability"] >= 0.5), "customer_id"])
    assert listed < set(frame.loc[late, "customer_id"])


def test_an_even_chance_is_on_it_and_nobody_without_a_number(frame_and_desk):
    frame, _ = frame_and_desk
    late = frame[frame["stage"].eq("at_risk")].head(3).reset_index(drop=True)
    chances = pd.array([0.5, np.nextafter(0.5, 0), None], dtype=frame["churn_probability"].dtype)
    changed = late.assign(churn_probability=chances)
    assert [row["customer_id"] for row in watchlist.top(changed, 9).rows] == [
        late.loc[0, "customer_id"]
    ]


@pytest.mark.parametrize("staged", [True, False])
def test_where_no_chance_is_said_nobody_is_listed_and_the_heading_says_so(frame_and_desk, staged):
    frame, _ = frame_and_desk
    names = ("churn_probability",) if staged else ("churn_probability", "stage")
    nothing = {name: pd.array([None] * len(frame), frame[name].dtype) for name in names}
    found = watchlist.top(frame.assign(**nothing), 5)
    assert (found.heading, found.rows) == (watchlist.UNSAID, [])


def test_without_stages_the_likeliest_come_first(frame_and_desk):
    frame, _ = frame_and_desk
    none = pd.array([None] * len(frame), dtype=frame["stage"].dtype)
    found = watchlist.top(frame.assign(stage=none), 5)
    chances = [row["churn_probability"] for row in found.rows]
    assert chances == sorted(frame["churn_probability"], reverse=True)[:5]
    assert found.heading == watchlist.BY_RISK
    one = frame.head(3).assign(stage=none[:3]).reset_index(drop=True)
    chances = pd.array([None, 0.2, None], dtype=frame["churn_probability"].dtype)
    rows = watchlist.top(one.assign(churn_probability=chances), 5).rows
    assert [row["customer_id"] for row in rows] == [one.loc[1, "customer_id"]]


def test_a_table_of_nobody_lists_nobody():
    assert watchlist.top(scores.to_frame(SCHEMA.empty_table()), 10).rows == []


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("stage=at_risk&min_churn_probability=0.5&sort=-clv", watchlist.HEADING),
        ("stage=at_risk&min_churn_probability=0.5&sort=-clv&page=3", watchlist.HEADING),
        (
            "stage=at_risk&min_churn_probability=0.5&sort=-churn_probability",
            "At risk and more likely than not to leave, the likeliest first",
        ),
        (
            "stage=at_risk&min_churn_probability=0.5&sort=customer_id",
            "At risk and more likely than not to leave",
        ),
        ("stage=at_risk&sort=-clv", None),
        ("stage=at_risk&min_churn_probability=0.75&sort=-clv", None),
        ("stage=at_risk&min_churn_probability=0.5&tier=key&sort=-clv", None),
        ("sort=-clv", None),
    ],
)
def test_the_heading_is_said_of_this_list_only(address, told):
    pairs = [tuple(pair.split("=", 1)) for pair in address.split("&")]
    assert watchlist.heading(parameters.read(pairs)) == told


def test_it_is_a_filter_that_the_api_takes():
    asked = CustomersRequest(filter=watchlist.chosen(), sort=["-clv"])
    assert CustomersRequest.model_validate_json(asked.model_dump_json()) == asked
