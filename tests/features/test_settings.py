"""Sections of the settings: frozen, and nothing unknown is taken."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from features.settings import CustomersSource, Sources, StoreSettings, TransactionsSource


def test_unknown_keys_are_refused() -> None:
    with pytest.raises(ValidationError, match="amuont"):
        TransactionsSource.model_validate(
            {"uri": "x.csv", "customer_id": "c", "timestamp": "t", "amount": "a", "amuont": "b"}
        )


def test_sections_cannot_be_changed() -> None:
    store = StoreSettings()
    with pytest.raises(ValidationError, match="frozen"):
        store.path = "elsewhere"


def test_only_what_is_optional_may_be_left_out() -> None:
    assert Sources().transactions is None
    with pytest.raises(ValidationError, match="amount"):
        TransactionsSource.model_validate({"uri": "x.csv", "customer_id": "c", "timestamp": "t"})


def test_an_attribute_named_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"\['age'\] more than once"):
        CustomersSource(uri="x.csv", customer_id="c", attributes=("age", "age"))


@pytest.mark.parametrize("delimiter", ["", ";;"])
def test_a_delimiter_is_one_sign(delimiter: str) -> None:
    with pytest.raises(ValidationError, match="delimiter"):
        CustomersSource(uri="x.csv", customer_id="c", delimiter=delimiter)
