"""The one model that is registered, promoted and served: behaviour rows in, predictions out.

A scorer holds the value model, and the churn model that speaks for the return probability when
the backtest found that it does so better. It is a folder of text and JSON, needs neither MLflow
nor the ``features`` room to load, and gives a customer alone the same numbers as in a table.

Null rule: what cannot be said is NaN; the interval bounds are NaN until intervals are fitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from training.errors import RegistryError
from training.level import Level, log_odds

if TYPE_CHECKING:
    from training.blend import Blend
    from training.churn import ChurnModel
    from training.logistic import LogisticModel
    from training.pair import Pair
    from training.spend import SpendModel
    from training.value.model import ValueModel

#: Value-model outputs that the churn model sees: how often and how lately one bought, so they
#: count as rhythm in the reasons.
VALUE_FEATURES = {
    "value_return_probability": "return_probability",
    "value_p_alive": "p_alive",
    "value_expected_purchases": "expected_purchases",
    "value_expected_spend": "expected_spend",
}
VALUE_FAMILY = "rhythm"

BOUNDED = ("expected_purchases", "expected_spend", "clv")
PREDICTED = (
    "churn_probability",
    "return_probability",
    "p_alive",
    *(f"{name}{end}" for name in BOUNDED for end in ("", "_lower", "_upper")),
)

#: Spend a purchase and lifetime value move by no more than this factor, or its inverse.
FURTHEST = 5.0


@dataclass(frozen=True)
class Terms:
    """What was asked of the models, kept with them.

    Attributes
    ----------
    rule : str
        Churn rule of the settings.
    horizon_days : int
        Outcome window of the return probability, in days.
    clv_horizon_days : int
        Span of the customer lifetime value, in days.
    margin : float
        Share of spend that is profit.
    annual_discount_rate : float
        Discount a year, as a fraction.
    trained_as_of : str
        ISO date; nothing from it on was seen in training.
    """

    rule: str
    horizon_days: int
    clv_horizon_days: int
    margin: float
    annual_discount_rate: float
    trained_as_of: str


@dataclass(frozen=True)
class Scorer:
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
    level : Level
        The season that the blend and its totals were set on.
    """

    terms: Terms
    speaker: str
    value: ValueModel | None
    churn: Blend | ChurnModel | LogisticModel | Pair | None
    families: Mapping[str, str] = field(default_factory=dict)
    grades: Mapping[str, str] = field(default_factory=dict)
    spend: SpendModel | None = None
    level: Level = field(default_factory=Level)

    @property
    def horizon_days(self) -> int:
        """Outcome window that the models were trained for, in days."""
        return self.terms.horizon_days

    @property
    def clv_horizon_days(self) -> int:
        """Span of the lifetime value, in days."""
        return self.terms.clv_horizon_days

    @property
    def trained_as_of(self) -> date:
        """Nothing from this date on was seen in training."""
        return date.fromisoformat(self.terms.trained_as_of)

    @property
    def attributes(self) -> tuple[str, ...]:
        """Customer attributes that the churn model reads, as ``attribute_*`` columns."""
        return tuple(name for name in self.families if name.startswith("attribute_"))

    def predict(self, frame: pd.DataFrame, horizon_days: int | None = None) -> pd.DataFrame:
        """Score behaviour rows.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows with the catalogue's columns.
        horizon_days : int, optional
            Another outcome window, in days. The probability is then carried from the trained
            horizon along the value model (see Notes).

        Returns
        -------
        pandas.DataFrame of shape (n_customers, 12)
            The columns of ``PREDICTED`` under the index of ``frame``. Probabilities in [0, 1],
            purchases in occasions, spend and CLV in currency.

        Raises
        ------
        RegistryError
            If another horizon is asked of a scorer without a value model.

        Notes
        -----
        When another model speaks with probability p and the value model says p_v and E_v, the
        expected purchases are p · E_v / p_v: how likely, times how often if at all. So they
        never fall below p. Spend and CLV follow in the same ratio; CLV in that of the trained
        horizon, whatever horizon is asked for. A label is no purchase: under the label rule the
        value model's figures stay as they are.

        Beside a blend, purchases are on their own level, e^{l_x} p E_v / p̂_v with p̂_v the value
        model's probability on the level of p; spend is the spend model's; and CLV follows spend
        but for the season, which evens out over a year: v · s / (e^{l_s} s_v), and is never
        less than the profit of the horizon. Spend stays within five times, or a fifth, of what
        the expected purchases are worth to the value model.

        For another horizon h: logit p(h) = logit p_v(h) + logit p − logit p_v, which is p at
        the trained horizon, rises with h, and stays within [0, 1].
        """
        horizon = self.horizon_days if horizon_days is None else horizon_days
        if self.value is None:
            return self._label_only(frame, horizon)
        trained = self._valued(frame, self.horizon_days)
        spoken = self._spoken(frame, trained)
        factors = self._factors(frame, trained, spoken)
        if horizon == self.horizon_days:
            return self._assemble(spoken, trained, factors)
        asked = self._valued(frame, horizon)
        stays = self._carried(spoken, trained, asked)
        if self.speaker != "blend":
            ratio = self._ratio(stays, asked)
            factors |= {"expected_purchases": ratio, "expected_spend": ratio}
        return self._assemble(stays, asked, factors)

    def contributions(self, frame: pd.DataFrame) -> pd.DataFrame:
        """What moves each customer's risk of leaving, by family.

        Parameters
        ----------
        frame : pandas.DataFrame of shape (n_customers, n_columns)
            Behaviour rows.

        Returns
        -------
        pandas.DataFrame of shape (n_customers, n_families)
            Log-odds of churn at the trained horizon; positive raises the risk of leaving.
            Drivers of the score, not causes.
        """
        if self.churn is None:
            return self._value_contributions(frame)
        columns = self.churn.contributions(self.with_value_features(frame))
        members: dict[str, list[str]] = {}
        for name, family in self.families.items():
            members.setdefault(family, []).append(name)
        return pd.DataFrame({f: columns[names].sum(axis=1) for f, names in members.items()})

    def with_value_features(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Behaviour rows plus the value model's outputs, as the churn model reads them."""
        if self.value is None:
            return frame
        valued = self._valued(frame, self.horizon_days)
        return add_value_features(frame, valued)

    def _valued(self, frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
        terms = self.terms
        assert self.value is not None  # noqa: S101
        return self.value.predict(
            frame,
            horizon_days=horizon,
            clv_horizon_days=terms.clv_horizon_days,
            margin=terms.margin,
            annual_discount_rate=terms.annual_discount_rate,
        )

    def _spoken(self, frame: pd.DataFrame, trained: pd.DataFrame) -> np.ndarray:
        """Return probability over the trained horizon, by the model that speaks."""
        if self.churn is None:
            return trained["return_probability"].to_numpy(dtype=float)
        return self.churn.predict_proba(add_value_features(frame, trained))[:, 0]

    def _carried(
        self, spoken: np.ndarray, trained: pd.DataFrame, asked: pd.DataFrame
    ) -> np.ndarray:
        """Return probability over another horizon."""
        from scipy.special import expit

        if self.churn is None:
            return asked["return_probability"].to_numpy(dtype=float)
        shift = log_odds(spoken) - log_odds(trained["return_probability"].to_numpy())
        return expit(log_odds(asked["return_probability"].to_numpy()) + shift)

    def _ratio(self, stays: np.ndarray, valued: pd.DataFrame) -> np.ndarray:
        """What the value model's figures are multiplied by, so that they agree with the speaker."""
        base = valued["return_probability"].to_numpy(dtype=float)
        if self.terms.rule == "label":
            return np.ones_like(base)
        return _divided(stays, base)

    def _factors(
        self, frame: pd.DataFrame, trained: pd.DataFrame, spoken: np.ndarray
    ) -> dict[str, np.ndarray]:
        """The same for each figure, over the trained horizon."""
        ratio = self._ratio(spoken, trained)
        if self.speaker != "blend":
            return dict.fromkeys(BOUNDED, ratio)
        factors = {"expected_purchases": ratio * self._purchase_level(trained)}
        if self.spend is None:
            return factors | dict.fromkeys(BOUNDED[1:], ratio)
        spend = self._bounded_spend(frame, trained, spoken, factors["expected_purchases"])
        factors["expected_spend"] = _divided(spend, trained["expected_spend"].to_numpy(float))
        shape = factors["expected_spend"] * np.exp(-self.level.spend)
        worth = np.clip(shape, 1 / FURTHEST, FURTHEST)
        if self.clv_horizon_days >= self.horizon_days:
            # A lifetime holds the horizon, whatever the value model says of who has gone.
            least = _divided(self._profit(spend), trained["clv"].to_numpy(float))
            worth = np.where(trained["clv"] > 0, np.maximum(worth, least), worth)
        return factors | {"clv": worth}

    def _bounded_spend(
        self, frame: pd.DataFrame, trained: pd.DataFrame, spoken: np.ndarray, factor: np.ndarray
    ) -> np.ndarray:
        """Expected spend, in keeping with the expected purchases and what one is worth."""
        assert self.spend is not None  # noqa: S101
        spend = self.spend.predict(add_value_features(frame, trained), spoken)
        expected = trained["expected_purchases"].to_numpy(dtype=float)
        purchases = np.maximum(expected * factor, spoken)
        worth = trained["expected_spend"].to_numpy(dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            usual = np.where(expected > 0, purchases * worth / expected, spend)
        return np.clip(spend, usual / FURTHEST, usual * FURTHEST)

    def _profit(self, spend: np.ndarray) -> np.ndarray:
        """What is left of the horizon's spend, discounted as if all of it came at its end."""
        years = self.horizon_days / 365.0
        return self.terms.margin * spend * (1.0 + self.terms.annual_discount_rate) ** -years

    def _purchase_level(self, trained: pd.DataFrame) -> np.ndarray:
        """What is left of the level of purchases when that of the probability is in already."""
        from scipy.special import expit

        base = trained["return_probability"].to_numpy(dtype=float)
        return np.exp(self.level.purchases) * _divided(
            base, expit(log_odds(base) + self.level.returns)
        )

    def _assemble(
        self, stays: np.ndarray, valued: pd.DataFrame, factors: Mapping[str, np.ndarray]
    ) -> pd.DataFrame:
        columns = {
            "churn_probability": 1.0 - stays,
            "return_probability": stays,
            "p_alive": valued["p_alive"].to_numpy(dtype=float),
        }
        for name in BOUNDED:
            columns[name] = valued[name].to_numpy(dtype=float) * factors[name]
            columns[f"{name}_lower"] = columns[f"{name}_upper"] = np.full(len(valued), np.nan)
        if self.speaker == "blend":
            # Who returns buys at least once.
            columns["expected_purchases"] = np.maximum(columns["expected_purchases"], stays)
        return pd.DataFrame(columns, index=valued.index)[list(PREDICTED)]

    def _label_only(self, frame: pd.DataFrame, horizon: int) -> pd.DataFrame:
        if horizon != self.horizon_days:
            raise RegistryError(
                f"got horizon_days={horizon}, but this model knows {self.horizon_days} days only; "
                "train with another [churn] horizon_days"
            )
        assert self.churn is not None  # noqa: S101
        stays = self.churn.predict_proba(frame)[:, 0]
        nothing = pd.DataFrame(np.nan, index=frame.index, columns=["p_alive", *BOUNDED])
        nothing["return_probability"] = np.nan
        return self._assemble(stays, nothing, dict.fromkeys(BOUNDED, np.ones(len(frame))))

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


def add_value_features(frame: pd.DataFrame, valued: pd.DataFrame) -> pd.DataFrame:
    """Behaviour rows with the value model's outputs beside them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Behaviour rows.
    valued : pandas.DataFrame
        ``ValueModel.predict`` for the same rows.

    Returns
    -------
    pandas.DataFrame
        ``frame`` with the columns of ``VALUE_FEATURES``.
    """
    return frame.assign(**{name: valued[source] for name, source in VALUE_FEATURES.items()})


def _divided(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Ratio, and 1 where there is nothing to compare with."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(base > 0, values / base, 1.0)
