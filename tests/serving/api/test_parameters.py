"""Filters in an address: read strictly, written back the same."""

from __future__ import annotations

import pytest

from serving.api import parameters
from serving.api.failures import Failure


def test_every_part_is_read():
    given = [
        ("stage", "at_risk"),
        ("stage", "lapsed"),
        ("tier", "key"),
        ("min_clv", "10.5"),
        ("max_churn_probability", "0.9"),
        ("sort", "-clv"),
        ("sort", "customer_id"),
        ("page", "3"),
        ("page_size", "100"),
    ]
    asked = parameters.read(given)
    assert asked.filter.stage == ["at_risk", "lapsed"]
    assert asked.filter.tier == ["key"]
    assert asked.filter.at_least == {"clv": 10.5}
    assert asked.filter.at_most == {"churn_probability": 0.9}
    assert asked.sort == ["-clv", "customer_id"]
    assert (asked.page, asked.page_size) == (3, 100)


def test_written_back_it_is_read_the_same():
    given = [("stage", "new"), ("tier", "core"), ("min_clv", "0.25"), ("max_clv", "9")]
    asked = parameters.read([*given, ("sort", "-clv")])
    assert parameters.read(parameters.pairs(asked)) == asked


def test_an_empty_value_is_no_value():
    asked = parameters.read([("stage", ""), ("min_clv", " "), ("sort", "")], sort=["tier"])
    assert asked.filter.stage == []
    assert asked.filter.at_least == {}
    assert asked.sort == ["tier"]


@pytest.mark.parametrize(
    "pair",
    [
        ("customer_id", "C-17"),
        ("customer_id_starts_with", "C"),
        ("min_customer_id", "1"),
        ("min_rfm", "1"),
        ("stage", "gone"),
        ("tier", "gold"),
        ("min_clv", "much"),
        ("min_clv", "nan"),
        ("page", "0"),
        ("page", "1.5"),
        ("page_size", "501"),
        ("colour", "red"),
    ],
)
def test_what_cannot_be_is_refused_without_being_repeated(pair):
    with pytest.raises(Failure) as caught:
        parameters.read([pair])
    assert caught.value.status == 400
    assert "C-17" not in str(caught.value.content())
