"""How the business keeps subscriptions, as far as rows in a request need it.

In: the settings' `[sources.subscriptions]`. Out: the same source with the columns of a request.
Where its rows lie is left out: nothing is read from there where answers are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from features.settings import SubscriptionsSource

#: Keys that say what a row means, whatever its columns are called.
KEYS = ("rows", "term", "terms", "end_reasons", "grace_days")
#: Columns of a row in a request.
COLUMNS = ("customer_id", "start", "end", "plan", "price", "end_reason", "margin")


def kept(settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the settings say of subscriptions.

    Parameters
    ----------
    settings : mapping
        As read from TOML.

    Returns
    -------
    dict or None
        The keys of `KEYS` that are there; None without such a source.
    """
    sources = settings.get("sources")
    found = sources.get("subscriptions") if isinstance(sources, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    return {key: found[key] for key in KEYS if key in found}


def source(kept: Mapping[str, Any]) -> SubscriptionsSource:
    """The source that the rows of a request are of.

    Parameters
    ----------
    kept : mapping
        From `kept`.

    Returns
    -------
    SubscriptionsSource

    Raises
    ------
    pydantic.ValidationError
        If a value cannot be.
    """
    from features.settings import SubscriptionsSource

    return SubscriptionsSource.model_validate(
        {"uri": "request", **dict(zip(COLUMNS, COLUMNS, strict=True)), **kept}
    )
