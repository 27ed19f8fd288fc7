"""The places of the workbench, and which of them a key opens."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from serving.api import routes


@dataclass(frozen=True)
class Place:
    """A page that one can always go to.

    Parameters
    ----------
    path : str
        Its address.
    name : str
        Its name in English, as in the table of words.
    """

    path: str
    name: str


PLACES = (
    Place("/", "Overview"),
    Place("/customers", "Customers"),
    Place("/segments", "Segments"),
    Place("/satisfaction", "Satisfaction"),
    Place("/plan", "Plan"),
    Place("/effects", "Effects"),
    Place("/models", "Models"),
    Place("/data", "Data"),
)


def places(scopes: Iterable[str]) -> tuple[Place, ...]:
    """The places that some scopes open.

    Parameters
    ----------
    scopes : iterable of str
        Among ``routes.SCOPES``.

    Returns
    -------
    tuple of Place
    """
    held = set(scopes)
    return tuple(place for place in PLACES if _open(place.path, held))


def _open(path: str, held: set[str]) -> bool:
    needs = routes.of(path).needs
    return not needs or routes.ADMIN in held or bool(held & set(needs))
