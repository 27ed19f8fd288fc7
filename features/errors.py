"""The errors of this room: each says what was got, what was expected and what to do.

The command line turns `InputError` and `SettingsError` into exit code 2 (wrong use) and
the others into exit code 1 (refused with a reason).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FeaturesError(ValueError):
    """Base of every error of this room."""


class InputError(FeaturesError):
    """A source that cannot be read: missing, unreadable, without a column that is named."""


class SettingsError(FeaturesError):
    """A setting that cannot be: an expression that is not allowed, an unknown time zone."""


class RejectedError(FeaturesError):
    """So many rows of a source were rejected that a setting is likely to be wrong."""


class EmptyError(FeaturesError):
    """Nothing is left to work on: no accepted row, no customer before the as-of date."""


@contextmanager
def placed(uri: str) -> Iterator[None]:
    """Say in an error about a column whose column it is.

    Parameters
    ----------
    uri : str
        The source without its password.
    """
    try:
        yield
    except InputError as error:
        raise InputError(f"{uri}: {error}") from None
