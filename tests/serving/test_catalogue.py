"""The words about the columns: all there, in one place, and true of real score rows."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from serving import catalogue, scores
from serving.api import documentation, messages
from serving.catalogue import COLUMNS
from serving.contract import ALWAYS
from serving.groups import subscribers
from serving.scores import SCHEMA


@pytest.fixture(scope="module")
def table(people, scored) -> pa.Table:
    """Score rows of 400 customers, a few of whom never bought."""
    frame = people(400, seed=5)
    numbers = [name for name in frame if name not in ("customer_id", "as_of")]
    frame.loc[:9, numbers] = float("nan")
    return scores.to_table(scored(frame)[0])


def test_every_column_is_described_in_the_order_of_the_table():
    assert [column.name for column in COLUMNS] == SCHEMA.names
    assert [item.name for item in scores.REASON] == list(catalogue.REASON)


def test_numbers_lie_in_the_range_that_is_told(table):
    for column in COLUMNS:
        values = pc.drop_null(table[column.name])
        for bound, outside in ((column.low, pc.less), (column.high, pc.greater)):
            if bound is not None:
                assert not pc.any(outside(values, bound)).as_py(), column.name


LOSSES = ("clv", "clv_lower", "clv_upper", "margin_rate", "potential_value")


def test_every_number_has_a_unit_and_a_range():
    for column in COLUMNS:
        kind = SCHEMA.field(column.name).type
        number = pa.types.is_floating(kind) or pa.types.is_integer(kind)
        assert bool(column.unit) == number, column.name
        # Of who is sold to at a loss there is no least value.
        bounded = number and column.name not in LOSSES
        assert (column.low is not None) == bounded, column.name


def test_never_null_is_what_the_contract_holds(table):
    never = {column.name for column in COLUMNS if not column.null}
    assert never == set(ALWAYS)
    assert {name for name in SCHEMA.names if table[name].null_count} <= set(SCHEMA.names) - never


def test_what_is_null_without_a_purchase_says_so(table):
    """Of the ten who never bought: no stage, no value. The made model knows no risk of them."""
    silent = table.filter(pc.is_valid(table["abstained"]))
    assert len(silent) == 10
    modelled = ("churn_probability", "return_probability")
    for column in (column for column in COLUMNS if column.name not in modelled):
        told = "without a purchase" in column.null or "where `clv` is null" in column.null
        # Of everyone null where nobody subscribes.
        ends = column.name.endswith(("_lower", "_upper")) or column.name in subscribers.COLUMNS
        assert (silent[column.name].null_count == 10) == (told or ends), column.name


def test_words_that_are_told_are_those_that_are_given(table):
    for column in COLUMNS:
        given = set(pc.drop_null(table[column.name]).unique().to_pylist()) if column.words else ()
        assert set(given) <= set(column.words)
        assert all(f"`{word}`" in column.meaning for word in column.words)


def test_openapi_describes_each_column_in_the_same_words():
    schemas = documentation.document()["components"]["schemas"]
    for answer in ("RiskItem", "ValueItem", "Row", "ScoreItem"):
        for name, told in schemas[answer]["properties"].items():
            if name in SCHEMA.names:
                column = catalogue.column(name)
                assert told["description"] in (column.sentence, column.meaning), (answer, name)
    assert set(SCHEMA.names) <= set(schemas["Row"]["properties"])
    reason = schemas["Reason"]["properties"]
    assert {name: told["description"] for name, told in reason.items()} == dict(catalogue.REASON)


def test_nothing_in_an_answer_is_without_a_description():
    for model in (messages.Row, messages.Meta, messages.Reason):
        bare = [name for name, field in model.model_fields.items() if not field.description]
        assert [name for name in bare if name != "grades"] == []
