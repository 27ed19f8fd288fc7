"""Charts: of aggregated data, readable offline, in three formats."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from training.grading import plots
from training.grading.metrics import calibration_table, lift_at


@pytest.fixture(scope="module")
def risk() -> tuple[np.ndarray, np.ndarray]:
    """6,000 customers with their probability of churn and what came: more than Altair's limit."""
    rng = np.random.default_rng(0)
    p = rng.beta(2.0, 2.0, 6_000)
    return (rng.random(6_000) < p).astype(int), p


FIGURES = pd.DataFrame(
    [
        (date(2011, month, 1), model, "risk", "log_loss", 0.5 + month / 100 + shift)
        for month in (3, 6, 9)
        for model, shift in (("churn", 0.0), ("inactivity", 0.05))
    ],
    columns=["origin", "model", "question", "metric", "figure"],
)
SHARES = pd.Series({f"column_{i}": (30 - i) / 465 for i in range(30)})
FAMILIES = {name: ("rhythm", "spend", "rfm")[i % 3] for i, name in enumerate(SHARES.index)}


@pytest.fixture(scope="module")
def charts(risk) -> dict:
    """One chart of each kind."""
    return {
        "calibration": plots.calibration(*risk),
        "lift": plots.lift(*risk),
        "gain": plots.gain(*risk),
        "deciles": plots.deciles(risk[0] * 20.0, risk[1] * 20.0, "GBP"),
        "importance": plots.importance(SHARES, FAMILIES),
        "history": plots.history(FIGURES, "risk", "log_loss", "churn"),
    }


KINDS = ("calibration", "lift", "gain", "deciles", "importance", "history")
kinds = pytest.mark.parametrize("kind", KINDS)


def rows(chart) -> list[list[dict]]:
    """The chart's tables of data."""
    return list(chart.to_dict()["datasets"].values())


def axis_titles(spec: dict, channel: str) -> set[str]:
    """Titles of an axis anywhere in a chart; the column's own name where none is given."""
    parts = [*spec.get("layer", ()), *spec.get("vconcat", ())]
    here = spec.get("encoding", {}).get(channel)
    own = {str(here.get("title", here.get("field")))} if here else set()
    return own.union(*(axis_titles(part, channel) for part in parts))


@kinds
def test_a_chart_has_a_title_and_named_axes_and_no_customers_in_it(charts, kind):
    spec = charts[kind].to_dict()
    assert spec["title"]["text"]
    # Bars of columns need no name for the axis: the columns are their own.
    for channel in ("x",) if kind == "importance" else ("x", "y"):
        assert any(" " in title or title == "Customers" for title in axis_titles(spec, channel))
    assert sum(len(table) for table in rows(charts[kind])) <= 303


@kinds
def test_a_chart_is_written_as_a_picture_and_as_drawing(charts, kind, tmp_path):
    plots.save(charts[kind], tmp_path / "chart.png")
    plots.save(charts[kind], tmp_path / "chart.svg")
    assert (tmp_path / "chart.png").read_bytes().startswith(b"\x89PNG")
    drawing = (tmp_path / "chart.svg").read_text(encoding="utf-8")
    assert charts[kind].to_dict()["title"]["text"] in drawing


def test_a_page_works_without_the_net(charts, tmp_path):
    plots.save(charts["gain"], tmp_path / "chart.html")
    page = (tmp_path / "chart.html").read_text(encoding="utf-8")
    assert "<script src=" not in page
    assert "jsdelivr" not in page
    assert len(page) > 500_000  # the drawing library is inside


def test_another_ending_is_refused(charts, tmp_path):
    with pytest.raises(ValueError, match=r"'.pdf', expected .html, .svg or .png"):
        plots.save(charts["gain"], tmp_path / "chart.pdf")


def test_calibration_shows_the_table(charts, risk):
    shown = next(table for table in rows(charts["calibration"]) if "observed" in table[0])
    drawn = pd.DataFrame([row for t in rows(charts["calibration"]) for row in t if "upper" in row])
    assert shown
    np.testing.assert_allclose(drawn["observed"], calibration_table(*risk)["observed"])


def test_the_histogram_counts_everyone(charts, risk):
    counts = [row["customers"] for t in rows(charts["calibration"]) for row in t if "left" in row]
    assert sum(counts) == len(risk[0])


def test_lift_shows_the_figure_at_a_tenth(charts, risk):
    labels = [row["label"] for table in rows(charts["lift"]) for row in table if "label" in row]
    assert labels[0] == f"10%: {lift_at(*risk):.2f}×"


def test_gain_has_the_model_between_chance_and_foresight(charts):
    table = pd.DataFrame([row for t in rows(charts["gain"]) for row in t])
    wide = table.pivot(index="share", columns="line", values="reached")
    assert (wide["Model"] <= wide["Perfect foresight"] + 1e-12).all()
    assert (wide["Chance"] <= wide["Model"] + 1e-12).all()


def test_importance_shows_the_first_twenty_and_sums_the_rest(charts):
    spec = charts["importance"].to_dict()
    shown = [row["column"] for row in rows(charts["importance"])[0]]
    assert shown == list(SHARES.index[:20])
    assert spec["title"]["subtitle"] == f"10 more columns hold {SHARES[20:].sum():.0%}"


def test_a_family_keeps_its_colour_whatever_is_shown():
    # The family that comes last among the columns is the first in the catalogue.
    families = dict(reversed(FAMILIES.items()))

    def colours(most: int) -> dict[str, str]:
        scale = plots.importance(SHARES, families, most).to_dict()["layer"][0]["encoding"]["color"]
        return dict(zip(scale["scale"]["domain"], scale["scale"]["range"], strict=True))

    few, many = colours(2), colours(20)
    assert few.items() <= many.items()
    assert set(few) == {"rhythm", "spend"}
    assert len(set(many.values())) == 3


def test_history_shows_each_model_in_each_window(charts):
    drawn = rows(charts["history"])[0]
    assert len(drawn) == 6
    assert {row["origin"] for row in drawn} == {"2011-03-01", "2011-06-01", "2011-09-01"}


def test_nothing_spent_can_be_drawn(tmp_path):
    """A window without sales: no gain, and a page that says so."""
    with pytest.warns(UserWarning, match="outcome sums to 0"):
        chart = plots.gain(np.zeros(20), np.arange(20.0), "spend")
    plots.save(chart, tmp_path / "gain.svg")
    assert "Nothing to hold" in (tmp_path / "gain.svg").read_text(encoding="utf-8")
