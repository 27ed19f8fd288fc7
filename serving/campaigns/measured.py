"""A plan measured: sizes of the arms first, then effects, guardrails and what they teach.

In: records of both arms. Out: for each action and outcome the intention-to-treat difference with a
95 % interval, plain and with the scores taken into account, or the word that there is too little.
Nothing is concluded from arms that are not as they were drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from serving.campaigns import sample_ratio
from serving.campaigns.belief import Belief
from serving.campaigns.effects import Comparison, Floats, compare
from serving.campaigns.records import OUTCOMES, Records
from serving.campaigns.results import (
    FALL,
    NONE,
    RISE,
    TOO_LITTLE,
    ActionResult,
    Difference,
)
from serving.errors import CampaignError

#: Customers of the smaller arm, and customers in it with the outcome (and without, of a share),
#: expected at the rate of both arms together. Below, intervals do not hold what they say.
LEAST_CUSTOMERS, LEAST_EVENTS = 30, 10
#: From this ratio of the arms on they are taken to vary alike (`effects.compare`).
UNEQUAL = 2.0
# Standard errors that the mean spend has to be above 0 for something to be divided by it.
_CLEAR = 4.0


def measure(records: Records, *, drawn: bool = True) -> ActionResult:
    """Measure an action, or a whole plan.

    Parameters
    ----------
    records : Records
    drawn : bool, default True
        Whether the arms are those that were drawn.

    Returns
    -------
    ActionResult
        Without outcomes where the arms are broken.

    Raises
    ------
    CampaignError
        If the sources know nobody of the plan.
    """
    if not len(records.treated):
        raise CampaignError(
            f"Got {sum(records.lost)} assigned customers of whom the sources know none; expected "
            "the log that the plan was made from, and what came after."
        )
    ratio = sample_ratio.check(records.treated, records.strata, records.shares, records.lost)
    found = ActionResult(records.action, ratio, unknown=sum(records.lost), others=records.others)
    if ratio.broken or not drawn:
        return found
    goals = {name: values for name, values in records.outcomes.items() if _said(values)}
    columns = goals | dict(records.harms)
    try:
        plain, told = (_compared(records, columns, with_scores=one) for one in (False, True))
    except CampaignError:
        nothing = [_too_little(records, name, values) for name, values in columns.items()]
        return replace(
            found,
            outcomes=tuple(one for one in nothing if one.outcome in OUTCOMES),
            guardrails=tuple(one for one in nothing if one.outcome not in OUTCOMES),
        )
    rows = {
        name: _difference(records, name, values, place, plain, told)
        for place, (name, values) in enumerate(columns.items())
    }
    return replace(
        found,
        outcomes=tuple(rows[name] for name in goals),
        guardrails=tuple(rows[name] for name in records.harms),
        learned=_learned(records, list(columns), told, rows),
        left_out=told.left_out,
    )


def measure_all(records: Sequence[Records], *, drawn: bool = True) -> tuple[ActionResult, ...]:
    """Measure the actions of a plan and the plan as a whole.

    Parameters
    ----------
    records : sequence of Records
    drawn : bool, default True
        Whether the arms are those that were drawn.

    Returns
    -------
    tuple of ActionResult
        In the order of the records. All without outcomes where the arms of one are broken: an arm
        that lost customers lost them from every action, and few of them hide in a small one.

    Raises
    ------
    CampaignError
        As `measure`.
    """
    found = tuple(measure(one, drawn=drawn) for one in records)
    if drawn and any(one.ratio.broken for one in found):
        return tuple(measure(one, drawn=False) for one in records)
    return found


def interval(compared: Comparison, place: int) -> tuple[float, float, float, float]:
    """Difference of the arms, its standard error and its 95 % interval.

    Parameters
    ----------
    compared : Comparison
    place : int
        Which of the outcomes.

    Returns
    -------
    tuple of float
        d = m_t − m_h, s = √(v_t + v_h), and d ± t s with Student's t at the degrees of freedom
        s⁴ / (v_t² / f_t + v_h² / f_h) (Welch 1947).
    """
    from scipy.stats import t

    arms = (compared.treated, compared.holdout)
    variances = [float(arm.covariance[place, place]) for arm in arms]
    parts = sum(v**2 / float(arm.freedom[place]) for v, arm in zip(variances, arms, strict=True))
    total = sum(variances)
    difference = float(arms[0].means[place] - arms[1].means[place])
    if total <= 0:
        return difference, 0.0, difference, difference
    reach = float(t.ppf(0.975, total**2 / parts)) * math.sqrt(total)
    return difference, math.sqrt(total), difference - reach, difference + reach


def _said(values: Floats) -> bool:
    return bool(np.isfinite(values).all())


def _compared(records: Records, columns: Mapping[str, Floats], *, with_scores: bool) -> Comparison:
    sizes = np.bincount(records.treated, minlength=2)
    returned = records.outcomes["returned"]
    return compare(
        np.column_stack(list(columns.values())),
        records.treated,
        records.strata,
        records.shares,
        records.scores if with_scores else None,
        alike=bool(sizes.max() > UNEQUAL * sizes.min()),
        returned=returned > 0 if _said(returned) else None,
    )


def _difference(
    records: Records, name: str, values: Floats, place: int, plain: Comparison, told: Comparison
) -> Difference:
    """One outcome, or the word that there is too little."""
    if _short(records, values):
        return _too_little(records, name, values)
    difference, error, lower, upper = interval(told, place)
    if error == 0:
        return _too_little(records, name, values)
    without = interval(plain, place)
    return Difference(
        outcome=name,
        treated=float(told.treated.means[place]),
        holdout=float(told.holdout.means[place]),
        difference=difference,
        lower=lower,
        upper=upper,
        error=error,
        adjusted=told.adjusted,
        plain=(without[0], without[2], without[3]),
        verdict=RISE if lower > 0 else FALL if upper < 0 else NONE,
    )


def _short(records: Records, values: Floats) -> float:
    """How many times as many customers there would have to be; 0 where there are enough."""
    smaller = int(np.bincount(records.treated, minlength=2).min())
    lacks = [LEAST_CUSTOMERS / smaller if smaller else math.inf]
    for share in _shares(records, values):
        expected = share * smaller
        lacks.append(LEAST_EVENTS / expected if expected else math.inf)
    return max(lacks) if max(lacks) > 1 else 0.0


def _shares(records: Records, values: Floats) -> Sequence[float]:
    """Shares of customers that have to be met: with an outcome, and without where it is a share.

    Of money, who bought has the outcome: a treatment's cost is one for everybody.
    """
    if np.isin(values, (0.0, 1.0)).all():
        return (float(values.mean()), 1 - float(values.mean()))
    return (float((records.outcomes["purchases"] > 0).mean()),)


def _too_little(records: Records, name: str, values: Floats) -> Difference:
    arms = [values[records.treated], values[~records.treated]]
    treated, held = (float(arm.mean()) if len(arm) else 0.0 for arm in arms)
    times = _short(records, values)
    more = math.ceil((times - 1) * len(values)) if 1 < times < math.inf else None
    return Difference(name, treated, held, verdict=TOO_LITTLE, needed=more)


def _learned(
    records: Records, names: list[str], told: Comparison, rows: Mapping[str, Difference]
) -> dict[str, Belief]:
    """Estimates of the two effects that plans reckon with, by the delta method.

    Notes
    -----
    With the mean returns r and spends s of the treated (t) and the held out (h),

        kept k = (r_t − r_h) / (1 − r_h),    lift l = (s_t − s_h) / s_h − k q

    and q = Σ (1 − r_i) S_i / Σ E_i from the scores of the day of the plan: E is the spend that was
    expected, S = E / r what it is given return. That is `serving.campaigns.profit` the other way
    round: of a change of spend, k p S comes from those who were kept.
    """
    if rows["returned"].verdict == TOO_LITTLE:
        return {}
    first, second = names.index("returned"), None
    if "spend" in rows and rows["spend"].verdict != TOO_LITTLE:
        second = names.index("spend")
    pair = [first, first if second is None else second]
    means = [arm.means[pair] for arm in (told.treated, told.holdout)]
    spread = [arm.covariance[np.ix_(pair, pair)] for arm in (told.treated, told.holdout)]
    (r_t, s_t), (r_h, s_h) = means
    leaves = 1 - r_h
    if leaves <= 0:
        return {}
    kept = (r_t - r_h) / leaves
    of_kept = [np.array([1 / leaves, 0.0]), np.array([-(1 - r_t) / leaves**2, 0.0])]
    found = {"kept": Belief(float(kept), _error(of_kept, spread))}
    if second is None or s_h < _CLEAR * math.sqrt(float(spread[1][1, 1])):
        return found
    q = _kept_spend(records, r_h)
    of_lift = [
        np.array([0.0, 1 / s_h]) - q * of_kept[0],
        np.array([0.0, -s_t / s_h**2]) - q * of_kept[1],
    ]
    lift = (s_t - s_h) / s_h - kept * q
    return found | {"lift": Belief(float(lift), _error(of_lift, spread))}


def _kept_spend(records: Records, returns: float) -> float:
    """What those who leave would spend if they were kept, over what all are expected to spend."""
    from serving.campaigns.profit import FLOOR

    chance, spend = records.scores[:, 0], records.scores[:, 2]
    known = np.isfinite(chance) & np.isfinite(spend)
    expected = float(spend[known].sum())
    if expected <= 0:
        return (1 - returns) / max(returns, FLOOR)
    if_back = spend[known] / np.maximum(chance[known], FLOOR)
    return float(((1 - chance[known]) * if_back).sum()) / expected


def _error(gradients: Sequence[Floats], spread: Sequence[Floats]) -> float:
    return math.sqrt(float(sum(g @ c @ g for g, c in zip(gradients, spread, strict=True))))
