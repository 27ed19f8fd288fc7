"""Filters and order in the query string of a page or an export: never a customer's id.

``stage`` and ``tier`` may be repeated; ``min_<column>`` and ``max_<column>`` bound a number;
``sort``, ``page`` and ``page_size`` as in /customers. An empty value is no value, as forms send.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import ValidationError

from serving.api import query
from serving.api.failures import Failure
from serving.api.messages import CustomersRequest
from serving.questions import MEASURES

_LISTS = ("stage", "tier")
_BOUNDS = {"min_": "at_least", "max_": "at_most"}


def read(
    pairs: Iterable[tuple[str, str]], *, sort: Sequence[str] = ("customer_id",)
) -> CustomersRequest:
    """Read a query string.

    Parameters
    ----------
    pairs : iterable of (name, value)
    sort : sequence of str
        Order when none is given.

    Returns
    -------
    CustomersRequest

    Raises
    ------
    Failure
        400 for an unknown name or a value that cannot be.

    Examples
    --------
    >>> read([("stage", "at_risk"), ("min_clv", "10")]).filter.at_least
    {'clv': 10.0}
    """
    chosen: dict[str, Any] = {"stage": [], "tier": [], "at_least": {}, "at_most": {}}
    asked: dict[str, Any] = {"filter": chosen, "sort": []}
    for name, value in pairs:
        if value.strip():
            _put(asked, chosen, name, value.strip())
    asked["sort"] = asked["sort"] or list(sort)
    try:
        return CustomersRequest.model_validate(asked)
    except ValidationError as error:
        raise Failure(
            400,
            "A value in the address cannot be; see detail.",
            detail=[
                {"where": ".".join(map(str, fault["loc"])), "what": fault["msg"]}
                for fault in error.errors(include_input=False, include_url=False)
            ],
        ) from error


def pairs(request: CustomersRequest) -> list[tuple[str, str]]:
    """The query string of a request, without its page: what `read` would read again.

    Parameters
    ----------
    request : CustomersRequest

    Returns
    -------
    list of (name, value)
    """
    chosen = request.filter
    told: list[tuple[str, str]] = [("stage", one) for one in chosen.stage]
    told += [("tier", one) for one in chosen.tier]
    for prefix, part in _BOUNDS.items():
        told += [(f"{prefix}{name}", f"{bound:g}") for name, bound in getattr(chosen, part).items()]
    return told + [("sort", name) for name in request.sort]


def _put(asked: dict[str, Any], chosen: dict[str, Any], name: str, value: str) -> None:
    bound, measure = _BOUNDS.get(name[:4]), name[4:]
    if name in _LISTS:
        chosen[name].append(value)
    elif bound and measure in MEASURES:
        chosen[bound][measure] = value
    elif name == "sort":
        asked["sort"].append(value)
    elif name in ("page", "page_size"):
        asked[name] = value
    else:
        columns = ", ".join(MEASURES)
        bounds = f"min_<column>, max_<column> (of {columns})"
        raise query.refused([name], [*_LISTS, bounds, "sort", "page", "page_size"])
