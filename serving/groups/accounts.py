"""Accounts: the scores of customers who belong together, rolled up.

In: a score table in the engine (`ledger`) and the account of each customer
(`[sources.customers] account`). Out: one row an account; a customer without one is an account of
its own. Probabilities in [0, 1], money in the settings' currency.

Null rule: of customers of whom a figure is not said, the account's leaves them out; null where it
is said of none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.groups.ledger import money
from serving.groups.tiers import KEY_SHARE

if TYPE_CHECKING:
    import ibis.expr.types as ir


def accounts(scores: ir.Table, belonging: ir.Table) -> ir.Table:
    """Roll scores up to accounts.

    Parameters
    ----------
    scores : ibis table
        From `serving.groups.ledger.scores`.
    belonging : ibis table
        ``customer_id`` (unique) and ``account``, null for none.

    Returns
    -------
    Table with one row per account, by falling `clv`: ``account`` string (a customer's id where
    ``named`` is false); ``named`` boolean; ``customers`` int64; ``clv``, ``expected_spend`` and
    ``clv_at_risk`` float64; ``expected_purchases`` float64; ``churn_probability`` float64;
    ``is_key`` boolean.

    Notes
    -----
    Of the customers i of an account, with the churn probability pᵢ and the lifetime value vᵢ:

    - clv = Σ vᵢ, and so with spend and purchases;
    - churn_probability = Π pᵢ: the account leaves when all of its customers do. They are taken to
      decide each for itself; where one person decides for all, it is too low;
    - clv_at_risk = Σ pᵢ vᵢ: what is expected to be lost, whoever decides for whom.

    Key are the fewest accounts that together hold at least 80 % of the positive lifetime values,
    ties on the same side, as with customers.
    """
    import ibis

    joined = scores.left_join(belonging, "customer_id")
    worth = money(joined.clv)
    named = joined.account.notnull()
    rows = joined.select(
        account=ibis.coalesce(joined.account, joined.customer_id),
        named=named,
        clv=worth,
        risk=money(joined.clv * joined.churn_probability),
        spend=money(joined.expected_spend),
        purchases=money(joined.expected_purchases),
        churn_probability=joined.churn_probability,
        # ln 0 is not finite: whoever never leaves keeps the account.
        log_churn=ibis.ifelse(joined.churn_probability > 0, joined.churn_probability, None).ln(),
    )
    stays = (rows.churn_probability == 0).any()
    rolled = rows.group_by(["account", "named"]).aggregate(
        customers=rows.count(),
        exact=rows.clv.sum(),
        expected_spend=rows.spend.sum().cast("float64"),
        expected_purchases=rows.purchases.sum().cast("float64"),
        churn_probability=ibis.ifelse(stays, 0.0, rows.log_churn.sum().exp()),
        clv_at_risk=rows.risk.sum().cast("float64"),
    )
    return _ranked(rolled).order_by([ibis.desc("clv"), "account", "named"])


def _ranked(rolled: ir.Table) -> ir.Table:
    """With the lifetime value as a number, and whether the account is key."""
    import ibis

    profit = ibis.greatest(rolled.exact.fill_null(0), 0)
    table = rolled.mutate(profit=profit)
    # Rows with the same value are peers: those above are all that came before, less the peers.
    upto = ibis.range_window(order_by=ibis.desc(table.profit), preceding=None, following=0)
    peers = ibis.window(group_by=table.profit)
    above = table.profit.sum().over(upto) - table.profit.sum().over(peers)
    is_key = (table.profit > 0) & (above < KEY_SHARE * table.profit.sum().over(ibis.window()))
    return table.select(
        "account",
        "named",
        "customers",
        clv=table.exact.cast("float64"),
        expected_spend=table.expected_spend,
        expected_purchases=table.expected_purchases,
        churn_probability=table.churn_probability,
        clv_at_risk=table.clv_at_risk,
        is_key=is_key,
    )
