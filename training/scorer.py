"""The one model that is registered, promoted and served: behaviour rows in, predictions out.

A scorer holds the value model, and the churn model that speaks for the return probability where
there is one. It is a folder of text and JSON, needs neither MLflow nor the ``features`` room to
load, and gives a customer alone the same numbers as in a table.

Null rule: what cannot be said is NaN; the interval bounds are NaN where no past window tells how
far outcomes lie from predictions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.errors import RegistryError
from training.forecast import Forecast, deviation_of, worth_of
from training.terms import OnTerms, Terms, by_family
from training.windows.known import add_value_features
from training.windows.level import log_odds

if TYPE_CHECKING:
    from training.learners.blend import Blend
    from training.learners.churn import ChurnModel
    from training.learners.logistic import LogisticModel
    from training.learners.pair import Pair
    from training.learners.spend import SpendModel
    from training.margins import Margins
    from training.silence.reach import Reach
    from training.silence.shape import Shape
    from training.value.calendar import Calendar
    from training.value.model import ValueModel
    from training.windows.carry import Carry
    from training.windows.spread import Spread

BOUNDED = ("expected_purchases", "expected_spend", "clv")
#: Horizon within which the next purchase is expected, in days; the longest that is tested.
LONGEST = 365
PREDICTED = (
    "churn_probability",
    "churn_probability_lower",
    "churn_probability_upper",
    "return_probability",
    "p_alive",
    *(f"{name}{end}" for name in BOUNDED for end in ("", "_lower", "_upper")),
)


@dataclass(frozen=True)
class Scorer(OnTerms):
    """Predicts every column of the score table that a model answers for.

    Attributes
    ----------
    terms : Terms
        Horizon, margin, discount and training date.
    speaker : {"blend", "churn", "logistic", "pair", "value"}
        Which model gives the return probability.
    value : ValueModel or None
        None where there is no transaction log (label rule).
    churn : Blend, ChurnModel, LogisticModel, Pair or None
        The model named by ``speaker``; None when the value model speaks alone.
    families : mapping of str to str
        Family of each column that the churn model reads.
    grades : mapping of str to str
        Grade by question, as "A", "B", "C" or "ungraded".
    spend : SpendModel or None
        Gives the expected spend beside a blend; None leaves it to the value model.
    carry : Carry or None
        Beside a blend: carries it to every horizon, on the level of the season.
    spread : Spread or None
        How far outcomes lay from predictions in past windows; None leaves the bounds null.
    reach : Reach or None
        Of customers beyond it, who are unlike any that were seen, figures are not said.
    shape : Shape or None
        What the training's tables looked like: of others that are unlike them nothing is said.
    calendar : Calendar or None
        The season by weeks, for what lies between and beyond the horizons of ``carry``.
    margins : Margins or None
        Where the log states margins: the rates that lifetime values are reckoned with.
    """

    terms: Terms
    speaker: str
    value: ValueModel | None
    churn: Blend | ChurnModel | LogisticModel | Pair | None
    families: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, str] = field(default_factory=dict)
    spend: SpendModel | None = None
    carry: Carry | None = None
    spread: Spread | None = None
    reach: Reach | None = None
    shape: Shape | None = None
    calendar: Calendar | None = None
    margins: Margins | None = None

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Score behaviour rows.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows with the catalogue's columns.
        horizon_days : int, optional
            Another outcome window, in days. Probability, purchases and spend rise with it.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, 14)
            The columns of ``PREDICTED`` under the index of ``frame``. Probabilities in [0, 1],
            purchases in occasions, spend and CLV in currency. The bounds are of 80 % intervals.

        Raises
        ------
        RegistryError
            If another horizon is asked of a scorer without a value model.

        Notes
        -----
        A blend's figures are those of `training.forecast`. A label is no purchase: under the
        label rule the value model's figures stay as they are beside the probability p of the
        label, and another horizon h moves it along the value model's p_v:
        logit p(h) = logit p_v(h) + logit p − logit p_v. The lifetime value is that of the
        trained horizon, whatever horizon is asked for. Where there is a calendar, a horizon
        between or beyond those with a level of their own is taken by `Calendar.aligned`. Where
        there are margins, the lifetime value and its bounds are those of the customer's own rate,
        below zero where that is; the bounds tell how spend varies, not how the rate may.
        """
        found = self._at_one_margin(frame, horizon_days)
        if self.margins is None:
            return found
        factor = self.margins.rates(frame) / self.terms.margin
        lower, clv, upper = (
            # A loss of nothing is nothing, without a sign.
            found[name].to_numpy(float) * factor + 0.0
            for name in ("clv_lower", "clv", "clv_upper")
        )
        turned = factor < 0
        return found.assign(
            clv=clv,
            clv_lower=np.where(turned, upper, lower),
            clv_upper=np.where(turned, lower, upper),
        )

    def _at_one_margin(self, frame: pd.DataFrame, horizon_days: int | None) -> pd.DataFrame:
        """Every customer's spend at the margin of the terms."""
        horizon = self.horizon_days if horizon_days is None else horizon_days
        if self.value is None:
            return self._label_only(frame, horizon)
        if self.carry is not None:
            return self._assemble(frame.index, self._forecasted(frame, horizon))
        valued = self._valued(frame, horizon)
        columns = {name: valued[name].to_numpy(dtype=float) for name in ("p_alive", *BOUNDED)}
        columns["return_probability"] = self._spoken(frame, valued, horizon)
        if self.speaker == "value":
            lifetime = self._valued(frame, self.clv_horizon_days)
            columns |= {
                "lifetime_return": lifetime["return_probability"].to_numpy(dtype=float),
                "lifetime_purchases": lifetime["expected_purchases"].to_numpy(dtype=float),
            }
        return self._assemble(frame.index, columns)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What moves each customer's risk of leaving, by family.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_families)
            Log-odds of churn over the learned window; positive raises the risk of leaving.
            Drivers of the score, not causes.
        """
        if self.churn is None:
            return self._value_contributions(frame)
        columns = self.churn.contributions(self.with_value_features(frame))
        return by_family(columns, self.families)

    def days_to_next_purchase(self, frame: pd.DataFrame) -> np.ndarray | None:
        """Median time to the next purchase of those who come back within the longest horizon.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.

        Returns
        -------
        numpy.ndarray of shape (n_customers,) or None
            Days from the as-of date on, above 0 and below 365 days or the trained horizon, the
            longer of the two; NaN without a purchase on record and where no return has a chance.
            None without a value model. See `training.value.next_purchase`.
        """
        from training.value.next_purchase import days_to_next_purchase

        if self.value is None:
            return None
        return days_to_next_purchase(self.value, frame, max(LONGEST, self.horizon_days))

    def with_value_features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Behaviour rows plus the value model's outputs, as the churn model reads them."""
        if self.value is None:
            return frame
        return add_value_features(frame, self._valued(frame, self.terms.window_days))

    def forecast(self, frame: pd.DataFrame) -> Forecast:
        """The blend's answers for these customers, over any horizon."""
        from training.learners.blend import Blend

        assert isinstance(self.churn, Blend) and self.carry is not None  # noqa: S101
        rows = self.with_value_features(frame)
        deviation = deviation_of(self.churn, rows)
        shift = self.carry.shifts[self.terms.window_days]
        worth = None if self.spend is None else worth_of(self.spend, rows, deviation, shift)
        return Forecast(lambda days: self._valued(frame, days), deviation, worth, self.carry)

    def _forecasted(self, frame: pd.DataFrame, horizon: int) -> dict[str, np.ndarray]:
        said = self.forecast(frame)
        here, lifetime = (self._aligned(frame, days) for days in (horizon, self.clv_horizon_days))
        return {
            "return_probability": said.returning(here),
            "p_alive": said.alive(),
            "expected_purchases": said.purchases(here),
            "expected_spend": said.spend(here),
            "clv": said.lifetime(self.terms),
            "lifetime_return": said.returning(lifetime),
            "lifetime_purchases": said.purchases(lifetime),
        }

    def _aligned(self, frame: pd.DataFrame, horizon: int) -> float:
        """The horizon by the calendar, from the day of the rows on."""
        if self.carry is None or self.calendar is None or frame.empty:
            return horizon
        # Rows in a table of their own, as MLflow has them, need not bring their date.
        day = frame["as_of"].iloc[0] if "as_of" in frame else self.trained_as_of
        return self.calendar.aligned(pd.Timestamp(day).date(), horizon, self.carry.anchors)

    def _valued(self, frame: pd.DataFrame, horizon: float) -> pd.DataFrame:
        terms = self.terms
        assert self.value is not None  # noqa: S101
        return self.value.predict(
            frame,
            horizon_days=horizon,
            clv_horizon_days=terms.clv_horizon_days,
            margin=terms.margin,
            annual_discount_rate=terms.annual_discount_rate,
        )

    def _spoken(self, frame: pd.DataFrame, valued: pd.DataFrame, horizon: int) -> np.ndarray:
        """Return probability where no blend speaks."""
        from scipy.special import expit

        told = valued["return_probability"].to_numpy(dtype=float)
        if self.churn is None:
            return told
        spoken = self._label(self.with_value_features(frame))
        if horizon == self.horizon_days:
            return spoken
        trained = self._valued(frame, self.horizon_days)["return_probability"].to_numpy(float)
        return expit(log_odds(told) + log_odds(spoken) - log_odds(trained))

    def _label(self, rows: pd.DataFrame) -> np.ndarray:
        """Probability of staying, by a learner alone."""
        from training.learners.blend import Blend

        assert self.churn is not None and not isinstance(self.churn, Blend)  # noqa: S101
        return self.churn.predict_proba(rows)[:, 0]

    def _assemble(self, index: pd.Index, columns: dict[str, np.ndarray]) -> pd.DataFrame:
        bounds = [name for name in PREDICTED if name.endswith(("_lower", "_upper"))]
        given = {name: np.full(len(index), np.nan) for name in bounds}
        if self.spread is not None:
            given |= self.spread.bounds(columns)
        given |= columns | {"churn_probability": 1.0 - columns["return_probability"]}
        return pd.DataFrame(given, index=index)[list(PREDICTED)]

    def _label_only(self, frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
        if horizon != self.horizon_days:
            raise RegistryError(
                f"got horizon_days={horizon}, but this model knows {self.horizon_days} days only; "
                "train with another [churn] horizon_days"
            )
        columns = {name: np.full(len(frame), np.nan) for name in ("p_alive", *BOUNDED)}
        columns["return_probability"] = self._label(frame)
        return self._assemble(frame.index, columns)

    def _value_contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Log-odds of churn told in two steps that add up.

        From a customer who first bought yesterday, to one who bought as often and lately as
        can be (``rfm``), to the time that has really passed since (``rhythm``).
        """
        # A single purchase has no recency but 0.
        lately = frame.assign(recency=frame["T"].where(frame["frequency"] > 0, 0))
        newcomer = frame.assign(frequency=0, recency=0, T=0, monetary_value=0.0)
        now, often, start = self._risk(frame), self._risk(lately), self._risk(newcomer)
        return pd.DataFrame({"rhythm": now - often, "rfm": often - start}, index=frame.index)

    def _risk(self, frame: pd.DataFrame) -> np.ndarray:
        valued = self._valued(frame, self.horizon_days)
        return -log_odds(valued["return_probability"].to_numpy())

    def save(self, folder: Path) -> None:
        """Write the scorer as a folder of text and JSON; see `training.scorer_files`."""
        from training import scorer_files

        scorer_files.write(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Scorer:
        """Read a saved scorer; it predicts bit for bit what the saved one did.

        Raises
        ------
        RegistryError
            If the folder holds no scorer, or one of another format.
        """
        from training import scorer_files

        return scorer_files.read(folder)
