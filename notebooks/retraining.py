# %% [markdown]
# # A retraining, compared with the champion
#
# A model that scores customers grows old: the shop changes, and there is more to learn from. So
# one trains again. But is the new model better? Compared on what? And who decides?
#
# This notebook plays two dates in the life of a shop. In October 1997 there is little history, and
# the first model becomes champion. In July 1998 a retraining challenges it. The gate compares the
# two on three months that neither has seen, and a person has the last word. All of it happens in
# a temporary folder, with MLflow on a SQLite file, as `regulars train` and `regulars models` do it.

# %%
import os
import warnings
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from regulars import environment

# Before the heavy packages: it keeps threads from spinning and MLflow from chatting.
environment.prepare(os.environ)

import altair as alt
import pandas as pd

from regulars import jobs, samples
from regulars.settings import load
from training import backtest
from training.grading import metrics, naive, plots
from training.grading.plots import BLUE, GREEN, GREY, ORANGE
from training.runs import registry
from training.scorer import Scorer

# Charts as pictures: they need no network, here or wherever the notebook is shown.
alt.renderers.enable("png", ppi=144)
# A package below looks for a progress bar made for notebooks; ours are quiet.
warnings.filterwarnings("ignore", "IProgress not found")


def titled(chart, title, note):
    """Give a chart a title that says what to look for, and no frame."""
    words = alt.TitleParams(title, subtitle=note, anchor="start", subtitleColor="#555555")
    return chart.properties(title=words).configure_view(stroke=None)


# %% [markdown]
# ## 1. The shop
#
# A folder with the log and a settings file. Every fifth customer of CDNOW is enough to see how it
# goes, in seconds; without the line `where` it is all of them.

# %%
workspace = TemporaryDirectory()
folder = Path(workspace.name)
samples.cdnow(folder)
(folder / "regulars.toml").write_text("""\
name = "cdnow"
currency = "USD"
timezone = "America/New_York"

[sources.transactions]
uri = "cdnow.csv"
customer_id = "customer_id"
timestamp = "date"
amount = "amount"
where = "customer_id like '%2' or customer_id like '%7'"

[churn]
rule = "inactivity"
horizon_days = 90
""")
settings = load(folder / "regulars.toml")
new_york = ZoneInfo(settings.timezone)


def quiet(*_):
    """Progress is for long jobs."""


inputs = jobs.read(settings, now=datetime.now(new_york), tell=quiet)
report = inputs.reports[0]
print(f"{report.customers:,} customers, {report.first_day} to {report.last_day}")


def train(as_of):
    """Train as of a date, as if it were that day's morning."""
    now = datetime(as_of.year, as_of.month, as_of.day, 9, tzinfo=new_york)
    return jobs.train(settings, inputs, as_of, now=now, trials=0, tell=quiet)


# %% [markdown]
# ## 2. October 1997: the first champion
#
# Nothing from the as-of date on is read, although the log goes on. Nine months hold few past
# windows to learn from, and none of a year ago: the level of the season is half of what the newest
# window showed, as the run's model card says.

# %%
first = train(date(1997, 10, 1))
level = first.evidence.fitted.carry.levels[90]
print(*first.evidence.notes, level.in_words(), sep="\n")
print(f"version {first.version}: {first.verdict.why}")

# %% [markdown]
# The grade says how far it is above the best rule of thumb, on windows before October that a
# twin of it had not seen.


# %%
def grades(training):
    """Grades of a training with their sentences."""
    found = training.evidence.grades
    rows = {question: [grade.letter, grade.sentence] for question, grade in found.items()}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["grade", "what stands behind it"])


pd.set_option("display.max_colwidth", None)
grades(first)

# %% [markdown]
# ## 3. July 1998: the challenger
#
# With eighteen months there are more past dates with what came of them. Boosted trees on top of
# the value model, boosted trees alone and a logistic regression learn from them, and their blend
# speaks; its weights come from older windows. The newest window is left for the grade and the gate.

# %%
second = train(date(1998, 7, 1))
print(f"version {second.version}: {second.evidence.scorer.speaker} speaks")
grades(second)

# %% [markdown]
# And the gate? A challenger passes when, on the same fresh window, its log-loss of the return
# probability is lower than the champion's **and** its error of the spend is at most 2 % higher.

# %%
print("passed" if second.verdict.passed else "refused")
print(second.verdict.why)

# %% [markdown]
# ## 4. Side by side
#
# The gate says it in a sentence; here is what it looked at. The champion was trained in October
# and has not seen the window. The challenger has, so its twin answers: the same procedure on
# nothing from the window's first day on.

# %%
uri, name = settings.tracking.uri, settings.name
test = second.evidence.test
window = second.evidence.tested.newest.at

champion = Scorer.load(registry.champion(uri, name, version=first.version).path)
horizon = settings.churn.horizon_days
speaker = second.evidence.scorer.speaker
answers = dict(second.evidence.tested.predictions)
models = {
    "champion": champion.predict(test, horizon_days=horizon),
    "challenger": answers[speaker],
    **{f"rule: {rule}": answers[rule] for rule in naive.RULES},
}
figures = backtest.measure(window, horizon, models, test)
print(f"{len(test):,} customers, {test['returned'].mean():.1%} returned from {window} on")

wanted = {
    "risk": ["log_loss", "roc_auc", "brier", "calibration_error", "lift_10", "total_bias"],
    "purchases": ["mae", "spearman", "total_bias"],
    "spend": ["mae", "normalised_gini", "total_bias"],
}
rows = pd.MultiIndex.from_tuples([(q, m) for q, names in wanted.items() for m in names])
wide = figures.pivot(index=["question", "metric"], columns="model", values="figure")
wide.loc[rows, list(models)].round(3)

# %% [markdown]
# `log_loss` of the risk and `mae` of the spend are the two rows that the gate reads. The others say
# why: who ranks better (`roc_auc`, `lift_10`), who can be taken at their word
# (`calibration_error`), whose totals are off (`total_bias`).
#
# ### Can the probabilities be taken at their word?

# %%
churned = 1 - test["returned"].to_numpy()
risk = {who: models[who]["churn_probability"].to_numpy() for who in ("champion", "challenger")}
colours = alt.Color(
    "who:N",
    scale=alt.Scale(domain=[*risk], range=[ORANGE, BLUE]),
    legend=alt.Legend(title=None, symbolOpacity=1),
)
tables = [metrics.calibration_table(churned, p).assign(who=who) for who, p in risk.items()]
table = pd.concat(tables)
low = float(table[["predicted", "lower"]].min().min()) // 0.1 * 0.1
percent = alt.Axis(format=".0%")
scale = alt.Scale(domain=[low, 1])
across = alt.X("predicted:Q", axis=percent, scale=scale, title="Predicted probability of churn")
up = alt.Y("observed:Q", axis=percent, scale=scale, title="Observed share of churn")
base = alt.Chart(table).encode(x=across, color=colours)
ideal = alt.Chart(pd.DataFrame({"predicted": [low, 1.0], "observed": [low, 1.0]}))
chart = alt.layer(
    ideal.mark_line(color=GREY, strokeDash=[5, 4]).encode(x=across, y=up),
    base.mark_rule(strokeWidth=2, opacity=0.4).encode(
        y=alt.Y("lower:Q", scale=scale), y2="upper:Q"
    ),
    base.mark_line(strokeWidth=2.5, point=alt.OverlayMarkDef(size=60, opacity=1)).encode(y=up),
).properties(width=380, height=320)
titled(
    chart,
    "Which model is nearer to the truth?",
    "Tenths of the customers; on the dashed line they are right; bars are 90 % intervals",
)

# %% [markdown]
# ### How many do the first on the list hold?
#
# A retention team calls the top of the list. The picture of the training's own report, for the
# challenger, and both in one table:

# %%
plots.gain(churned, risk["challenger"])

# %% [markdown]
# Most customers churn here, so a list of the likeliest to leave cannot do much better than chance.
# Turned round, as a list of those likeliest to return, it can:

# %%
curves = [
    metrics.gain_curve(1 - churned, 1 - p)[["share", "captured"]].assign(who=who)
    for who, p in risk.items()
]
chart = (
    alt.Chart(pd.concat(curves))
    .mark_line(strokeWidth=2.5)
    .encode(
        x=alt.X("share:Q", axis=percent, title="Customers taken, likeliest to return first"),
        y=alt.Y(
            "captured:Q",
            axis=percent,
            scale=alt.Scale(domain=[0, 1]),
            title="Share of all who returned",
        ),
        color=colours,
    )
    .properties(width=380, height=300)
)
diagonal = alt.Chart(pd.DataFrame({"share": [0.0, 1.0], "captured": [0.0, 1.0]}))
titled(
    diagonal.mark_line(color=GREY, strokeDash=[5, 4]).encode(x="share:Q", y="captured:Q") + chart,
    "How many of those who return are at the top of the list?",
    "The dashed line is a list in random order",
)

# %% [markdown]
# ### One window is one window
#
# The rolling backtest has older ones; for each of them every model was trained anew, on what was
# known then. (The past rate, a rule far off the others here, is left out.)

# %%
tested = second.evidence.tested.figures
plots.history(tested[tested["model"] != "past_rate"], "risk", "log_loss", speaker)

# %% [markdown]
# ## 5. What is on record
#
# All of this is in MLflow: a run for each training, with children `churn` and `value`, parameters,
# figures, plots, the settings, the fingerprint of the data and a model card. `mlflow ui` shows it;
# the registry answers here.

# %%
versions = pd.DataFrame(
    {
        "version": entry.version,
        "aliases": ", ".join(entry.aliases),
        **{tag: entry.tags.get(tag) for tag in ("trained_as_of", "speaker", "gate")},
        **{tag: text for tag, text in entry.tags.items() if tag.startswith("grade_")},
    }
    for entry in registry.versions(uri, name)
)
versions.set_index("version")

# %%
mlflow = registry.client(uri)
experiment = mlflow.get_experiment_by_name(name)
runs = pd.DataFrame(
    {
        "run": run.info.run_name,
        "log-loss": run.data.metrics.get("risk.log_loss"),
        "spend error": run.data.metrics.get("spend.mae"),
        "code": run.data.tags.get("code_version", ""),
        "data": run.data.tags.get("data_fingerprint", "")[:12],
    }
    for run in mlflow.search_runs([experiment.experiment_id])
)
runs.style.format(precision=4, na_rep="")

# %% [markdown]
# ## 6. A person has the last word
#
# The gate knows two figures. A person may know more: that purchasing orders by the expected spend,
# on which the first version was a little nearer. Then they promote by hand, and say why; a change
# without a reason is refused. (`regulars models promote 1 --why "…"`)

# %%
registry.promote(
    uri,
    name,
    first.version,
    why="purchasing orders by the expected spend, and the first version's was a little nearer",
    now=datetime(1998, 7, 3, 15, tzinfo=new_york),
)
print("champion:", registry.champion_version(uri, name))

# %% [markdown]
# A fortnight later purchasing has a forecast of its own, and the win-back campaign needs the better
# ranking. One step back (`regulars models rollback --why "…"`):

# %%
registry.rollback(
    uri,
    name,
    why="the win-back campaign needs the better ranking; purchasing has a forecast of its own",
    now=datetime(1998, 7, 17, 10, tzinfo=new_york),
)
history = pd.DataFrame([vars(change) for change in registry.history(uri, name)])
history

# %%
reigns = pd.DataFrame([vars(change) for change in registry.reigns(uri, name)])
reigns["start"] = pd.to_datetime(reigns["at"], utc=True).dt.tz_localize(None)
reigns["end"] = reigns["start"].shift(-1).fillna(pd.Timestamp("1998-08-01"))
reigns["who"] = "version " + reigns["to_version"]
chart = (
    alt.Chart(reigns)
    .mark_bar(height=22)
    .encode(
        x=alt.X("start:T", title=None, axis=alt.Axis(format="%b %Y")),
        x2="end:T",
        y=alt.Y("who:N", title=None),
        color=alt.Color(
            "kind:N",
            scale=alt.Scale(domain=["promotion", "rollback"], range=[GREEN, ORANGE]),
            legend=alt.Legend(title="Came by"),
        ),
    )
    .properties(width=460, height=alt.Step(36))
)
titled(chart, "Who was champion, and when?", "From the registry's own record")

# %% [markdown]
# The alias moves last and in one step, after the record of the change: whatever happens meanwhile,
# there is a champion. `regulars score` uses the new one when it runs next; a running service keeps
# the version with which it started. The rules are in `mlflow/promotion.md`.
