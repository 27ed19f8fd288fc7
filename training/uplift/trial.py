"""A randomised trial: who was given which arm, with which probability, and what came of it.

In: behaviour rows of the day of the assignment, the arm of each customer and the probability of
every arm, and the outcomes of the window after. Arm 0 is doing nothing. An arm with probability 0
was not open to that customer: nothing can be said of it there (Rosenbaum & Rubin 1983, "The central
role of the propensity score", definition of strong ignorability).

Time rule: columns hold what was known when the arms were drawn; outcomes are of the days after.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from training.errors import NotEnoughData

RETURNED, SPEND = "returned", "spend"
OUTCOMES = (RETURNED, SPEND)
#: Customers that an arm needs, and that have to return in it, before anything is learned of it.
FEWEST, FEWEST_RETURNS = 200, 10


@dataclass(frozen=True)
class Trial:
    """Customers of one or more randomised campaigns.

    Attributes
    ----------
    columns : DataFrame of shape (n, n_columns)
        What a model may read, known before the arms were drawn.
    arms : tuple of str
        Names; the first is doing nothing.
    arm : ndarray of shape (n,), int
        Position in `arms`.
    propensity : ndarray of shape (n, n_arms)
        Probability of each arm, in [0, 1], rows add up to 1; 0 where the arm was not open.
    outcomes : mapping of str to ndarray of shape (n,)
        ``returned``, 0 or 1, and ``spend``, in currency over the window; refunds may hold it
        below 0.
    group : ndarray of shape (n,), int, optional
        Rows of one customer, who was in several trials, share a number: they stay in one fold.

    Raises
    ------
    ValueError
        When shapes, probabilities or outcomes are not as described, or a customer was given an
        arm of probability 0.
    """

    columns: pd.DataFrame
    arms: tuple[str, ...]
    arm: np.ndarray
    propensity: np.ndarray
    outcomes: Mapping[str, np.ndarray]
    group: np.ndarray | None = None

    def __post_init__(self) -> None:
        n = len(self.columns)
        if self.propensity.shape != (n, len(self.arms)) or self.arm.shape != (n,):
            raise ValueError(
                f"Got arms of shape {self.arm.shape} and probabilities of shape "
                f"{self.propensity.shape} for {n} customers and {len(self.arms)} arms; expected "
                f"({n},) and ({n}, {len(self.arms)})."
            )
        if len(self.arms) < 2 or len(set(self.arms)) < len(self.arms):
            raise ValueError(f"Got the arms {self.arms}; expected two or more different names.")
        _check_probabilities(self.arm, self.propensity)
        _check_outcomes(self.outcomes, n)

    def __len__(self) -> int:
        return len(self.columns)

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the arms that do something."""
        return self.arms[1:]

    @property
    def open(self) -> np.ndarray:
        """Whether an arm was open to a customer, of shape (n, n_arms)."""
        return self.propensity > 0

    @property
    def weight(self) -> np.ndarray:
        """1 / probability of the arm that was given: whom a customer stands for, shape (n,)."""
        return 1.0 / self.propensity[np.arange(len(self)), self.arm]

    def against_nothing(self, action: int) -> np.ndarray:
        """Rows that tell an arm's effect: open to both, and given one of them, of shape (n,)."""
        both = self.open[:, action] & self.open[:, 0]
        return both & ((self.arm == action) | (self.arm == 0))

    def rows(self, chosen: np.ndarray) -> Trial:
        """Part of the customers.

        Parameters
        ----------
        chosen : ndarray
            Positions, or one truth value a customer.

        Returns
        -------
        Trial
        """
        return replace(
            self,
            columns=self.columns.iloc[
                np.flatnonzero(chosen) if chosen.dtype == bool else chosen
            ].reset_index(drop=True),
            arm=self.arm[chosen],
            propensity=self.propensity[chosen],
            outcomes={name: values[chosen] for name, values in self.outcomes.items()},
            group=None if self.group is None else self.group[chosen],
        )

    def require_enough(self) -> None:
        """Stop where an arm has too few customers or returns to learn from.

        Raises
        ------
        NotEnoughData
        """
        for place, name in enumerate(self.arms):
            given = self.arm == place
            returns = int(self.outcomes[RETURNED][given].sum())
            if given.sum() < FEWEST or returns < FEWEST_RETURNS:
                raise NotEnoughData(
                    f"got {given.sum():,} customers of whom {returns:,} returned in the arm "
                    f"{name!r}; uplift takes at least {FEWEST} customers and {FEWEST_RETURNS} "
                    "returns in each arm. Until then the average effect is what there is."
                )


def _check_probabilities(arm: np.ndarray, propensity: np.ndarray) -> None:
    if not (np.isfinite(propensity).all() and (propensity >= 0).all()):
        raise ValueError("Got probabilities of arms that are missing or negative.")
    off = np.abs(propensity.sum(axis=1) - 1.0)
    if off.size and off.max() > 1e-6:
        raise ValueError(
            f"Got probabilities of arms that add up to {propensity.sum(axis=1)[off.argmax()]:.4f} "
            "for a customer; expected 1."
        )
    if arm.size and not (arm.min() >= 0 and arm.max() < propensity.shape[1]):
        raise ValueError(f"Got an arm numbered {arm.min()} to {arm.max()}; expected 0 and up.")
    never = int((propensity[np.arange(len(arm)), arm] <= 0).sum())
    if never:
        raise ValueError(
            f"Got {never} customers in an arm of probability 0; expected the probabilities with "
            "which the arms were drawn."
        )


def _check_outcomes(outcomes: Mapping[str, np.ndarray], n: int) -> None:
    missing = [name for name in OUTCOMES if name not in outcomes]
    if missing:
        raise ValueError(f"Missing the outcome {missing[0]!r}; a trial needs {OUTCOMES}.")
    for name, values in outcomes.items():
        if values.shape != (n,) or not np.isfinite(values).all():
            raise ValueError(
                f"Got the outcome {name!r} of shape {values.shape} or with missing values; "
                f"expected {n} numbers. A customer without a purchase has 0."
            )
    if not np.isin(outcomes[RETURNED], (0, 1)).all():
        raise ValueError("Got a `returned` that is neither 0 nor 1.")
