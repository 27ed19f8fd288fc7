"""The same behaviour table in plain pandas, as a careful analyst would write it.

Whole columns throughout: masks, one group-by for the customer-days, one for the customers, and
`drop_duplicates` where things are counted once; no `apply` and no loop over customers. In: a log
with ``customer_id``, ``timestamp``, ``amount``, ``order_id``, ``product_id``, ``category``, and
``margin`` where it is known. Out: every column of the catalogue that a log can fill (the families
rfm, rhythm, spend, basket, refunds and season), by customer id. Money is float64, rounded to six
digits within the day, so that a refund of a whole receipt leaves zero.
"""

from __future__ import annotations

from datetime import date

import pandas as pd

WINDOWS = (30, 60, 90, 180, 365)

# Sums that are columns of the table as they are.
UNCHANGED = (
    *(f"{name}_{window}" for name in ("occasions", "spend") for window in WINDOWS),
    *("gap_max", "gap_last", "spend_total", "order_std", "order_max", "order_last", "first_order"),
    *("lines_last", "products_distinct", "categories_distinct", "orders_total"),
    *("refund_lines", "refund_amount", "refunds_90", "unmatched_refunds", "days_since_refund"),
)


def rfm(log: pd.DataFrame, as_of: date) -> pd.DataFrame:
    """Frequency, recency, T and monetary value of every buyer.

    Parameters
    ----------
    log : DataFrame
        ``customer_id``, ``timestamp``, ``amount``.
    as_of : date
        Rows from this day on are not seen.

    Returns
    -------
    DataFrame
        Index ``customer_id``; ``frequency``, ``recency``, ``T``, ``monetary_value``.
    """
    end = pd.Timestamp(as_of)
    log = log[log["timestamp"] < end]
    day = log["timestamp"].dt.normalize().rename("day")
    net = log["amount"].groupby([log["customer_id"], day]).sum().round(6).reset_index(name="net")
    bought = net[net["net"] > 0]
    # Days of a customer are in the order of time: the first row is the first occasion.
    customers = bought.groupby("customer_id").agg(
        n=("net", "size"),
        total=("net", "sum"),
        first_net=("net", "first"),
        first=("day", "first"),
        last=("day", "last"),
    )
    frequency = customers["n"] - 1
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency": (customers["last"] - customers["first"]).dt.days,
            "T": (end - customers["first"]).dt.days - 1,
            "monetary_value": (
                (customers["total"] - customers["first_net"]) / frequency.where(frequency > 0)
            ).fillna(0.0),
        }
    )


def behaviour(log: pd.DataFrame, as_of: date, horizon_days: int) -> pd.DataFrame:
    """All columns that the log can fill.

    Parameters
    ----------
    log : DataFrame
    as_of : date
        Rows from this day on are not seen.
    horizon_days : int
        Sets the window of the same season.

    Returns
    -------
    DataFrame
        Index ``customer_id``; one row for each customer with an occasion.
    """
    end = pd.Timestamp(as_of)
    log = log[log["timestamp"] < end]
    log = log.assign(day=log["timestamp"].dt.normalize())
    days = _days(log, end)
    bought = _paced(days[days["net"] > 0])
    table = _of_occasions(bought)
    table = table.join(_of_days(days, horizon_days)).join(_variety(log[log["amount"] >= 0]))
    return _finished(table)


def _days(log: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Customer-days, by customer and day."""
    refund = log["amount"] < 0
    lines = log[["customer_id", "day"]].assign(
        net=log["amount"],
        refunded=-log["amount"].where(refund, 0.0),
        lines=(~refund).astype("int64"),
        refund_lines=refund.astype("int64"),
    )
    if "margin" in log:
        lines["margin"] = log["margin"]
        lines["margin_net"] = log["amount"].where(log["margin"].notna())
    # A day without a margin has none; zero would be one.
    days = lines.groupby(["customer_id", "day"], as_index=False).sum(min_count=1)
    days["net"] = days["net"].round(6)
    days["ago"] = (end - days["day"]).dt.days
    return days


def _paced(bought: pd.DataFrame) -> pd.DataFrame:
    """Occasions with the gap to the one before, and whether they open a month within a year."""
    before = bought["ago"].shift().where(bought["customer_id"].eq(bought["customer_id"].shift()))
    month = bought["day"].dt.year * 12 + bought["day"].dt.month
    opens = before.isna() | month.ne(month.shift()) | before.gt(365)
    gap = before - bought["ago"]
    return bought.assign(
        gap=gap,
        gap_squared=gap**2,
        opens=(opens & (bought["ago"] <= 365)).astype("int64"),
        weekend=(bought["day"].dt.day_of_week >= 5).astype("int64"),
    )


def _of_occasions(bought: pd.DataFrame) -> pd.DataFrame:
    """What is counted, summed and looked up over the occasions of a customer."""
    inside = {f"occasions_{n}": (bought["ago"] <= n).astype("int64") for n in WINDOWS}
    bought = bought.assign(**inside)
    customers = bought.groupby("customer_id")
    sums = customers[[*inside, "net", "gap_squared", "opens", "weekend", "lines"]].sum()
    ends = customers.agg(
        n=("net", "size"),
        first_day=("day", "first"),
        first_ago=("ago", "first"),
        last_ago=("ago", "last"),
        first_order=("net", "first"),
        order_last=("net", "last"),
        order_max=("net", "max"),
        order_std=("net", "std"),
        gap_max=("gap", "max"),
        gap_last=("gap", "last"),
        lines_last=("lines", "last"),
    )
    return ends.join(sums)


def _of_days(days: pd.DataFrame, horizon_days: int) -> pd.DataFrame:
    """What is summed over all days of a customer, those below zero included."""
    ago, net = days["ago"], days["net"]
    season = ago.between(max(365 - horizon_days, 0) + 1, 365)
    columns = {
        "spend_total": net,
        **{f"spend_{n}": net.where(ago <= n, 0.0) for n in (*WINDOWS, 360)},
        "refund_lines": days["refund_lines"],
        "refund_amount": days["refunded"],
        "refunds_90": days["refund_lines"].where(ago <= 90, 0),
        "unmatched_refunds": net.where(net <= 0, 0.0),
        "same_season_occasions": (season & (net > 0)).astype("int64"),
        "same_season_spend": net.where(season, 0.0),
    }
    if "margin" in days:
        columns |= {"margin_total": days["margin"], "margin_spend": days["margin_net"]}
    sums = pd.DataFrame(columns).groupby(days["customer_id"]).sum(min_count=1)
    refunded = ago[days["refund_lines"] > 0].groupby(days["customer_id"]).min()
    return sums.assign(days_since_refund=refunded)


def _variety(lines: pd.DataFrame) -> pd.DataFrame:
    """Different products, categories and orders."""
    daily = lines[["customer_id", "day", "product_id"]].drop_duplicates()
    counts = {"product_days": daily.groupby("customer_id").size()}
    for column, name in (
        ("product_id", "products_distinct"),
        ("category", "categories_distinct"),
        ("order_id", "orders_total"),
    ):
        pairs = lines[["customer_id", column]].drop_duplicates()
        counts[name] = pairs.groupby("customer_id").size()
    return pd.DataFrame(counts)


def _finished(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios and differences, under the names of the catalogue."""
    n, last = table["n"], table["last_ago"]
    frequency, recency = n - 1, table["first_ago"] - last
    repeats = frequency.where(frequency > 0)
    gap_mean = recency / repeats
    spread = (repeats * table["gap_squared"] - recency**2) / (repeats * (repeats - 1)).where(n > 2)
    gap_std = spread**0.5
    order_mean = table["net"] / n
    seen = table["first_ago"] >= 365
    stated = [name for name in ("margin_total", "margin_spend") if name in table]
    return pd.DataFrame(
        {
            "frequency": frequency,
            "recency": recency,
            "T": table["first_ago"] - 1,
            "monetary_value": ((table["net"] - table["first_order"]) / repeats).fillna(0.0),
            "days_since_last": last,
            "gap_mean": gap_mean,
            "gap_std": gap_std,
            "overdue_ratio": last / gap_mean,
            "overdue_score": (last - gap_mean) / gap_std.where(gap_std > 0),
            "gap_trend": table["gap_last"] / gap_mean,
            "active_months_365": table["opens"],
            **{name: table[name] for name in (*UNCHANGED, *stated)},
            "spend_trend_90": 2 * table["spend_90"] - table["spend_180"],
            "spend_trend_180": 2 * table["spend_180"] - table["spend_360"],
            "order_mean": order_mean,
            "order_last_ratio": table["order_last"] / order_mean,
            "lines_mean": table["lines"] / n,
            "products_per_occasion": table["product_days"] / n,
            "refund_share": table["refund_amount"]
            / (table["spend_total"] + table["refund_amount"]),
            "same_season_occasions": table["same_season_occasions"].where(seen),
            "same_season_spend": table["same_season_spend"].where(seen),
            "weekend_share": table["weekend"] / n,
            "first_month": table["first_day"].dt.month.astype("str"),
        }
    )
