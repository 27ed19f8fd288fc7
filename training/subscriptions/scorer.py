"""The scorer of subscribers: same questions and same columns as `training.scorer.Scorer`.

In: behaviour rows of subscribers. Out: the chance to stay, renewals that will be paid, spend and
lifetime value, each with its interval. A folder of text and JSON, without MLflow and without the
``features`` room.

Null rule: without a running subscription nothing is said; without a price neither spend nor
lifetime value; ``p_alive`` never, as a subscriber is one until the day it ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.scorer import PREDICTED
from training.subscriptions import periods
from training.subscriptions.amounts import FIXED, Amounts
from training.subscriptions.failures import Failures
from training.subscriptions.hazard import PERIOD, Hazard
from training.subscriptions.margins import TermMargins
from training.subscriptions.periods import Floats
from training.subscriptions.prices import Prices
from training.terms import OnTerms, Terms, by_family
from training.windows.spread import Spread

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel
    from training.silence.reach import Reach
    from training.silence.shape import Shape

KIND = "subscription"
HAZARD = "hazard"
PRICE = "subscription_price"
FAMILY = "subscription"
# Numbers of a block: a customer's every period ahead, for as many customers as fit.
_BLOCK = 4_000_000


@dataclass(frozen=True)
class SubscriptionScorer(OnTerms):
    """Predicts for subscribers every column that a model answers for.

    Attributes
    ----------
    terms : Terms
        Horizon, margin, discount and training date; the rule is ``subscription``.
    hazard : Hazard
        Chances to end, period by period.
    families : mapping of str to str
        Family of each column that the hazard reads.
    grades : mapping of str to str
        Grade by question.
    prices : Prices
        How prices move, for the intervals of what is paid.
    spread : Spread or None
        How far chances to leave lay beside what came in past windows; None leaves their bounds
        null.
    failures : Failures
        Which part of the risk is a payment that fails.
    reach, shape : Reach, Shape or None
        As of `training.scorer.Scorer`.
    margins : TermMargins or None
        Rates of subscribers where the subscriptions state margins.
    """

    terms: Terms
    hazard: Hazard
    families: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, str] = field(default_factory=dict)
    prices: Prices = field(default_factory=Prices)
    spread: Spread | None = None
    failures: Failures = field(default_factory=Failures)
    reach: Reach | None = None
    shape: Shape | None = None
    margins: TermMargins | None = None

    @property
    def speaker(self) -> str:
        """``hazard``, or ``sbg`` where no trees could be learned."""
        return "sbg" if self.hazard.trees is None else "hazard"

    @property
    def churn(self) -> ChurnModel | None:
        """The trees, whose figures a run keeps."""
        return self.hazard.trees

    @property
    def rule(self) -> str:
        """Churn rule of the settings."""
        return self.terms.rule

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Score behaviour rows of subscribers.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            With the catalogue's columns, and ``as_of`` for the lengths of the months ahead (the
            training's date where it is missing).
        horizon_days : int, optional
            Another window, in days. The chance to stay never rises with it.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, 14)
            The columns of ``training.scorer.PREDICTED`` under the index of ``frame``: purchases
            are renewals that are paid, at the price of today.
        """
        horizon = self.horizon_days if horizon_days is None else horizon_days
        parts = [self._predict(part, horizon) for part in self._blocks(frame, horizon)]
        return pd.concat(parts) if len(parts) > 1 else parts[0]

    def lifetimes(self, frame: pd.DataFrame) -> pd.DataFrame:
        """How long subscribers are expected to stay on.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, 3)
            ``expected_months`` of the next ``clv_horizon_days``; ``residual_renewals``: renewals
            ever after, discounted at the rate of the settings (DERL of the plan's sBG, after the
            renewals made so far); ``involuntary_share`` of the risk to leave. NaN without a
            running subscription.
        """
        parts = [self._lifetimes(part) for part in self._blocks(frame, self.clv_horizon_days)]
        return pd.concat(parts) if len(parts) > 1 else parts[0]

    def _lifetimes(self, frame: pd.DataFrame) -> pd.DataFrame:
        from training.subscriptions.retention import Parameters, residual_lifetime

        span = self.clv_horizon_days
        due = periods.dues(frame, self._as_of(frame), periods.periods_within(frame, span))
        stays = periods.months(self.hazard.chances(frame, due), due, span)
        known = np.isfinite(due[:, 0])
        alpha, beta = self.hazard.plans.parameters(frame["subscription_plan"], frame[periods.TERM])
        made = np.nan_to_num(frame["subscription_renewals"].to_numpy(float, na_value=np.nan))
        years = np.nan_to_num(frame[periods.TERM].to_numpy(float, na_value=np.nan)) / 365.0
        rates = (1.0 + self.terms.annual_discount_rate) ** years - 1.0
        cases = np.column_stack([alpha, beta, made, rates])
        distinct, back = np.unique(cases, axis=0, return_inverse=True)
        lasting = np.array(
            [float(residual_lifetime(Parameters(a, b), n, d)) for a, b, n, d in distinct]
        )[back.ravel()]
        return pd.DataFrame(
            {
                "expected_months": np.where(known, stays, np.nan),
                "residual_renewals": np.where(known & np.isfinite(lasting), lasting, np.nan),
                "involuntary_share": np.where(known, self.failures.share(frame), np.nan),
            },
            index=frame.index,
        )

    def lifetime_values(self, frame: pd.DataFrame, moved: float = 0.0) -> Floats:
        """Lifetime values if leaving were more or less likely than it is said to be.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.
        moved : float, default 0
            Log-odds by which the chance to end moves in every period ahead.

        Returns
        -------
        ndarray of shape (n_customers,)
            In currency; the column ``clv`` of `predict` where nothing is moved. NaN as there.
        """
        return np.concatenate(
            [self._worth(part, moved) for part in self._blocks(frame, self.clv_horizon_days)]
        )

    def _worth(self, frame: pd.DataFrame, moved: float) -> Floats:
        from scipy.special import expit

        from training.windows.level import log_odds

        span, rate = self.clv_horizon_days, self.terms.annual_discount_rate
        due = periods.dues(frame, self._as_of(frame), periods.periods_within(frame, span))
        chances = self.hazard.chances(frame, due)
        if moved:
            chances = expit(log_odds(chances) + moved)
        price = frame[PRICE].to_numpy(dtype=np.float64, na_value=np.nan)
        worth = price * self.margin_rates(frame) * periods.payments(chances, due, span, rate)
        return np.where(np.isfinite(due[:, 0]), worth, np.nan)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What moves each subscriber's risk to end at the next renewal, by family.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_families)
            Log-odds; positive raises the risk. Drivers of the score, not causes.
        """
        return self.summed(self.moved(frame))

    def moved(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The same by behaviour column rather than by family."""
        return self.hazard.contributions(frame, periods.dues(frame, self._as_of(frame), 1))

    def summed(self, moved: pd.DataFrame) -> pd.DataFrame:
        """What `moved` gave by family, as `contributions` gives it."""
        return by_family(moved, {name: self.families.get(name, FAMILY) for name in map(str, moved)})

    def parameters(self) -> dict[str, Any]:
        """What a run keeps of the model: sBG parameters by plan, periods learned, mid-term ends."""
        plans = self.hazard.plans
        told: dict[str, Any] = {
            "hazard.periods": self.hazard.learned,
            "hazard.ends_between_renewals": round(self.hazard.within, 4),
            "hazard.sigmoid_slope": round(self.hazard.sigmoid.slope, 4),
            "hazard.sigmoid_intercept": round(self.hazard.sigmoid.intercept, 4),
        }
        for term, one in plans.terms.items():
            told[f"sbg.{term:g}_days.alpha"] = one.params.alpha
            told[f"sbg.{term:g}_days.beta"] = one.params.beta
            told[f"sbg.{term:g}_days.verdict"] = one.verdict
        return told

    def save(self, folder: Path) -> None:
        """Write the scorer as a folder of text and JSON.

        Parameters
        ----------
        folder : Path
            Made when absent.
        """
        from training import scorer_files

        folder.mkdir(parents=True, exist_ok=True)
        head = {
            "kind": KIND,
            "terms": asdict(self.terms),
            "families": dict(self.families),
            "grades": dict(self.grades),
        }
        self.hazard.save(folder / HAZARD)
        self.prices.save(folder)
        self.failures.save(folder)
        if self.margins is not None:
            self.margins.save(folder)
        scorer_files.finish(self, head, folder)

    @classmethod
    def read(cls, folder: Path, head: Mapping[str, Any]) -> SubscriptionScorer:
        """Read what `save` wrote.

        Parameters
        ----------
        folder : Path
        head : mapping
            What `training.scorer_files.read` found there.

        Returns
        -------
        SubscriptionScorer
            Predicts bit for bit what the saved one did.
        """
        from training.silence.reach import Reach
        from training.silence.shape import Shape

        return cls(
            Terms(**head["terms"]),
            Hazard.load(folder / HAZARD),
            head["families"],
            head["grades"],
            Prices.load(folder),
            Spread.load(folder),
            Failures.load(folder),
            Reach.load(folder),
            Shape.load(folder),
            TermMargins.load(folder),
        )

    def _blocks(self, frame: pd.DataFrame, horizon: int) -> list[pd.DataFrame]:
        """Parts of a frame that fit into memory with all their periods."""
        ahead = periods.periods_within(frame, max(horizon, self.clv_horizon_days))
        rows = max(1, _BLOCK // ahead)
        return [frame.iloc[at : at + rows] for at in range(0, max(len(frame), 1), rows)]

    def _as_of(self, frame: pd.DataFrame) -> date:
        if "as_of" in frame and len(frame):
            return pd.Timestamp(frame["as_of"].iloc[0]).date()
        return self.trained_as_of

    def _predict(self, frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
        longest = max(horizon, self.clv_horizon_days)
        due = periods.dues(frame, self._as_of(frame), periods.periods_within(frame, longest))
        told = predicted(
            self.hazard.chances(frame, due),
            due,
            frame,
            self.terms,
            horizon,
            self.hazard.within,
            self.prices,
            self.margin_rates(frame),
        )
        if self.spread is None:
            return told
        stays = told["return_probability"].to_numpy(dtype=np.float64)
        bounds = self.spread.bounds({"return_probability": stays})
        # What cannot end within the horizon has no rate that could lie elsewhere.
        return told.assign(**{end: np.where(stays == 1, 0.0, at) for end, at in bounds.items()})


def predicted(
    chances: Floats,
    due: Floats,
    frame: pd.DataFrame,
    terms: Terms,
    horizon: int,
    within: float,
    prices: Prices,
    margin_rates: Floats | None = None,
) -> pd.DataFrame:
    """The predicted columns that follow from the chances to end, whoever gives them.

    Parameters
    ----------
    chances, due : ndarray of shape (n_customers, n_periods)
    frame : pandas.DataFrame
        Behaviour rows.
    terms : Terms
        Span of the lifetime value, margin and discount.
    horizon : int
        Window, in days.
    within : float
        Share of the ends between two renewals.
    prices : Prices
        For the intervals of spend and lifetime value.
    margin_rates : ndarray of shape (n_customers,), optional
        Share of the price that is profit; that of the terms for all where not given.

    Returns
    -------
    pandas.DataFrame of shape (n_customers, 14)
        ``training.scorer.PREDICTED``. With price m, margin g and paid renewals N: spend m E[N];
        lifetime value g m Σ P(paid j)(1 + r)^(−dⱼ/365) over its own span.
    """
    price = frame[PRICE].to_numpy(dtype=np.float64, na_value=np.nan)
    term = frame[periods.TERM].to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(due[:, 0])
    stays = periods.staying(chances, due, horizon, within)
    columns = {
        "churn_probability": 1.0 - stays,
        "churn_probability_lower": np.full(len(due), np.nan),
        "churn_probability_upper": np.full(len(due), np.nan),
        "return_probability": stays,
        "p_alive": np.full(len(due), np.nan),
    }
    rate, span = terms.annual_discount_rate, terms.clv_horizon_days
    profit = price * (terms.margin if margin_rates is None else margin_rates)
    for name, days, discount, worth, moving in (
        ("expected_purchases", horizon, 0.0, 1.0, FIXED),
        ("expected_spend", horizon, 0.0, price, prices),
        ("clv", span, rate, profit, prices),
    ):
        low, high, _ = Amounts.of(chances, due, term, days, discount, moving).interval()
        columns[name] = worth * periods.payments(chances, due, days, discount)
        # Whoever is served at a loss loses the more the longer it stays.
        ends = worth * low, worth * high
        columns[f"{name}_lower"], columns[f"{name}_upper"] = np.minimum(*ends), np.maximum(*ends)
    told = {name: np.where(known, values, np.nan) for name, values in columns.items()}
    return pd.DataFrame(told, index=frame.index)[list(PREDICTED)]


#: Families of what the hazard reads beside behaviour columns.
PERIOD_FAMILIES = dict.fromkeys(PERIOD, FAMILY)
