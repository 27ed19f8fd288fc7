"""Exit codes: 0 done, 1 refused with a reason, 2 wrong use or wrong settings.

The one place that knows which error of which room means what.
"""

from __future__ import annotations

from features.errors import FeaturesError, InputError, SettingsError
from serving.errors import OutputError, ServingError
from training.errors import TrainingError

DONE = 0
REFUSED = 1
WRONG_USE = 2

# The first that fits counts: the narrower classes stand before their bases.
_CODES: tuple[tuple[type[Exception], int], ...] = (
    (InputError, WRONG_USE),
    (SettingsError, WRONG_USE),
    (OutputError, WRONG_USE),
    (FeaturesError, REFUSED),
    (TrainingError, REFUSED),
    (ServingError, REFUSED),
)


def code(error: Exception) -> int | None:
    """Exit code of an error that was expected.

    Parameters
    ----------
    error : Exception
        What a room raised.

    Returns
    -------
    int or None
        1 or 2; None for an error that nobody foresaw.
    """
    return next((exit_code for kind, exit_code in _CODES if isinstance(error, kind)), None)


def sentence(error: Exception) -> str:
    """What an error says to a person.

    Parameters
    ----------
    error : Exception
        Expected or not.

    Returns
    -------
    str
        Its own words when it was expected; else its kind and words, and how to see more.
    """
    if code(error) is not None:
        return str(error)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return (
        f"Something went wrong that Regulars did not foresee: {said}\n"
        "Run it again with --debug (regulars --debug VERB …) to see where."
    )
