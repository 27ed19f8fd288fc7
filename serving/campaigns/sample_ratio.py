"""Whether the arms are as large as they were meant to be.

In: who was treated, the strata and their known treated shares. Out: the probability that chance
alone would leave the arms so far from their shares. Arms of another size than was drawn have lost
customers, and those lost are rarely like the others: nothing should be concluded from such a
comparison (Fabijan et al. 2019, Diagnosing Sample Ratio Mismatch, KDD).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, chi2, fisher_exact

#: Below this probability the arms are taken for broken. A check that is run on every campaign has
#: to be wrong rarely.
BROKEN = 0.001
# Fewest customers expected in each arm for the chi-square distribution to fit (Cochran 1954).
_EXPECTED = 5.0


@dataclass(frozen=True)
class SampleRatio:
    """How the sizes of the arms compare with what was drawn.

    Attributes
    ----------
    treated, holdout : int
        Customers of each arm.
    expected : float
        Customers that the known shares would have treated.
    probability : float in [0, 1]
        Of arms at least so far from their shares, by chance.
    """

    treated: int
    holdout: int
    expected: float
    probability: float

    @property
    def broken(self) -> bool:
        """Whether nothing should be concluded."""
        return self.probability < BROKEN


def check(
    treated: NDArray[np.bool_],
    strata: NDArray[np.int64],
    shares: NDArray[np.float64],
    lost: tuple[int, int] = (0, 0),
) -> SampleRatio:
    """Compare the sizes of the arms with the known shares, in all and by stratum.

    Parameters
    ----------
    treated : ndarray of shape (n,), bool
        At least one customer.
    strata : ndarray of shape (n,), int from 0 on
    shares : ndarray of shape (n,), in (0, 1)
        Known treated share of the customer's stratum.
    lost : tuple of int
        Treated and held out customers who were drawn and are not among these.

    Returns
    -------
    SampleRatio
        The probability is twice the smaller of two: in all by the exact binomial test, at the
        mean share; by stratum from Σ_s (t_s − e_s)² / (e_s (1 − e_s / n_s)), chi-square with a
        degree of freedom for each stratum, t_s treated and e_s expected of n_s. Strata where
        fewer than 5 are expected in an arm are taken together. Where customers were lost, Fisher's
        exact test (1935) of arm against loss besides: a plan's draw hits its shares exactly, so
        that a loss shows there first. Half of the level goes to each of the two.
    """
    found = _sizes(treated, strata, shares)
    if not any(lost):
        return found
    whole = [[gone, left] for gone, left in zip(lost, (found.treated, found.holdout), strict=True)]
    alike = float(fisher_exact(whole).pvalue)
    return replace(found, probability=min(1.0, 2 * min(alike, found.probability)))


def _sizes(
    treated: NDArray[np.bool_], strata: NDArray[np.int64], shares: NDArray[np.float64]
) -> SampleRatio:
    expected, total = float(shares.sum()), int(treated.sum())
    whole = float(binomtest(total, len(treated), expected / len(treated)).pvalue)
    _, strata = np.unique(strata, return_inverse=True)
    sizes = np.bincount(strata)
    meant = np.bincount(strata, weights=shares)
    small = np.minimum(meant, sizes - meant) < _EXPECTED
    joined = np.where(small, 0, 1 + np.arange(len(sizes)))[strata]
    sums = [
        np.bincount(joined, weights=column)
        for column in (treated - shares, shares * (1 - shares), shares, 1 - shares)
    ]
    fits = np.minimum(sums[2], sums[3]) >= _EXPECTED
    parts = int(fits.sum())
    # One part is the whole, which was tested exactly.
    if parts < 2:
        return SampleRatio(total, len(treated) - total, expected, whole)
    by_stratum = float(chi2.sf((sums[0][fits] ** 2 / sums[1][fits]).sum(), parts))
    either = min(1.0, 2 * min(whole, by_stratum))
    return SampleRatio(total, len(treated) - total, expected, either)
