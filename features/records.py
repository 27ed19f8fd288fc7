"""What is kept beside a behaviour table: days, events, subscriptions and accounts, by customer.

In: accepted rows. Out: files of the store, of what was known before the as-of date. Pages draw
them, and what-ifs start from them: a log is not read again to answer about one customer.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import ibis

from features import compat
from features.store import Store, write_parquet

if TYPE_CHECKING:
    from features.inputs import Inputs


def write(inputs: Inputs, as_of: date, store: Store) -> None:
    """Write what a behaviour table was made from, as far as there is such a source.

    Parameters
    ----------
    inputs : Inputs
        Accepted rows.
    as_of : date
        Nothing at or after its midnight is kept; accounts carry no date.
    store : Store
        Occasions, events and subscriptions are in the order of the customers and of time; an
        end that had not come is null where the row renews until it ends.
    """
    from features import occasions
    from features.families import spells

    if inputs.transactions is not None:
        days = occasions.occasions(inputs.transactions, as_of).order_by(["customer_id", "day"])
        write_parquet(days, store.occasions(as_of))
    if inputs.events is not None:
        events = occasions.before(inputs.events, as_of)
        write_parquet(events.order_by(["customer_id", "occurred_at"]), store.events(as_of))
    if inputs.subscriptions is not None:
        known = spells.known(inputs.subscriptions, as_of)
        runs = known.until == ibis.literal(spells.NEVER)
        rows = known.mutate(end=ibis.cases((runs, compat.missing("date")), else_=known.until))
        order = ["customer_id", "day", "end", "plan", "price"]
        write_parquet(rows.drop("until").order_by(order), store.subscriptions(as_of))
    if inputs.customers is not None and "account" in inputs.customers.columns:
        write_parquet(inputs.customers.select("customer_id", "account"), store.accounts(as_of))
