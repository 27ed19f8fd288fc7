"""What a case of the quality table has to show: beside others, by kind, in its intervals."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pandas as pd

from benchmarks.backtests import Outcome
from benchmarks.bars import Bar

#: Data sets whose season does not turn.
STATIONARY = ("cdnow", "complete-journey")
#: Customers of a stage or tier that is judged, at least.
LEAST = 200


def bars(outcome: Outcome) -> Iterator[Bar]:
    """Everything that a case is held to.

    Parameters
    ----------
    outcome : Outcome

    Yields
    ------
    Bar
    """
    yield from beside_others(outcome)
    yield from by_kind(outcome)


def beside_others(outcome: Outcome) -> Iterator[Bar]:
    """The return probability and the spend against the best of the other columns.

    Parameters
    ----------
    outcome : Outcome

    Yields
    ------
    Bar
    """
    ours = outcome.figures["Regulars"]
    others = [figures for name, figures in outcome.figures.items() if name != "Regulars"]
    ratio = ours["log-loss"] / _best(others, "log-loss", min)
    yield Bar(
        f"{outcome.case}: log-loss over the best other", f"{ratio:.3f}", "≤ 1.005", ratio <= 1.005
    )
    ratio = ours["Gini of spend"] / _best(others, "Gini of spend", max)
    yield Bar(
        f"{outcome.case}: Gini of spend over the best other",
        f"{ratio:.3f}",
        "≥ 0.995",
        ratio >= 0.995,
    )
    unbiased = [one for one in others if abs(one.get("bias of spend", 1.0)) <= 0.10]
    if unbiased:
        ratio = ours["MAE of spend"] / _best(unbiased, "MAE of spend", min)
        yield Bar(
            f"{outcome.case}: MAE of spend over the best other within 10 % of the total",
            f"{ratio:.3f}",
            "≤ 1.02",
            ratio <= 1.02,
        )
    ratio = ours["MAE at the level"] / _best(others, "MAE at the level", min)
    yield Bar(
        f"{outcome.case}: MAE of spend over the best other, each total set right", f"{ratio:.3f}"
    )
    for name in ("bias of purchases", "bias of spend"):
        met = abs(ours[name]) <= 0.10
        yield Bar(f"{outcome.case}: {name}", f"{ours[name]:+.1%}", "within 10 %", met)


def by_kind(outcome: Outcome) -> Iterator[Bar]:
    """Calibration on the whole and by stage, coverage on the whole and by tier.

    Parameters
    ----------
    outcome : Outcome

    Yields
    ------
    Bar
    """
    told = outcome.reliability
    most = 0.02 if outcome.case.name in STATIONARY else 0.04
    error = outcome.figures["Regulars"]["calibration error"]
    yield Bar(f"{outcome.case}: calibration error", f"{error:.3f}", f"≤ {most}", error <= most)
    groups = _large(told, "stage").set_index("group")
    stages = groups["calibration_error"]
    worst, luck = float(stages.max()), groups["calibration_luck"][stages.idxmax()]
    yield Bar(
        f"{outcome.case}: calibration error of the worst stage ({stages.idxmax()})",
        f"{worst:.3f}",
        "≤ 0.05",
        worst <= 0.05,
    )
    yield Bar(f"{outcome.case}: what luck alone would give that stage", f"{luck:.3f}")
    if "spend_coverage" not in told:
        return
    for name in ("purchases", "spend"):
        whole, held = (
            told.loc[told["kind"] == "all", f"{name}_{figure}"].iloc[0]
            for figure in ("inside", "coverage")
        )
        yield Bar(
            f"{outcome.case}: coverage of the 80 % intervals of {name}",
            f"{held:.1%}",
            "76 to 84 %",
            0.76 <= held <= 0.84,
        )
        said = f"{outcome.case}: the same of {name}"
        yield Bar(f"{said}, outcomes on the edge counted whole", f"{whole:.1%}")
        tiers = _large(told, "tier")[f"{name}_coverage"]
        yield Bar(
            f"{said} by tier, least and most",
            f"{tiers.min():.1%} to {tiers.max():.1%}",
            "70 to 90 %",
            bool(tiers.between(0.70, 0.90).all()),
        )


def kinds(outcome: Outcome) -> list[dict[str, str]]:
    """Rows of a table: how far figures hold for each stage and tier.

    Parameters
    ----------
    outcome : Outcome

    Returns
    -------
    list of dict
        Groups of at least 200 customers.
    """
    told = outcome.reliability
    shown = pd.concat([told[told["kind"] == "all"], _large(told, "stage"), _large(told, "tier")])
    return [
        {
            "as of, horizon": str(outcome.case),
            "kind": row["kind"],
            "group": row["group"],
            "customers": f"{row['customers']:,}",
            "predicted": f"{row['predicted']:.3f}",
            "observed": f"{row['observed']:.3f}",
            "calibration error": f"{row['calibration_error']:.3f}",
            "by luck": f"{row['calibration_luck']:.3f}",
            **{
                f"{name}, 80 %": _share(row.get(f"{name}_coverage"))
                for name in ("purchases", "spend")
            },
        }
        for row in shown.to_dict("records")
    ]


def _share(figure: float | None) -> str:
    return "–" if figure is None or pd.isna(figure) else f"{figure:.1%}"


def _large(told: pd.DataFrame, kind: str) -> pd.DataFrame:
    return told[(told["kind"] == kind) & (told["customers"] >= LEAST)]


def _best(
    figures: Sequence[Mapping[str, float]], name: str, choose: Callable[[list[float]], float]
) -> float:
    return choose([one[name] for one in figures if name in one])
