"""Which purchase model a training holds: the one that past windows were forecast best with.

In: past snapshots with what came of them, each with a BG/NBD value model fitted on its behaviour.
Out: the family to hold, and the snapshots seen through it.

Each family is fitted on the behaviour before a finished window and asked who returns in it. Scores
are the log-likelihood of that, at the level of the window: how many return is the season's matter
(`training.windows.level`), who returns is the family's. BG/NBD speaks unless another one is clearly
better, by two standard errors; of those that are, the first within a standard error of the best.
Windows do not overlap, and only those that end by the day of the fit are looked at, so each origin
of the backtest chooses from its own past, as the production fit does; all snapshots of one fit hold
one family. Windows are as long as the horizon where two of that length have ended, else as the
longest shorter one that is known of which two have.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training.asked import Asked
from training.errors import StatisticalWarning
from training.values import CLEARLY, ValueChoice, choose_values, values_of
from training.windows.known import Known, valued
from training.windows.level import log_odds, shift_log_odds

if TYPE_CHECKING:
    from training.value import value_by_frequency
    from training.value.model import ValueModel

#: Finished windows that are looked at, newest first: customers of long ago say little of today's.
MOST_WINDOWS = 3
#: Memories that are tried, in purchases: the longest first.
MEMORIES = (40.0, 20.0, 10.0, 5.0, 3.0)
#: Families that take many times as long to fit: looked at further only if they gain over BG/NBD in
#: the oldest of the windows.
SLOW = ("pareto_nbd",)

#: Purchase models for people.
WORDS = {
    "bg_nbd": "BG/NBD",
    "mbg_nbd": "MBG/NBD",
    "pareto_nbd": "Pareto/NBD",
    "wandering": "BG/NBD with wandering rates",
}


@dataclass(frozen=True)
class Family:
    """A purchase model that a value model can hold.

    Attributes
    ----------
    purchases : str
        Its name.
    memory : float or None
        Of "wandering", in purchases.
    """

    purchases: str = "bg_nbd"
    memory: float | None = None

    @property
    def name(self) -> str:
        """Short, for logs: ``wandering_10``."""
        return self.purchases + ("" if self.memory is None else f"_{self.memory:g}")

    @property
    def words(self) -> str:
        """For people."""
        told = WORDS[self.purchases]
        return told if self.memory is None else f"{told} (memory of {self.memory:g} purchases)"

    def fitted(self, plain: ValueModel, frame: pd.DataFrame) -> ValueModel:
        """The value model with this family's purchases, fitted on the same rows.

        Parameters
        ----------
        plain : ValueModel
            With BG/NBD.
        frame : pandas.DataFrame
            The behaviour rows that it was fitted on.

        Returns
        -------
        ValueModel
            Its values and refunds are those of `plain`.
        """
        return plain if self == PLAIN else plain.holding(frame, self.purchases, self.memory)


PLAIN = Family()
CANDIDATES = (
    PLAIN,
    Family("mbg_nbd"),
    Family("pareto_nbd"),
    *(Family("wandering", memory) for memory in MEMORIES),
)


@dataclass(frozen=True)
class Choice:
    """The family that is held, and why.

    Attributes
    ----------
    family : Family
    gains : mapping of str to float
        Log-likelihood per customer above BG/NBD's, by family; empty where no window had ended.
    errors : mapping of str to float
        Standard errors of the gains, over customers.
    windows : tuple of date
        First days of the windows that were looked at.
    window_days : int
        Their length.
    values : training.values.ValueChoice
        Whether the value of a purchase goes with the frequency.
    """

    family: Family = PLAIN
    gains: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    windows: tuple[date, ...] = ()
    window_days: int = 0
    values: ValueChoice = field(default_factory=ValueChoice)

    def fit(self, frame: pd.DataFrame) -> ValueModel:
        """Fit the value model that was chosen.

        Parameters
        ----------
        frame : pandas.DataFrame
            Behaviour rows.

        Returns
        -------
        ValueModel
        """
        from training.value.model import ValueModel

        with warnings.catch_warnings():
            if self.values.leaning:
                # The doubt is answered: these values are held by frequency.
                warnings.filterwarnings("ignore", "Frequency and value of purchases")
            model = ValueModel(self.family.purchases, self.family.memory).fit(frame)
        return self.values.applied(model, frame)

    def in_words(self) -> str:
        """The choice as a sentence for the model card."""
        if not self.windows:
            return "BG/NBD, as no finished window tells which purchase model is better."
        many = "s" if len(self.windows) > 1 else ""
        place = f"{len(self.windows)} past window{many} of {self.window_days} days"
        if self.family == PLAIN:
            return f"BG/NBD; in {place} no other purchase model was clearly better."
        gain, error = self.gains[self.family.name], self.errors[self.family.name]
        return (
            f"{self.family.words}: in {place} it told who returns better than BG/NBD, by "
            f"{gain:.4f} ± {error:.4f} of log-likelihood a customer."
        )


@dataclass(frozen=True)
class Shelf(Mapping[date, Known]):
    """Past snapshots, each with any family's value model, fitted once.

    As a mapping it gives the snapshots with BG/NBD.

    Attributes
    ----------
    plain : mapping of date to Known
        With BG/NBD; snapshots whose outcome is known.
    asked : Asked
        Horizon, margin and discount.
    """

    plain: Mapping[date, Known]
    asked: Asked
    _models: dict[tuple[date, Family], ValueModel] = field(default_factory=dict, repr=False)
    _worth: dict[date, value_by_frequency.Fit] = field(default_factory=dict, repr=False)
    _seen: dict[tuple[date, Family, bool], Known] = field(default_factory=dict, repr=False)

    def __getitem__(self, day: date) -> Known:
        return self.plain[day]

    def __iter__(self) -> Iterator[date]:
        return iter(self.plain)

    def __len__(self) -> int:
        return len(self.plain)

    def model(self, day: date, family: Family) -> ValueModel:
        """The value model of a date with a family's purchases."""
        if (day, family) not in self._models:
            known = self.plain[day]
            with warnings.catch_warnings():
                # A doubt about a candidate, or about the past, is no doubt about what is served.
                warnings.simplefilter("ignore", StatisticalWarning)
                self._models[day, family] = family.fitted(known.value, known.frame)
        return self._models[day, family]

    def worth(self, day: date) -> value_by_frequency.Fit:
        """The values of a date by frequency."""
        if day not in self._worth:
            self._worth[day] = values_of(self.plain[day].frame)
        return self._worth[day]

    def seen(self, day: date, family: Family, leaning: bool = False) -> Known:
        """A snapshot seen through a family, with values that go with the frequency or not."""
        if family == PLAIN and not leaning:
            return self.plain[day]
        if (day, family, leaning) not in self._seen:
            model = self.model(day, family)
            model = model.leaning(self.worth(day)) if leaning else model
            known = self.plain[day]
            self._seen[day, family, leaning] = valued(known.frame, known.came, model, self.asked)
        return self._seen[day, family, leaning]


@dataclass(frozen=True)
class Seen(Mapping[date, Known]):
    """All snapshots of a shelf as a choice has them."""

    shelf: Shelf
    choice: Choice

    def __getitem__(self, day: date) -> Known:
        return self.shelf.seen(day, self.choice.family, self.choice.values.leaning)

    def __iter__(self) -> Iterator[date]:
        return iter(self.shelf)

    def __len__(self) -> int:
        return len(self.shelf)


def seen_from(past: Mapping[date, Known], at: date) -> Mapping[date, Known]:
    """The snapshots, through the family that the windows over by a date speak for.

    Parameters
    ----------
    past : mapping of date to Known
        A `Shelf`; anything else stays as it is.
    at : date
        Day of the fit.

    Returns
    -------
    mapping of date to Known
    """
    if not isinstance(past, Shelf):
        return past
    return Seen(past, choose(past, at))


def choose(shelf: Shelf, at: date) -> Choice:
    """Choose a family by the windows that are over by a date.

    Parameters
    ----------
    shelf : Shelf
    at : date
        Nothing from it on is looked at.

    Returns
    -------
    Choice

    Notes
    -----
    Of a window with customers i, of whom yᵢ = 1 return, and a family's return probabilities pᵢ:
    ℓᵢ = ln qᵢ for yᵢ = 1 and ln(1 − qᵢ) else, with logit qᵢ = logit pᵢ + s and s so that Σ qᵢ is
    Σ yᵢ. A customer's gain is the sum over windows of ℓᵢ less that of BG/NBD; the standard error is
    of the mean of the gains over customers.
    """
    length, days = _longest(shelf, at)
    if not days:
        return Choice()
    looked_at = [one for one in CANDIDATES if _worth_looking(shelf, one, days[-1], length)]
    scores = {
        family: pd.concat([_score(shelf, family, day, length) for day in days])
        for family in looked_at
        if all(shelf.model(day, family).purchases_.verdict != "failed" for day in days)
    }
    told = {day: (shelf.plain[day], shelf.worth(day)) for day in days}
    found = Choice(
        windows=days,
        window_days=length,
        values=choose_values(list(told.values()), length),
    )
    if PLAIN not in scores:
        return found
    gains, errors = {}, {}
    for family, score in scores.items():
        gain = (score - scores[PLAIN]).groupby(level=0).sum()
        gains[family] = float(gain.mean())
        errors[family] = float(gain.std(ddof=0) / math.sqrt(len(gain)))
    return replace(
        found,
        family=_best(gains, errors),
        gains={family.name: gain for family, gain in gains.items()},
        errors={family.name: error for family, error in errors.items()},
    )


def _best(gains: Mapping[Family, float], errors: Mapping[Family, float]) -> Family:
    """The first family within a standard error of the best of those that are clearly better."""
    clear = [family for family, gain in gains.items() if gain > CLEARLY * errors[family]]
    if not clear:
        return PLAIN
    best = max(clear, key=lambda family: gains[family])
    return next(family for family in clear if gains[family] >= gains[best] - errors[best])


def _longest(shelf: Shelf, at: date) -> tuple[int, tuple[date, ...]]:
    """Length of the windows to look at, and their first days."""
    lengths = [days for days in shelf.asked.horizons if days <= shelf.asked.horizon_days]
    found = {days: _windows(shelf, at, days) for days in lengths}
    twice = [days for days in lengths if len(found[days]) > 1]
    once = [days for days in lengths if found[days]]
    length = max(twice or once, default=0)
    return length, found.get(length, ())


def _windows(shelf: Shelf, at: date, length: int) -> tuple[date, ...]:
    """First days of finished windows that do not overlap, newest first."""
    found: list[date] = []
    end = at
    for day in sorted(shelf, reverse=True):
        ended = day + timedelta(days=length) <= end and shelf.plain[day].over(length)
        if ended and len(found) < MOST_WINDOWS:
            found.append(day)
            end = day
    return tuple(found)


def _worth_looking(shelf: Shelf, family: Family, day: date, length: int) -> bool:
    """Whether a family is fitted to more than one window: a slow one has to gain in the first."""
    if family.purchases not in SLOW:
        return True
    gain = _score(shelf, family, day, length) - _score(shelf, PLAIN, day, length)
    return float(gain.mean()) > 0


def _score(shelf: Shelf, family: Family, day: date, length: int) -> pd.Series:
    """Log-likelihood of who returned, by customer."""
    from training.value.purchase_models import purchase_model

    frame = shelf.plain[day].seen(length)
    returned = frame["returned"].to_numpy(dtype=float)
    fit = shelf.model(day, family).purchases_
    history: list[Any] = [frame[name].to_numpy(float) for name in ("frequency", "recency", "T")]
    back = purchase_model(family.purchases).return_probability(fit.params, length, *history)
    logits = log_odds(back)
    logits = logits + shift_log_odds(logits, float(returned.mean()))
    # ln σ(±z): of who returned and of who did not.
    score = -np.logaddexp(0.0, np.where(returned > 0, -logits, logits))
    return pd.Series(score, index=frame["customer_id"].to_numpy())
