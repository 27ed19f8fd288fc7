"""The language of a page: the reader's choice, else the browser's, else English.

The templates' texts are their own names, as in gettext; `words/<language>.toml` says each of them
in another language. What is not there is shown in English.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

ENGLISH = "en"
#: Languages by code, each in its own words.
LANGUAGES: Mapping[str, str] = MappingProxyType({ENGLISH: "English", "zh": "中文"})
#: Cookie with the reader's choice.
COOKIE = "regulars-language"

#: Marks between the parts of a sentence that a template puts together.
MARKS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        ENGLISH: MappingProxyType(
            {"stop": ". ", "comma": ", ", "colon": ": ", "semi": "; ", "open": " (", "close": ")"}
        ),
        "zh": MappingProxyType(
            dict(
                zip(
                    ("stop", "comma", "colon", "semi", "open", "close"), "。，：；（）", strict=True
                )
            )
        ),
    }
)

_FOLDER = Path(__file__).parent / "words"


@dataclass(frozen=True)
class Words:
    """Texts of one language.

    Parameters
    ----------
    texts : mapping of str to str
        By the English text.
    """

    texts: Mapping[str, str]

    def gettext(self, text: str) -> str:
        """The text in this language, or as it is."""
        return self.texts.get(text, text)

    def ngettext(self, one: str, many: str, number: float) -> str:
        """The text for a number of things; a language without plurals has one for all."""
        return self.texts.get(one, one if number == 1 else many)


def of(request: Request) -> str:
    """Language in which to answer a request.

    Parameters
    ----------
    request : Request

    Returns
    -------
    str
        One of ``LANGUAGES``: the one chosen with this very request (``state.language``), else the
        cookie's, else the first of ours that the browser accepts.
    """
    chosen = getattr(request.state, "language", None) or request.cookies.get(COOKIE, "")
    if chosen in LANGUAGES:
        return chosen
    accepted = _accepted(request.headers.get("accept-language", ""))
    return next((code for code in accepted if code in LANGUAGES), ENGLISH)


def keep(answer: Response, chosen: str) -> None:
    """Let the browser remember a choice for a year.

    Parameters
    ----------
    answer : Response
        To the request in which it was made.
    chosen : str
        One of ``LANGUAGES``.
    """
    answer.set_cookie(COOKIE, chosen, max_age=31_536_000, httponly=True, samesite="lax")


@cache
def words(language: str) -> Words:
    """Texts of a language.

    Parameters
    ----------
    language : str
        One of ``LANGUAGES``.

    Returns
    -------
    Words
        Empty for English.
    """
    path = _FOLDER / f"{language}.toml"
    if language == ENGLISH or not path.is_file():
        return Words({})
    return Words(tomllib.loads(path.read_text(encoding="utf-8")))


def _accepted(header: str) -> list[str]:
    """Primary tags of an Accept-Language header, most wanted first (RFC 9110, 12.5.4)."""
    weighed: list[tuple[float, str]] = []
    for part in header[:500].split(","):
        tag, _, parameter = part.strip().partition(";")
        name, _, value = parameter.strip().partition("=")
        try:
            weight = float(value) if name.strip() == "q" else 1.0
        except ValueError:
            continue
        if weight > 0:
            weighed.append((-weight, tag.strip().partition("-")[0].lower()))
    return [tag for _, tag in sorted(weighed, key=lambda pair: pair[0])]
