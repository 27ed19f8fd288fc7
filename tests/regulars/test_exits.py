"""Exit codes: every error that a room declares has one."""

from __future__ import annotations

import pytest

import features.errors
import serving.errors
import training.errors
from regulars import exits

ROOMS = (features.errors, training.errors, serving.errors)
DECLARED = [
    found
    for room in ROOMS
    for found in vars(room).values()
    if isinstance(found, type)
    and issubclass(found, Exception)
    and not issubclass(found, Warning)
    and found.__module__ == room.__name__
]


@pytest.mark.parametrize("kind", DECLARED, ids=lambda kind: kind.__name__)
def test_every_error_of_a_room_has_an_exit_code(kind: type[Exception]):
    assert exits.code(kind("told")) in (exits.REFUSED, exits.WRONG_USE)


@pytest.mark.parametrize("error", [ValueError("x"), RuntimeError("x"), OSError("x"), KeyError("x")])
def test_other_errors_are_unforeseen(error: Exception):
    assert exits.code(error) is None


def test_a_file_that_cannot_be_used_is_named():
    error = PermissionError(13, "Permission denied", "/srv/scores.csv")
    assert exits.code(error) == exits.REFUSED
    assert exits.sentence(error) == "/srv/scores.csv: Permission denied."


def test_a_tracking_store_that_cannot_be_used_is_a_refusal():
    from mlflow.exceptions import MlflowException

    error = MlflowException("API request failed\nat great length")
    assert exits.code(error) == exits.REFUSED
    told = exits.sentence(error)
    assert "API request failed" in told
    assert "[tracking]" in told
    assert "length" not in told
