# %% [markdown]
# # The behaviour table, explored
#
# Everything in Regulars starts from one table: a row for each customer, some sixty columns of what
# they did until a date, and nothing of what they did after it. This notebook goes from a log of
# purchases to that table, looks at what is in it, asks which columns tell who comes back, and
# shows the rule that makes all of it honest.
#
# The log is CDNOW: what 23,570 people bought at an online music shop, from their first purchase in
# early 1997 until June 1998.

# %%
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import altair as alt
import ibis
import numpy as np
import pandas as pd

from features import catalogue, intake
from features.occasions import occasions
from features.outcomes import outcomes
from features.settings import Sources, TransactionsSource
from features.table import behaviour
from regulars import samples
from training.grading.metrics import roc_auc
from training.grading.plots import BLUE, GREY, ORANGE, PALETTE

# Charts as pictures: they need no network, here or wherever the notebook is shown.
alt.renderers.enable("png", ppi=144)


def titled(chart, title, note):
    """Give a chart a title that says what to look for, and no frame."""
    words = alt.TitleParams(title, subtitle=note, anchor="start", subtitleColor="#555555")
    return chart.properties(title=words).configure_view(stroke=None)


# %% [markdown]
# ## 1. From a log to accepted rows
#
# A source is named by its file and by which column is what. Reading judges every row: it is
# accepted, or rejected with a reason, and the two add up to what was read. What is merely strange
# is accepted and noted.

# %%
with TemporaryDirectory() as folder:
    log = samples.cdnow(Path(folder))
    print(*log.read_text().splitlines()[:4], sep="\n")
    source = TransactionsSource(
        uri=str(log), customer_id="customer_id", timestamp="date", amount="amount"
    )
    inputs = intake.read(
        Sources(transactions=source), timezone="America/New_York", now=datetime.now(UTC)
    )

report = inputs.reports[0]
print(f"{report.read:,} rows read, {report.accepted:,} accepted, rejected: {dict(report.rejected)}")
print(f"{report.customers:,} customers from {report.first_day} to {report.last_day}")
print(*report.notes)

# %% [markdown]
# ## 2. From accepted rows to the table
#
# The table is always *as of* a date: whatever is strictly before its midnight is input. Here that
# is 1 April 1998, which leaves the log's last three months to see what came of it. `behaviour`
# computes nothing; it is a plan that runs in DuckDB (or Spark) when somebody reads it.

# %%
AS_OF, HORIZON_DAYS = date(1998, 4, 1), 90

plan = behaviour(inputs, AS_OF, horizon_days=HORIZON_DAYS)
table = plan.order_by("customer_id").to_pyarrow().to_pandas()
print(f"{len(table):,} customers, {len(plan.columns)} columns")

# %% [markdown]
# What a column means, in which unit and range, and when it is null, is in the catalogue, and only
# there: the checks of the table, the reasons shown to people and the documents read it from it.
# One customer with some history, two families:

# %%
described = pd.DataFrame([vars(feature) for feature in catalogue.FEATURES]).set_index("name")
regular = table[table["frequency"] >= 8].iloc[0]
some = described.loc[described["family"].isin(["rfm", "rhythm"])].assign(value=regular)
some[["family", "value", "unit", "meaning"]].style.format(precision=1)

# %% [markdown]
# Every table has all the columns, whatever the sources hold, so that models and checks know one
# schema. CDNOW names no products and has no complaints: those columns are null here.

# %%
filled = table[described.index].notna().mean().rename("filled")
summary = described.join(filled).groupby("family", sort=False)["filled"]
pd.DataFrame(
    {
        "columns": summary.size(),
        "for everybody": summary.apply(lambda share: (share == 1).sum()),
        "for some": summary.apply(lambda share: ((share > 0) & (share < 1)).sum()),
        "for nobody": summary.apply(lambda share: (share == 0).sum()),
    }
)

# %% [markdown]
# ## 3. What the columns look like
#
# Nearly everything about customers is skewed: many who did little, few who did much. Means say
# little about it, so the median is marked, and the last twentieth is left out of the pictures.


# %%
def histogram(name, bins=30):
    """Distribution of a column over the customers who have a value."""
    column = table[name].dropna().astype(float)
    low, high = column.min(), column.quantile(0.95)
    whole = described.loc[name, "kind"] == "int64"
    step = max(1, np.ceil((high - low + 1) / bins)) if whole else (high - low) / bins
    edges = np.arange(low, high + 1.5 * step, step)
    counts, _ = np.histogram(column, edges)
    bars = pd.DataFrame({"left": edges[:-1], "right": edges[1:], "customers": counts})
    unit = described.loc[name, "unit"]
    base = alt.Chart(bars).mark_bar(color=BLUE, opacity=0.75, stroke="white")
    middle = alt.Chart(pd.DataFrame({"left": [column.median()]}))
    return (
        base.encode(
            x=alt.X("left:Q", title=f"{name} ({unit})", scale=alt.Scale(nice=False)),
            x2="right:Q",
            y=alt.Y("customers:Q", title=None, axis=alt.Axis(format="~s", tickCount=4)),
            y2=alt.datum(0),
        )
        + middle.mark_rule(color="#333333", strokeDash=[4, 3]).encode(x="left:Q")
    ).properties(width=230, height=130)


chosen = ["frequency", "days_since_last", "gap_mean", "overdue_ratio", "order_mean", "spend_total"]
titled(
    alt.concat(*map(histogram, chosen), columns=3),
    "How do customers differ?",
    f"Customers by column, as of {AS_OF}; the dashed line is the median",
)

# %% [markdown]
# ## 4. Cohorts: who is still there?
#
# `occasions` gives the customer-days behind the table. In rows the customers by the week of their
# first purchase, in columns the time since then: the share who bought in each four weeks. Weeks
# with few newcomers are left out, and so are cells that the log does not reach in full.

# %%
LOG_ENDS = report.last_day + timedelta(days=1)
PERIOD = 28

days = occasions(inputs.transactions, LOG_ENDS)
days = days.filter(days.is_occasion).select("customer_id", "day").to_pyarrow().to_pandas()
days["day"] = pd.to_datetime(days["day"])
days["first"] = days.groupby("customer_id")["day"].transform("min")
days["cohort"] = days["first"].dt.to_period("W-SUN").dt.start_time
# The first purchase itself is no return: periods count from the day after it.
days["period"] = (days["day"] - days["first"]).dt.days.add(PERIOD - 1) // PERIOD

joined = days.groupby("cohort")["customer_id"].nunique().rename("joined")
active = days[days["period"] > 0].groupby(["cohort", "period"])["customer_id"].nunique()
cells = active.rename("active").reset_index().join(joined, on="cohort")
reached = cells["cohort"] + pd.to_timedelta(6 + PERIOD * cells["period"], unit="D")
cells = cells[(cells["joined"] >= 100) & (reached < pd.Timestamp(LOG_ENDS))]
cells = cells.assign(
    share=cells["active"] / cells["joined"], week=cells["cohort"].dt.strftime("%d %b %Y")
)

overall = cells.groupby("period")[["active", "joined"]].sum().reset_index()
overall["share"] = overall["active"] / overall["joined"]

# %%
title = "Four weeks since the first purchase"
grid = (
    alt.Chart(cells)
    .mark_rect()
    .encode(
        x=alt.X("period:O", title=title, axis=alt.Axis(labelAngle=0)),
        y=alt.Y("week:O", sort=cells["week"].to_list(), title="Week of the first purchase"),
        color=alt.Color(
            "share:Q",
            scale=alt.Scale(scheme="blues", domainMin=0),
            legend=alt.Legend(title="Bought", format=".0%"),
        ),
    )
    .properties(width=alt.Step(22), height=alt.Step(18))
)
curve = (
    alt.Chart(overall)
    .mark_line(color=BLUE, strokeWidth=2.5, point=alt.OverlayMarkDef(color=BLUE, size=50))
    .encode(
        x=alt.X("period:Q", title=title, axis=alt.Axis(tickMinStep=2)),
        y=alt.Y("share:Q", title="Bought", axis=alt.Axis(format=".0%"), scale=alt.Scale(zero=True)),
    )
    .properties(width=250, height=234)
)
titled(
    grid | curve,
    "How fast do customers fade?",
    "Left: by the week of the first purchase; right: all together",
)

# %% [markdown]
# Most of the fading is in the first weeks; those who remain fade slowly. That is what the value
# model (notebook `value_model`) makes a forecast of.
#
# ## 5. What separates those who return
#
# The outcome is computed apart from the table, from the window [as-of, as-of + 90 days).

# %%
came = outcomes(inputs.transactions, AS_OF, HORIZON_DAYS).to_pyarrow().to_pandas()
known = table.merge(came, on="customer_id", validate="one_to_one")
returned = known["returned"].to_numpy()
print(f"{returned.mean():.1%} of {len(known):,} customers bought within {HORIZON_DAYS} days")
known.groupby(known["frequency"].clip(upper=5))["returned"].agg(["mean", "size"]).round(3).T

# %% [markdown]
# Whoever bought once is easily told apart. Among those with a history, three occasions or more,
# all columns have something to say. Each of them alone ranks the customers; the AUC is the chance
# that one who returned stands above one who did not.

# %%
history = known[known["frequency"] >= 2]
numbers = described.index[(described["kind"] != "string") & (filled > 0)]
ranked = history[numbers].astype(float)
# The few nulls (gaps that are all alike have no overdue_score) stand in the middle.
ranked = ranked.fillna(ranked.median()).loc[:, ranked.nunique() > 1]
alone = pd.DataFrame(
    {"auc": [roc_auc(history["returned"].to_numpy(), ranked[name]) for name in ranked]},
    index=ranked.columns,
)
alone["separates"] = (alone["auc"] - 0.5).abs() + 0.5
alone["returners have"] = np.where(alone["auc"] > 0.5, "more", "less")
alone["family"] = described["family"]
best = alone.nlargest(20, "separates").rename_axis("column").reset_index()
families = [family for family in described["family"].unique() if family in set(best["family"])]

# %%
base = alt.Chart(best).encode(
    y=alt.Y("column:N", sort=best["column"].to_list(), title=None, axis=alt.Axis(grid=False)),
    x=alt.X(
        "separates:Q",
        title="AUC of the column alone (0.5: nothing)",
        scale=alt.Scale(domain=[0.5, 0.85], nice=False),
    ),
)
bars = base.mark_bar().encode(
    color=alt.Color(
        "family:N",
        scale=alt.Scale(domain=families, range=list(PALETTE[: len(families)])),
        legend=alt.Legend(title="Family"),
    ),
    x2=alt.datum(0.5),
)
words = base.mark_text(align="left", dx=4, color="#333333").encode(text="returners have:N")
titled(
    (bars + words).properties(width=380, height=alt.Step(19)),
    "Which columns tell who comes back?",
    f"{len(history):,} customers; the word says whether those who returned have more or less of it",
)

# %% [markdown]
# Many of these say the same in different words. Two of them, how often and how lately, make a map
# that most retention teams know, with the share who returned in each field and the customers in
# it:

# %%
often = pd.cut(
    known["frequency"], [-1, 0, 1, 3, 7, np.inf], labels=["0", "1", "2-3", "4-7", "8 and more"]
)
lately = pd.cut(
    known["days_since_last"],
    [0, 30, 90, 180, 270, 365, np.inf],
    labels=["30 or less", "31-90", "91-180", "181-270", "271-365", "over 365"],
)
fields = known.groupby([often.rename("often"), lately.rename("lately")], observed=True)["returned"]
fields = fields.agg(["mean", "size"]).query("size >= 10").reset_index()
fields["label"] = [f"{m:.0%} of {n:,}" for m, n in zip(fields["mean"], fields["size"], strict=True)]
base = alt.Chart(fields).encode(
    x=alt.X(
        "lately:O",
        sort=list(lately.cat.categories),
        title="Days since the last purchase",
        axis=alt.Axis(labelAngle=0),
    ),
    y=alt.Y("often:O", sort=list(often.cat.categories)[::-1], title="Repeat purchases"),
)
heat = base.mark_rect().encode(
    color=alt.Color(
        "mean:Q",
        scale=alt.Scale(scheme="blues", domain=[0, 1]),
        legend=alt.Legend(title="Returned", format=".0%"),
    )
)
label = base.mark_text(fontSize=11).encode(
    text="label:N",
    color=alt.condition("datum.mean > 0.5", alt.value("white"), alt.value("#222222")),
)
titled(
    (heat + label).properties(width=alt.Step(88), height=alt.Step(38)),
    "How often and how lately",
    f"Share who bought within {HORIZON_DAYS} days from {AS_OF}, and customers in the field",
)

# %% [markdown]
# "Lately" depends on whom one asks. The same silence means more for someone who used to come
# often: their line falls steeply, that of the rare visitors hardly at first. That is why the table
# has the silence in days and, as `overdue_ratio`, in the customer's own gaps.

# %%
rhythm = pd.cut(
    history["gap_mean"],
    [0, 30, 90, np.inf],
    labels=["up to 30 days", "31-90 days", "over 90 days"],
)
silence = pd.cut(history["days_since_last"], [0, 15, 30, 60, 90, 120, 180, 270, 365, 460])
bands = history.groupby([rhythm.rename("rhythm"), silence.rename("silence")], observed=True).agg(
    away=("days_since_last", "mean"), returned=("returned", "mean"), customers=("returned", "size")
)
bands = bands[bands["customers"] >= 30].reset_index().drop(columns="silence")
chart = (
    alt.Chart(bands)
    .mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=50, opacity=1))
    .encode(
        x=alt.X("away:Q", title="Days since the last purchase"),
        y=alt.Y("returned:Q", title="Returned", axis=alt.Axis(format=".0%")),
        color=alt.Color(
            "rhythm:N",
            scale=alt.Scale(domain=list(rhythm.cat.categories), range=[BLUE, ORANGE, GREY]),
            legend=alt.Legend(title="Usual gap"),
        ),
    )
    .properties(width=440, height=270)
)
titled(
    chart,
    "What does the same silence mean?",
    f"{len(history):,} customers with three occasions or more, by their mean gap",
)

# %% [markdown]
# ## 6. The rule behind it
#
# None of this would be worth anything if a column knew of the future. So the rule is tested for
# every column: whatever is in the log from the as-of date on, the table stays the same, bit for
# bit. Here the log is cut at the date, and here everything that ever happened happens again on the
# very day, a hundred times as dear.

# %%
log = inputs.transactions
past = log.filter(log.day < AS_OF)
again = log.mutate(
    day=ibis.literal(AS_OF),
    occurred_at=ibis.literal(AS_OF).cast(log.occurred_at.type()),
    amount=(log.amount * 100).cast(log.amount.type()),
)
for name, other in {"cut at the date": past, "with an invented future": log.union(again)}.items():
    plan = behaviour(replace(inputs, transactions=other), AS_OF, horizon_days=HORIZON_DAYS)
    found = plan.order_by("customer_id").to_pyarrow().to_pandas()
    pd.testing.assert_frame_equal(found, table, check_exact=True)
    print(f"{name}: {other.count().to_pyarrow().as_py():,} rows of log, the same table")

# %% [markdown]
# Next: `value_model` makes a forecast of four of these columns, and `retraining` learns from
# all of them.
