"""Drivers: every family's words find a class, and a customer has the heaviest."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.words.phrases import FAMILIES
from serving.insight import drivers
from serving.insight.reasons import LOWERS, RAISES
from serving.scores import REASON

LIST = pa.list_(REASON)


def reason(family: str, weight: float = 1.0, text: str = "something") -> dict:
    direction = RAISES if weight > 0 else LOWERS
    return {"family": family, "text": text, "direction": direction, "weight": weight}


def lists(*customers: list[dict] | None) -> pa.ListArray:
    return pa.array(customers, LIST)


def of_template(family: str, template: str) -> str | None:
    """Class of the words of a phrase, whatever the numbers."""
    return drivers.classes(lists([reason(family, text=template)]).flatten()).to_pylist()[0]


def test_every_family_but_the_profile_has_a_class():
    assert set(drivers.OF_FAMILY) == {family.name for family in FAMILIES} - {"attributes"}
    assert set(drivers.OF_FAMILY.values()) | set(drivers.OF_WORDS) == set(drivers.NAMES)


def test_no_class_is_named_as_a_family_is():
    """Actions name either in one list."""
    assert not set(drivers.NAMES) & {family.name for family in FAMILIES}


@pytest.mark.parametrize("words", [w for some in drivers.OF_WORDS.values() for w in some])
def test_words_that_tell_a_class_are_words_of_a_phrase(words):
    templates = [phrase.template for family in FAMILIES for phrase in family.phrases]
    assert any(words in template for template in templates)


def test_who_bought_once_is_unsettled_whatever_the_family():
    for family in FAMILIES:
        if family.name not in ("rfm", "rhythm"):
            continue
        for phrase in family.phrases:
            once = any(name == "frequency" and high < 1 for name, _, high in phrase.when)
            first = "no second one yet" in phrase.template
            if once or first:
                assert of_template(family.name, phrase.template) == drivers.UNSETTLED


def test_a_price_that_went_up_is_a_matter_of_price_and_not_of_rhythm():
    told = {
        t: of_template("subscription", t) for t in ("price went up 20 days ago", "renewed once")
    }
    assert list(told.values()) == [drivers.PRICE, drivers.RHYTHM]


def test_the_profile_and_what_nobody_describes_have_none():
    items = lists([reason("attributes"), reason("web_visits", text="one purchase only")]).flatten()
    assert drivers.classes(items).to_pylist() == [None, None]


def test_weights_of_one_class_add_up_and_what_lowers_the_risk_counts_nothing():
    column = lists(
        [reason("rhythm", 0.5), reason("spend", 0.4), reason("care", 0.8)],
        [reason("care", 0.2), reason("rhythm", -3.0)],
        [reason("rhythm", -1.0)],
        [],
        None,
    )
    assert drivers.heaviest(column).to_pylist() == [
        drivers.RHYTHM,
        drivers.SERVICE,
        None,
        None,
        None,
    ]
    first = drivers.listed(column)[0]
    assert [one["driver"] for one in first] == [drivers.RHYTHM, drivers.SERVICE]
    assert [one["weight"] for one in first] == pytest.approx([0.9, 0.8])
    assert sum(one["share"] for one in first) == pytest.approx(1.0)


@given(
    st.lists(
        st.lists(
            st.tuples(st.sampled_from([*drivers.OF_FAMILY, "attributes"]), st.floats(-3, 3)),
            max_size=3,
        ),
        max_size=8,
    )
)
def test_a_customer_alone_has_the_driver_that_it_has_among_others(customers):
    column = lists(*([reason(name, weight) for name, weight in one] for one in customers))
    whole = drivers.heaviest(column).to_pylist()
    assert whole == [drivers.heaviest(column[n : n + 1]).to_pylist()[0] for n in range(len(column))]
    told = drivers.weights(column)
    raising = [sum(w for name, w in one if w > 0 and name != "attributes") for one in customers]
    assert told.sum(axis=1) == pytest.approx(np.array(raising, dtype=float))


def test_every_driver_has_words_and_advice():
    texts = [text for one in drivers.DRIVERS for text in (one.words, one.advice)]
    assert all(texts)
    assert len(set(texts)) == 2 * len(drivers.NAMES)


@pytest.mark.parametrize("subscribers", [False, True])
def test_something_is_closed_only_where_a_reason_tells_that_it_is_open(subscribers):
    said = {
        text: drivers.told([reason("care", text=text)], subscribers=subscribers)
        for text in ("1 complaint still open", "last satisfaction 2.0, below the usual 3.1")
    }
    advice = [one[drivers.SERVICE].advice for one in said.values()]
    assert advice[0].startswith("Close what is open") and advice[1] == drivers.NOTHING_OPEN
    assert drivers.told(None, subscribers=subscribers)[drivers.SERVICE].advice == advice[1]


def test_subscribers_have_every_class_in_words_without_a_rhythm_or_a_purchase():
    found = drivers.told((), subscribers=True)
    assert tuple(found) == drivers.NAMES
    words = " ".join(f"{one.words} {one.advice}" for one in found.values()).lower()
    assert not [word for word in ("rhythm", "purchase", "bought", "basket") if word in words]
