"""A made population and a made model, for tests that need behaviour rows and predictions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from serving.groups.history import History

if TYPE_CHECKING:
    from training.subscriptions.scorer import SubscriptionScorer

AS_OF = date(2024, 7, 1)


class MadeScorer:
    """Simple formulas with the interface of the registered scorer; money scales with money."""

    horizon_days = 90
    clv_horizon_days = 365
    speaker = "churn"

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Predicted columns."""
        days = horizon_days or self.horizon_days
        rate = (frame["frequency"] + 0.5) / (frame["T"] + 60)
        alive = 1 / (1 + np.exp(frame["days_since_last"] * rate - 3))
        stays = alive * (1 - np.exp(-rate * days))
        worth = frame["monetary_value"]
        columns = {
            "churn_probability": 1 - stays,
            "return_probability": stays,
            "p_alive": alive,
            "expected_purchases": alive * rate * days,
            "expected_spend": alive * rate * days * worth,
            "clv": 0.3 * alive * rate * self.clv_horizon_days * worth,
        }
        for name in ("churn_probability", "expected_purchases", "expected_spend", "clv"):
            columns[f"{name}_lower"] = columns[f"{name}_upper"] = np.nan
        return pd.DataFrame(columns, index=frame.index)

    def margin_rates(self, frame: pd.DataFrame) -> np.ndarray:
        """The margin that the lifetime value is reckoned with."""
        return np.full(len(frame), 0.3)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log-odds by family; "pattern" is one that nobody describes."""
        columns = {
            "rfm": -0.1 * frame["frequency"],
            "rhythm": frame["days_since_last"] / frame["gap_mean"].fillna(90) - 1,
            "season": 0.02,
            "pattern": 0.01 * frame["T"] - 1,
        }
        return pd.DataFrame(columns, index=frame.index)


def make_people(customers: int, *, seed: int = 0) -> pd.DataFrame:
    """Behaviour rows of customers with few and many purchases, recent and old, some refunded."""
    rng = np.random.default_rng(seed)
    age = rng.integers(0, 720, customers).astype(float)
    frequency = np.minimum(rng.geometric(0.35, customers) - 1.0, age)
    recency = np.clip(np.ceil(age * rng.beta(2, 1, customers)), frequency, age)
    recency = np.where(frequency > 0, recency, 0.0)
    repeats = frequency > 0
    gap = np.where(repeats, recency / np.maximum(frequency, 1), np.nan)
    first = np.round(rng.gamma(2, 30, customers), 2)
    refund = np.where(rng.random(customers) < 0.03, 2000.0, 0.0)
    return pd.DataFrame(
        {
            "customer_id": [f"c{number:06d}" for number in range(customers)],
            "as_of": AS_OF,
            "frequency": frequency,
            "recency": recency,
            "T": age,
            "monetary_value": np.where(repeats, np.round(rng.gamma(2, 30, customers), 2), 25.0),
            "days_since_last": age - recency + 1,
            "gap_mean": gap,
            "gap_last": np.where(frequency == 1, gap, np.round(gap * rng.gamma(2, 0.5, customers))),
            "spend_total": np.round(first * (1 + frequency * rng.random(customers)) - refund, 2),
            "first_order": first,
        }
    )


def make_history(**columns: object) -> History:
    """Histories from lists; what is not given is what a single purchase of 50 leaves."""
    lengths = {len(values) for values in columns.values()}
    (rows,) = lengths or {1}
    usual = {
        "days_since_last": 10.0,
        "frequency": 0.0,
        "age": 9.0,
        "gap_mean": np.nan,
        "gap_last": np.nan,
        "spend": 50.0,
        "first_order": 50.0,
    }
    given = {name: np.full(rows, value) for name, value in usual.items()}
    given |= {name: np.asarray(values, dtype=float) for name, values in columns.items()}
    return History(**given)


@pytest.fixture(scope="session")
def as_of() -> date:
    return AS_OF


@pytest.fixture(scope="session")
def people() -> Callable[..., pd.DataFrame]:
    """`people(n, seed=0)`: behaviour rows of n made customers."""
    return make_people


@pytest.fixture(scope="session")
def history() -> Callable[..., History]:
    """`history(frequency=[0, 3], ...)`: purchase histories from lists."""
    return make_history


@pytest.fixture(scope="session")
def made_scorer() -> MadeScorer:
    return MadeScorer()


@pytest.fixture(scope="session")
def scored(made_scorer: MadeScorer) -> Callable[..., tuple]:
    """`scored(frame, thresholds=None, ...)`: score rows and thresholds by the made model."""
    from serving.scoring import score

    def run(frame: pd.DataFrame, scorer: object = made_scorer, **changed: object) -> tuple:
        usual = {
            "thresholds": None,
            "as_of": AS_OF,
            "model_version": "7",
            "scored_at": datetime(2024, 7, 2, 3, 4, 5, 678901, tzinfo=UTC),
        }
        return score(frame, scorer, **(usual | changed))

    return run


@pytest.fixture(scope="session")
def score_file(people: Callable[..., pd.DataFrame], scored: Callable[..., tuple]) -> Callable:
    """`score_file(path, customers=50, as_of=AS_OF, ...)`: writes a score table, gives its frame."""
    from serving import scores

    def write(path: Path, customers: int = 50, as_of: date = AS_OF, **changed: object) -> object:
        rows = people(customers, seed=customers).assign(as_of=as_of)
        frame, thresholds = scored(rows, as_of=as_of)
        usual = {
            "name": "made-shop",
            "currency": "EUR",
            "timezone": "UTC",
            "as_of": as_of,
            "horizon_days": 90,
            "clv_horizon_days": 365,
            "model_version": "7",
            "run_id": None,
            "speaker": "churn",
            "grades": {"risk": "B"},
            "scored_at": datetime(2024, 7, 2, 3, 4, 5, 678901, tzinfo=UTC),
            "thresholds": thresholds,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        scores.write(frame, scores.Meta(**(usual | changed)), path)
        return frame

    return write


@pytest.fixture(scope="session")
def retention() -> SubscriptionScorer:
    """Retention of one plan, where a tenth leaves at first and fewer later."""
    from training.subscriptions.hazard import Hazard
    from training.subscriptions.plans import Plans
    from training.subscriptions.scorer import SubscriptionScorer
    from training.terms import Terms

    histories = pd.DataFrame(
        {
            "plan": "basic",
            "term_days": 30.4375,
            "renewals": [0, 1, 2, 3, 4, 12],
            "active": [False, False, False, False, False, True],
            "customers": [100, 60, 50, 40, 30, 720],
        }
    )
    terms = Terms("subscription", 90, 365, 0.5, 0.1, "2024-07-01", 60)
    return SubscriptionScorer(terms, Hazard(Plans.fit(histories), 0.0))


@pytest.fixture(scope="session")
def subscribers() -> pd.DataFrame:
    """Five subscribers and one who is none, none of whom bought anything besides."""
    from features.catalogue import FEATURES

    numbers, month = [f.name for f in FEATURES if f.kind != "string"], 30.4375
    told = {
        "customer_id": ["new", "growing", "loyal", "back", "late", "gone"],
        "subscription_renewals": [0, 1, 9, 1, 4, None],
        "subscription_days_to_renewal": [20, 0, 7, 3, -2, None],
        "subscription_term_days": [month] * 5 + [None],
        "subscription_price": [10, 10, 10, None, 10, None],
        "subscription_earlier": [0, 0, 0, 1, 0, 1],
        "subscription_tenure_days": [10, 40, 300, 40, 150, None],
        "subscription_pause_days": [None, None, None, 60, None, None],
    }
    frame = pd.DataFrame(dict.fromkeys(numbers, np.nan), index=range(6)).assign(**told)
    return frame.astype(dict.fromkeys(numbers, "float64")).assign(
        as_of=AS_OF, subscription_plan=["basic"] * 5 + [None], first_month=None, spend_total=0.0
    )
