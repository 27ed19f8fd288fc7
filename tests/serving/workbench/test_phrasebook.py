"""Reasons in other languages: every phrase has its words, and numbers go over unchanged."""

from __future__ import annotations

import re
from string import Formatter

import numpy as np
import pandas as pd
import pytest

from features.catalogue import FEATURES
from features.words.phrases import FAMILIES
from serving.insight.reasons import reasons
from serving.workbench import language, phrasebook

OTHERS = [code for code in language.LANGUAGES if code != language.ENGLISH]
TEMPLATES = {phrasebook.plain(p.template) for family in FAMILIES for p in family.phrases}
LABELS = {family.label for family in FAMILIES}


@pytest.mark.parametrize("code", OTHERS)
def test_every_phrase_and_label_is_in_every_language_and_no_other(code):
    assert set(phrasebook.phrases(code)) == TEMPLATES | LABELS


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_has_the_same_gaps(code):
    def gaps(text):
        return sorted(name for _, name, _, _ in Formatter().parse(text) if name)

    for text, told in phrasebook.phrases(code).items():
        assert gaps(text) == gaps(told), text


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("currency", ["", "GBP"])
def test_every_text_that_can_be_written_is_told_with_its_own_numbers(code, currency):
    """Rows at random make every family speak; each text has to find its phrase."""
    rng = np.random.default_rng(3)
    columns = {
        f.name: rng.choice([np.nan, 0.0, 1.0, 2.0, -2.0, 0.4, 1234.5], 400) for f in FEATURES
    }
    rows = pd.DataFrame(columns)
    for family in FAMILIES:
        for weight in (1.0, -1.0):
            frame = pd.DataFrame({family.name: np.full(len(rows), weight)})
            texts = {
                r["text"]
                for one in reasons(rows, frame, currency=currency).to_pylist()
                for r in one
            }
            for text in texts:
                told = phrasebook.said(text, code)
                assert told != text
                # Digits of the phrase itself ("90 days") are in both, so all of them match.
                assert sorted(numbers(told)) == sorted(numbers(text)), text


def numbers(text):
    return re.findall(r"\d+(?:,\d{3})*(?:\.\d+)?%?", text)


def test_what_no_phrase_wrote_stays_as_it_is():
    assert phrasebook.said("web visits", "zh") == "web visits"
    assert phrasebook.said("no refund so far") == "no refund so far"
