"""Templates, and the words and numbers in them.

Everything that goes into a page is escaped. Null is shown as a dash.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jinja2
from starlette.responses import HTMLResponse

from serving.release import release

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
    }
)


def render(template: str, status: int = 200, **content: Any) -> HTMLResponse:
    """Fill a template.

    Parameters
    ----------
    template : str
        Name of a file in ``templates/``.
    status : int
        HTTP status.
    **content
        What the template speaks of.

    Returns
    -------
    HTMLResponse
    """
    return HTMLResponse(_environment().get_template(template).render(content), status)


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


def _money(amount: float, currency: str, *, decimals: int) -> str:
    unit = _SYMBOLS.get(currency) or f"{currency} "
    return f"{'−' if amount < 0 else ''}{unit}{abs(amount):,.{decimals}f}"


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


def day(when: date | None) -> str:
    """Date with the month's name, which nobody reads as another date.

    Examples
    --------
    >>> day(date(2011, 12, 9))
    '9 Dec 2011'
    """
    return NOTHING if when is None else f"{when.day} {when:%b %Y}"


def age(days: int) -> str:
    """Age of scores by the days from their as-of date to today.

    Examples
    --------
    >>> age(0), age(1), age(1200), age(-1)
    ('today', '1 day old', '1,200 days old', 'dated in the future')
    """
    if days < 0:
        return "dated in the future"
    if days == 0:
        return "today"
    return "1 day old" if days == 1 else f"{days:,} days old"


def word(name: str | None) -> str:
    """Name of a stage or a tier for people."""
    return NOTHING if name is None else WORDS.get(name, name)


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "money": money,
        "cents": cents,
        "percent": percent,
        "count": count,
        "amount": amount,
        "day": day,
        "age": age,
        "word": word,
    }
    # Examples in the order in which they are written.
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False}
    environment.globals["release"] = release()
    return environment
