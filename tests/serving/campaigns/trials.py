"""Made campaigns with known effects, as records of one action."""

from __future__ import annotations

import numpy as np

from serving.campaigns.records import Records

MARGIN, COST = 0.3, 0.5


def records(
    customers: int, *, holdout: float = 0.1, kept: float = 0.0, lift: float = 0.0, seed: int = 0
) -> Records:
    """Customers whose chance to return and spend are known up to luck.

    `kept` of those who would leave come back, and who comes back spends by `lift` more. The
    holdout is drawn as plans draw it, with exactly its share of each stratum up to one.
    """
    random = np.random.default_rng(seed)
    chance, level = random.beta(2, 3, customers), np.exp(random.normal(3, 0.6, customers))
    strata = np.searchsorted(np.quantile(chance, [1 / 3, 2 / 3]), chance)
    place = np.empty(customers)
    place[np.lexsort((random.random(customers), strata))] = np.arange(customers)
    treated = (place + random.random()) % (1 / holdout) >= 1
    stays = random.random(customers) < chance
    saved = ~stays & treated & (random.random(customers) < kept)
    returned = (stays | saved).astype(float)
    spend = returned * level * np.exp(0.6 * random.normal(size=customers)) * (1 + lift * treated)
    outcomes = {
        "returned": returned,
        "purchases": returned * (1 + random.poisson(0.5, customers)),
        "spend": spend,
        "profit": MARGIN * spend - COST * treated,
    }
    scores = np.column_stack([chance, 1.5 * chance, chance * level * np.exp(0.18)])
    return Records(
        "call",
        treated,
        strata,
        np.full(customers, 1 - holdout),
        outcomes,
        {"complaints": (random.random(customers) < 0.2).astype(float)},
        scores,
    )
