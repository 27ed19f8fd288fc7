"""What the page of the groups shows: tiers, stages and segments, and what changed since last time.

In: the newest score table of a store, and the one before. Out: figures of groups, what better
retention is worth, the parts of the change of equity, who went from which stage to which, and key
accounts whose risk rose: the figures that the API answers with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import asdict
from typing import Any

from serving.api import answers
from serving.api import groups as told
from serving.desk import Desk
from serving.groups import ledger, named, remembered, standing
from serving.groups.lifecycle import STAGES
from serving.groups.retention import Gain
from serving.groups.standing import Segments
from serving.workbench import charts, customers, pages
from serving.worker import Worker

#: Key accounts of the list of rises.
RISES = 15
CAPTION = "Share of the customers and of the equity that each tier holds"
OF = {"customers": "Customers", "equity": "Equity"}
#: Words of the page that are not in its template.
TEXTS = (CAPTION, "Share", "Tier", "Of", *OF.values())
# Columns of the gains that are added up.
_GAINED = ("customers", "equity", "gain")


def content(
    worker: Worker,
    desk: Desk,
    scopes: Iterable[str],
    given: Iterable[tuple[str, str]] = (),
    say: Callable[[str], str] = str,
) -> dict[str, Any]:
    """Gather what the page of the groups shows.

    Parameters
    ----------
    worker : Worker
        With a store.
    desk : Desk
    scopes : iterable of str
    given : iterable of (name, value)
        Of the query string, as `/equity` takes it.
    say : callable
        Says an English text in the reader's language.

    Returns
    -------
    dict
    """
    sees, policy, raised = customers.seen(scopes), worker.deployment.policy, told.raise_of(given)
    found, notes = told.groups(worker, scopes)
    since, reasons = told.since(worker)
    store = worker.deployment.store
    assert store is not None  # noqa: S101 - the table is from it
    gains: tuple[Gain, ...] = ()
    if sees["value"]:
        gains = remembered.gains(store, desk.meta.as_of, policy.value, raised=raised)
    return {
        "contract": desk.totals.contracts,
        "meta": answers.meta(worker, desk),
        "age_days": (worker.today - desk.meta.as_of).days,
        "sees": sees,
        "groups": found,
        "whole": standing.total(desk.meta, found.tiers),
        "notes": notes,
        "words": {item.name: item.words for item in named.TABLE},
        "rules": {name: rule.description for name, rule in policy.segments.items()},
        "stages": STAGES,
        "chart": charts.remembered(
            lambda: _drawn(found, say), "tiers", say(CAPTION), [asdict(t) for t in found.tiers]
        )
        if sees["value"]
        else None,
        "raised": raised,
        "gains": gains,
        "gained": {name: ledger.added(getattr(one, name) for one in gains) for name in _GAINED},
        "since": since,
        "flows": {(flow.before, flow.now): flow for flow in since.stages} if since else {},
        "rises": since.rises[:RISES] if since else (),
        # Where there is an earlier table that cannot be compared, the reason is told.
        "why_not": reasons if remembered.earlier(store, desk.meta.as_of) else (),
    }


def _drawn(found: Segments, say: Callable[[str], str]) -> charts.Figure | None:
    """Equity by tier as bars."""
    import altair as alt
    import pandas as pd

    if not found.tiers:
        return None
    rows = [
        {"tier": say(pages.WORDS.get(one.name, one.name)), "held": share, "of": say(OF[of])}
        for one in found.tiers
        for of, share in (("customers", one.share), ("equity", one.equity_share))
        if share is not None
    ]
    names = [say(pages.WORDS.get(one.name, one.name)) for one in found.tiers]
    ends = [say(words) for words in OF.values()]
    drawn = (
        alt.Chart(pd.DataFrame(rows))
        .mark_bar()
        .encode(
            y=alt.Y("tier:N", sort=names, title=None),
            yOffset=alt.YOffset("of:N", sort=ends),
            x=alt.X("held:Q", title=say("Share"), axis=alt.Axis(format=".0%")),
            color=alt.Color(
                "of:N",
                title=None,
                scale=alt.Scale(domain=ends, range=["#8C8C8C", "#0072B2"]),
            ),
            tooltip=[
                alt.Tooltip("tier:N", title=say("Tier")),
                alt.Tooltip("of:N", title=say("Of")),
                alt.Tooltip("held:Q", title=say("Share"), format=".1%"),
            ],
        )
        .properties(width=460, height=alt.Step(14))
    )
    return charts.figure(drawn, say(CAPTION))
