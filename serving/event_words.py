"""A business's own words for kinds of events, as its settings have them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def kept(settings: Mapping[str, Any]) -> dict[str, str]:
    """The settings' own words for kinds of events.

    Parameters
    ----------
    settings : mapping
        As read from TOML.

    Returns
    -------
    dict of str to str
        As they are there; empty without them.
    """
    sources = settings.get("sources")
    events = sources.get("events") if isinstance(sources, Mapping) else None
    return dict(events.get("kinds", {})) if isinstance(events, Mapping) else {}


def checked(kinds: Mapping[str, str]) -> dict[str, str]:
    """The same words as they are compared.

    Parameters
    ----------
    kinds : mapping of str to str
        From `kept`.

    Returns
    -------
    dict of str to str
        A word without capitals and blanks around it to the known kind.

    Raises
    ------
    pydantic.ValidationError
        If a word stands for no known kind.
    """
    from features.settings import EventsSource

    columns = dict.fromkeys(("uri", "customer_id", "timestamp", "kind"), "request")
    return EventsSource.model_validate({**columns, "kinds": dict(kinds)}).kinds
