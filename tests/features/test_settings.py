"""Sections of the settings: frozen, and nothing unknown is taken."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from features.kinds import KINDS
from features.settings import (
    CustomersSource,
    EventsSource,
    Sources,
    StoreSettings,
    TransactionsSource,
)


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


@pytest.mark.parametrize("decimal", ["", ";", ",,", "comma"])
def test_a_decimal_sign_is_a_point_or_a_comma(decimal: str) -> None:
    assert CustomersSource(uri="x.csv", customer_id="c").decimal == "."
    assert CustomersSource(uri="x.csv", customer_id="c", decimal=",").decimal == ","
    with pytest.raises(ValidationError, match="decimal"):
        CustomersSource(uri="x.csv", customer_id="c", decimal=decimal)


def _events(**kinds: str) -> EventsSource:
    return EventsSource(uri="x.csv", customer_id="c", timestamp="t", kind="k", kinds=kinds)


def test_words_for_kinds_are_kept_as_they_are_compared() -> None:
    words = {"Reklamation": "complaint", " ERLEDIGT ": "Resolution", "erledigt": "resolution"}
    assert _events(**words).kinds == {"reklamation": "complaint", "erledigt": "resolution"}


def test_every_known_kind_can_be_meant() -> None:
    assert _events(**{f"word{kind}": kind for kind in KINDS}).kinds.keys() == {
        f"word{kind}" for kind in KINDS
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"Reklamation": "complain"}, r"got 'complain' for 'Reklamation'; expected one of compl"),
        ({"a": ""}, "expected one of complaint, resolution, satisfaction, contact, usage"),
        ({" ": "complaint"}, "got a blank word for 'complaint'"),
        ({"Anruf": "contact", "ANRUF ": "usage"}, "got both 'contact' and 'usage' for 'ANRUF '"),
    ],
)
def test_words_for_unknown_kinds_are_refused(words: dict[str, str], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        _events(**words)
