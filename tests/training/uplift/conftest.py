"""Trials of a made shop with known effects and with none, learned once for the room."""

from __future__ import annotations

import numpy as np
import pytest

from training.uplift.held_out import HeldOut, hold_out
from training.uplift.model import trees_for
from training.uplift.simulate import Simulated, simulate

CUSTOMERS = 6_000


@pytest.fixture(scope="session")
def known() -> Simulated:
    """6,000 customers whose effects differ."""
    return simulate(CUSTOMERS, np.random.default_rng(0))


@pytest.fixture(scope="session")
def held(known: Simulated) -> HeldOut:
    """The X-learner's out-of-fold answers for them."""
    return hold_out(known.trial, "X", trees_for(CUSTOMERS))
