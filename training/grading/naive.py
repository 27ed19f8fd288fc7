"""The rules of thumb that a model has to beat, each as good as it can honestly be made.

In: past snapshots (behaviour columns with `returned`, `occasions` and `spend` of the horizon
after them). Out: for another snapshot, return probability, expected purchases, expected spend.
Time rule: a rule learns only from the snapshots it is given; their windows end before the
snapshot it is asked about. Null rule: every customer gets a number as long as anything is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, Self

import numpy as np
import pandas as pd

ANSWERS = ("return_probability", "expected_purchases", "expected_spend")
OUTCOMES = ("returned", "occasions", "spend")

#: No rule of thumb is surer than this of anyone; one certain miss would cost it its log-loss.
EDGE = 0.01
BANDS = 20


class Rule(Protocol):
    """A rule of thumb.

    Attributes
    ----------
    name : str
        Its key in `RULES`.
    description : str
        One line in plain words.
    """

    name: ClassVar[str]
    description: ClassVar[str]

    def fit(self, snapshots: Sequence[pd.DataFrame], horizon_days: int) -> Self:
        """Learn from past snapshots.

        Parameters
        ----------
        snapshots : sequence of DataFrame
            Behaviour columns and outcomes. May be empty: then what needs learning falls back on
            the customers' own rates.
        horizon_days : int
            Length of the outcome windows, in days.

        Returns
        -------
        Rule
            A new one, fitted.
        """

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer for a snapshot.

        Parameters
        ----------
        frame : DataFrame of shape (n_customers, n_columns)
            Behaviour columns.

        Returns
        -------
        DataFrame of shape (n_customers, 3)
            ``return_probability`` (in [0.01, 0.99]), ``expected_purchases`` (count) and
            ``expected_spend`` (currency) over the horizon; index of ``frame``.
        """


@dataclass(frozen=True)
class PastRate:
    """Everyone goes on as before.

    Over h days: purchases h·(frequency + 1)/max(T + 1, h), spend h·spend_total/max(T + 1, h),
    return probability 1 − exp(−purchases), which is a Poisson process at the past rate. A
    customer younger than the horizon is not scaled up: one purchase yesterday is no reason to
    expect one a day.
    """

    horizon_days: int = 0

    name: ClassVar[str] = "past_rate"
    description: ClassVar[str] = "Everyone buys and spends at their past rate."

    def fit(self, snapshots: Sequence[pd.DataFrame], horizon_days: int) -> Self:
        """Keep the horizon; nothing else is learned."""
        del snapshots
        return replace(self, horizon_days=horizon_days)

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer from each customer's own past; nobody without a past returns."""
        bought = _column(frame, "frequency") + 1.0
        scale = self.horizon_days / np.maximum(_column(frame, "T") + 1.0, self.horizon_days)
        purchases = np.nan_to_num(bought * scale)
        spend = np.nan_to_num(np.maximum(_column(frame, "spend_total"), 0.0) * scale)
        return _answer(frame, -np.expm1(-purchases), purchases, spend)


@dataclass(frozen=True)
class Inactivity:
    """The longer away, the less likely to return: the rule that most businesses use.

    Customers are cut into at most 20 bands of days since the last occasion, of equal count. Each
    band answers with what it did in the past snapshots: the share that returned (never rising
    with the days away), the mean occasions, the mean spend. Customers without a last occasion
    are a band of their own. With no past snapshot it answers as `PastRate`.

    Attributes
    ----------
    edges : tuple of float
        Inner borders of the bands, in days.
    answers : tuple of tuple of float
        The three answers of each band; the last band is "no last occasion".
    """

    horizon_days: int = 0
    edges: tuple[float, ...] = ()
    answers: tuple[tuple[float, ...], ...] = ()

    name: ClassVar[str] = "inactivity"
    description: ClassVar[str] = "The longer since the last purchase, the less likely to return."

    def fit(self, snapshots: Sequence[pd.DataFrame], horizon_days: int) -> Self:
        """Learn the bands and what each of them did."""
        fresh = replace(self, horizon_days=horizon_days, edges=(), answers=())
        known = _together(snapshots, ("days_since_last", *OUTCOMES))
        if known.empty:
            return fresh
        away = known["days_since_last"]
        cuts = np.linspace(0, 1, min(BANDS, max(1, away.notna().sum() // 30)) + 1)[1:-1]
        edges = tuple(np.unique(away.quantile(cuts)).tolist()) if away.notna().any() else ()
        banded = replace(fresh, edges=edges)
        whole = known[list(OUTCOMES)].mean()
        did = known[list(OUTCOMES)].groupby(banded._band(known)).agg(["mean", "size"])
        means = did.xs("mean", axis=1, level=1).reindex(range(len(edges) + 2)).fillna(whole)
        counts = did[("returned", "size")].reindex(means.index).fillna(0).to_numpy(float)
        answers = means.to_numpy(copy=True)
        answers[:-1, 0] = _falling(answers[:-1, 0], counts[:-1])
        return replace(banded, answers=tuple(map(tuple, answers.tolist())))

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer with what the customer's band did."""
        if not self.answers:
            return PastRate(self.horizon_days).predict(frame)
        said = np.array(self.answers)[self._band(frame)]
        return _answer(frame, *said.T)

    def _band(self, frame: pd.DataFrame) -> np.ndarray:
        away = _column(frame, "days_since_last")
        band = np.searchsorted(self.edges, away, side="left")
        return np.where(np.isnan(away), len(self.edges) + 1, band)


@dataclass(frozen=True)
class LastYear:
    """The same as in the same weeks one year ago.

    Purchases and spend are those of the horizon's window 364 or 365 days earlier, as the
    behaviour columns ``same_season_occasions`` and ``same_season_spend`` have them; customers
    younger than that are answered by `PastRate`. The return probability is the share that
    returned in the past snapshots, among customers with and without an occasion in that window;
    customers younger than that, and all where no past snapshot reaches back so far, are answered
    by `Inactivity`.

    Attributes
    ----------
    returned : tuple of float or None
        Share that returned without and with an occasion in the window a year earlier.
    """

    horizon_days: int = 0
    returned: tuple[float, float] | None = None
    young: Inactivity = Inactivity()

    name: ClassVar[str] = "last_year"
    description: ClassVar[str] = "The same as in the same season last year."

    def fit(self, snapshots: Sequence[pd.DataFrame], horizon_days: int) -> Self:
        """Learn how often last year's buyers and the others returned."""
        known = _together(snapshots, ("same_season_occasions", "returned")).dropna()
        bought = known["same_season_occasions"] > 0
        return replace(
            self,
            horizon_days=horizon_days,
            returned=(
                float(known["returned"][~bought].mean()),
                float(known["returned"][bought].mean()),
            )
            if bought.any() and not bought.all()
            else None,
            young=Inactivity().fit(snapshots, horizon_days),
        )

    def predict(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Answer with last year where there is one."""
        occasions = _column(frame, "same_season_occasions")
        spend = _column(frame, "same_season_spend")
        rate = PastRate(self.horizon_days).predict(frame)
        returns = self.young.predict(frame)["return_probability"].to_numpy()
        if self.returned is not None:
            share = np.where(occasions > 0, self.returned[1], self.returned[0])
            returns = np.where(np.isnan(occasions), returns, share)
        return _answer(
            frame,
            returns,
            np.where(np.isnan(occasions), rate["expected_purchases"], occasions),
            np.where(np.isnan(spend), rate["expected_spend"], np.maximum(spend, 0.0)),
        )


RULES: dict[str, Rule] = {rule.name: rule for rule in (Inactivity(), PastRate(), LastYear())}


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    if name not in frame.columns:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)


def _together(snapshots: Sequence[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    """The named columns of all snapshots, one below the other; NaN where a column is absent."""
    parts = [
        pd.DataFrame({name: _column(snapshot, name) for name in columns}) for snapshot in snapshots
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def _falling(rates: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The closest rates that never rise from one band to the next."""
    from sklearn.isotonic import isotonic_regression

    return isotonic_regression(rates, sample_weight=np.maximum(counts, 1e-9), increasing=False)


def _answer(
    frame: pd.DataFrame, returns: np.ndarray, purchases: np.ndarray, spend: np.ndarray
) -> pd.DataFrame:
    columns = (np.clip(returns, EDGE, 1 - EDGE), purchases, spend)
    return pd.DataFrame(dict(zip(ANSWERS, columns, strict=True)), index=frame.index)
