"""One training under the rule `subscription`: snapshots, backtest, grades, and what is served.

The same flow as for purchases (`training.pipeline`): past as-of dates, a rolling origin, the
newest window kept for the grade and the gate. A window is the horizon and the grace after it,
since an end is final only then; so no window is used whose grace is not over.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from training import backtest
from training.asked import Asked
from training.errors import NotEnoughData, StatisticalWarning
from training.evidence import Evidence, Order
from training.fingerprint import Fingerprint
from training.fitting import Fitted, feature_families
from training.grading import groups, reliability
from training.grading.grades import Grade, grade
from training.grading.skill import Draws, draws
from training.silence import limits, reach, shape
from training.subscriptions import curves, periods, windows
from training.subscriptions.failures import Failures
from training.subscriptions.hazard import Hazard
from training.subscriptions.learning import fit_origin
from training.subscriptions.margins import TermMargins
from training.subscriptions.plans import require_renewals
from training.subscriptions.prices import Prices
from training.subscriptions.scorer import PERIOD_FAMILIES, SubscriptionScorer
from training.subscriptions.stages import Origin, Stages, stages
from training.subscriptions.windows import Learned
from training.windows.panel import behaviour_frame
from training.windows.spread import Spread, learn
from training.windows.window import Window

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from features.inputs import Inputs

Tell = Callable[[str, int, int], None]
FATES = ("ended_after", "end_reason")
_NEEDED = {"risk": ("log_loss", "total_bias"), "purchases": ("mae", "normalised_gini")}
_NEEDED["spend"] = _NEEDED["purchases"]


def gather_subscriptions(inputs: Inputs, order: Order, asked: Asked, tell: Tell) -> Evidence:
    """Fit and test on the past of the subscriptions.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables, subscriptions among them.
    order : Order
        What to train.
    asked : Asked
        Settings shared by every fit.
    tell : callable
        Progress.

    Returns
    -------
    Evidence
        Models, figures, grades.

    Raises
    ------
    NotEnoughData
        If hardly a renewal has come up, or nobody has left yet.
    """
    table = inputs.subscriptions
    data = fingerprint(table, order.as_of)
    if not data.rows:
        raise NotEnoughData(
            f"there is no accepted subscription before {order.as_of}; choose a later --as-of"
        )
    require_renewals(_histories(table, order.as_of))
    grace = grace_of(table)
    window = order.churn.horizon_days + grace
    plan = stages(date.fromisoformat(data.first_day), order.as_of, window)
    past = _snapshots(inputs, plan, order, tell)
    plan = plan.keeping(past)
    work = _Work(table, past, asked, grace)
    with warnings.catch_warnings():
        # A doubt about a past window stands in its figures; the notes are of what is served.
        warnings.simplefilter("ignore", StatisticalWarning)
        known = _backtest(work, plan, tell)
    tell("fit", 0, 1)
    now = behaviour_frame(
        inputs, order.as_of, horizon_days=order.churn.horizon_days, population="subscribers"
    )
    learned = work.fit(plan.production, now)
    if known.twin is not None and known.twin.hazard.trees is None:
        # Trees that no window has tested do not speak.
        hazard = learned.hazard
        learned = replace(learned, hazard=Hazard(hazard.plans, hazard.within))
    speaker = speaker_of(learned.hazard)
    grades = grade_all(known.tested, speaker)
    letters = {question: one.letter for question, one in grades.items()}
    learned_from = [*(past[day] for day in plan.production.dates), now]
    # What came of the newest snapshots is known today, not at the origins.
    scorer = replace(
        work.scorer(learned, order.as_of, letters),
        spread=_spread(known.tested, speaker),
        failures=Failures.learn([past[day] for day in sorted(past)]),
        reach=reach.learn(learned_from),
        shape=shape.learn(learned_from),
        margins=TermMargins.learn(now),
    )
    tell("fit", 1, 1)
    found = _evidence(work, plan, scorer, known, grades, data, now, order)
    return replace(found, silence=limits.sentences(scorer, learned_from))


class _Work:
    """What every fit of a training reads."""

    def __init__(
        self, table: ir.Table, past: Mapping[date, pd.DataFrame], asked: Asked, grace: int
    ) -> None:
        self.table, self.past, self.asked, self.grace = table, past, asked, grace
        frames = list(past.values())
        self.families = feature_families(frames[0].columns.drop([*FATES])) if frames else {}

    def histories(self, at: date) -> pd.DataFrame:
        """Retention as known on a date."""
        return _histories(self.table, at)

    def fit(self, origin: Origin, now: pd.DataFrame) -> Learned:
        """What was learned by an origin, of which the behaviour rows are at hand."""
        hazard = fit_origin(
            origin,
            self.past,
            self.histories(origin.at),
            self.asked,
            tuple(self.families),
            self.grace,
        )
        frames = [*(self.past[day] for day in origin.dates), now]
        random = np.random.default_rng(self.asked.seed)
        return Learned(hazard, Prices.learn(frames, random))

    def scorer(self, learned: Learned, at: date, grades: Mapping[str, str]) -> SubscriptionScorer:
        """The scorer in which a hazard speaks."""
        hazard = learned.hazard
        families = {name: self.families[name] for name in hazard.columns}
        if hazard.trees is not None:
            families |= PERIOD_FAMILIES
        return SubscriptionScorer(
            self.asked.terms(at), hazard, families, dict(grades), learned.prices
        )


def _histories(table: ir.Table, at: date) -> pd.DataFrame:
    from features.fates import histories

    found = histories(table, at)
    ordered = found.order_by(["plan", "term_days", "renewals", "active"])
    return ordered.to_pyarrow().to_pandas()


def speaker_of(hazard: Hazard) -> str:
    """``hazard`` where trees were learned, else ``sbg``."""
    return "sbg" if hazard.trees is None else "hazard"


def grace_of(table: ir.Table) -> int:
    """Days of grace of the settings, which every row carries."""
    return int(table.aggregate(grace=table.grace_days.max()).to_pyarrow()["grace"][0].as_py() or 0)


def fingerprint(table: ir.Table, as_of: date) -> Fingerprint:
    """Fingerprint of the subscriptions that had begun before a date, and the ends that had come.

    Parameters
    ----------
    table : ibis table
        Accepted subscriptions.
    as_of : date

    Returns
    -------
    Fingerprint
        Of daily totals: equal for equal rows in any order; no customer can be read from it.
    """
    from features.families.spells import known

    rows = known(table, as_of)
    daily = rows.group_by(["day", "until", "plan"]).aggregate(
        rows=rows.count(), customers=rows.customer_id.nunique(), price=rows.price.sum()
    )
    days = daily.order_by(["day", "until", "plan"]).to_pyarrow().to_pylist()
    text = "\n".join(" ".join(str(value) for value in one.values()) for one in days)
    return Fingerprint(
        digest=hashlib.sha256(text.encode()).hexdigest(),
        rows=sum(one["rows"] for one in days),
        first_day=str(days[0]["day"]) if days else "",
        last_day=str(max(one["day"] for one in days)) if days else "",
    )


def _snapshots(inputs: Inputs, plan: Stages, order: Order, tell: Tell) -> dict[date, pd.DataFrame]:
    """Subscribers of every date that is needed, with their fates; dates without any left out."""
    past = {}
    for number, day in enumerate(plan.dates):
        tell("snapshots", number, len(plan.dates))
        frame = windows.snapshot(inputs, day, order.churn.horizon_days, order.as_of)
        if len(frame):
            past[day] = frame
    tell("snapshots", len(plan.dates), len(plan.dates))
    return past


@dataclass(frozen=True)
class _Past:
    """What past windows say."""

    tested: backtest.Backtest
    twin: Learned | None
    held: tuple[pd.DataFrame, ...]


def _backtest(work: _Work, plan: Stages, tell: Tell) -> _Past:
    """Hazard, sBG and both rules on past windows that none of them saw."""
    tables: list[pd.DataFrame] = []
    tested: list[backtest.Tested] = []
    held: list[pd.DataFrame] = []
    skills: list[Draws] = []
    shown: dict[str, pd.DataFrame] = {}
    newest: Learned | None = None
    days = work.asked.horizon_days
    for number, origin in enumerate(reversed(plan.tests)):
        tell("backtest", number, len(plan.tests))
        truth = work.past[origin.at]
        try:
            newest = work.fit(origin, truth)
        except NotEnoughData:
            # So early that nobody had left: there is nothing to test.
            newest = None
            continue
        rules, terms = curves.rules(work.histories(origin.at)), work.asked.terms(origin.at)
        shown = windows.answers(newest, rules, truth, origin.at, terms)
        speaker = speaker_of(newest.hazard)
        tables.insert(0, backtest.measure(origin.at, days, shown, truth))
        seen = Window(shown[speaker], truth[["returned"]])
        tested.insert(0, backtest.Tested(origin.at, days, speaker, seen, truth))
        held.insert(0, windows.held(newest, shown[speaker], truth, origin.at, days))
        skills += draws(origin.at, days, speaker, shown, truth, curves.WORDS)
    tell("backtest", len(plan.tests), len(plan.tests))
    figures = pd.concat(tables, ignore_index=True) if tables else backtest.no_figures()
    fitted = None
    if newest is not None and plan.tests:
        fitted = Fitted(plan.tests[0].at, None, newest.hazard.trees, None, work.families)
    found = backtest.Backtest(figures, fitted, shown, tested=tuple(tested), skills=tuple(skills))
    return _Past(found, newest, tuple(held))


def _reliability(past: _Past, speaker: str, order: Order) -> pd.DataFrame:
    """Calibration and coverage by kind over the windows in which the same model spoke."""
    told, words = [], []
    for one, held in zip(past.tested.tested, past.held, strict=True):
        if one.speaker == speaker:
            known = groups.of_subscribers(one.frame)
            if order.kinds is not None:
                known = pd.concat([order.kinds(one.frame, one.window.predicted), known], axis=1)
            told.append(held)
            words.append(known)
    if not told:
        return pd.DataFrame()
    return reliability.by_kind(
        pd.concat(told, ignore_index=True), pd.concat(words, ignore_index=True)
    )


def _spread(tested: backtest.Backtest, speaker: str) -> Spread | None:
    """How far rates of leaving lay beside the chances of the model that speaks."""
    found = [windows.undecided(one) for one in tested.tested if one.speaker == speaker]
    return learn([one for one in found if len(one.came)])


def grade_all(tested: backtest.Backtest, speaker: str) -> dict[str, Grade]:
    """Grade every question that the backtest can answer, against the rules for renewals.

    Parameters
    ----------
    tested : Backtest
        Figures and luck, window by window.
    speaker : str
        The model that speaks.

    Returns
    -------
    dict of str to Grade
        A window in which another model would have spoken does not count.
    """
    luck = {(d.question, d.rule, d.at): d.luck for d in tested.skills if d.model == speaker}
    found = {}
    for question, needed in _NEEDED.items():
        asked = tested.figures[tested.figures["question"] == question]
        windows = {
            name: asked[asked["model"] == name].pivot(
                index="origin", columns="metric", values="figure"
            )
            for name in (speaker, *curves.WORDS)
        }
        mine = windows.pop(speaker)
        mine = mine[mine.reindex(columns=[*needed]).notna().all(axis=1)]
        at = [day for day in mine.index if all((question, n, day) in luck for n in windows)]
        if at:
            rivals = {curves.WORDS[n]: _records(table, at) for n, table in windows.items()}
            chance = {curves.WORDS[n]: [luck[question, n, day] for day in at] for n in windows}
            found[question] = grade(question, _records(mine, at), rivals, chance)
    return found


def _records(table: pd.DataFrame, at: list[date]) -> list[dict[str, float]]:
    rows = table.loc[at].to_dict("records")
    return [{str(name): float(value) for name, value in row.items()} for row in rows]


def _evidence(
    work: _Work,
    plan: Stages,
    scorer: SubscriptionScorer,
    known: _Past,
    grades: Mapping[str, Grade],
    data: Fingerprint,
    now: pd.DataFrame,
    order: Order,
) -> Evidence:
    from training.runs import tracking

    newest = plan.tests[0] if known.tested.newest is not None else None
    served: Any = scorer
    compared: Any = None
    if known.twin is not None and newest is not None:
        compared = work.scorer(known.twin, newest.at, scorer.grades)
    return Evidence(
        fitted=Fitted(order.as_of, None, scorer.hazard.trees, None, dict(scorer.families)),
        scorer=served,
        twin=compared,
        tested=known.tested,
        test=_test_frame(work, newest),
        grades=grades,
        data=data,
        notes=_notes(work, plan, scorer, now, order),
        example=tracking.example_rows(now),
        parameters=scorer.parameters(),
        reliability=_reliability(known, scorer.speaker, order),
    )


def _test_frame(work: _Work, newest: Origin | None) -> pd.DataFrame | None:
    """The newest window; a missing price is 0 in what is expected as in what came."""
    if newest is None:
        return None
    frame = work.past[newest.at]
    return frame.assign(subscription_price=frame["subscription_price"].fillna(0.0))


def _notes(
    work: _Work, plan: Stages, scorer: SubscriptionScorer, now: pd.DataFrame, order: Order
) -> tuple[str, ...]:
    """Doubts and limits, and what is known of retention, one sentence each."""
    notes = [f"Retention by the {told}." for told in scorer.hazard.plans.in_words()]
    span = scorer.clv_horizon_days
    if len(now):
        stays = scorer.lifetimes(now)["expected_months"].mean()
        notes.append(
            f"A subscriber of today is expected to stay {stays:.1f} of the next "
            f"{span / periods.MONTH_DAYS:.1f} months on average."
        )
    notes += scorer.failures.in_words()
    if scorer.speaker == "sbg":
        notes.append(
            "History is too short, or too few have left, to learn who leaves: the retention of "
            "the plan speaks for everyone on it."
        )
    if not plan.tests:
        days = order.churn.horizon_days
        notes.append(
            f"No past window of {days} days and {work.grace} of grace to test on: ungraded."
        )
    if order.trials:
        notes.append("Under the subscription rule no search is made; it was left out.")
    return (
        *notes,
        "A cancellation that is on record before it takes effect is not looked at, as the source "
        "does not say when it was entered.",
        "Spend is at today's price, and of the subscription alone.",
    )
