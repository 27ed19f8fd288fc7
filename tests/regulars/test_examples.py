"""The made-up German shop: its settings read files of the kind that they describe."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from features.kinds import KINDS
from regulars import cli
from regulars.settings import load

EXAMPLE = Path(__file__).parents[2] / "examples" / "german_shop.toml"
SALES = """\
Kundennummer;Datum;Beleg;Artikel;Menge;Einzelpreis;Einkaufspreis
10023;31.03.2024 14:05;B-881;Teekanne;2;1.234,50;805,00
10023;31.03.2024 15:30;B-882;Kännchen;-1;10,02;4,50
10024;01.04.2024 09:00;B-883;Löffel;3;0,5;0,60
"""
CALLS = """\
Kundennummer;Datum;Vorgang;Note
10023;02.04.2024;Reklamation;
10023;03.04.2024;erledigt;
10024;09.04.2024;Umfrage;3,5
10024;10.04.2024;ANRUF ;
10024;10.04.2024;Messebesuch;
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The example's settings beside three sales and five events in its way of writing."""
    (tmp_path / "verkaeufe.csv").write_text(SALES, encoding="cp1252")
    (tmp_path / "service.csv").write_text(CALLS, encoding="cp1252")
    monkeypatch.setenv("REGULARS_DATA", str(tmp_path))
    return Path(shutil.copy(EXAMPLE, tmp_path))


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(cli.app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_example_reads_what_it_describes(shop: Path):
    report = run("check", "-c", str(shop))
    assert [source["rejected"] for source in report["sources"]] == [{}, {}]
    (*_, events) = report["sources"]
    (note,) = [note for note in events["notes"] if "not read" in note]
    assert "1 of 5 events are of kinds that are not read: 'messebesuch' (1)." in note


def test_the_example_s_numbers_are_those_of_its_files(shop: Path):
    built = run("build", "-c", str(shop), "--as-of", "2024-05-01")
    rows = pq.read_table(built["path"], partitioning=None).to_pylist()
    # Two tea pots less a jug on one day; three spoons.
    assert [(row["customer_id"], row["spend_total"]) for row in rows] == [
        ("10023", 2 * 1234.50 - 10.02),
        ("10024", 1.5),
    ]
    # What is left of them, less what the jug had left; the spoons are sold at a loss.
    assert [row["margin_total"] for row in rows] == [2 * 429.50 - 5.52, pytest.approx(-0.3)]
    assert [row["margin_spend"] for row in rows] == [row["spend_total"] for row in rows]
    assert [row["complaints_total"] for row in rows] == [1, 0]
    assert [row["complaints_open"] for row in rows] == [0, 0]
    assert [row["satisfaction_last"] for row in rows] == [None, 3.5]
    assert [row["contacts_total"] for row in rows] == [0, 1]


def test_the_example_maps_words_to_known_kinds():
    events = load(EXAMPLE, {"REGULARS_DATA": "/data"}).sources.events
    assert events is not None
    assert set(events.kinds.values()) <= set(KINDS)
