"""The making of a plan: from the terms of a business and a score table to a plan that is kept.

The one way for the command line and the service: the same terms, scores, name and key give the
same assignments.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from features.store import Store
from serving.campaigns.order import Order
from serving.campaigns.planning import Plan
from serving.campaigns.terms import Terms
from serving.errors import CampaignError

if TYPE_CHECKING:
    import pandas as pd

    from features.inputs import Inputs
    from serving.campaigns.belief import Effect
    from serving.scores import Meta

#: Said where another plan was kept between the asking and the keeping of one.
OVERTAKEN = (
    "Got a plan that was begun before another one was kept, whose customers are now taken; "
    "expected one that knows of it: plan again."
)
_COLUMNS = (
    *("customer_id", "as_of", "horizon_days", "churn_probability", "return_probability"),
    *("p_alive", "expected_purchases", "expected_spend", "clv", "margin_rate"),
    *("stage", "tier", "reasons", "abstained"),
)


@dataclass(frozen=True)
class Facts:
    """Who may be contacted, as the sources said when they were read.

    Attributes
    ----------
    customers, contacts : pandas.DataFrame or None
        As `serving.campaigns.audience.audience` takes them; None where nothing asks for them.
    """

    customers: pd.DataFrame | None = field(default=None, repr=False)
    contacts: pd.DataFrame | None = field(default=None, repr=False)


def facts(inputs: Inputs | None, as_of: date) -> Facts:
    """Who may be contacted.

    Parameters
    ----------
    inputs : Inputs or None
        Accepted rows of the terms' sources.
    as_of : date
        Day of the plan.

    Returns
    -------
    Facts
    """
    from features.compat import arrow
    from features.contracts.treatments import last_treated

    customers = contacts = None
    if inputs is not None and inputs.customers is not None:
        customers = arrow(inputs.customers.drop("churned")).to_pandas()
    if inputs is not None and inputs.treatments is not None:
        contacts = arrow(last_treated(inputs.treatments, as_of)).to_pandas()
    return Facts(customers, contacts)


def read_facts(terms: Terms, as_of: date, *, now: datetime) -> Facts:
    """Who may be contacted, read from the sources of the terms.

    Parameters
    ----------
    terms : Terms
    as_of : date
        Day of the plan.
    now : datetime
        The instant, with a time zone; later rows are not looked at.

    Returns
    -------
    Facts

    Raises
    ------
    CampaignError
        If a source cannot be read: who may be contacted is then not known.
    """
    from features import intake
    from features.errors import FeaturesError

    if terms.sources is None:
        return Facts()
    try:
        inputs = intake.read(terms.sources, timezone=terms.timezone, now=now)
        return facts(inputs, as_of)
    except FeaturesError as error:
        raise CampaignError(
            f"Got a source that says who may be contacted and cannot be read: {error} "
            "Nothing is planned without it."
        ) from error


def newest(store: Store, as_of: date | None = None) -> date:
    """Day of the score table to plan from.

    Parameters
    ----------
    store : Store
    as_of : date, optional
        The newest table's when not given.

    Returns
    -------
    date

    Raises
    ------
    CampaignError
        If there is no such table.
    """
    last = store.latest("scores")
    day = as_of or last
    if day is None or not store.scores(day).exists():
        there = f"the newest is of {last}" if last else "there is none yet"
        raise CampaignError(
            f"Got no score table{f' of {as_of}' if as_of else ''} to plan from; {there}. Make one: "
            f"`regulars score{f' --as-of {as_of}' if as_of else ''}`."
        )
    return day


def score_rows(path: Path, terms: Terms) -> pd.DataFrame:
    """Score rows of a file, with the columns that plans read.

    Parameters
    ----------
    path : Path
        Score table of the store.
    terms : Terms

    Returns
    -------
    pandas.DataFrame

    Raises
    ------
    ScoreTableError
        If it is no score table.
    """
    import pyarrow.parquet as pq

    from serving import scores

    scores.read_meta(path)
    reasoned = any(one.reasons for one in terms.actions.values())
    # Tables of earlier versions lack some of them.
    there = pq.read_schema(path).names
    wanted = [name for name in _COLUMNS if name in there and (name != "reasons" or reasoned)]
    table = pq.read_table(path, columns=wanted, partitioning=None)
    return scores.to_frame(table.replace_schema_metadata(None))


def name(terms: Terms, meta: Meta, learned: Mapping[str, Effect], order: Order) -> str:
    """Name of a plan that follows from what it is made of: asked for twice, it is one plan.

    Parameters
    ----------
    terms : Terms
        With the actions that may be used.
    meta : Meta
        Of the score table.
    learned : mapping of str to Effect
        What was measured of actions.
    order : Order
        With the key, the rules and the plans that still run; its own name is not looked at.

    Returns
    -------
    str
        The as-of date and eight hexadecimal digits. Only who has the key can tell them before:
        nobody else can look for a name, and so a draw, that suits.
    """
    told = {
        "scores": [meta.as_of.isoformat(), meta.model_version, meta.scored_at.isoformat()],
        "margin": terms.margin,
        "rules": order.rules.model_dump(mode="json"),
        "actions": {key: one.model_dump(mode="json") for key, one in terms.actions.items()},
        "learned": {key: repr(learned[key]) for key in terms.actions if key in learned},
    }
    if order.running:
        told["running"] = list(order.running)
    text = json.dumps(told, sort_keys=True)
    digest = hmac.digest(order.key, text.encode(), hashlib.sha256).hex()
    return f"{meta.as_of.isoformat()}-{digest[:8]}"


def order(
    terms: Terms,
    known: Facts,
    learned: Mapping[str, Effect],
    *,
    plan_id: str,
    key: bytes,
    budget: float | None = None,
    running: tuple[str, ...] = (),
) -> Order:
    """What a plan is asked for.

    Parameters
    ----------
    terms : Terms
        With the actions that may be used.
    known : Facts
    learned : mapping of str to Effect
        What was measured of actions.
    plan_id : str
    key : bytes
        Secret of the store's draws.
    budget : float, optional
        In currency; that of the terms when not given.
    running : tuple of str, optional
        Plans that still run. Who is in them is read by `beside`.

    Returns
    -------
    Order

    Raises
    ------
    CampaignError
        If the terms bar every plan.
    """
    if terms.obstacle:
        raise CampaignError(terms.obstacle)
    rules = terms.rules
    return Order(
        plan_id=plan_id,
        key=key,
        margin=terms.margin,
        actions=terms.actions,
        rules=rules if budget is None else rules.model_copy(update={"budget": budget}),
        learned=learned,
        customers=known.customers,
        contacts=known.contacts,
        running=running,
    )


def beside(asked: Order, folder: Path) -> Order:
    """The order with everyone who is in the plans that still run.

    Parameters
    ----------
    asked : Order
    folder : Path
        Folder of the plans.

    Returns
    -------
    Order

    Raises
    ------
    CampaignError
        If the assignments of such a plan cannot be read.
    """
    from serving.campaigns import membership

    return replace(asked, engaged=membership.engaged(folder, asked.running))


def keep(
    plan: Plan,
    store: Store,
    *,
    who: str,
    now: datetime,
    running: tuple[str, ...],
    out: Path | None = None,
) -> tuple[Path, ...]:
    """Keep a plan in the store, export it where asked, and note both.

    Parameters
    ----------
    plan : Plan
    store : Store
    who : str
        For the audit file.
    now : datetime
        The instant, with a time zone.
    running : tuple of str
        Plans that it was made beside.
    out : Path, optional
        File for who acts, ``.csv`` or ``.parquet``.

    Returns
    -------
    tuple of Path
        Assignments and figures in the store, then the export.

    Raises
    ------
    CampaignError
        If there is such a plan already, or another one was kept while it was made.
    """
    from serving import audit
    from serving.campaigns import membership, shelf

    if membership.running(store.plans(), plan.as_of, plan.plan_id) != running:
        raise CampaignError(OVERTAKEN)
    paths: tuple[Path, ...] = shelf.keep(plan, store.plans())
    if out is not None:
        shelf.export(plan, out)
        paths += (out,)
    audit.note(
        store.audit(),
        who=who,
        what="plan",
        now=now,
        plan_id=plan.plan_id,
        as_of=plan.as_of,
        budget=plan.budget,
        actions=[one.action for one in plan.lines],
        treated=plan.power.treated,
        holdout=plan.power.holdout,
        cost=plan.total.cost,
        out=out and str(out),
    )
    return paths
