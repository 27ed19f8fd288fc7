"""Single figures of the label rule: Telco and Iranian churn, and columns that know the answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path

import ibis
import numpy as np
import pandas as pd

from benchmarks.backtests import train
from benchmarks.bars import Bar
from benchmarks.data_sets import CASES, DataSet
from benchmarks.printed import tell
from features.catalogue import FEATURES
from features.inputs import Inputs
from regulars import jobs
from training.evidence import Evidence
from training.labels import leaks
from training.labels.held_out import SPREAD
from training.windows import panel

#: Figure, how it is shown, and what Telco has to reach.
NEEDED = (
    ("roc_auc", "AUC", 0.849, "≥"),
    ("log_loss", "log-loss", 0.411, "≤"),
    ("calibration_error", "calibration error", 0.015, "≤"),
)


def telco(data: DataSet) -> Iterator[Bar]:
    """The label rule on Telco, out of fold, with the candidates and rules of thumb beside it.

    Parameters
    ----------
    data : DataSet

    Yields
    ------
    Bar
    """
    tell("telco")
    evidence = _trained(data)
    said = f"telco, {evidence.parameters['repeats']} × 5 folds"
    yield from _figures(said, evidence, bars=True)
    yield _none_found("telco", evidence)
    yield from _planted(evidence)


def iranian(data: DataSet, folder: Path) -> Iterator[Bar]:
    """The same on the Iranian churn data set, for comparison; nothing where it is not there.

    Parameters
    ----------
    data : DataSet
        Telco: its settings are used.
    folder : Path
        With the data sets.

    Yields
    ------
    Bar
    """
    file = folder / "iranian_churn" / "Customer_Churn.csv"
    if not file.is_file():
        tell(f"iranian-churn: skipped: there is no {file}")
        return
    tell("iranian-churn")
    table = pd.read_csv(file)
    # The file names nobody, so its rows are numbered.
    ids = [f"row {number}" for number in range(len(table))]
    rows = table.drop(columns="Churn").add_prefix("attribute_")
    rows = rows.assign(customer_id=ids, churned=table["Churn"] == 1)
    connection = ibis.duckdb.connect()
    customers = connection.create_table("customers", rows, temp=True)
    evidence = _trained(DataSet(data.settings, Inputs(customers=customers, connection=connection)))
    said = f"iranian-churn, {evidence.parameters['repeats']} × 5 folds"
    yield from _figures(said, evidence, bars=False)
    yield _none_found("iranian-churn", evidence)


def behaviour(name: str, data: DataSet) -> Iterator[Bar]:
    """Leaks in behaviour tables, which hold nothing from their date on.

    Parameters
    ----------
    name : str
    data : DataSet

    Yields
    ------
    Bar
    """
    found = []
    cases = [case for case in CASES if case.name == name]
    for case in cases:
        known_until = case.as_of + timedelta(days=case.horizon_days)
        frame = panel.snapshot(
            data.inputs, case.as_of, horizon_days=case.horizon_days, known_until=known_until
        )
        columns = frame[[feature.name for feature in FEATURES]]
        seen = panel.seen(frame, case.horizon_days)
        found += leaks.find(columns, panel.churned(seen), case.as_of).left_out
    told = "; ".join(map(str, found)) or "0"
    yield Bar(f"{name}, {len(cases)} behaviour tables: leaks found", told, "0", not found)


def _trained(data: DataSet) -> Evidence:
    # The label has no date; this one stands in the run only.
    return train(data.settings, data, jobs.instant(data.settings).date())


def _figures(said: str, evidence: Evidence, *, bars: bool) -> Iterator[Bar]:
    """Means over the repeats ± their standard deviation; the speaker's first."""
    wide = evidence.tested.figures.pivot(index="model", columns="metric", values="figure")
    speaker = evidence.scorer.speaker
    for metric, name, bar, sign in NEEDED:
        found = float(wide.loc[speaker, metric])
        met = (found >= bar) if sign == "≥" else (found <= bar)
        yield Bar(
            f"{said}: {name} ({speaker} speaks)",
            _shown(wide, speaker, metric),
            f"{sign} {bar}" if bars else "",
            met if bars else None,
        )
    for other in sorted(set(wide.index) - {speaker}):
        told = ", ".join(_shown(wide, other, metric) for metric, *_ in NEEDED)
        yield Bar(f"{said}: AUC, log-loss, calibration error of {other}", told)
    grade = evidence.grades["risk"]
    yield Bar(
        f"{said}: grade, and skill over {grade.best_rule}", f"{grade.letter}, {grade.skill:.1%}"
    )


def _shown(wide: pd.DataFrame, model: str, metric: str) -> str:
    spread = wide.get(f"{metric}{SPREAD}")
    give = "" if spread is None else f" ± {spread[model]:.4f}"
    return f"{wide.loc[model, metric]:.4f}{give}"


def _none_found(name: str, evidence: Evidence) -> Bar:
    found = str(evidence.parameters["left_out"])
    return Bar(f"{name}: columns that seem to know the answer", found or "0", "0", not found)


def _planted(evidence: Evidence) -> Iterator[Bar]:
    """One leak of each kind, each planted by itself among the honest columns."""
    test = evidence.test
    assert test is not None  # noqa: S101 - of the label rule there always is
    churned = 1 - test["returned"].to_numpy()
    honest = test[[name for name in test.columns if name in evidence.scorer.families]]
    as_of = evidence.scorer.trained_as_of
    kinds = []
    for kind, planted in _plants(churned, as_of).items():
        found = leaks.find(honest.assign(**planted), churned, as_of).left_out
        if [leak.kind for leak in found] == [kind] and found[0].column in planted:
            kinds.append(kind)
    told = f"{len(kinds)}: {', '.join(kinds)}"
    yield Bar("telco: kinds of planted leaks that are found", told, "≥ 5", len(kinds) >= 5)


def _plants(churned: np.ndarray, as_of: date) -> dict[str, Mapping[str, pd.Series]]:
    random = np.random.default_rng(0)
    n = len(churned)
    today = np.datetime64(as_of)
    past = (today - random.integers(1, 300, n)).astype(str)
    ahead = (today + random.integers(-300, 60, n)).astype(str)
    since = random.integers(10, 800, n)
    until = np.where(churned, since * random.uniform(0.1, 0.95, n), since)
    noisy = np.where(random.random(n) < 0.005, 1 - churned, churned)
    left = churned.astype(bool)
    plants = {
        "copy": {"status": np.where(noisy, "inactive", "active")},
        "answer": {"old_score": churned + random.normal(0, 0.3, n)},
        "one fate": {"left_on": np.where(left & (random.random(n) < 0.4), past, None)},
        "after": {"exported_on": ahead},
        "identity": {"row": np.argsort(np.argsort(-churned, kind="stable"))},
        "together": {"months_since": since, "months_used": until},
    }
    return {
        kind: {f"attribute_{name}": pd.Series(values) for name, values in columns.items()}
        for kind, columns in plants.items()
    }
