"""The catalogue describes every column once, in words that can be said of any customer."""

from __future__ import annotations

from datetime import date
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.catalogue import FAMILIES, FEATURES, Phrase, family_of, names
from features.table import behaviour

PHRASES = [
    pytest.param(phrase, id=f"{family.name}-{place}")
    for family in FAMILIES
    for place, phrase in enumerate(family.phrases)
]
BY_NAME = {feature.name: feature for feature in FEATURES}
FORMATS = {".0f", ".1f", ",.0f", ".0%"}


def test_names_are_told_once():
    assert len(set(names())) == len(FEATURES) == len(names())
    assert list(names()) == [feature.name for feature in FEATURES]


def test_every_family_is_described_and_has_features_but_attributes():
    described = [family.name for family in FAMILIES]
    assert len(set(described)) == len(described)
    assert set(described) == {feature.family for feature in FEATURES} | {"attributes"}
    assert all(family.label for family in FAMILIES)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_every_feature_has_a_unit_a_meaning_and_a_range_that_can_be(feature):
    assert feature.unit
    assert feature.meaning.endswith((".", ")."))
    assert feature.meaning[0].isupper() or feature.meaning[0] == "("
    assert feature.low is None or feature.high is None or feature.low < feature.high
    # Null without the source, which most businesses do not have.
    optional = feature.family in ("care", "subscription")
    assert not (feature.nullable and feature.without is not None) or optional


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
def test_a_null_that_may_be_is_explained(feature):
    """In the meaning, or by the rule of the whole family (no events source, no named ids)."""
    assert not feature.nullable or feature.family == "care" or "null" in feature.meaning


@pytest.mark.parametrize("name", names())
def test_a_column_has_the_family_of_its_feature(name):
    assert family_of(name) == BY_NAME[name].family


def test_attributes_have_their_own_family_and_strangers_none():
    assert family_of("attribute_plan") == "attributes"
    with pytest.raises(KeyError):
        family_of("customer_id")


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_needs_the_columns_that_it_names(phrase):
    fields = [(name, spec) for _, name, spec, _ in Formatter().parse(phrase.template) if name]
    used = {name for name, _ in fields} | {column for column, _, _ in phrase.when}
    assert set(phrase.needs) == used
    assert used <= set(names())
    # Words go in as they are, and there is no more and less of them.
    assert all(BY_NAME[column].kind != "string" for column, _, _ in phrase.when)
    assert set(phrase.about) <= used
    for name, spec in fields:
        assert spec in ({""} if BY_NAME[name].kind == "string" else FORMATS)


@pytest.mark.parametrize("phrase", PHRASES)
def test_a_phrase_formats_from_its_columns_and_from_no_fewer(phrase):
    values = dict.fromkeys(phrase.needs, 12.0)
    values |= {column: max(low, min(high, 12.0)) for column, low, high in phrase.when}
    assert phrase.fits(values)
    assert phrase.say(values)
    for column in phrase.needs:
        assert not phrase.fits({**values, column: None})
        assert not phrase.fits({**values, column: float("nan")})
        assert not phrase.fits({name: value for name, value in values.items() if name != column})


def test_words_are_said_as_they_are():
    told = [one for family in FAMILIES for one in family.phrases]
    (phrase,) = (one for one in told if one.needs == ("subscription_plan",))
    assert phrase.say({"subscription_plan": "Premium -2"}) == "on the plan Premium -2"


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_last_phrase_of_a_family_needs_nothing(family):
    assert family.phrases[-1].needs == ()
    assert family.phrases[-1].leans == 0
    assert {family.say({}, way) for way in (1, 0, -1)} == {family.phrases[-1].template}


def in_range(feature):
    """Values of a feature, nulls among them when it may be null."""
    low = -1e9 if feature.low is None else feature.low
    high = 1e9 if feature.high is None else feature.high
    if feature.kind == "int64":
        values = st.integers(int(low), int(high)).map(float)
    else:
        values = st.floats(low, high)
    return st.one_of(values, st.none()) if feature.nullable else values


@given(
    st.fixed_dictionaries({f.name: in_range(f) for f in FEATURES if f.kind != "string"}),
    st.sampled_from([1, 0, -1]),
)
def test_every_family_says_something_plain_of_any_customer(values, direction):
    for family in FAMILIES:
        text = family.say(values, direction)
        assert text
        assert not any(sign in text for sign in ("-", "nan", "None", "inf", "{")), text
        assert not text.startswith("1 ") or "1 purchases" not in text
        assert not text.startswith("0 "), text
        assert "closed" not in text or not values["complaints_open"], text


@pytest.mark.parametrize(
    ("family", "values", "raises", "lowers"),
    [
        (
            "spend",
            {"spend_trend_90": -120.4, "spend_90": 30.0, "spend_total": 900.0},
            "spent 120 less in the last 90 days than in the 90 before",
            "spent 30 in the last 90 days; 900 in all",
        ),
        (
            "spend",
            {"spend_trend_90": 120.4, "spend_90": 130.0, "spend_total": 900.0},
            "spent 130 in the last 90 days; 900 in all",
            "spent 120 more in the last 90 days than in the 90 before",
        ),
        (
            "rhythm",
            {"days_since_last": 94, "gap_mean": 21.2, "overdue_ratio": 4.4},
            "last purchase 94 days ago; usually every 21 days",
            "usually buys every 21 days",
        ),
        (
            "rhythm",
            {"days_since_last": 9, "gap_mean": 21.2, "overdue_ratio": 0.4},
            "usually buys every 21 days",
            "last purchase 9 days ago; usually every 21 days",
        ),
        (
            "season",
            {"same_season_occasions": 0, "weekend_share": 0.25},
            "no purchase in the same period last year",
            "25% of purchases at weekends",
        ),
        (
            "care",
            {"complaints_open": 1, "complaints_total": 3},
            "1 complaint still open",
            "3 complaints so far",
        ),
    ],
)
def test_words_fit_the_direction(family, values, raises, lowers):
    speaker = next(item for item in FAMILIES if item.name == family)
    assert (speaker.say(values, 1), speaker.say(values, -1)) == (raises, lowers)


@pytest.mark.parametrize(
    ("family", "values", "text"),
    [
        (
            "rhythm",
            {"days_since_last": 94, "gap_mean": 21.2, "overdue_ratio": 4.4},
            "last purchase 94 days ago; usually every 21 days",
        ),
        (
            "rhythm",
            {"days_since_last": 1, "gap_mean": 7.0},
            "last purchase 1 day ago; usually every 7 days",
        ),
        (
            "rhythm",
            {"days_since_last": 1, "gap_mean": None},
            "first purchase 1 day ago; no second one yet",
        ),
        (
            "spend",
            {"spend_trend_90": -120.4, "spend_90": 30.0, "spend_total": 900.0},
            "spent 120 less in the last 90 days than in the 90 before",
        ),
        (
            "spend",
            {"spend_trend_90": 1250.0, "spend_90": 1300.0, "spend_total": 9000.0},
            "spent 1,250 more in the last 90 days than in the 90 before",
        ),
        (
            "spend",
            {"spend_trend_90": 0.0, "spend_90": 0.0, "spend_total": 900.0},
            "spent nothing in the last 180 days; 900 in all",
        ),
        (
            "spend",
            {"spend_trend_90": 0.0, "spend_90": 0.0, "spend_total": -90.0},
            "got back 90 more than was spent",
        ),
        ("care", {"complaints_open": 1}, "1 complaint still open"),
        ("care", {"complaints_open": 3}, "3 complaints still open"),
        (
            "refunds",
            {"refund_lines": 2, "refunds_90": 1, "refund_share": 0.124},
            "1 refund in the last 90 days; 12% of all purchases refunded",
        ),
        (
            "season",
            {"same_season_occasions": None, "weekend_share": 0.5},
            "not yet a customer a year ago",
        ),
        (
            "rfm",
            {"frequency": 4, "T": 300, "monetary_value": 35.2},
            "came back 4 times in 300 days as a customer, spending 35 each time",
        ),
        ("basket", {"lines_last": 1, "lines_mean": 6.25}, "last basket of 1 line; usually 6.2"),
    ],
)
def test_what_a_clerk_reads(family, values, text):
    described = {item.name: item for item in FAMILIES}
    assert described[family].say(values) == text


def test_a_phrase_with_a_condition_waits_for_it():
    phrase = Phrase("{complaints_open:.0f}", ("complaints_open",), (("complaints_open", 2, 5),))
    assert [phrase.fits({"complaints_open": k}) for k in (1, 2, 5, 6)] == [False, True, True, False]


def test_families_speak_of_real_rows(rich_log):
    table = behaviour(rich_log.inputs(), date(2024, 6, 1), horizon_days=90)
    rows = table.to_pyarrow().to_pylist()
    for family in FAMILIES:
        said = {family.say(row) for row in rows}
        # Nobody in this log has a subscription.
        assert len(said) > 1 or family.name in ("attributes", "subscription")
