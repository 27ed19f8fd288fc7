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


# What other packages raise is told apart by where it comes from: importing them costs seconds.
_REGISTRY_PACKAGES = ("mlflow", "sqlalchemy", "alembic")


def code(error: Exception) -> int | None:
    """Exit code of an error that was expected.

    Parameters
    ----------
    error : Exception
        What a room raised, or the system, or MLflow.

    Returns
    -------
    int or None
        1 or 2; None for an error that nobody foresaw.
    """
    found = next((exit_code for kind, exit_code in _CODES if isinstance(error, kind)), None)
    if found is None and (_about_file(error) or _from_registry(error)):
        return REFUSED
    return found


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
    if _about_file(error):
        return f"{error.filename}: {error.strerror}."  # type: ignore[attr-defined]
    if _from_registry(error):
        words = str(error).strip().partition("\n")[0]
        return (
            f"MLflow's store could not be used: {words}\n"
            "Does the address under [tracking] in the settings name it, and does it answer?"
        )
    if code(error) is not None:
        return str(error)
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return (
        f"Something went wrong that Regulars did not foresee: {said}\n"
        "Run it again with --debug (regulars --debug VERB …) to see where."
    )


def _about_file(error: Exception) -> bool:
    return isinstance(error, OSError) and bool(error.filename) and bool(error.strerror)


def _from_registry(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in _REGISTRY_PACKAGES
