"""Every path that the service answers, and the scopes that open it.

One table for the gate, the metrics and the documentation. No path holds a customer's id: ids
travel in bodies only, so a path can be logged and counted as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

RISK, VALUE, ADMIN = "risk", "value", "admin"
SCOPES = (RISK, VALUE, ADMIN)

#: Label of everything that is not in the table.
OTHER = "other"


@dataclass(frozen=True)
class Route:
    """A path and who may call it.

    Parameters
    ----------
    path : str
        Whole path; a trailing ``*`` stands for anything after it.
    needs : tuple of str
        Scopes of which a key must have one; any key where empty.
    open : bool
        Whether it is answered without a key.
    json : bool
        Whether a POST to it must carry JSON.
    """

    path: str
    needs: tuple[str, ...] = ()
    open: bool = False
    json: bool = False


_EITHER = (RISK, VALUE)
_TABLE = (
    Route("/risk", (RISK,), json=True),
    Route("/value", (VALUE,), json=True),
    Route("/score", _EITHER, json=True),
    Route("/customers", _EITHER, json=True),
    Route("/plan", (VALUE,), json=True),
    Route("/plan/make", (VALUE,)),
    Route("/plan/export", (VALUE,)),
    Route("/plans", (VALUE,)),
    Route("/effects", (VALUE,)),
    Route("/reasons", _EITHER, json=True),
    Route("/whatif", _EITHER, json=True),
    Route("/export", _EITHER),
    Route("/", _EITHER),
    Route("/customers/lists", _EITHER),
    Route("/customer", _EITHER),
    Route("/segments", _EITHER),
    Route("/equity", (VALUE,)),
    Route("/satisfaction", _EITHER),
    Route("/models", _EITHER),
    Route("/models/plot", _EITHER),
    Route("/data", _EITHER),
    Route("/language"),
    Route("/metrics", (ADMIN,)),
    Route("/docs"),
    Route("/openapi.json"),
    Route("/docs.json"),
    # Read by BentoML's own client.
    Route("/schema.json"),
    Route("/static/*"),
    Route("/livez", open=True),
    Route("/readyz", open=True),
    Route("/healthz", open=True),
)
ROUTES: Mapping[str, Route] = MappingProxyType({route.path: route for route in _TABLE})
_UNKNOWN = Route(OTHER)


def of(path: str) -> Route:
    """Route of a request's path.

    Parameters
    ----------
    path : str
        As the client sent it.

    Returns
    -------
    Route
        One called ``other``, for any key, when the path is none of ours.

    Examples
    --------
    >>> of("/static/workbench.css").path
    '/static/*'
    >>> of("/customers/17").path
    'other'
    """
    if path.startswith("/static/"):
        return ROUTES["/static/*"]
    return ROUTES.get(path, _UNKNOWN)
