"""Effects by intention to treat: what an action changed, against those held out at random.

In: one action's customers with their arm, stratum, outcomes and the scores of the day of the
assignment. Out: for each outcome the means of both arms and their difference with an interval,
plain and adjusted by the scores. Everybody assigned counts as assigned, reached or not; only so
is the difference that of the action and not of those who could be reached.

The means are linear in the outcomes, m_a = Σ w_i y_i over arm a, with the weights of a least
squares fit within the arm on indicators of the strata and the scores x, evaluated at the strata's
shares W_s and the mean scores x̄ of both arms together:

    w_i = W_s / n_as + (x_i − x̄_as)' A⁻¹ (x̄ − Σ_s W_s x̄_as),   A = Σ (x_i − x̄_as)(x_i − x̄_as)'.

Without scores this is the stratified difference in means (Imbens & Rubin 2015, Causal Inference,
ch. 9), with one stratum the difference in means. With scores it is the regression with
interactions of Lin (2013), one slope for each arm; the control variate of Deng et al. (2013) is
the same with one slope for both, their eq. 4. Strata of different treated shares need no weights
of their own: each is compared within itself and counts by its customers.

A holdout that is far smaller than the treated does not know its own spread: of heavy-tailed spend
its mean and its variance are low together, and intervals by its own variance hold 86 of 100 times
instead of 95 (docs/effects.md). Then the arms are taken to be alike but for their level and for how
many came back: each score has one slope, and the variance of an arm within a stratum is that of
both arms' residuals, weighted so that as many came back as did in that arm (`_as_many`). Who comes
back brings most of the spread of purchases and spend, and an action that works changes it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from serving.errors import CampaignError

Floats = NDArray[np.float64]

#: Fewest customers of each arm for a stratum to be compared by itself.
LEAST_IN_STRATUM = 5
#: Fewest customers of each arm for every score that adjusts.
LEAST_PER_SCORE = 20
# Below this share of its variance a score says nothing that the others have not said.
_NEW = 1e-8


@dataclass(frozen=True)
class Arm:
    """Means of one arm, as they would be if every customer had been in it.

    Attributes
    ----------
    customers : int
    means : ndarray of shape (k,)
        One for each outcome.
    covariance : ndarray of shape (k, k)
        Of the means: Σ w_i² e_i e_i' / (1 − h_i), HC2 of MacKinnon & White (1985); without scores
        Neyman's (1923) Σ_s W_s² S_s / n_s.
    freedom : ndarray of shape (k,)
        Degrees of freedom of the variances, by Welch (1947) and Satterthwaite.
    """

    customers: int
    means: Floats
    covariance: Floats
    freedom: Floats


@dataclass(frozen=True)
class Comparison:
    """Both arms of an action.

    Attributes
    ----------
    treated, holdout : Arm
    adjusted : bool
        Whether the scores took part.
    left_out : int
        Customers of strata that had too few of one arm and none to be joined with.
    """

    treated: Arm
    holdout: Arm
    adjusted: bool
    left_out: int


def compare(
    outcomes: Floats,
    treated: NDArray[np.bool_],
    strata: NDArray[np.int64],
    shares: Floats,
    scores: Floats | None = None,
    *,
    alike: bool = False,
    returned: NDArray[np.bool_] | None = None,
) -> Comparison:
    """Compare the arms of one action.

    Parameters
    ----------
    outcomes : ndarray of shape (n, k)
    treated : ndarray of shape (n,), bool
    strata : ndarray of shape (n,), int from 0 on
    shares : ndarray of shape (n,), in (0, 1)
        Known share of the stratum that is treated. Strata too small to be compared by themselves
        are joined with others of the same share.
    scores : ndarray of shape (n, p), optional
        What was known of each customer on the day of the assignment; NaN where nothing was. Left
        out when an arm has fewer than 20 customers for each.
    alike : bool, default False
        Whether the arms share slopes and variances: for arms of very different size.
    returned : ndarray of shape (n,), bool, optional
        Who came back: with it `alike` arms share their variances given that.

    Returns
    -------
    Comparison

    Raises
    ------
    CampaignError
        If an arm has fewer than two customers that can be compared.
    """
    strata, used = _joined(treated, strata, shares)
    if not used.all():
        outcomes, treated, strata = outcomes[used], treated[used], strata[used]
        scores = None if scores is None else scores[used]
        returned = None if returned is None else returned[used]
    sizes = np.bincount(treated, minlength=2)
    if sizes.min() < 2:
        raise CampaignError(
            f"Got {sizes[1]} treated customers and {sizes[0]} held out in strata that hold both; "
            "expected 2 of each or more. Without a holdout nothing can be measured."
        )
    known = None if scores is None else _telling(scores, treated)
    if known is not None and sizes.min() < LEAST_PER_SCORE * known.shape[1]:
        known = None
    if alike:
        arms = _alike(outcomes, treated, strata, known, returned)
    else:
        arms = _apart(outcomes, treated, strata, known)
    return Comparison(*arms, known is not None, int((~used).sum()))


def _apart(
    outcomes: Floats, treated: NDArray[np.bool_], strata: NDArray[np.int64], known: Floats | None
) -> tuple[Arm, Arm]:
    """Both arms, each with slopes and variances of its own."""
    weights = np.bincount(strata) / len(strata)
    target = None if known is None else known.mean(axis=0)
    first, second = (
        _arm(outcomes[arm], strata[arm], weights, None if known is None else known[arm], target)
        for arm in (treated, ~treated)
    )
    return first, second


def _alike(
    outcomes: Floats,
    treated: NDArray[np.bool_],
    strata: NDArray[np.int64],
    known: Floats | None,
    returned: NDArray[np.bool_] | None,
) -> tuple[Arm, Arm]:
    """Both arms, with slopes and variances in common.

    With b the slopes within arms and strata, m_a = Σ_s W_s (ȳ_as − b'(x̄_as − x̄_s)); its covariance
    is Σ_s W_s² S_as / n_as, where S_as is that of y − b'x of both arms in the stratum, with as many
    who came back as in the arm, and less what the action changed among those alike in that.
    """
    cells, both = 2 * strata + treated, np.bincount(strata)
    sizes = np.bincount(cells, minlength=2 * len(both))
    left, fitted = outcomes, 0
    if known is not None:
        slopes = _slopes(known, outcomes, cells, sizes)
        left, fitted = outcomes - known @ slopes, known.shape[1]
    means = _stratum_means(left, cells, sizes)
    level = 0.0 if known is None else _stratum_means(known, strata, both) @ slopes
    left = left - treated[:, None] * _shift(left, treated, strata, returned)
    shares, spare = both / len(strata), np.maximum(both - 2.0, 1.0)
    spare *= max(1.0 - fitted / spare.sum(), 0.1)
    arms = []
    for place in (1, 0):
        own = sizes[place::2]
        weights = _as_many(returned, treated == place, strata)
        centre = _stratum_means(left * weights[:, None], strata, both)
        scale = (shares / np.sqrt(spare * own))[strata] * np.sqrt(weights)
        errors = (left - centre[strata]) * scale[:, None]
        parts = _stratum_means(errors**2, strata, both) * both[:, None]
        mean = shares @ (means[place::2] + level)
        arms.append(Arm(int(own.sum()), mean, errors.T @ errors, _satterthwaite(parts, spare)))
    return arms[0], arms[1]


def _slopes(
    known: Floats, outcomes: Floats, cells: NDArray[np.int64], sizes: NDArray[np.int64]
) -> Floats:
    """Least squares of the outcomes on the scores within arms and strata."""
    centred = known - _stratum_means(known, cells, sizes)[cells]
    return np.asarray(np.linalg.pinv(centred.T @ centred) @ (centred.T @ outcomes))


def _shift(
    left: Floats,
    treated: NDArray[np.bool_],
    strata: NDArray[np.int64],
    returned: NDArray[np.bool_] | None,
) -> Floats:
    """How far the treated lie above the held out of the same stratum and return, on average."""
    groups = strata if returned is None else 2 * strata + returned
    sizes = np.maximum(np.bincount(groups), 1)
    arm = treated.astype(np.float64)[:, None]
    centred = arm - _stratum_means(arm, groups, sizes)[groups]
    square = float((centred**2).sum())
    return centred.T @ left / square if square else np.zeros((1, left.shape[1]))


def _as_many(
    returned: NDArray[np.bool_] | None, arm: NDArray[np.bool_], strata: NDArray[np.int64]
) -> Floats:
    """Weights of both arms' customers under which as many came back as in one of them.

    With p_s the share of a stratum that came back and d = Σ_s W_s (p_as − p_s) how far the arm
    lies off it, those who came back weigh (p_s + d) / p_s, the others (1 − p_s − d) / (1 − p_s):
    a stratum's holdout of five does not know its own share, all of them together do.
    """
    if returned is None:
        return np.ones(len(strata))
    came, both = returned.astype(np.float64)[:, None], np.bincount(strata)
    share = _stratum_means(came, strata, both)[:, 0]
    own = _stratum_means(came[arm], strata[arm], np.bincount(strata[arm], minlength=len(both)))
    off = float(both @ (own[:, 0] - share)) / len(strata)
    # Where all or none of a stratum came back there is nothing to weigh.
    aim = np.where((share > 0) & (share < 1), np.clip(share + off, 0.0, 1.0), share)
    back = np.divide(aim, share, out=np.ones_like(share), where=share > 0)
    gone = np.divide(1 - aim, 1 - share, out=np.ones_like(share), where=share < 1)
    return np.asarray(np.where(returned, back[strata], gone[strata]))


def _joined(
    treated: NDArray[np.bool_], strata: NDArray[np.int64], shares: Floats
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Strata numbered anew with small ones joined by their share, and who can be compared."""
    _, strata = np.unique(strata, return_inverse=True)
    _, alike = np.unique(np.round(shares, 9), return_inverse=True)
    large = _least(strata, treated) >= LEAST_IN_STRATUM
    joined = np.where(large[strata], strata, strata.max() + 1 + alike)
    _, joined = np.unique(joined, return_inverse=True)
    used = (_least(joined, treated) >= 2)[joined]
    if used.any():
        _, numbered = np.unique(joined[used], return_inverse=True)
        joined[used] = numbered
    return joined, used


def _least(strata: NDArray[np.int64], treated: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Customers in the smaller arm of each stratum."""
    groups = strata.max() + 1
    arms = [np.bincount(strata[arm], minlength=groups) for arm in (treated, ~treated)]
    return np.minimum(*arms)


def _telling(scores: Floats, treated: NDArray[np.bool_]) -> Floats | None:
    """Scores on one scale without gaps, and without those that say nothing in one of the arms."""
    missing = np.isnan(scores)
    counts = np.maximum((~missing).sum(axis=0), 1)
    filled = np.where(missing, np.where(missing, 0.0, scores).sum(axis=0) / counts, scores)
    # A gap is itself something that was known.
    whole = np.column_stack([filled, np.unique(missing, axis=1).astype(np.float64)])
    whole = whole - whole.mean(axis=0)
    spread = whole.std(axis=0)
    whole = whole[:, spread > 0] / spread[spread > 0]
    kept: list[int] = []
    for column in range(whole.shape[1]):
        tried = whole[:, [*kept, column]]
        if all(_adds(tried[arm]) for arm in (treated, ~treated)):
            kept.append(column)
    return whole[:, kept] if kept else None


def _adds(columns: Floats) -> bool:
    """Whether the last of some columns is more than a combination of the others."""
    centred = columns - columns.mean(axis=0)
    gram = centred.T @ centred / len(centred)
    return bool(np.linalg.eigvalsh(gram)[0] > _NEW)


def _arm(
    outcomes: Floats,
    strata: NDArray[np.int64],
    shares: Floats,
    scores: Floats | None,
    target: Floats | None,
) -> Arm:
    """Means of an arm at the strata's shares and the mean scores of everybody."""
    sizes = np.bincount(strata, minlength=len(shares))
    residuals = outcomes - _stratum_means(outcomes, strata, sizes)[strata]
    weights, leverage = (shares / sizes)[strata], (1.0 / sizes)[strata]
    fitted = 0
    if scores is not None and target is not None:
        means = _stratum_means(scores, strata, sizes)
        centred = scores - means[strata]
        inverse = np.linalg.pinv(centred.T @ centred)
        slopes = inverse @ (centred.T @ residuals)
        residuals = residuals - centred @ slopes
        weights = weights + centred @ (inverse @ (target - shares @ means))
        leverage = leverage + np.einsum("ip,pq,iq->i", centred, inverse, centred)
        fitted = scores.shape[1]
    # One customer who alone bends the fit would have no error.
    errors = residuals * (weights / np.sqrt(np.maximum(1.0 - leverage, 0.01)))[:, None]
    return Arm(
        customers=len(outcomes),
        means=weights @ outcomes,
        covariance=errors.T @ errors,
        freedom=_freedom(errors, strata, sizes, fitted),
    )


def _stratum_means(values: Floats, strata: NDArray[np.int64], sizes: NDArray[np.int64]) -> Floats:
    sums = [np.bincount(strata, weights=column, minlength=len(sizes)) for column in values.T]
    return np.stack(sums, axis=1) / sizes[:, None]


def _freedom(
    errors: Floats, strata: NDArray[np.int64], sizes: NDArray[np.int64], fitted: int
) -> Floats:
    """(Σ v_s)² / Σ v_s² / (n_s − 1), with v_s the stratum's part of the variance."""
    parts = _stratum_means(errors**2, strata, sizes) * sizes[:, None]
    left = len(strata) - len(sizes)
    return _satterthwaite(parts, np.maximum((sizes - 1) * max(left - fitted, 1) / left, 1.0))


def _satterthwaite(parts: Floats, freedom: Floats) -> Floats:
    """Degrees of freedom of a sum of variances, outcome by outcome."""
    squares, total = (parts**2 / freedom[:, None]).sum(axis=0), parts.sum(axis=0)
    spare = np.full(len(total), freedom.sum())
    return np.divide(total**2, squares, out=spare, where=squares > 0)
