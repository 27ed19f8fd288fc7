"""The contract of customers: unique ids, typed attributes, labels that say yes or no."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.catalogue import names
from features.compat import arrow
from features.contracts.contract import DUPLICATE, NO_CUSTOMER, UNREADABLE_LABEL
from features.errors import InputError
from features.inputs import Inputs
from features.intake import read
from features.settings import Sources
from features.table import behaviour
from tests.features.reading import NOW


def _customers(content: str | pa.Table, folder: Path, **given: Any) -> Inputs:
    path = folder / ("customers.csv" if isinstance(content, str) else "customers.parquet")
    if isinstance(content, str):
        path.write_text(content)
    else:
        pq.write_table(content, path)
    source = {"uri": str(path), "customer_id": "id", **given}
    sources = Sources.model_validate({"customers": source})
    inputs = read(sources, timezone="UTC", now=NOW, rejects=folder / "rejects")
    (report,) = inputs.reports
    assert report.accepted + sum(report.rejected.values()) == report.read
    return inputs


def _by_id(inputs: Inputs) -> dict[str, dict[str, Any]]:
    return {row.pop("customer_id"): row for row in arrow(inputs.customers).to_pylist()}


def test_text_that_is_wholly_numbers_becomes_numbers(tmp_path: Path) -> None:
    text = "id,age,mixed,empty,city\na,30,1,,Ulm\nb, ,x,,\nc,41.5,3,,Bonn\n"
    inputs = _customers(text, tmp_path, attributes=["age", "mixed", "empty", "city"])
    kinds = {name: str(kind) for name, kind in inputs.customers.schema().items()}
    assert kinds == {
        "customer_id": "string",
        "attribute_age": "float64",
        "attribute_mixed": "string",
        "attribute_empty": "string",
        "attribute_city": "string",
        "churned": "boolean",
    }
    found = _by_id(inputs)
    assert [found[c]["attribute_age"] for c in "abc"] == [30.0, None, 41.5]
    assert [found[c]["attribute_city"] for c in "abc"] == ["Ulm", None, "Bonn"]
    assert [found[c]["churned"] for c in "abc"] == [None, None, None]


def test_who_may_be_contacted_is_read_beside_the_attributes(tmp_path: Path) -> None:
    text = "id,age,mail,never\na,30,yes,0\nb,40,no,1\n"
    inputs = _customers(text, tmp_path, attributes=["age"], permissions=["mail", "never"])
    found = _by_id(inputs)
    assert [found[c]["permission_mail"] for c in "ab"] == ["yes", "no"]
    assert [found[c]["permission_never"] for c in "ab"] == [0.0, 1.0]
    table = behaviour(inputs, date(2024, 1, 1), horizon_days=30, population="customers")
    assert [name for name in table.columns if name not in names()] == [
        *("customer_id", "as_of", "attribute_age"),
    ]


def test_typed_attributes_keep_their_kind_and_lose_what_is_not_finite(tmp_path: Path) -> None:
    rows = pa.table(
        {"id": [1, 2], "Spend €": [1.5, float("nan")], "vip": [True, False], "n": [1, None]}
    )
    found = _by_id(_customers(rows, tmp_path, attributes=["Spend €", "vip", "n"]))
    assert [found[c]["attribute_Spend €"] for c in "12"] == [1.5, None]
    assert [found[c]["attribute_vip"] for c in "12"] == ["true", "false"]
    assert [found[c]["attribute_n"] for c in "12"] == [1.0, None]


COMMAS = 'id,spend,mixed,point\na,"1.234,50","1,5",1.5\nb,,x,2.5\nc,12,"2,5",3\n'


def test_attributes_with_a_decimal_comma_are_numbers_when_it_is_set(tmp_path: Path) -> None:
    names = ["spend", "mixed", "point"]
    inputs = _customers(COMMAS, tmp_path, attributes=names, decimal=",")
    found = _by_id(inputs)
    assert [found[c]["attribute_spend"] for c in "abc"] == [1234.5, None, 12.0]
    assert [found[c]["attribute_mixed"] for c in "abc"] == ["1,5", "x", "2,5"]
    assert [found[c]["attribute_point"] for c in "abc"] == ["1.5", "2.5", "3"]
    (note,) = [note for note in inputs.reports[0].notes if "decimal" in note]
    assert note.startswith("'point' is read as text; without decimal = \",\"")


def test_attributes_that_look_like_a_decimal_comma_are_told_of(tmp_path: Path) -> None:
    inputs = _customers(COMMAS, tmp_path, attributes=["spend", "mixed", "point"])
    kinds = {name: str(kind) for name, kind in inputs.customers.schema().items()}
    assert (kinds["attribute_spend"], kinds["attribute_point"]) == ("string", "float64")
    (note,) = [note for note in inputs.reports[0].notes if "decimal" in note]
    assert note.startswith("'spend' is read as text; with decimal = \",\"")


def test_labels_say_yes_or_no_in_many_ways(tmp_path: Path) -> None:
    yes, no = ["Yes", "TRUE", "1", "y", "1.0", " t "], ["no", "False", "0", "N", "0.0", "f"]
    lines = [f"{place},{word}" for place, word in enumerate([*yes, *no, ""])]
    inputs = _customers("id,left\n" + "\n".join(lines), tmp_path, label="left")
    found = _by_id(inputs)
    assert [found[str(place)]["churned"] for place in range(13)] == [True] * 6 + [False] * 6 + [
        None
    ]
    assert any("1 customer without a label" in note for note in inputs.reports[0].notes)


def test_other_labels_are_rejected_with_an_example(tmp_path: Path) -> None:
    inputs = _customers("id,left\na,yes\nb,maybe\n", tmp_path, label="left")
    (report,) = inputs.reports
    assert dict(report.rejected) == {UNREADABLE_LABEL: 1}
    assert any("'maybe'" in note for note in report.notes)


def test_a_label_that_never_says_yes_or_no_is_an_error_with_what_it_holds(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds 'Churned', 'Stayed'; expected yes or no"):
        _customers("id,status\na,Stayed\nb,Churned\n", tmp_path, label="status")


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_repeated_customer_is_kept_once_whatever_the_order(tmp_path: Path, order: slice) -> None:
    lines = ["a,1,yes", "a,2,yes", "b,1,no", "b,1,no", ",1,no", "c,9,maybe", "c,1,no"][order]
    text = "id,x,left\n" + "\n".join(lines)
    inputs = _customers(text, tmp_path, attributes=["x"], label="left")
    found = {c: row["attribute_x"] for c, row in _by_id(inputs).items()}
    # A row that is rejected for its label does not take the place of a good one.
    assert found == {"a": 2.0, "b": 1.0, "c": 1.0}
    rejected = {DUPLICATE: 2, NO_CUSTOMER: 1, UNREADABLE_LABEL: 1}
    assert dict(inputs.reports[0].rejected) == rejected
    assert any("1 repeated customer with rows that differ" in n for n in inputs.reports[0].notes)


@pytest.mark.parametrize("setting", [{"attributes": ["agee"]}, {"label": "agee"}])
def test_missing_columns_are_named(tmp_path: Path, setting: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"'agee'.*Did you mean 'age'\?"):
        _customers("id,age\na,1\n", tmp_path, **setting)
