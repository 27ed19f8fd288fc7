"""The planning office of a service: proposals for a budget, and plans in the making.

What every action would bring is worked out once for each score table and choice of actions, and
a few of these are held, so that another budget costs one more search. Of a large table a proposal
is an estimate from evenly spaced customers; the plan itself, which takes longer, is made in the
background. Every file is the store's: several processes can be one office.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from features.store import Store
from serving.campaigns import holdout, learned, making, membership, planning, shelf
from serving.campaigns.making import Facts
from serving.campaigns.terms import Terms
from serving.errors import CampaignError

if TYPE_CHECKING:
    from serving.campaigns.curve import Curve
    from serving.campaigns.order import Order
    from serving.campaigns.planning import Plan
    from serving.campaigns.prospect import Prospect

#: Customers up to whom a proposal is the plan itself, and from how many larger ones are estimated.
WHOLE, SOME = 50_000, 20_000
#: How long what the sources say of contacts serves for proposals; a plan reads them anew.
_FRESH = timedelta(minutes=30)
_PROSPECTS, _PROPOSALS = 2, 12
_Value = TypeVar("_Value")

# Under BentoML's logger, which is the one that its servers print.
_log = logging.getLogger("bentoml.regulars")


@dataclass(frozen=True)
class Proposal:
    """A plan before it is made.

    Attributes
    ----------
    plan : Plan
    sampled : int or None
        From how many customers it is estimated; None where it is the very plan.
    """

    plan: Plan
    sampled: int | None


@dataclass(frozen=True)
class _View:
    """A prospect with its curve, and how many customers a row stands for."""

    seen: Prospect
    drawn: Curve
    weight: float
    sampled: int | None


class Office:
    """Plans of one store.

    Parameters
    ----------
    store : Store
    terms : Terms
    clock : callable
        The instant, with a time zone.
    """

    def __init__(self, store: Store, terms: Terms, clock: Callable[[], datetime]) -> None:
        self.store, self.terms = store, terms
        self._clock = clock
        self._lock = threading.Lock()
        self._views: OrderedDict[Hashable, _View] = OrderedDict()
        self._proposals: OrderedDict[Hashable, Proposal] = OrderedDict()
        self._facts: tuple[date, datetime, Facts] | None = None
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="plan")
        self._begun: dict[str, Future[None]] = {}

    def propose(
        self, day: date, budget: float | None = None, actions: Collection[str] | None = None
    ) -> Proposal:
        """Propose a plan; nothing is kept or noted.

        Parameters
        ----------
        day : date
            Of the score table.
        budget : float, optional
            In currency; that of the settings when not given.
        actions : collection of str, optional
            That may be used; all when not given.

        Returns
        -------
        Proposal
            Made with the same name and key as the plan will be.

        Raises
        ------
        CampaignError
            If no plan can be made.
        """
        terms = self._terms(actions)
        with self._lock:
            order = self._order(day, terms, self._known(day), budget)
            mark = self._mark(day, order)
            return _held(
                self._proposals,
                (mark, order.rules.budget),
                _PROPOSALS,
                lambda: self._proposed(day, terms, order, mark),
            )

    def order(self, day: date) -> Order:
        """What a plan would be asked for now, with every action; who is in others is not read.

        Parameters
        ----------
        day : date
            Of the score table.

        Returns
        -------
        Order

        Raises
        ------
        CampaignError
            If no plan can be made.
        """
        return self._order(day, self._terms(None), self._known(day), None)

    def named(self, day: date, budget: float | None, actions: Collection[str] | None) -> str:
        """Name that a plan has, whoever makes it: that of its proposal.

        Parameters
        ----------
        day : date
        budget : float or None
        actions : collection of str or None
            As of `propose`.

        Returns
        -------
        str

        Raises
        ------
        CampaignError
            If no plan can be made.
        """
        return self._order(day, self._terms(actions), Facts(), budget).plan_id

    def start(
        self, day: date, budget: float | None, actions: Collection[str] | None, *, who: str
    ) -> tuple[str, Future[None]]:
        """Begin to make a plan, keep it and note it.

        Parameters
        ----------
        day : date
        budget : float or None
        actions : collection of str or None
            As of `propose`.
        who : str
            For the audit file.

        Returns
        -------
        str
            Name of the plan: the proposal's.
        Future
            Done when the plan is kept; at once where it was before.

        Raises
        ------
        CampaignError
            If no plan can be made.
        """
        terms, plan_id = self._terms(actions), self.named(day, budget, actions)
        begun = self._maker.submit(self._make, plan_id, day, terms, budget, who)
        self._begun[plan_id] = begun
        begun.add_done_callback(lambda _: self._begun.pop(plan_id, None))
        return plan_id, begun

    def has_begun(self, plan_id: str) -> bool:
        """Whether a plan is being made here, claimed in the store or not yet."""
        return plan_id in self._begun

    def seal(self, plan_id: str, who: str) -> str:
        """What a form has to bring to make a plan: only a page of ours could have told it.

        Parameters
        ----------
        plan_id, who : str

        Returns
        -------
        str
            32 hexadecimal digits.
        """
        text = "\0".join(("form", plan_id, who)).encode()
        return hmac.digest(self._key(), text, hashlib.sha256).hex()[:32]

    def _terms(self, actions: Collection[str] | None) -> Terms:
        if self.terms.obstacle:
            raise CampaignError(self.terms.obstacle)
        return self.terms if actions is None else self.terms.of(actions)

    def _key(self) -> bytes:
        try:
            return holdout.key_of(self.store.plans())
        except OSError as error:
            raise CampaignError(
                "Got a store in which the service cannot write its folder of plans; let it, or "
                "plan by `regulars plan`."
            ) from error

    def _known(self, day: date) -> Facts:
        """What the sources say of contacts, read again after a while."""
        now = self._clock()
        if self._facts is None or self._facts[0] != day or now - self._facts[1] > _FRESH:
            self._facts = (day, now, making.read_facts(self.terms, day, now=now))
        return self._facts[2]

    def _order(self, day: date, terms: Terms, known: Facts, budget: float | None) -> Order:
        from serving import scores

        told = learned.read(self.store.path)
        order = making.order(terms, known, told, plan_id="", key=self._key(), budget=budget)
        meta = scores.read_meta(self.store.scores(day))
        running = membership.running(self.store.plans(), day)
        # A plan that was kept is asked for as it was: beside those kept before it.
        for number in range(len(running) + 1):
            order = replace(order, running=running[:number])
            order = replace(order, plan_id=making.name(terms, meta, told, order))
            if order.plan_id in running[number:]:
                break
        return order

    def _mark(self, day: date, order: Order) -> Hashable:
        """What a prospect depends on."""
        file = self.store.scores(day).stat()
        effects = tuple((name, order.effect(name)) for name in order.actions)
        read = None if self.terms.sources is None or self._facts is None else self._facts[1]
        return day, file.st_ino, file.st_mtime_ns, effects, read, order.running

    def _proposed(self, day: date, terms: Terms, order: Order, mark: Hashable) -> Proposal:
        from serving.campaigns.estimate import estimate

        view = _held(self._views, mark, _PROSPECTS, lambda: self._view(day, terms, order))
        if view.sampled is None:
            return Proposal(planning.settle(view.seen, order, view.drawn), None)
        return Proposal(estimate(view.seen, order, view.drawn, weight=view.weight), view.sampled)

    def _view(self, day: date, terms: Terms, order: Order) -> _View:
        from serving.campaigns.curve import curve
        from serving.campaigns.prospect import prospect

        rows = making.score_rows(self.store.scores(day), terms)
        weight, sampled = 1.0, None
        if len(rows) > WHOLE:
            some = np.unique(np.linspace(0, len(rows) - 1, SOME).astype(int))
            weight, sampled = len(rows) / len(some), len(some)
            rows = rows.iloc[some]
        seen = prospect(rows, making.beside(order, self.store.plans()))
        drawn = curve(seen.whole, treated=1 - order.rules.holdout, weight=weight)
        return _View(seen, drawn, weight, sampled)

    def _make(self, plan_id: str, day: date, terms: Terms, budget: float | None, who: str) -> None:
        try:
            now = self._clock()
            known = making.read_facts(terms, day, now=now)
            order = self._order(day, terms, known, budget)
            folder = self.store.plans()
            if order.plan_id != plan_id:
                raise CampaignError(making.OVERTAKEN)
            with shelf.claimed(folder, order.plan_id) as mine:
                if not mine or shelf.said(folder, order.plan_id) is not None:
                    return
                rows = making.score_rows(self.store.scores(day), terms)
                made = planning.draw_up(rows, making.beside(order, folder))
                now = self._clock()
                making.keep(made, self.store, who=who, now=now, running=order.running)
        except Exception as error:
            # Nobody may be waiting any more; whoever is gets it too.
            _log.error("a plan was not made: %s", type(error).__name__)
            raise


def _held(
    cache: OrderedDict[Hashable, Any], key: Hashable, most: int, make: Callable[[], _Value]
) -> _Value:
    """What a bounded cache holds, made where it does not; the least used goes first."""
    if key not in cache:
        cache[key] = make()
    cache.move_to_end(key)
    while len(cache) > most:
        cache.popitem(last=False)
    value: _Value = cache[key]
    return value
