"""What share of a customer's spend is profit, as far as the customer's own purchases tell.

In: a log whose rows state a margin. Out: the margin rate of the business, and how far customers'
own rates are believed (`Margins`); with the behaviour table's sums of margin and spend, a rate for
every customer. A customer who buys loss leaders has a rate below the others', or below zero; one of
whom little is known has the rate of the business.

The rate xᵢⱼ = mᵢⱼ / wᵢⱼ of customer i on purchase day j, of margin m and spend w, is taken to lie
around the customer's own rate with a variance v / wᵢⱼ, and those around the business's with the
variance a: the model of Bühlmann & Straub, with money spent as the volume. The linear estimate of a
customer's rate that errs least is then Zᵢ xᵢ + (1 − Zᵢ) μ.

References
----------
Bühlmann & Straub (1970), "Glaubwürdigkeit für Schadensätze", Mitteilungen der Vereinigung
Schweizerischer Versicherungsmathematiker 70, 111-133. Bühlmann & Gisler (2005), A Course in
Credibility Theory and its Applications, Springer, chapter 4: the credibility estimator and its
weights in 4.3, the homogeneous one in 4.4, the structural parameters in 4.8.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from training.errors import StatisticalWarning, TrainingError

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

Floats = NDArray[np.float64]

#: Columns of the behaviour table that a rate is reckoned from.
COLUMNS = ("margin_total", "margin_spend")
# A purchase day's m²/w is believed up to here: more has no place in an exact sum.
_MOST = 1e20


@dataclass(frozen=True)
class Margins:
    """The margin rate of a business, and how far those of its customers are believed.

    Parameters
    ----------
    rate : float
        Of the business (μ): share of the spend that is profit; may be negative.
    within : float
        Variance of a purchase day's rate for a unit of spend (v), in currency; at least 0.
    between : float
        Variance of the customers' own rates (a), at least 0; at 0 all have that of the business.

    Raises
    ------
    TrainingError
        If a figure is not a number, or a variance is negative.
    """

    rate: float
    within: float = 0.0
    between: float = 0.0

    def __post_init__(self) -> None:
        told = (self.rate, self.within, self.between)
        if not (all(map(math.isfinite, told)) and self.within >= 0 and self.between >= 0):
            raise TrainingError(
                f"Got margins of {told}; expected a rate and two variances of at least 0: train "
                "again."
            )

    @property
    def half_believed(self) -> float:
        """Spend at which a customer's own rate counts half (v / a), in currency."""
        return self.within / self.between if self.between > 0 else math.inf

    def rates(self, frame: pd.DataFrame) -> Floats:
        """Margin rate of each customer.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows; without the columns of `COLUMNS`, or where they are null, a customer
            has the rate of the business.

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            Finite; may be negative, or above 1 where goods came with money.

        Notes
        -----
        With the margin mᵢ and the spend wᵢ that it is of, both net of refunds, xᵢ = mᵢ / wᵢ and

            rateᵢ = Zᵢ xᵢ + (1 − Zᵢ) μ,    Zᵢ = wᵢ / (wᵢ + v / a).

        Where refunds have eaten the spend (wᵢ ≤ 0) nothing is left that a rate could be of: Zᵢ = 0.
        """
        kept, spent = (_numbers(frame, name) for name in COLUMNS)
        with np.errstate(invalid="ignore"):
            known = np.isfinite(kept) & (spent > 0)
        found = np.full(len(frame), self.rate)
        if self.between > 0:
            w, m = spent[known], kept[known]
            # (m + kμ) / (w + k), as a small spend would make a wild rate of its own.
            found[known] += (m - self.rate * w) / (w + self.half_believed)
        return found

    def earned(self, frame: pd.DataFrame) -> Floats:
        """Margin of each customer to date, in currency.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows with ``spend_total``.

        Returns
        -------
        numpy.ndarray of shape (n_customers,)
            What the lines that state a margin left, and the customer's rate of the other net
            spend; NaN where no spend is on record.
        """
        kept, spent = (np.nan_to_num(_numbers(frame, name)) for name in COLUMNS)
        return kept + self.rates(frame) * (_numbers(frame, "spend_total") - spent)

    def in_words(self) -> str:
        """The rates as a sentence for the model card."""
        start = f"The log states margins: {self.rate:.1%} of the spend is profit"
        if not self.between:
            return (
                f"{start}. Customers' own rates do not differ by more than luck, so everybody has "
                "that one."
            )
        return (
            f"{start}, and customers' own rates differ by {100 * math.sqrt(self.between):.1f} "
            "points (standard deviation). A customer's own rate counts half at a spend of "
            f"{self.half_believed:,.2f}, and more beyond it."
        )

    def to_dict(self) -> dict[str, float]:
        """Plain JSON values, of which `from_dict` makes the same margins."""
        return asdict(self)

    @classmethod
    def from_dict(cls, saved: Mapping[str, Any]) -> Margins:
        """Read what `to_dict` gave."""
        return cls(**{name: float(value) for name, value in saved.items()})


@dataclass(frozen=True)
class Observed:
    """What is on record of each customer's purchase days with a margin, row for row.

    Parameters
    ----------
    days : ndarray of shape (n,)
        Days on which more was bought than given back (nᵢ), at least 1.
    spent, kept : ndarray of shape (n,)
        Spend (wᵢ > 0) and margin (mᵢ) of these days, in currency.
    squares : ndarray of shape (n,)
        Σⱼ mᵢⱼ² / wᵢⱼ, in currency.
    """

    days: Floats
    spent: Floats
    kept: Floats
    squares: Floats


def learn(transactions: ir.Table | None, as_of: date) -> Margins | None:
    """Learn the margins of a log.

    Parameters
    ----------
    transactions : ibis table or None
        Accepted transactions.
    as_of : date
        Nothing from this day on is looked at.

    Returns
    -------
    Margins or None
        None for a log that states no margin, or none of a customer with spend.

    Warns
    -----
    StatisticalWarning
        If nobody bought on two days, so that no rate can be told from luck; or if the business
        loses on what it sells.

    Notes
    -----
    μ = Σ Zᵢ xᵢ / Σ Zᵢ over the customers with net spend, so that Σ wᵢ rateᵢ is the margin that
    they left; it is Σ mᵢ / Σ wᵢ where a = 0. The variances are those of `variances`.
    """
    if transactions is None or "margin" not in transactions.columns:
        return None
    bought, spent, kept = _read(transactions, as_of)
    if not (spent > 0).any():
        return None
    within, between = variances(bought)
    if within is None:
        warnings.warn(
            "No customer bought on two days with a margin: what is a customer's own rate and what "
            "is luck cannot be told apart, so everybody has the rate of the business.",
            StatisticalWarning,
            stacklevel=2,
        )
    w, m = spent[spent > 0], kept[spent > 0]
    # With a → 0 the Zᵢ are to each other as the spends.
    weights = w / (w + within / between) if within is not None and between > 0 else w
    rate = float((weights * m / w).sum() / weights.sum())
    if rate <= 0:
        warnings.warn(
            f"The margins of the log add up to {rate:.1%} of the spend: the business loses on what "
            "it sells, or `margin` in [sources.transactions] is not what a row leaves.",
            StatisticalWarning,
            stacklevel=2,
        )
    return Margins(rate, within or 0.0, between)


def variances(bought: Observed) -> tuple[float | None, float]:
    """Variance within customers (v) and between them (a).

    Parameters
    ----------
    bought : Observed

    Returns
    -------
    within : float or None
        In currency, at least 0; None where nobody bought on two days.
    between : float
        At least 0; 0 where it cannot be told.

    Notes
    -----
    With I customers, w = Σ wᵢ and x̄ = Σ mᵢ / w:

        v = Σᵢ Σⱼ wᵢⱼ (xᵢⱼ − xᵢ)² / Σᵢ (nᵢ − 1),
        a = max(0, (Σᵢ wᵢ (xᵢ − x̄)² − (I − 1) v) / (w − Σ wᵢ² / w)).

    Both are unbiased but for the cut at 0 (Bühlmann & Gisler 2005, section 4.8).
    """
    w, m = bought.spent, bought.kept
    again = float((bought.days - 1.0).sum())
    if not again or len(w) < 2:
        return None, 0.0
    within = max(float((bought.squares - m * m / w).sum()), 0.0) / again
    total = float(w.sum())
    apart = float((w * (m / w - m.sum() / total) ** 2).sum()) - (len(w) - 1) * within
    return within, max(apart / (total - float((w * w).sum()) / total), 0.0)


def _read(transactions: ir.Table, as_of: date) -> tuple[Observed, Floats, Floats]:
    """Purchase days by customer, and all customers' net spend and margin, by the engine."""
    from features.compat import arrow, exactly
    from features.occasions import occasions

    days = occasions(transactions, as_of)
    days = days.filter(days.margin.notnull())
    bought = days.margin_net > 0
    spent, kept = days.margin_net.cast("float64"), days.margin.cast("float64")
    square = bought.ifelse(kept * kept / spent.nullif(0.0), 0.0)
    customers = days.group_by("customer_id").aggregate(
        days=days.count(where=bought),
        spent_bought=days.margin_net.sum(where=bought),
        kept_bought=days.margin.sum(where=bought),
        # Exact, as every sum of money: no order of the rows changes a bit.
        squares=exactly((square < _MOST).ifelse(square, _MOST), "decimal(38, 9)").sum(),
        spent=days.margin_net.sum(),
        kept=days.margin.sum(),
    )
    table = arrow(customers.order_by("customer_id").drop("customer_id"))
    found = {name: table[name].cast("float64").to_numpy() for name in table.column_names}
    some = found["days"] > 0
    names = ("days", "spent_bought", "kept_bought", "squares")
    return Observed(*(found[name][some] for name in names)), found["spent"], found["kept"]


def _numbers(frame: pd.DataFrame, name: str) -> Floats:
    if name not in frame:
        return np.full(len(frame), np.nan)
    return frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
