"""The answers of the service, as JSON values, for whoever carries them.

In: a worker, a typed request and the scopes of its key. Out: ``meta`` and items. Nothing here
knows HTTP, and nothing is held between two calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from serving import questions
from serving.api import horizon, span
from serving.api.failures import Failure
from serving.api.messages import CustomersRequest, Filter, IdsRequest, ValueRequest, failed
from serving.api.submitted import ScoreRequest
from serving.desk import Desk, Query
from serving.worker import Worker

_KEPT = ("customer_id", "stage", "rfm", "abstained")


#: How customers are listed where no order is asked for.
_USUAL = ("-churn_probability", "-clv")


def about(worker: Worker, request: IdsRequest, question: str) -> dict[str, Any]:
    """Answer one question about customers of the score table.

    Parameters
    ----------
    worker : Worker
    request : IdsRequest
        A ValueRequest may ask about days of its own.
    question : {"risk", "value"}

    Returns
    -------
    dict
        As `messages.RiskAnswer` or `messages.ValueAnswer`.

    Raises
    ------
    Failure
        503 before the first full scoring; 400 for days that cannot be asked about; 422 for a
        horizon that cannot be answered.
    """
    desk = worker.need_desk()
    columns = (*_KEPT, *questions.OF[question])
    asked = request.horizon_days or desk.meta.horizon_days
    days = span.of(request, desk.meta.as_of) if isinstance(request, ValueRequest) else None
    if days is None and asked == desk.meta.horizon_days:
        found = desk.rows(request.customer_ids, columns)
        head = meta(worker, desk)
    else:
        now, version = worker.clock(), worker.deployment.model_version
        asked = asked if days is None else (days.until - desk.meta.as_of).days
        every = horizon.rows(worker, desk, request.customer_ids, asked, now, days)
        found = {one: {name: row[name] for name in columns} for one, row in every.items()}
        head = meta(worker, desk, horizon_days=asked, model_version=version, scored_at=now)
        head |= {} if days is None else {"horizon_days": None, "span": days.told()}
    unknown = (
        f"Not in the score table of {desk.meta.as_of}; send its {_scored_from(worker)} to /score "
        "to have it scored."
    )
    items = [
        found.get(one) or failed(one, "unknown_customer", unknown) for one in request.customer_ids
    ]
    return {"meta": head, "items": items}


def _scored_from(worker: Worker) -> str:
    subscribers = worker.plans is not None and worker.plans.subscribers
    return "subscriptions" if subscribers else "transactions"


def customers(worker: Worker, request: CustomersRequest, scopes: Iterable[str]) -> dict[str, Any]:
    """Answer with a page of the score table.

    Parameters
    ----------
    worker : Worker
    request : CustomersRequest
    scopes : iterable of str
        Only their columns are shown, filtered and sorted by.

    Returns
    -------
    dict
        As `messages.CustomersAnswer`.

    Raises
    ------
    Failure
        400 for an unknown sort column, 403 for one of another scope.
    """
    desk = worker.need_desk()
    shown = questions.columns(scopes)
    asked = query(request.filter, request.sort, shown)
    rows, total = desk.page(asked, shown, page=request.page, size=request.page_size)
    return {
        "meta": meta(worker, desk),
        "total": total,
        "page": request.page,
        "page_size": request.page_size,
        "rows": rows,
    }


def score(worker: Worker, request: ScoreRequest, scopes: Iterable[str]) -> dict[str, Any]:
    """Score customers from their raw transactions.

    Parameters
    ----------
    worker : Worker
    request : ScoreRequest
    scopes : iterable of str
        Only their columns are shown.

    Returns
    -------
    dict
        As `messages.ScoreAnswer`.

    Raises
    ------
    Failure
        400 for an as-of date beyond tomorrow, 422 for a horizon that the model does not know,
        503 without a model or thresholds.
    """
    from serving.api import raw

    shown, desk = questions.columns(scopes), worker.desk
    outcome = raw.score(worker, desk, request)
    items = [
        item if "error" in item else {name: item[name] for name in (*shown, *raw.BESIDE)}
        for item in outcome.items
    ]
    head = meta(
        worker,
        desk,
        as_of=outcome.as_of,
        horizon_days=outcome.horizon_days,
        model_version=worker.deployment.model_version,
        scored_at=outcome.scored_at,
    )
    return {"meta": head, "items": items}


def query(filter_: Filter, sort: Iterable[str], shown: Iterable[str]) -> Query:
    """Turn a filter and an order into a query of the score table.

    Parameters
    ----------
    filter_ : Filter
    sort : iterable of str
        Column names; a minus before one sorts downwards. None: by the first of the usual orders
        that may be told.
    shown : iterable of str
        Columns that may be told.

    Returns
    -------
    Query

    Raises
    ------
    Failure
        400 for a column that cannot be sorted by, 403 for one that may not be told.
    """
    usual = [name for name in _USUAL if name.removeprefix("-") in set(shown)][:1]
    order = tuple((name.removeprefix("-"), name.startswith("-")) for name in list(sort) or usual)
    unknown = sorted({name for name, _ in order} - set(questions.SORTABLE))
    if unknown:
        raise Failure(
            400, f"Cannot sort by that; expected some of: {', '.join(questions.SORTABLE)}."
        )
    asked = Query(
        stage=tuple(filter_.stage),
        tier=tuple(filter_.tier),
        at_least=tuple(filter_.at_least.items()),
        at_most=tuple(filter_.at_most.items()),
        starts_with=filter_.customer_id_starts_with,
        order=order,
    )
    hidden = sorted(asked.columns() - set(shown))
    if hidden:
        told = f"This key has no scope for {', '.join(hidden)}; leave them out."
        raise Failure(403, told)
    return asked


def meta(
    worker: Worker,
    desk: Desk | None,
    *,
    as_of: date | None = None,
    horizon_days: int | None = None,
    model_version: str | None = None,
    scored_at: datetime | None = None,
) -> dict[str, Any]:
    """What an answer rests on: the score table's, where nothing else is given.

    Parameters
    ----------
    worker : Worker
    desk : Desk or None
        The score table that was answered from.
    as_of : date, optional
    horizon_days : int, optional
    model_version : str, optional
    scored_at : datetime, optional

    Returns
    -------
    dict
        As `messages.Meta`.
    """
    names = worker.deployment.names
    told: dict[str, Any] = {"currency": names.currency, "name": names.name}
    source: Any = worker.scorer
    if desk is not None:
        source = desk.meta
        told |= {
            "as_of": source.as_of,
            "horizon_days": source.horizon_days,
            "model_version": source.model_version,
            "scored_at": source.scored_at,
        }
    given = {
        "as_of": as_of,
        "horizon_days": horizon_days,
        "model_version": model_version,
        "scored_at": scored_at,
    }
    told |= {key: value for key, value in given.items() if value is not None}
    told["clv_horizon_days"] = source.clv_horizon_days
    told["grades"] = dict(source.grades)
    told["staleness_days"] = worker.staleness_days(told["as_of"])
    return told


def latest(worker: Worker) -> dict[str, Any] | None:
    """What an answer that needs no score table rests on all the same.

    Parameters
    ----------
    worker : Worker

    Returns
    -------
    dict or None
        As `messages.Meta`, of the newest score table; None where there is none.
    """
    desk = worker.desk
    return None if desk is None else meta(worker, desk)
