# %% [markdown]
# # The value model, from the paper to today
#
# Who will buy again, how often, and for how much? The value model answers from four numbers a
# customer: how many repeat purchases, when the last one was, how long ago the first one, and what
# a purchase was worth. It is twenty years old, has seven parameters, and is hard to beat where
# history is short.
#
# This notebook fits it on the data of the papers, finds their parameters again, looks at the one
# misunderstanding that costs most (P(alive) is not the probability to return), checks the
# forecast against what happened, and then values all customers at once.
#
# - **BG/NBD**, how often: Fader, Hardie & Lee (2005), "Counting your customers the easy way",
#   Marketing Science 24 (2).
# - **Gamma-Gamma**, how much: Fader & Hardie (2013), "The Gamma-Gamma model of monetary value",
#   brucehardie.com, note 025.

# %%
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import distribution
from pathlib import Path
from tempfile import TemporaryDirectory

import altair as alt
import numpy as np
import pandas as pd

from features import intake
from features.occasions import occasions
from features.settings import Sources, TransactionsSource
from regulars import samples
from training.grading import metrics
from training.grading.plots import BLUE, GREEN, GREY, ORANGE
from training.value import bg_nbd, gamma_gamma
from training.value.model import ValueModel
from training.windows.panel import seen, snapshot

# Charts as pictures: they need no network, here or wherever the notebook is shown.
alt.renderers.enable("png", ppi=144)


def coloured(field, of):
    """Colour encoding with a legend, from a mapping of names to colours."""
    scale = alt.Scale(domain=list(of), range=list(of.values()))
    return alt.Color(field, scale=scale, legend=alt.Legend(title=None))


def titled(chart, title, note):
    """Give a chart a title that says what to look for, and no frame."""
    words = alt.TitleParams(title, subtitle=note, anchor="start", subtitleColor="#555555")
    return chart.properties(title=words).configure_view(stroke=None)


# %% [markdown]
# ## 1. The papers' parameters
#
# The paper uses a tenth of the customers of CDNOW, an online music shop: 2,357 people who first
# bought in early 1997, seen for 39 weeks. The summary that its authors published (`x` repeat
# purchases, `t_x` the week of the last one, `T` the weeks since the first, `zbar` the mean value)
# comes with the package `lifetimes`.


# %%
def carried(name):
    """Path of a data file inside `lifetimes`, which need not be imported for it."""
    return Path(distribution("lifetimes").locate_file(f"lifetimes/datasets/{name}"))


paper = pd.read_csv(carried("cdnow_customers_summary_with_transactions.csv"), index_col="ID")
paper.describe().loc[["count", "mean", "50%", "max"]].round(2)

# %%
purchases = bg_nbd.fit(paper["x"], paper["t_x"], paper["T"])
worth = gamma_gamma.fit(paper["x"], paper["zbar"])
print(purchases.message, worth.message)

# %% [markdown]
# Beside what was found stands what the papers print (`v` is their γ). `a` and `b` are known only
# roughly: many pairs of them make nearly the same forecast, so the forecast is surer than they.

# %%
printed = {"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426, "log-likelihood": -9582.4}
printed |= {"p": 6.25, "q": 3.74, "v": 15.44}
found = vars(purchases.params) | {"log-likelihood": purchases.log_likelihood} | vars(worth.params)
errors = dict(zip(("r", "alpha", "a", "b"), purchases.relative_errors, strict=True))
table = {"found": found, "printed": printed, "relative error": errors}
pd.DataFrame(table, index=list(found)).style.format(precision=3, na_rep="")

# %% [markdown]
# The paper's worked example: a customer with 2 repeat purchases, the last in week 30.43 of 38.86,
# is expected to make 1.226 in the next 39 weeks.

# %%
bg_nbd.expected_purchases(purchases.params, 39, [2], [30.43], [38.86]).round(4)

# %% [markdown]
# ## 2. The same from the log
#
# A summary is where a project begins to go wrong: a day off, and the parameters are others. So
# we go back to the log of all 23,570 customers, and let the behaviour table count as of 1 October
# 1997, after the same 39 weeks, with the 39 weeks that follow as what came of it.

# %%
AS_OF, HORIZON_DAYS = date(1997, 10, 1), 273
LOG_ENDS = AS_OF + timedelta(days=HORIZON_DAYS)

with TemporaryDirectory() as folder:
    log = samples.cdnow(Path(folder))
    source = TransactionsSource(
        uri=str(log), customer_id="customer_id", timestamp="date", amount="amount"
    )
    inputs = intake.read(
        Sources(transactions=source), timezone="America/New_York", now=datetime.now(UTC)
    )

everyone = snapshot(inputs, AS_OF, horizon_days=HORIZON_DAYS, known_until=LOG_ENDS)
everyone = seen(everyone, HORIZON_DAYS)
everyone = everyone.set_index("customer_id")
everyone[["frequency", "recency", "T", "monetary_value", "returned", "occasions", "spend"]].head()

# %%
drawn = {line.split()[0] for line in carried("CDNOW_sample.txt").read_text().splitlines()}
tenth = everyone[everyone.index.isin(drawn)]
counted = bg_nbd.fit(tenth["frequency"], tenth["recency"] / 7, tenth["T"] / 7)
valued = gamma_gamma.fit(tenth["frequency"], tenth["monetary_value"])

both = {
    "published summary": vars(purchases.params) | vars(worth.params) | {"customers": len(paper)},
    "counted from the log": vars(counted.params) | vars(valued.params) | {"customers": len(tenth)},
}
pd.DataFrame(both).T.round(3)

# %% [markdown]
# The difference is the few customers whose only CD was free: an occasion is a day on which
# something was paid, and they have none. Everybody else has the same frequency, recency and age,
# which the tests hold to the digit; mean values are rounded to cents in the summary.

# %% [markdown]
# ## 3. Being alive is not coming back
#
# `P(alive)` is the chance that a customer has not dropped out for good. It reads like the answer
# to "will they return?", and it is not. Whoever bought once has `P(alive) = 1`, since in this
# model one drops out after a *repeat* purchase only; but most people who bought once never come
# back. What one wants to know is the chance of at least one purchase in the window ahead:
#
# $$P(\text{return within } t) = P(\text{alive}) \cdot
# \left(1 - \left(\frac{\alpha+T}{\alpha+T+t}\right)^{r+x}\right)$$

# %%
history = [tenth["frequency"], tenth["recency"] / 7, tenth["T"] / 7]
guesses = {
    "P(alive)": bg_nbd.p_alive(counted.params, *history),
    "P(return)": bg_nbd.return_probability(counted.params, HORIZON_DAYS / 7, *history),
}
returned = tenth["returned"].to_numpy()
pd.DataFrame(
    {
        name: {
            "ranks returners (AUC)": metrics.roc_auc(returned, guess),
            "says how many return": guess.sum(),
            "did return": returned.sum(),
        }
        for name, guess in guesses.items()
    }
).T.round(3)

# %% [markdown]
# An AUC below one half is worse than a coin: `P(alive)` puts the one-time buyers, who are the
# least likely to return, at the top of the list.

# %%
by_frequency = (
    tenth.assign(**guesses, purchases=tenth["frequency"].clip(upper=7))
    .groupby("purchases")
    .agg(
        **{name: (name, "mean") for name in guesses},
        actual=("returned", "mean"),
        customers=("returned", "size"),
    )
    .reset_index()
)
by_frequency["label"] = by_frequency["purchases"].astype(str).replace("7", "7+")
lines = by_frequency.rename(columns={"actual": "Did return"}).melt(
    ["label", "customers"], ["P(alive)", "Did return", "P(return)"], "what", "share"
)
level = alt.Axis(labelAngle=0)
across = alt.X("label:O", title="Repeat purchases so far", axis=level)
chart = (
    alt.Chart(lines)
    .mark_line(point=alt.OverlayMarkDef(size=60, opacity=1), strokeWidth=2.5)
    .encode(
        x=across,
        y=alt.Y("share:Q", axis=alt.Axis(format=".0%"), scale=alt.Scale(domain=[0, 1]), title=None),
        color=coloured("what:N", {"P(alive)": ORANGE, "Did return": GREY, "P(return)": BLUE}),
    )
    .properties(width=460, height=280)
)
once = by_frequency.iloc[0]
titled(
    chart,
    "Which of the two says who comes back?",
    f"{once['customers']:,.0f} of {len(tenth):,} bought once: {once['P(alive)']:.0%} alive, "
    f"{once['actual']:.0%} came back",
)

# %% [markdown]
# ## 4. Forecast against what happened
#
# The model saw 39 weeks. It says for every age what a new customer does (equation 9), so the
# purchases of all together can be foretold week by week, each customer starting when they did,
# and compared with the 78 weeks of the log.

# %%
days = occasions(inputs.transactions, LOG_ENDS)
bought = days.filter(days.is_occasion & days.customer_id.isin(list(tenth.index)))
bought = bought.select("customer_id", "day").to_pyarrow().to_pandas()
bought["day"] = (pd.to_datetime(bought["day"]) - pd.Timestamp("1997-01-01")).dt.days
start = bought.groupby("customer_id")["day"].transform("min")

length = bought["day"].max() + 1
starts = np.bincount(start[bought["day"] == start], minlength=length)
repeats = np.bincount(bought["day"][bought["day"] > start], minlength=length)
by_age = [bg_nbd.expected_purchases_new(counted.params, age / 7) for age in range(length)]

track = pd.DataFrame(
    {
        "day": np.arange(length),
        "Actual": np.cumsum(repeats),
        # Everyone who has started, at the age that they have reached.
        "Expected": np.convolve(starts, by_age)[:length],
    }
)
track = track[track["day"] % 7 == 6].assign(week=lambda t: (t["day"] + 1) // 7)

# %%
ahead = track.iloc[-1] - track.loc[track["week"] == 39].iloc[0]
wall = alt.Chart(pd.DataFrame({"week": [39]})).mark_rule(color="#333333", strokeDash=[4, 4])
chart = (
    alt.Chart(track.melt("week", ["Actual", "Expected"], "what", "purchases"))
    .mark_line(strokeWidth=2.5)
    .encode(
        x=alt.X("week:Q", title="Week of 1997-98", scale=alt.Scale(domain=[0, 78])),
        y=alt.Y("purchases:Q", title="Repeat purchases so far", axis=alt.Axis(format=",.0f")),
        color=coloured("what:N", {"Actual": GREY, "Expected": BLUE}),
    )
    .properties(width=460, height=280)
)
titled(
    chart + wall.encode(x="week:Q"),
    "Does the forecast hold where the model has seen nothing?",
    f"Right of the dashed line {ahead['Actual']:,.0f} repeat purchases came, "
    f"{ahead['Expected']:,.0f} were expected",
)

# %% [markdown]
# The total is not the customer. The paper's hardest test sorts customers by what they did before
# and asks how often each group buys afterwards:

# %%
ahead = tenth.assign(
    Expected=bg_nbd.expected_purchases(counted.params, HORIZON_DAYS / 7, *history),
    Actual=tenth["occasions"],
    purchases=tenth["frequency"].clip(upper=7),
)
groups = ahead.groupby("purchases")[["Actual", "Expected"]].mean().reset_index()
groups["label"] = groups["purchases"].astype(str).replace("7", "7+")
chart = (
    alt.Chart(groups.melt(["label"], ["Actual", "Expected"], "what", "mean"))
    .mark_line(point=alt.OverlayMarkDef(size=60, opacity=1), strokeWidth=2.5)
    .encode(
        x=across,
        y=alt.Y("mean:Q", title="Purchases in the next 39 weeks, mean"),
        color=coloured("what:N", {"Actual": GREY, "Expected": BLUE}),
    )
    .properties(width=460, height=280)
)
titled(chart, "Does each group buy as often as expected?", f"Means of {len(tenth):,} customers")

# %% [markdown]
# ## 5. Everybody, today's way
#
# `ValueModel` is the two models as one estimator over a behaviour table, in days. The likelihood
# needs only the distinct rows with their counts, and every answer is computed for whole columns,
# so the customers of a large business take seconds. Refunds that exceed the purchases of their
# day come off the value; horizons and discounts are exact to the day.

# %%
model = ValueModel().fit(everyone)
forecast = model.predict(
    everyone,
    horizon_days=HORIZON_DAYS,
    clv_horizon_days=365,
    margin=0.30,
    annual_discount_rate=0.10,
)
distinct = len(everyone[["frequency", "recency", "T"]].drop_duplicates())
print(f"{len(everyone):,} customers, {distinct:,} distinct histories")
print(model.purchases_.message, model.spend_.message)
forecast.head()

# %%
asked = {"expected_purchases": "occasions", "expected_spend": "spend"}
reports = {
    question: metrics.spend_report(everyone[outcome].to_numpy(), forecast[question].to_numpy())
    for question, outcome in asked.items()
}
pd.DataFrame(reports).round(3)

# %% [markdown]
# ## 6. What a purchase is worth
#
# One large order does not make a large customer. Gamma-Gamma pulls the mean of a few purchases
# towards that of all customers, the more so the fewer they are. To see whether it should, take
# those who came back, in ten groups by their mean value so far, and look at what they paid then:
# where *Paid then* is flatter than *Expected*, the pull is too weak. (The model takes the value not
# to depend on how often one buys; the subtitle says how far that holds.)

# %%
came = everyone[(everyone["frequency"] > 0) & (everyone["occasions"] > 0)]
values = pd.DataFrame(
    {
        "Mean so far": came["monetary_value"],
        "Expected": gamma_gamma.expected_value(
            model.spend_.params, came["frequency"], came["monetary_value"]
        ),
        "Paid then": came["spend"] / came["occasions"],
    }
)
values["group"] = pd.qcut(values["Mean so far"].rank(method="first"), 10, labels=range(1, 11))
lines = values.groupby("group", observed=True).mean().reset_index()
chart = (
    alt.Chart(lines.melt("group", var_name="what", value_name="mean"))
    .mark_line(point=alt.OverlayMarkDef(size=60, opacity=1), strokeWidth=2.5)
    .encode(
        x=alt.X("group:O", title="Tenth of customers by mean value so far", axis=level),
        y=alt.Y("mean:Q", title="Value of a purchase, USD"),
        color=coloured("what:N", {"Mean so far": ORANGE, "Paid then": GREY, "Expected": BLUE}),
    )
    .properties(width=460, height=280)
)
titled(
    chart,
    "Do large orders stay large?",
    f"{len(came):,} customers who came back; frequency and value correlate by "
    f"{model.spend_.correlation:.2f}",
)

# %% [markdown]
# ## 7. What a customer is worth
#
# The customer lifetime value is the discounted margin of the purchases to come. For customers who
# spend the average amount it depends on two numbers, how often and how lately, and it does so in
# a way that no table of points would guess: of two customers who have been away for long, the one
# who used to buy *more* is worth *less*, because for them the silence means more.

# %%
age = int(everyone["T"].max())
frequency, away = np.meshgrid(np.arange(1, 13), np.arange(1, age + 1, 14))
profile = pd.DataFrame({"frequency": frequency.ravel(), "away": away.ravel(), "T": age})
profile["recency"] = age + 1 - profile["away"]
profile["monetary_value"] = everyone.loc[everyone["frequency"] > 0, "monetary_value"].mean()
profile["clv"] = model.predict(profile, horizon_days=365)["clv"]
chart = (
    alt.Chart(profile)
    .mark_rect()
    .encode(
        x=alt.X("frequency:O", title="Repeat purchases", axis=level),
        y=alt.Y("away:O", title="Days since the last purchase"),
        color=alt.Color("clv:Q", scale=alt.Scale(scheme="viridis"), title="CLV, USD"),
    )
    .properties(width=alt.Step(36), height=alt.Step(16))
)
titled(
    chart,
    "What is silence worth?",
    f"Value of the next year, of customers {age} days old who spend the average amount",
)

# %%
ranked = np.sort(forecast["clv"].to_numpy())[::-1]
share = np.linspace(0, 1, 201)
held = np.interp(share * ranked.size, np.arange(ranked.size) + 1, np.cumsum(ranked) / ranked.sum())
equity = pd.DataFrame({"customers": share, "equity": held})
top = held[40]
percent = alt.Axis(format=".0%")
chart = (
    alt.Chart(equity)
    .mark_area(line={"color": GREEN, "strokeWidth": 2.5}, color=GREEN, opacity=0.25)
    .encode(
        x=alt.X("customers:Q", axis=percent, title="Customers, most valuable first"),
        y=alt.Y("equity:Q", axis=percent, title="Share of the customer equity"),
    )
    .properties(width=420, height=280)
)
titled(
    chart,
    "How unequal are customers?",
    f"Customer equity of the next year: {ranked.sum():,.0f} USD of margin; "
    f"a fifth of the customers hold {top:.0%} of it",
)
