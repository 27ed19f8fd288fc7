"""A made business of subscribers, and a service of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features import records, table
from features.fates import histories
from features.store import Store, write_parquet
from serving import desk, scores, scoring
from serving.api import billing
from serving.api.plans import Plans
from serving.deployment import Deployment
from serving.worker import Worker
from tests.serving.insight.businesses import (
    AS_OF,
    FIRST,
    KEPT,
    NAMES,
    NOW,
    Business,
    as_text,
    behave,
    read,
)
from training.subscriptions import simulate
from training.subscriptions.hazard import Hazard
from training.subscriptions.plans import Plans as Retention
from training.subscriptions.scorer import SubscriptionScorer
from training.terms import Terms


@pytest.fixture(scope="module")
def making(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Business]:
    """Four hundred subscribers in either shape, some with a complaint, as a build leaves them."""
    paid = simulate.periods(simulate.Business(), 400, FIRST, 500, np.random.default_rng(5))
    paid = paid[paid["start"] < pd.Timestamp(AS_OF)]
    shapes = {"subscription": simulate.subscriptions(paid), "period": paid}
    made: dict[str, Business] = {}

    def make(shape: str) -> Business:
        if shape in made:
            return made[shape]
        folder, kept = tmp_path_factory.mktemp(shape), {"rows": shape, **KEPT}
        rows = as_text(shapes[shape])
        rows["end"] = rows["end"].where((shape == "period") | (rows["end"] < str(AS_OF)), None)
        who = rows["customer_id"].unique()[::3]
        day = [(FIRST + timedelta(days=200 + n)).isoformat() for n in range(len(who))]
        events = pd.DataFrame({"customer_id": who, "timestamp": day, "kind": "complaint"})
        inputs, store = read(folder, rows, kept, events), Store(folder / "store")
        found = behave(inputs)
        write_parquet(
            table.behaviour(inputs, AS_OF, horizon_days=60, population="subscribers"),
            store.behaviour(AS_OF),
        )
        records.write(inputs, AS_OF, store)
        made[shape] = Business(rows, store, found, kept, folder)
        return made[shape]

    return make


@pytest.fixture(scope="module")
def worker(making, tmp_path_factory) -> Worker:
    """A service of the business, scored by the retention of its plans."""
    business = making("subscription")
    inputs = read(tmp_path_factory.mktemp("again"), business.rows, business.kept)
    retention = Retention.fit(histories(inputs.subscriptions, AS_OF).to_pyarrow().to_pandas())
    terms = Terms("subscription", 60, 365, 0.5, 0.1, str(AS_OF), 60)
    scorer = SubscriptionScorer(terms, Hazard(retention, 0.1))
    frame, thresholds = scoring.score(
        business.behaviour, scorer, thresholds=None, as_of=AS_OF, model_version="3", scored_at=NOW
    )
    meta = scores.Meta(
        name="made",
        currency="EUR",
        timezone=NAMES.timezone,
        as_of=AS_OF,
        horizon_days=60,
        clv_horizon_days=365,
        model_version="3",
        run_id="r",
        speaker=scorer.speaker,
        grades={},
        scored_at=NOW,
        thresholds=thresholds,
        counts=scores.counts(frame),
    )
    scores.write(frame, meta, business.store.scores(AS_OF))
    newest = SimpleNamespace(current=lambda: table_at_hand)
    table_at_hand = desk.load(business.store.scores(AS_OF))
    plans = Plans(NAMES.timezone, 60, billing=business.kept, subscribers=True)
    kept = billing.kept({"sources": {"subscriptions": {"uri": "x", **business.kept}}})
    deployed = Deployment(NAMES, business.store, None, "3", thresholds, kept)
    return Worker(deployed, scorer, newest, plans, lambda: NOW)
