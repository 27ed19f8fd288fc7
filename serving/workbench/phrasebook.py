"""Reasons in the language of a page.

In: the English text of a reason, as score tables hold it. Out: the same in another language, with
its numbers. A text is known by the phrase that wrote it; one that no phrase wrote, from a table of
another version say, stays as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from string import Formatter

from features.catalogue import FEATURES
from features.words.phrases import FAMILIES
from serving.workbench import language

_FOLDER = Path(__file__).parent / "words"
# A number as phrases write it, and the currency that may stand behind money.
_NUMBER = r"[\d,]+(?:\.\d+)?%?(?: [A-Z]{3})?"

# Columns that hold words.
_WORDS = {feature.name: ".+" for feature in FEATURES if feature.kind == "string"}


def plain(template: str) -> str:
    """A phrase with its gaps named and nothing else in them.

    Examples
    --------
    >>> plain("spent {spend_90:,.0f} in the last 90 days")
    'spent {spend_90} in the last 90 days'
    """
    parts = Formatter().parse(template)
    return "".join(text + (f"{{{name}}}" if name else "") for text, name, _, _ in parts)


def said(text: str, spoken: str = language.ENGLISH) -> str:
    """A reason in a language.

    Parameters
    ----------
    text : str
        As in the column ``reasons``.
    spoken : str
        One of ``language.LANGUAGES``.

    Returns
    -------
    str

    Examples
    --------
    >>> said("last purchase 94 days ago; usually every 21 days", "zh")
    '上次购买在 94 天前；通常每 21 天一次'
    """
    return text if spoken == language.ENGLISH else _said(text, spoken)


@cache
def phrases(spoken: str) -> Mapping[str, str]:
    """The phrases of a language, by the `plain` English ones."""
    path = _FOLDER / f"reasons.{spoken}.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


@lru_cache(maxsize=4096)
def _said(text: str, spoken: str) -> str:
    known = phrases(spoken)
    if text in known:
        return known[text]
    for template, pattern in _patterns():
        found = pattern.fullmatch(text)
        if found and template in known:
            return known[template].format(**found.groupdict())
    return text


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Phrases with gaps, and what their texts look like."""
    templates = dict.fromkeys(plain(p.template) for family in FAMILIES for p in family.phrases)
    return tuple((one, _pattern(one)) for one in templates if "{" in one)


def _pattern(template: str) -> re.Pattern[str]:
    parts = Formatter().parse(template)
    return re.compile(
        "".join(
            re.escape(text) + (f"(?P<{name}>{_WORDS.get(name, _NUMBER)})" if name else "")
            for text, name, _, _ in parts
        )
    )
