"""One training, from accepted tables to a registered scorer, promoted or refused.

Flow: schedule -> snapshots -> value models -> rolling backtest -> speaker and grades -> fit for
production -> MLflow run -> registry -> gate. Nothing at or after ``as_of`` is read, and the
champion changes only at the very end, so that a kill at any moment leaves it in place.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from features import breaks
from training import backtest, families, fingerprint, margins
from training.asked import Asked
from training.errors import NotEnoughData, StatisticalWarning
from training.evidence import Evidence, Order
from training.fitting import Fitted, fit_origin
from training.labels.labelled import gather_labelled
from training.learners.stacking import Trials
from training.runs import gate, registry, tracking, unfinished
from training.silence import limits, reach, shape
from training.subscriptions.gathered import gather_subscriptions
from training.value import calendar
from training.windows.known import Known, know
from training.windows.panel import Origin, Schedule, behaviour_frame, schedule, snapshot

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pandas as pd

    from features.inputs import Inputs
    from training.fingerprint import Fingerprint

Progress = Callable[[str, int, int], None]
OnTrial = Callable[[int, Mapping[str, Any], float], None]


@dataclass(frozen=True)
class Training:
    """What came of it.

    Attributes
    ----------
    version, run_id : str
        In the registry and in MLflow.
    verdict : gate.Verdict
        Whether it was promoted, and why.
    evidence : Evidence
        Figures, grades and notes.
    """

    version: str
    run_id: str
    verdict: gate.Verdict
    evidence: Evidence


def train(inputs: Inputs, order: Order, progress: Progress | None = None) -> Training:
    """Fit, test, log, register, and promote if the gate lets it through.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables.
    order : Order
        What to train and where to keep it.
    progress : callable, optional
        Called with (what, done, total).

    Returns
    -------
    Training
        Version, verdict and evidence.

    Raises
    ------
    NotEnoughData
        If even the value model cannot be fitted; the message says what is missing.
    """
    tell = progress or (lambda *_: None)
    from training.runs import report

    with (
        tracking.experiment(order.tracking_uri, order.name, order.artifact_root) as experiment,
        unfinished.held(order.under_way) as tags,
        tracking.run(experiment, f"train {order.as_of}", tags=tags) as run_id,
    ):
        asked = Asked(order.churn, order.value, order.seed)
        found = gather(inputs, order, asked, tell, tracking.trial_logger(experiment))
        broken = breaks.sentences(inputs.transactions, order.as_of)
        found = replace(found, notes=(*found.notes, *broken))
        tell("track", 0, 1)
        source = report.log_training(found, order, experiment)
        tell("track", 1, 1)
    return _enter(found, order, run_id, source)


def gather(
    inputs: Inputs, order: Order, asked: Asked, tell: Progress, on_trial: OnTrial | None = None
) -> Evidence:
    """Fit and test; nothing is written but the search's trials, by ``on_trial``.

    Parameters
    ----------
    inputs : Inputs
        Accepted tables.
    order : Order
        What to train.
    asked : Asked
        Settings shared by every fit.
    tell : callable
        Progress.
    on_trial : callable, optional
        Called with (number, parameters, log-loss) after each trial of the search.

    Returns
    -------
    Evidence
        Models, figures, grades.
    """
    if order.churn.rule == "label":
        return gather_labelled(inputs, order, asked, tell, on_trial)
    if order.churn.rule == "subscription":
        return gather_subscriptions(inputs, order, asked, tell)
    data = fingerprint.of_transactions(inputs.transactions, order.as_of)
    if not data.rows:
        raise NotEnoughData(
            f"there is no accepted transaction before {order.as_of}; choose a later --as-of"
        )
    plan = schedule(date.fromisoformat(data.first_day), order.as_of, order.churn.horizon_days)
    # A doubt about a past snapshot stands in its own figures; the notes are of what is served.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", StatisticalWarning)
        past = families.Shelf(_snapshots(inputs, plan, asked, order.as_of, tell), asked)
        plan = plan.keeping(past)
        if order.trials:
            origin, plan = _searchable(plan, asked)
            told = _counted(on_trial, order.trials, tell)
            asked = _tuned(origin, past, asked, order, told) if origin else asked
        tested = backtest.run(plan, past, asked, tell)
        choice = families.choose(past, order.as_of)
    tell("fit", 0, 1)
    behaviour = behaviour_frame(inputs, order.as_of, horizon_days=order.churn.horizon_days)
    chosen = families.Seen(past, choice)
    fitted, doubts = _fit_production(
        plan, chosen, behaviour, inputs.transactions, asked, tested.trials
    )
    tell("fit", 1, 1)
    found = _evidence(
        plan,
        past,
        fitted,
        tested,
        asked,
        order,
        data,
        tracking.example_rows(behaviour),
    )
    learned_from = [*(past[day].frame for day in plan.production.dates), behaviour]
    return _limited(replace(found, notes=(*found.notes, *doubts)), learned_from)


def _limited(found: Evidence, frames: list[pd.DataFrame]) -> Evidence:
    """The evidence with a scorer that knows what it was fitted on, and where it is silent."""
    scorer = replace(found.scorer, reach=reach.learn(frames), shape=shape.learn(frames))
    return replace(found, scorer=scorer, silence=limits.sentences(scorer, frames))


def _fit_production(
    plan: Schedule,
    past: families.Seen,
    behaviour: pd.DataFrame,
    log: ir.Table,
    asked: Asked,
    trials: Trials,
) -> tuple[Fitted, list[str]]:
    """The models that will be served, and what the statistics doubt about them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", StatisticalWarning)
        now = know(behaviour, asked, past.choice.fit)
        fitted = replace(
            fit_origin(plan.production, past, now, asked, trials),
            choice=past.choice,
            calendar=calendar.of_log(log, plan.production.at),
            margins=margins.learn(log, plan.production.at),
        )
    doubts = {str(w.message) for w in caught if issubclass(w.category, StatisticalWarning)}
    for w in caught:
        if not issubclass(w.category, StatisticalWarning):
            warnings.warn_explicit(w.message, w.category, w.filename, w.lineno)
    return fitted, sorted(doubts)


def _snapshots(
    inputs: Inputs, plan: Schedule, asked: Asked, known_until: date, tell: Progress
) -> dict[date, Known]:
    """The past dates, without those that hold too few customers for a value model."""
    past = {}
    for number, day in enumerate(plan.dates):
        tell("snapshots", number, len(plan.dates))
        frame = snapshot(
            inputs,
            day,
            horizon_days=asked.window_days,
            known_until=known_until,
            others=asked.horizons,
        )
        try:
            past[day] = know(frame, asked)
        except NotEnoughData:
            continue
    tell("snapshots", len(plan.dates), len(plan.dates))
    return past


def _evidence(
    plan: Schedule,
    past: Mapping[date, Known],
    fitted: Fitted,
    tested: backtest.Backtest,
    asked: Asked,
    order: Order,
    data: Fingerprint,
    example: pd.DataFrame,
) -> Evidence:
    from training.grading.grades import grade_all

    speaker = fitted.speaker
    grades = {days: grade_all(tested, speaker, days) for days in asked.horizons}
    graded = grades[asked.horizon_days]
    letters = {question: grade.letter for question, grade in graded.items()}
    newest = tested.newest
    source = fitted.source(asked.horizon_days)
    spread = tested.spread(asked.horizon_days, source, order.value.clv_horizon_days)
    return Evidence(
        fitted=fitted,
        scorer=fitted.scorer(speaker, asked, letters, spread),
        twin=None if newest is None else newest.scorer(newest.speaker, asked, letters),
        tested=tested,
        test=None if newest is None else past[newest.at].seen(asked.horizon_days),
        grades=graded,
        data=data,
        notes=_notes(plan, asked, order),
        example=example,
        reliability=_reliability(tested, asked, order),
        others={days: found for days, found in grades.items() if days != asked.horizon_days},
    )


def _reliability(tested: backtest.Backtest, asked: Asked, order: Order) -> pd.DataFrame:
    """Calibration and coverage by kind over the windows of the horizon, or the longest tested."""
    import pandas as pd

    from training.grading import groups, reliability
    from training.windows.spread import learn

    windows = tested.like(asked.horizon_days)
    # A window is covered by what the others taught: its own ratios would flatter the intervals.
    others = [[one.window for one in windows if one is not left] for left in windows]
    kinds = []
    for one in windows:
        known = groups.of_behaviour(one.frame)
        if order.kinds is not None:
            known = pd.concat([order.kinds(one.frame, one.window.predicted), known], axis=1)
        kinds.append(known)
    return reliability.table([one.window for one in windows], kinds, list(map(learn, others)))


def _notes(plan: Schedule, asked: Asked, order: Order) -> tuple[str, ...]:
    notes = []
    horizon = asked.horizon_days
    if not plan.production.dates:
        notes.append(
            f"History is too short to learn from past windows of {asked.window_days} days: the "
            "value model speaks alone."
        )
    elif not any(origin.dates for origin in plan.tests):
        notes.append(
            f"History is too short to test over {horizon} days what was learned before: "
            "ungraded; shorter windows are graded instead, and carried to this horizon by the "
            "value model."
        )
    if order.trials and _searchable(plan, asked)[0] is None:
        notes.append("The search was left out: it would have to look at the windows that grade.")
    if plan.newest_test is None:
        notes.append(f"No past window of {horizon} days to test on: ungraded.")
    return tuple(notes)


def _searchable(plan: Schedule, asked: Asked) -> tuple[Origin | None, Schedule]:
    """Where hyperparameters may be searched, and the schedule without the windows it looks at.

    The search is made in the past of the oldest test window that leaves it two stages; older
    windows lie in that past, so they no longer grade.
    """
    for place, origin in reversed(list(enumerate(plan.tests))):
        if all(_stages(origin, asked)):
            return origin, replace(plan, tests=plan.tests[: place + 1])
    untested = not plan.tests and all(_stages(plan.production, asked))
    return (plan.production if untested else None), plan


def _stages(origin: Origin, asked: Asked) -> tuple[tuple[date, ...], tuple[date, ...]]:
    """Dates to train on, and the newest one, by which their windows have ended."""
    newest = origin.dates[-1:]
    span = timedelta(days=asked.window_days)
    return tuple(day for day in origin.dates if newest and day + span <= newest[0]), newest


def _tuned(
    origin: Origin,
    past: Mapping[date, Known],
    asked: Asked,
    order: Order,
    on_trial: OnTrial,
) -> Asked:
    """The parameters that a search on an origin's own past prefers."""
    from training import tune

    train, (later,) = _stages(origin, asked)
    found = tune.search(
        [past[day].seen(asked.window_days) for day in train],
        past[later].seen(asked.window_days),
        trials=order.trials,
        seed=order.seed,
        threads=order.churn.threads,
        on_trial=on_trial,
    )
    return replace(asked, parameters=found)


def _counted(on_trial: OnTrial | None, trials: int, tell: Progress) -> OnTrial:
    def after(number: int, parameters: Mapping[str, Any], log_loss: float) -> None:
        tell("search", number + 1, trials)
        if on_trial is not None:
            on_trial(number, parameters, log_loss)

    return after


def _enter(found: Evidence, order: Order, run_id: str, source: str) -> Training:
    """Register, judge, and promote last of all."""
    verdict = _judge(found, order)
    version = registry.register(
        order.tracking_uri, order.name, run_id=run_id, source=source, tags=_tags(found, verdict)
    )
    if verdict.passed:
        registry.promote(order.tracking_uri, order.name, version, why=verdict.why, now=order.now)
    return Training(version, run_id, verdict, found)


def _judge(found: Evidence, order: Order) -> gate.Verdict:
    rival = registry.champion(order.tracking_uri, order.name)
    if order.churn.rule == "label":
        return gate.judge_held_out(_held_out(found), found.data.digest, rival)
    newest = found.tested.newest
    return gate.judge(
        found.tested.predictions.get(found.scorer.speaker),
        found.test,
        horizon_days=order.churn.horizon_days,
        window_from=newest.at if newest else None,
        champion=rival,
    )


def _tags(found: Evidence, verdict: gate.Verdict) -> dict[str, str]:
    tags = {
        "trained_as_of": found.scorer.terms.trained_as_of,
        "horizon_days": str(found.scorer.horizon_days),
        "rule": found.scorer.terms.rule,
        "speaker": found.scorer.speaker,
        "gate": verdict.why,
        gate.FINGERPRINT: found.data.digest,
        **{f"grade_{question}": letter for question, letter in found.scorer.grades.items()},
    }
    if found.scorer.terms.rule == "label":
        tags[gate.HELD_OUT] = repr(_held_out(found))
    if found.twin is not None:
        tags["tested_scorer"] = tracking.TESTED
    return tags


def _held_out(found: Evidence) -> float:
    """The speaker's log-loss on customers it had not seen."""
    from training.runs.report import newest_metrics

    return newest_metrics(found.tested.figures, found.scorer.speaker, found.scorer.horizon_days)[
        "risk.log_loss"
    ]
