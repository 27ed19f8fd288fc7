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
