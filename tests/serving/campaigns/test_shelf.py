"""Plans in the store, the export, and the audit file."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from serving import audit
from serving.campaigns import shelf
from serving.campaigns.planning import draw_up
from serving.errors import CampaignError, OutputError

NOON = datetime(2024, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def plan(score_rows, ordered):
    return draw_up(score_rows, ordered(budget=30.0))


def test_what_is_kept_is_read_again_and_names_nobody_in_its_figures(plan, tmp_path: Path):
    kept, said = shelf.keep(plan, tmp_path)
    assert shelf.assignments(tmp_path, "p1").equals(plan.assignments)
    assert kept.name == "p1.parquet"
    text = said.read_text()
    figures = json.loads(text)
    assert figures["total"]["treated"] == plan.total.treated
    assert figures["curve"]["knee"] == plan.curve.knee
    assert not any(one in text for one in plan.assignments["customer_id"].to_pylist())


def test_a_plan_is_never_rewritten(plan, tmp_path: Path):
    shelf.keep(plan, tmp_path)
    with pytest.raises(CampaignError, match="there already"):
        shelf.keep(plan, tmp_path)


@pytest.mark.parametrize("name", ["p2", "../p1", ""])
def test_a_plan_that_is_not_there_is_said_with_those_that_are(plan, tmp_path: Path, name: str):
    shelf.keep(plan, tmp_path)
    with pytest.raises(CampaignError, match="one of the store: p1"):
        shelf.assignments(tmp_path, name)


def test_a_file_of_other_columns_is_no_plan(tmp_path: Path):
    pd.DataFrame({"a": [1]}).to_parquet(tmp_path / "p1.parquet")
    with pytest.raises(CampaignError, match="other columns"):
        shelf.assignments(tmp_path, "p1")


def test_both_exports_hold_the_assignments(plan, tmp_path: Path):
    rows = plan.assignments.num_rows
    assert shelf.export(plan, tmp_path / "p.csv") == rows
    assert shelf.export(plan, tmp_path / "p.parquet") == rows
    assert pq.read_table(tmp_path / "p.parquet").equals(plan.assignments)
    table = pd.read_csv(tmp_path / "p.csv")
    assert (
        table["assignment_id"].astype(str).tolist() == plan.assignments["assignment_id"].to_pylist()
    )
    with pytest.raises(OutputError, match="name one"):
        shelf.export(plan, tmp_path / "p.xlsx")


def test_the_audit_file_only_grows_and_is_for_its_owner_alone(tmp_path: Path):
    file = tmp_path / "store" / "audit.jsonl"
    audit.note(file, who="ann", what="plan", now=NOON, plan_id="p1", treated=3)
    before = file.read_bytes()
    audit.note(file, who="bob", what="export", now=NOON, plan_id="p1")
    assert file.read_bytes().startswith(before)
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert first == {
        "at": "2024-07-01T12:00:00+00:00",
        "who": "ann",
        "what": "plan",
        "plan_id": "p1",
        "treated": 3,
    }
    assert second["who"] == "bob"
    assert file.stat().st_mode & 0o777 == 0o600
