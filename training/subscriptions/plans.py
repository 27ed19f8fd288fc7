"""Retention by plan, with partial pooling: a small plan borrows from those of the same term.

In: histories by plan and term (the days between two renewals). Out: sBG parameters for every
customer. A month's and a year's contract renew differently, so terms are drawn to all customers
only loosely, and plans to their term closely; with many customers neither draws at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from training.errors import NotEnoughData
from training.subscriptions.retention import Floats, Parameters
from training.subscriptions.sbg import Fit, Histories, Prior, fit

#: Standard deviation, in log-odds of leaving, of terms around all and of plans around their term.
TERMS_APART, PLANS_APART = 1.5, 0.5
#: A plan of which fewer renewals have come up goes by its term.
MIN_RENEWALS = 30

COLUMNS = ("plan", "term_days", "renewals", "active", "customers")


@dataclass(frozen=True)
class Plans:
    """Retention of every plan.

    Parameters
    ----------
    overall : Fit
        Of all customers.
    terms : mapping of float to Fit
        By the days between two renewals.
    plans : mapping of (str, float) to Fit
        By plan and term; plans too small to tell are left out.
    """

    overall: Fit
    terms: Mapping[float, Fit]
    plans: Mapping[tuple[str, float], Fit]

    @classmethod
    def fit(cls, histories: pd.DataFrame) -> Plans:
        """Fit all customers, then terms, then plans, each drawn to the one above.

        Parameters
        ----------
        histories : pandas.DataFrame
            ``plan`` (text or null), ``term_days``, ``renewals`` made, ``active`` (bool) and
            ``customers`` (count).

        Returns
        -------
        Plans

        Raises
        ------
        NotEnoughData
            If no renewal has come up yet.
        """
        overall = fit(_histories(histories))
        terms: dict[float, Fit] = {}
        plans: dict[tuple[str, float], Fit] = {}
        for term in sorted(histories["term_days"].unique().tolist()):
            rows = histories[histories["term_days"] == term]
            above = fit(_histories(rows), _prior(overall, TERMS_APART))
            terms[term] = above
            for plan, part in rows.groupby("plan", sort=True):
                known = _histories(part)
                if known.opportunities >= MIN_RENEWALS:
                    plans[str(plan), term] = fit(known, _prior(above, PLANS_APART))
        return cls(overall, terms, plans)

    def parameters(self, plan: pd.Series, term_days: pd.Series) -> tuple[Floats, Floats]:
        """Alpha and beta of each customer.

        Parameters
        ----------
        plan : pandas.Series of text
            Null or a plan that was not seen: the term speaks; without it, all customers.
        term_days : pandas.Series of float

        Returns
        -------
        tuple of ndarray
            Of shape (n_customers,), above 0.
        """
        words = plan.astype(object).where(plan.notna(), None)
        lengths = term_days.to_numpy(dtype=np.float64, na_value=np.nan)
        pairs = pd.MultiIndex.from_arrays([words, lengths])
        codes, distinct = pairs.factorize()
        found = [self._speaks(*pair) for pair in distinct]
        alpha = np.array([one.alpha for one in found])
        beta = np.array([one.beta for one in found])
        return alpha[codes], beta[codes]

    def _speaks(self, plan: Any, term: float) -> Parameters:
        if (one := self.plans.get((plan, term))) is not None:
            return one.params
        return self.terms.get(term, self.overall).params

    def to_dict(self) -> dict[str, Any]:
        """As values of JSON."""
        return {
            "overall": _plain(self.overall),
            "terms": [{"term_days": term, **_plain(one)} for term, one in self.terms.items()],
            "plans": [
                {"plan": plan, "term_days": term, **_plain(one)}
                for (plan, term), one in self.plans.items()
            ],
        }

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Plans:
        """What `to_dict` described."""
        terms = {float(one["term_days"]): _fit(one) for one in stored["terms"]}
        plans = {(str(one["plan"]), float(one["term_days"])): _fit(one) for one in stored["plans"]}
        return cls(_fit(stored["overall"]), terms, plans)

    def in_words(self) -> list[str]:
        """One sentence a term and plan: how many leave at the first renewal, and later."""
        told = [_sentence(f"terms of {term:g} days", one) for term, one in self.terms.items()]
        many = len({term for _, term in self.plans}) > 1
        for (plan, term), one in self.plans.items():
            told.append(_sentence(f"plan {plan}" + (f" ({term:g} days)" if many else ""), one))
        return told


def _histories(rows: pd.DataFrame) -> Histories:
    return Histories.of(rows["renewals"], rows["active"], rows["customers"])


def _prior(above: Fit, sd: float) -> Prior:
    return Prior(*above.coordinates, sd)


def _plain(one: Fit) -> dict[str, Any]:
    return {
        "alpha": one.params.alpha,
        "beta": one.params.beta,
        "log_likelihood": one.log_likelihood,
        "verdict": one.verdict,
        "message": one.message,
        "errors": None if one.errors is None else list(one.errors),
        "customers": one.customers,
    }


def _fit(stored: Mapping[str, Any]) -> Fit:
    errors = stored["errors"]
    return Fit(
        Parameters(stored["alpha"], stored["beta"]),
        stored["log_likelihood"],
        stored["verdict"],
        stored["message"],
        None if errors is None else (errors[0], errors[1]),
        stored["customers"],
    )


def _sentence(what: str, one: Fit) -> str:
    from training.subscriptions.retention import ending

    first, later = ending(one.params, [0, 11])
    doubt = "" if one.verdict == "converged" else f"; {one.message}"
    return (
        f"{what}: {first:.1%} leave at the first renewal, {later:.1%} at the twelfth "
        f"(sBG α {one.params.alpha:.3g}, β {one.params.beta:.3g}, {one.customers:,.0f} customers"
        f"{doubt})"
    )


def require_renewals(histories: pd.DataFrame) -> None:
    """Refuse histories in which nobody left, or no renewal came up.

    Parameters
    ----------
    histories : pandas.DataFrame
        As `Plans.fit` takes them.

    Raises
    ------
    NotEnoughData
        Saying what is missing.
    """
    known = _histories(histories)
    if known.opportunities < MIN_RENEWALS or known.ended < 1:
        raise NotEnoughData(
            f"got {known.opportunities:,.0f} renewals that came up and {known.ended:,.0f} ends; "
            f"at least {MIN_RENEWALS} and one are needed: read a longer history"
        )
