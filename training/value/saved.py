"""Fits as plain JSON values, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any


def plain(fit: Any) -> dict[str, Any]:
    """A fit as JSON values: lists for tuples.

    Parameters
    ----------
    fit : dataclass
        Of a purchase model or of Gamma-Gamma.

    Returns
    -------
    dict
    """
    return {name: _listed(value) for name, value in asdict(fit).items()}


def tupled(saved: dict[str, Any]) -> dict[str, Any]:
    """The reverse of `plain` for the fields that are tuples.

    Parameters
    ----------
    saved : dict
        Of a fit; those of before there was a covariance have none.

    Returns
    -------
    dict
    """
    errors, rows = saved["relative_errors"], saved.get("covariance")
    return {
        **saved,
        "relative_errors": None if errors is None else tuple(errors),
        "covariance": None if rows is None else tuple(map(tuple, rows)),
    }


def _listed(value: Any) -> Any:
    return [_listed(one) for one in value] if isinstance(value, tuple) else value
