"""Charts of uplift hold aggregates only, and have named axes."""

from __future__ import annotations

import numpy as np

from training.grading.plots import save
from training.uplift import policy
from training.uplift.plots import profit_chart, qini_chart
from training.uplift.policy import Money
from training.uplift.profit import profit_curve
from training.uplift.qini import qini


def test_charts_are_of_bins_and_can_be_drawn(known, held, tmp_path):
    random = np.random.default_rng(0)
    score = held.predicted["returned"][:, 1]
    best = policy.everyone(known.trial, np.array([0.0, 1.0]))
    orders = {"uplift": (best, score), "riskiest first": (best, held.risk)}
    curve = profit_curve(held, orders, Money(0.3, (0.5, 0.5)), random, 20)
    charts = {
        "qini": qini_chart(qini(known.trial, 2, "returned", score, random, 20), "call", "returns"),
        "profit": profit_chart(curve, "GBP"),
    }
    for name, chart in charts.items():
        spec = chart.to_dict()
        assert sum(len(rows) for rows in spec["datasets"].values()) <= 303
        save(chart, tmp_path / f"{name}.svg")
        drawn = (tmp_path / f"{name}.svg").read_text(encoding="utf-8")
        assert spec["title"]["text"] in drawn
        assert "Customers treated, highest first" in drawn
