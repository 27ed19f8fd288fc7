"""The language of a page: who chooses it, and that nothing is left unsaid in any."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.requests import Request

from serving.campaigns import audience
from serving.groups import named, watchlist
from serving.insight import drivers, reasons
from serving.workbench import (
    curves,
    customers,
    effects,
    facts,
    groups,
    insight,
    language,
    navigation,
    pages,
    subscription,
    timeline,
)
from training.runs import registry

AGES = {"dated in the future", "today", "%(number)s day old"}
TEMPLATES = Path(pages.__file__).parent / "templates"


def request(accept: str = "", cookie: str = "") -> Request:
    headers = [(b"accept-language", accept.encode()), (b"cookie", cookie.encode())]
    return Request({"type": "http", "headers": headers})


@pytest.mark.parametrize(
    ("accept", "spoken"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("fr,zh;q=0.5,en;q=0.7", "en"),
        ("zh;q=0,en", "en"),
        ("de", "en"),
        ("zh;q=much", "en"),
        (",;=,;q=", "en"),
    ],
)
def test_the_browser_is_asked_in_its_own_order(accept: str, spoken: str):
    assert language.of(request(accept)) == spoken


def test_the_readers_choice_goes_before_the_browsers():
    assert language.of(request("en", f"{language.COOKIE}=zh")) == "zh"
    assert language.of(request("zh", f"{language.COOKIE}=klingon")) == "zh"


def spoken_texts() -> set[str]:
    """Every text of the templates, and the names that pages look up."""
    found = {place.name for place in navigation.PLACES} | set(pages.WORDS.values())
    found |= {words for words in customers.OF_CONTRACTS.values() if words}
    found |= set(subscription.ENDED.values()) | set(subscription.TERMS.values())
    found |= {words for _, words, _ in customers.ORDERS} | set(watchlist.HEADINGS) | AGES
    found |= (
        {one.words for one in named.TABLE}
        | set(curves.TEXTS)
        | set(effects.TEXTS)
        | set(groups.TEXTS)
        | set(timeline.MONTHS)
        | set(audience.GUARDRAILS)
    )
    found |= {reasons.RAISES, reasons.LOWERS, registry.CHAMPION, registry.CHALLENGER}
    told = (*drivers.DRIVERS, *drivers.OF_SUBSCRIBERS)
    found |= {text for one in told for text in (one.words, one.advice)} | {drivers.NOTHING_OPEN}
    found |= set(insight.CHANGES.values()) | set(facts.IDLE.values()) | {facts.ALIKE}
    for path in TEMPLATES.glob("*.html"):
        environment = pages.environment()
        for _, _, text in environment.extract_translations(path.read_text(encoding="utf-8")):
            found.add(text[0] if isinstance(text, tuple) else text)
    return found - {None}


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != language.ENGLISH])
def test_every_text_of_the_pages_is_in_every_language(code: str):
    assert sorted(spoken_texts() - set(language.words(code).texts)) == []


@pytest.mark.parametrize("code", [code for code in language.LANGUAGES if code != language.ENGLISH])
def test_a_translation_has_the_same_places_to_fill(code: str):
    import re

    for text, said in language.words(code).texts.items():
        places = [sorted(re.findall(r"%\((\w+)\)s", one)) for one in (text, said)]
        assert places[0] == places[1], text
        assert said.count("<") == text.count("<"), text
