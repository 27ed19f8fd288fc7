"""Which release of Regulars this is."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def release() -> str:
    """Version of the installed package; "unreleased" where only its files are, as in a bento.

    Returns
    -------
    str
    """
    try:
        return version("regulars")
    except PackageNotFoundError:
        return "unreleased"
