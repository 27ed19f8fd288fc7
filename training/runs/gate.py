"""The gate that decides whether a training's scorer becomes champion.

Rule: the first model passes. After that a challenger passes when, on the same fresh test window
which neither has seen, its log-loss of the return probability is lower than the champion's and
its mean absolute error of spend is not more than 2 % higher. With no such window, it is refused.

Under the label rule there is no time to test across: the figures are out of fold, and they are
compared only where both versions were trained on the same data. On other data a person decides.

The challenger's predictions are of its twin, trained as of the test window's first day. The
champion's come from the champion itself where it was trained by then, else from its own twin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from training.errors import RegistryError, TrainingError
from training.scorer import Scorer

if TYPE_CHECKING:
    import pandas as pd

    from training.runs.registry import Champion

#: Tags of a registered version that the gate reads.
HELD_OUT = "held_out_log_loss"
FINGERPRINT = "data_fingerprint"
#: Spend error may rise by this much, as a fraction, for a better return probability.
SPEND_SLACK = 0.02


@dataclass(frozen=True)
class Verdict:
    """What the gate says.

    Attributes
    ----------
    passed : bool
        Whether the challenger becomes champion.
    why : str
        One sentence with the figures.
    figures : mapping of str to float
        ``challenger_log_loss``, ``champion_log_loss`` and the same for ``spend_mae``.
    """

    passed: bool
    why: str
    figures: Mapping[str, float] = field(default_factory=dict)


def judge(
    predictions: pd.DataFrame | None,
    test: pd.DataFrame | None,
    *,
    horizon_days: int,
    window_from: date | None,
    champion: Champion | None,
) -> Verdict:
    """Compare a challenger with the champion on rows that neither has seen.

    Parameters
    ----------
    predictions : pandas.DataFrame or None
        The challenger's, for the rows of ``test``, by models that did not see them.
    test : pandas.DataFrame or None
        Behaviour and outcomes; None where history holds no window to test on.
    horizon_days : int
        Window of the return probability, in days.
    window_from : date or None
        First day of the test window.
    champion : Champion or None
        Who speaks now.

    Returns
    -------
    Verdict
        Passed or refused, with the reason.
    """
    if champion is None:
        return Verdict(True, "first model: there was no champion to compare with")
    if predictions is None or test is None or window_from is None:
        return Verdict(
            False,
            f"history is too short for a test window, so nothing shows that it beats version "
            f"{champion.version}; `regulars models promote` promotes by hand",
        )
    try:
        rival = _unspoilt(champion, window_from)
    except RegistryError as problem:
        # Nobody can serve it either: a refusal would leave the business without a model.
        return Verdict(True, f"version {champion.version} cannot be read any more: {problem}")
    if rival is None:
        return Verdict(
            False,
            f"version {champion.version} has seen the test window from {window_from} on; train "
            "with a later --as-of",
        )
    try:
        theirs = _figures(rival.predict(test, horizon_days=horizon_days), test)
    except (TrainingError, KeyError, ValueError) as problem:
        return Verdict(False, f"version {champion.version} cannot score this data: {problem}")
    return _compare(_figures(predictions, test), theirs, champion.version)


def judge_held_out(log_loss: float, fingerprint: str, champion: Champion | None) -> Verdict:
    """Compare two models of one labelled snapshot by their out-of-fold figures.

    Parameters
    ----------
    log_loss : float
        The challenger's, out of fold.
    fingerprint : str
        Of the data it was trained on.
    champion : Champion or None
        Who speaks now; its tags hold the same two figures.

    Returns
    -------
    Verdict
        Refused where the data differ: the champion may have seen these customers.
    """
    if champion is None:
        return Verdict(True, "first model: there was no champion to compare with")
    kept = champion.tags.get(HELD_OUT)
    if kept is None or champion.tags.get(FINGERPRINT) != fingerprint:
        return Verdict(
            False,
            f"version {champion.version} was trained on other data, and labels have no window that "
            f"neither has seen (log-loss out of fold here: {log_loss:.4f}); "
            "`regulars models promote` promotes by hand",
        )
    return _compare({"log_loss": log_loss}, {"log_loss": float(kept)}, champion.version)


def _unspoilt(champion: Champion, window_from: date) -> Scorer | None:
    for path in (champion.path, champion.tested_path):
        scorer = Scorer.load(path) if path else None
        if scorer is not None and scorer.trained_as_of <= window_from:
            return scorer
    return None


def _figures(predicted: pd.DataFrame, test: pd.DataFrame) -> dict[str, float]:
    from training.grading import metrics

    returned = test["returned"].to_numpy()
    figures = {"log_loss": metrics.log_loss(returned, predicted["return_probability"].to_numpy())}
    if "spend" in test:
        spend = predicted["expected_spend"].to_numpy()
        figures["spend_mae"] = metrics.mae(test["spend"].to_numpy(), spend)
    return figures


def _compare(ours: dict[str, float], theirs: dict[str, float], version: str) -> Verdict:
    figures = {f"challenger_{name}": figure for name, figure in ours.items()}
    figures |= {f"champion_{name}": figure for name, figure in theirs.items()}
    told = f"log-loss {ours['log_loss']:.4f} against {theirs['log_loss']:.4f} of version {version}"
    passed = ours["log_loss"] < theirs["log_loss"]
    if "spend_mae" in ours:
        told += f", spend error {ours['spend_mae']:.2f} against {theirs['spend_mae']:.2f}"
        passed &= ours["spend_mae"] <= theirs["spend_mae"] * (1 + SPEND_SLACK)
    words = "better than the champion" if passed else "not better than the champion"
    return Verdict(passed, f"{words}: {told}", figures)
