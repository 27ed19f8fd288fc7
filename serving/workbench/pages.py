"""Templates, and the words and numbers in them.

Everything that goes into a page is escaped. Null is shown as a dash. A page is in the language of
its request; dates and ages are written as that language writes them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from serving.api.security import granted
from serving.release import release
from serving.workbench import language, navigation, phrasebook

_SYMBOLS: Mapping[str, str] = MappingProxyType(
    {"EUR": "€", "GBP": "£", "JPY": "¥", "USD": "$", "INR": "₹"}
)
NOTHING = "–"

WORDS: Mapping[str, str] = MappingProxyType(
    {
        "new": "New",
        "growing": "Growing",
        "loyal": "Loyal",
        "at_risk": "At risk",
        "lapsed": "Lapsed",
        "won_back": "Won back",
        "key": "Key",
        "growth": "Growth",
        "core": "Core",
        "small": "Small",
        "costly": "Costly",
        "risk": "Risk",
        "purchases": "Purchases",
        "spend": "Spend",
        "value": "Value",
        "grade": "Grade",
        "season": "Season",
        "blend": "Blend",
        "churn": "Trees",
        "logistic": "Logistic regression",
        "pair": "Trees and logistic regression",
        "hazard": "Renewal by renewal",
        "sbg": "Retention of the plan",
        "transactions": "Transactions",
        "customers": "Customers",
        "subscriptions": "Subscriptions",
        "events": "Events",
        "treatments": "Treatments",
        "champions": "Champions",
        "potential_loyalists": "Potential loyalists",
        "promising": "Promising",
        "need_attention": "Need attention",
        "about_to_sleep": "About to sleep",
        "cannot_lose": "Cannot lose",
        "hibernating": "Hibernating",
        "complaint": "Complaint",
        "resolution": "Complaint resolved",
        "satisfaction": "Mark given",
        "contact": "Contact",
        "satisfied": "Satisfied",
        "unhappy": "Unhappy",
        "silent": "Said nothing",
        "won": "Won",
        "gone": "Gone",
        "unsaid": "Said at one date only",
        "grew": "Grew",
        "shrank": "Shrank",
        "unchanged": "Unchanged",
        "(new)": "new since",
        "(gone)": "gone since",
        "(none)": "none",
        "ungraded": "ungraded",
        "calibration": "Calibration",
        "deciles": "Spend by decile",
        "gain": "Gain",
        "lift": "Lift",
        "history_risk": "Risk through time",
        "history_spend": "Spend through time",
    }
)


def render(template: str, request: Request, status: int = 200, **content: Any) -> HTMLResponse:
    """Fill a template.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/``.
    request : Request
        Its language and its place are the page's.
    status : int
        HTTP status.
    **content
        What the template speaks of.

    Returns
    -------
    HTMLResponse
    """
    spoken = language.of(request)
    frame = {
        "language": spoken,
        "languages": language.LANGUAGES,
        "here": request.url.path,
        "back": quote(_asked(request), safe=""),
        "places": navigation.places(granted()),
    }
    page = environment(spoken).get_template(template).render(frame | content)
    return HTMLResponse(
        page, status, {"Content-Language": spoken, "Vary": "Accept, Accept-Language, Cookie"}
    )


def _asked(request: Request) -> str:
    """The page and what was asked of it, to come back to; of a form that was sent, the page."""
    url = request.url
    sent = request.scope.get("method") == "POST"
    return url.path if sent or not url.query else f"{url.path}?{url.query}"


def money(amount: float | None, currency: str) -> str:
    """Money for people: whole units from 100 on, cents below.

    Examples
    --------
    >>> money(1234.5, "GBP"), money(-0.5, "CHF"), money(None, "EUR")
    ('£1,234', '−CHF 0.50', '–')
    """
    if amount is None:
        return NOTHING
    return _money(amount, currency, decimals=0 if abs(amount) >= 100 else 2)


def cents(amount: float | None, currency: str) -> str:
    """Money to the cent.

    Examples
    --------
    >>> cents(1234.5, "GBP")
    '£1,234.50'
    """
    return NOTHING if amount is None else _money(amount, currency, decimals=2)


def symbol(currency: str) -> str:
    """What stands before an amount.

    Examples
    --------
    >>> symbol("GBP"), symbol("CHF")
    ('£', 'CHF ')
    """
    return _SYMBOLS.get(currency) or f"{currency} "


def _money(amount: float, currency: str, *, decimals: int) -> str:
    return f"{'−' if amount < 0 else ''}{symbol(currency)}{abs(amount):,.{decimals}f}"


def percent(share: float | None) -> str:
    """Share in percent; nearly none and nearly all are told from none and all.

    Examples
    --------
    >>> percent(0.123), percent(0.0004), percent(0.9999), percent(1.0)
    ('12 %', '<1 %', '>99 %', '100 %')
    """
    if share is None:
        return NOTHING
    if 0 < share < 0.01:
        return "<1 %"
    if 0.99 < share < 1:
        return ">99 %"
    return f"{share * 100:.0f} %"


def count(number: float | None) -> str:
    """Whole number with thousands apart.

    Examples
    --------
    >>> count(23500)
    '23,500'
    """
    return NOTHING if number is None else f"{number:,.0f}"


def amount(number: float | None) -> str:
    """Number of purchases, with two decimals below ten.

    Examples
    --------
    >>> amount(1.226), amount(31.4)
    ('1.23', '31')
    """
    if number is None:
        return NOTHING
    return f"{number:,.2f}" if number < 10 else f"{number:,.0f}"


def day(when: date | None, spoken: str = language.ENGLISH) -> str:
    """Date that nobody reads as another date: with the month's name, or in Chinese.

    Examples
    --------
    >>> day(date(2011, 12, 9)), day(date(2011, 12, 9), "zh")
    ('9 Dec 2011', '2011年12月9日')
    """
    if when is None:
        return NOTHING
    if spoken == "zh":
        return f"{when.year}年{when.month}月{when.day}日"
    return f"{when.day} {when:%b %Y}"


def age(days: int, spoken: str = language.ENGLISH) -> str:
    """Age of scores by the days from their as-of date to today.

    Examples
    --------
    >>> age(0), age(1), age(1200), age(-1)
    ('today', '1 day old', '1,200 days old', 'dated in the future')
    """
    words = language.words(spoken)
    if days < 0:
        return words.gettext("dated in the future")
    if days == 0:
        return words.gettext("today")
    told = words.ngettext("%(number)s day old", "%(number)s days old", days)
    return told % {"number": f"{days:,}"}


def word(name: str | None, spoken: str = language.ENGLISH) -> str:
    """Name of a stage, a tier or the like for people."""
    return NOTHING if name is None else language.words(spoken).gettext(WORDS.get(name, name))


@cache
def environment(spoken: str = language.ENGLISH) -> jinja2.Environment:
    """The templates in one language.

    Parameters
    ----------
    spoken : str
        One of ``language.LANGUAGES``.

    Returns
    -------
    jinja2.Environment
    """
    environment: Any = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    words = language.words(spoken)
    environment.install_gettext_callables(words.gettext, words.ngettext, newstyle=True)
    environment.filters |= {
        "money": money,
        "cents": cents,
        "percent": percent,
        "count": count,
        "amount": amount,
        "day": partial(day, spoken=spoken),
        "age": partial(age, spoken=spoken),
        "word": partial(word, spoken=spoken),
        "said": partial(phrasebook.said, spoken=spoken),
    }
    # Examples in the order in which they are written.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.globals["release"] = release()
    environment.globals["marks"] = language.MARKS[spoken]
    return environment
