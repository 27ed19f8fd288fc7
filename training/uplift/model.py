"""An uplift model: learned effects of each action, how far to believe them, and the gate's word.

In: a randomised trial and the money at stake. Out: for any behaviour rows the change of the return
probability and of the spend by each action, with standard errors. Where the gate did not let the
model pass, every customer is told the average effect.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from training.learners.churn import ChurnModel
from training.learners.encoding import Encoder
from training.uplift.effects import Line
from training.uplift.gate import Verdict, judge
from training.uplift.held_out import Basis, HeldOut, hold_out, worth_of_return
from training.uplift.learners import Kind, Learner
from training.uplift.policy import Money
from training.uplift.trial import OUTCOMES, RETURNED, SPEND, Trial

#: Raised when the layout changes; reading refuses what it does not know.
FORMAT = 1
HEAD = "uplift.json"
#: Share of a trial's customers that a leaf holds at least: effects are told of many or not at all.
#: In simulated trials of 6,000 and 20,000 customers it ranked effects on spend better than
#: leaves of half the square root (benchmarks/uplift.py).
LEAF = 0.01


def trees_for(customers: int, seed: int = 0, threads: int = 1) -> ChurnModel:
    """Parameters of the trees for a trial of so many customers."""
    smallest = max(20, int(LEAF * customers))
    return ChurnModel(min_data_in_leaf=smallest, seed=seed, threads=threads)


@dataclass(frozen=True)
class UpliftModel:
    """Effects of actions on customers.

    Attributes
    ----------
    learner : Learner
        Fitted on the whole trial.
    lines : mapping of str to tuple of Line
        By outcome, a line an action: learned out of fold.
    verdict : Verdict
        Whether it may choose customers.
    basis : {"returned", "spend"}
        What tells customers' effects on spend from one another (`HeldOut.gains`).
    worth : float
        Spend per return, in currency, for the basis ``returned``.
    """

    learner: Learner
    lines: Mapping[str, tuple[Line, ...]]
    verdict: Verdict
    basis: Basis
    worth: float

    @property
    def actions(self) -> tuple[str, ...]:
        """Names of the actions."""
        return self.learner.arms[1:]

    def effect(self, frame: pd.DataFrame, outcome: str) -> tuple[np.ndarray, np.ndarray]:
        """Effects of all actions and their standard errors.

        Parameters
        ----------
        frame : DataFrame of shape (n, at least n_columns)
            Behaviour rows.
        outcome : {"returned", "spend"}

        Returns
        -------
        tuple of ndarray of shape (n, n_actions)
            Change of the return probability, or of the spend in currency over the window; and the
            standard error of the mean effect on such customers. The average effect for everyone
            where the gate did not pass.
        """
        lines = self.lines[outcome]
        if not self.verdict.passed:
            shape = (len(frame), len(lines))
            return (
                np.broadcast_to([line.mean for line in lines], shape).copy(),
                np.broadcast_to([line.mean_error for line in lines], shape).copy(),
            )
        if outcome == SPEND and self.basis == RETURNED:
            return self._by_return(frame)
        raw = self.learner.effect(frame, outcome)
        told = [line.effect(raw[:, k]) for k, line in enumerate(lines)]
        error = [line.sd(raw[:, k]) for k, line in enumerate(lines)]
        return np.column_stack(told), np.column_stack(error)

    def _by_return(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """Effect on spend: the average one, and differences by the return at its worth."""
        raw = self.learner.effect(frame, RETURNED)
        told, error = np.empty_like(raw), np.empty_like(raw)
        pairs = zip(self.lines[SPEND], self.lines[RETURNED], strict=True)
        for k, (level, line) in enumerate(pairs):
            told[:, k] = level.mean + self.worth * (line.effect(raw[:, k]) - line.mean)
            slope = self.worth * line.slope_error * (raw[:, k] - line.centre)
            error[:, k] = np.hypot(level.mean_error, slope)
        return told, error

    def save(self, folder: Path) -> None:
        """Write the model as text and JSON into a folder, without pickle.

        Parameters
        ----------
        folder : Path
            Made when absent.
        """
        folder.mkdir(parents=True, exist_ok=True)
        for name, booster in self.learner.boosters.items():
            (folder / f"{name}.txt").write_text(booster.model_to_string(), encoding="utf-8")
        head = {
            "format": FORMAT,
            "kind": self.learner.kind,
            "arms": list(self.learner.arms),
            "encoder": self.learner.encoder.to_dict(),
            "boosters": list(self.learner.boosters),
            "shares": list(self.learner.shares),
            "lines": {name: [line.to_dict() for line in own] for name, own in self.lines.items()},
            "verdict": self.verdict.to_dict(),
            "basis": self.basis,
            "worth": self.worth,
        }
        text = json.dumps(head, indent=1, ensure_ascii=False, allow_nan=False)
        (folder / HEAD).write_text(text, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> UpliftModel:
        """Read what `save` wrote; effects are equal bit for bit.

        Parameters
        ----------
        folder : Path

        Returns
        -------
        UpliftModel

        Raises
        ------
        FileNotFoundError
            When the folder holds no uplift model.
        ValueError
            When it was written in another format.
        """
        import lightgbm

        path = folder / HEAD
        if not path.is_file():
            raise FileNotFoundError(f"No uplift model in {folder}: expected {HEAD}; learn one.")
        head = json.loads(path.read_text(encoding="utf-8"))
        if head["format"] != FORMAT:
            raise ValueError(
                f"Got an uplift model of format {head['format']} in {folder}, expected {FORMAT}; "
                "learn it again with this version."
            )
        boosters = {
            name: lightgbm.Booster(model_str=(folder / f"{name}.txt").read_text(encoding="utf-8"))
            for name in head["boosters"]
        }
        encoder, shares = Encoder.from_dict(head["encoder"]), tuple(head["shares"])
        learner = Learner(head["kind"], tuple(head["arms"]), encoder, boosters, shares)
        lines = {
            name: tuple(Line.from_dict(line) for line in own) for name, own in head["lines"].items()
        }
        verdict = Verdict.from_dict(head["verdict"])
        return cls(learner, lines, verdict, head["basis"], float(head["worth"]))


def learn(
    trial: Trial,
    money: Money,
    *,
    kind: Kind = "X",
    basis: Basis = "returned",
    share: float = 1.0,
    repeats: int = 3,
    seed: int = 0,
    threads: int = 1,
    tell: Callable[[str, int, int], None] = lambda *_: None,
) -> tuple[UpliftModel, tuple[HeldOut, ...]]:
    """Learn effects from a trial and judge them out of sample.

    Parameters
    ----------
    trial : Trial
    money : Money
        Margin, and the cost of each action.
    kind : {"X", "T"}, default="X"
    basis : {"returned", "spend"}, default="returned"
        What tells customers' effects on spend from one another (`HeldOut.gains`).
    share : float in (0, 1], default=1.0
        Of the customers that a plan can treat; the gate compares rules at it.
    repeats : int, default=3
        Ways to deal the customers into folds; the gate averages over them.
    seed : int, default=0
        Of trees, folds and bootstrap.
    threads : int, default=1
    tell : callable
        Progress.

    Returns
    -------
    tuple of UpliftModel and tuple of HeldOut
        The model, and the out-of-fold answers that it was judged by, one for each repeat. Its lines
        are those of the first.

    Raises
    ------
    NotEnoughData
        When an arm has too few customers or returns.
    """
    trees = trees_for(len(trial), seed, threads)
    deals = tuple(
        hold_out(trial, kind, trees, seed=seed + turn, tell=tell) for turn in range(repeats)
    )
    random = np.random.default_rng(seed)
    verdict = judge(deals, money, random, basis=basis, share=share)
    places = range(1, len(trial.arms))
    lines = {name: tuple(deals[0].line(name, place) for place in places) for name in OUTCOMES}
    learner = Learner.fit(trial, kind, trees)
    return UpliftModel(learner, lines, verdict, basis, worth_of_return(trial)), deals
