"""What one worker process holds: the deployment, the model, the newest score table.

Loaded once, when the process starts; only the score table changes afterwards. The model stays
the version that it started with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from serving import deployment
from serving.api.failures import Failure
from serving.api.newest import Newest
from serving.deployment import Deployment
from serving.desk import Desk
from serving.groups.subscribers import are_scored
from serving.warm import warm

if TYPE_CHECKING:
    from serving.api.plans import Plans
    from serving.campaigns.office import Office
    from training.scorer import Scorer


def utc_now() -> datetime:
    """The instant, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Worker:
    """One worker process' belongings.

    Parameters
    ----------
    deployment : Deployment
    scorer : Scorer or None
        None before the first champion.
    newest : Newest or None
        None without a store.
    plans : Plans or None
        Feature plans for raw transactions; None without a scorer.
    clock : callable
        The instant, with a time zone.
    office : Office or None
        Where plans are made; None without a store or settings.
    """

    deployment: Deployment
    scorer: Scorer | None
    newest: Newest | None
    plans: Plans | None = None
    clock: Callable[[], datetime] = utc_now
    office: Office | None = None

    @property
    def desk(self) -> Desk | None:
        """The score table at hand, or None."""
        return None if self.newest is None else self.newest.current()

    @property
    def ready(self) -> bool:
        """Whether it can answer: a model, and a score table where there is a store."""
        return self.scorer is not None and (self.newest is None or self.desk is not None)

    @property
    def today(self) -> date:
        """The date where the business is."""
        return self.clock().astimezone(ZoneInfo(self.deployment.names.timezone)).date()

    def staleness_days(self, as_of: date) -> int:
        """Days from an as-of date to today, at least 0."""
        return max((self.today - as_of).days, 0)

    def need_desk(self) -> Desk:
        """The score table, or the failure that says that there is none.

        Raises
        ------
        Failure
            503.
        """
        desk = self.desk
        if desk is None:
            raise Failure(
                503, "Nothing is scored yet: run `regulars score` first.", code="not_scored"
            )
        return desk

    def need_scorer(self) -> Scorer:
        """The model, or the failure that says that there is none.

        Raises
        ------
        Failure
            503.
        """
        if self.scorer is None:
            raise Failure(
                503,
                "There is no model yet: run `regulars train`, then start the service again.",
                code="not_trained",
            )
        return self.scorer

    def need_office(self) -> Office:
        """Where plans are made, or the failure that says that there is none.

        Raises
        ------
        Failure
            503.
        """
        if self.office is None:
            raise Failure(503, "This service runs without settings; plans need their [actions].")
        return self.office

    def need_plans(self) -> Plans:
        """The feature plans, which come with the model.

        Raises
        ------
        Failure
            503.
        """
        self.need_scorer()
        assert self.plans is not None  # noqa: S101 - loaded together
        return self.plans


def start(
    environ: Mapping[str, str],
    bundle: Path | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Worker:
    """Load everything that a worker needs.

    Parameters
    ----------
    environ : mapping of str to str
        The process's environment.
    bundle : Path, optional
        Folder of the bento's model, when the process runs from a bento.
    clock : callable, optional
        The instant, with a time zone.

    Returns
    -------
    Worker
    """
    found = deployment.resolve(environ, bundle)
    office = newest = None
    if found.store is not None and found.terms is not None:
        from serving.campaigns.office import Office

        office = Office(found.store, found.terms, clock)
    if found.store is not None:
        newest = Newest(found.store, loaded=partial(warm, found))
    if found.scorer is None:
        return Worker(found, None, newest, clock=clock, office=office)
    # Loaded here and not with the module, which the command line imports for its help.
    from serving.api.plans import Plans
    from training.scorer import Scorer

    scorer = Scorer.load(found.scorer)
    plans = Plans(
        found.names.timezone,
        scorer.horizon_days,
        billing=found.billing,
        subscribers=are_scored(scorer),
    )
    worker = Worker(found, scorer, newest, plans, clock, office)
    plans.warm(worker.today if worker.desk is None else worker.desk.meta.as_of)
    return worker
