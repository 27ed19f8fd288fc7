"""What was sent, counted by hand: each customer once, an action without a name for any."""

from __future__ import annotations

import pyarrow as pa

from serving.campaigns.delivery import Delivery, deliveries

ROWS = pa.table(
    {
        "customer_id": ["a", "a", "b", "c", "d"],
        "action": ["call", "mail", "call", "mail", "mail"],
        "arm": ["treated", "treated", "holdout", "treated", "holdout"],
    }
)


def sent(*pairs: tuple[str, str | None]) -> pa.Table:
    ids, actions = zip(*pairs, strict=True) if pairs else ((), ())
    return pa.table({"customer_id": pa.array(ids, "string"), "action": pa.array(actions, "string")})


def test_nothing_sent_is_nobody_contacted():
    assert deliveries(ROWS, sent()) == {
        "call": Delivery(1, 1, 0, 0),
        "mail": Delivery(2, 1, 0, 0),
        None: Delivery(2, 2, 0, 0),
    }


def test_an_action_counts_for_itself_and_a_customer_once_for_the_plan():
    told = deliveries(ROWS, sent(("a", "call"), ("a", "mail"), ("d", "call"), ("x", "mail")))
    assert told == {
        "call": Delivery(1, 1, 1, 0),
        # d was called, which the plan did not mean to: no mail of it.
        "mail": Delivery(2, 1, 1, 0),
        None: Delivery(2, 2, 1, 0),
    }


def test_a_contact_without_an_action_counts_for_any():
    told = deliveries(ROWS, sent(("b", None), ("c", None), ("c", "mail")))
    assert told == {
        "call": Delivery(1, 1, 0, 1),
        "mail": Delivery(2, 1, 1, 0),
        None: Delivery(2, 2, 1, 1),
    }
