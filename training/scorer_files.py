"""A scorer as a folder of text and JSON, without pickle.

In: a fitted scorer. Out: ``scorer.json`` with terms, grades, margins and the value model, a folder
named by the speaker with the model that speaks, beside a blend ``spend`` with the spend model and
``carry.json`` with the levels, and ``spread.json`` with what the intervals rest on.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from training.errors import RegistryError
from training.scorer import Scorer
from training.terms import Terms

if TYPE_CHECKING:
    from training.learners.blend import Blend
    from training.learners.churn import ChurnModel
    from training.learners.logistic import LogisticModel
    from training.learners.pair import Pair
    from training.learners.spend import SpendModel
    from training.subscriptions.scorer import SubscriptionScorer

#: Raised when the layout changes; reading refuses what it does not know.
FORMAT = 4
HEAD = "scorer.json"
SPEND = "spend"


def write(scorer: Scorer, folder: Path) -> None:
    """Write a scorer.

    Parameters
    ----------
    scorer : Scorer
    folder : Path
        Created if absent.
    """
    folder.mkdir(parents=True, exist_ok=True)
    head = {
        "terms": asdict(scorer.terms),
        "speaker": scorer.speaker,
        "families": dict(scorer.families),
        "grades": dict(scorer.grades),
        "value": None if scorer.value is None else scorer.value.to_dict(),
        "calendar": None if scorer.calendar is None else scorer.calendar.to_dict(),
        "margins": None if scorer.margins is None else scorer.margins.to_dict(),
    }
    if scorer.churn is not None:
        scorer.churn.save(folder / scorer.speaker)
    if scorer.spend is not None:
        scorer.spend.save(folder / SPEND)
    if scorer.carry is not None:
        scorer.carry.save(folder)
    finish(scorer, head, folder)


def finish(scorer: Scorer | SubscriptionScorer, head: Mapping[str, Any], folder: Path) -> None:
    """Write what scorers of every kind have: the parts beside their models, and last the head.

    Parameters
    ----------
    scorer : Scorer or SubscriptionScorer
    head : mapping of str
        As JSON values.
    folder : Path
        With the models in it.
    """
    for part in (scorer.spread, scorer.reach, scorer.shape):
        if part is not None:
            part.save(folder)
    told = {"format": FORMAT, **head}
    (folder / HEAD).write_text(json.dumps(told, indent=1, allow_nan=False), encoding="utf-8")


def read(folder: Path) -> Scorer:
    """Read a scorer that `write` wrote.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    Scorer
        Or, under the rule `subscription`, a `training.subscriptions.scorer.SubscriptionScorer`.
        Predicts bit for bit what the written one did.

    Raises
    ------
    RegistryError
        If the folder holds no scorer, or one of another format.
    """
    head = _read_head(folder)
    if head.get("kind") == "subscription":
        from training.subscriptions.scorer import SubscriptionScorer

        # The same questions and columns, asked of subscribers.
        return cast(Scorer, SubscriptionScorer.read(folder, head))
    from training.margins import Margins
    from training.silence.reach import Reach
    from training.silence.shape import Shape
    from training.value.calendar import Calendar
    from training.value.model import ValueModel
    from training.windows.carry import Carry
    from training.windows.spread import Spread

    value = None if head["value"] is None else ValueModel.from_dict(head["value"])
    return Scorer(
        terms=Terms(**head["terms"]),
        speaker=head["speaker"],
        value=value,
        churn=_load_churn(folder, head["speaker"]),
        families=head["families"],
        grades=head["grades"],
        spend=_load_spend(folder),
        carry=Carry.load(folder) if head["speaker"] == "blend" else None,
        spread=Spread.load(folder),
        reach=Reach.load(folder),
        shape=Shape.load(folder),
        # Scorers that know of no calendar, or no margins, are older.
        calendar=Calendar.from_dict(head["calendar"]) if head.get("calendar") else None,
        margins=Margins.from_dict(head["margins"]) if head.get("margins") else None,
    )


def _read_head(folder: Path) -> dict[str, Any]:
    path = folder / HEAD
    if not path.is_file():
        raise RegistryError(f"no scorer in {folder}: {HEAD} is missing; train a model first")
    head = json.loads(path.read_text(encoding="utf-8"))
    if head.get("format") != FORMAT:
        raise RegistryError(
            f"this scorer has format {head.get('format')!r}, this version of Regulars reads "
            f"{FORMAT}; train again, or use the version that trained it"
        )
    return head


def _load_spend(folder: Path) -> SpendModel | None:
    if not (folder / SPEND).is_dir():
        return None
    from training.learners.spend import SpendModel

    return SpendModel.load(folder / SPEND)


def _load_churn(folder: Path, speaker: str) -> Blend | ChurnModel | LogisticModel | Pair | None:
    if speaker == "blend":
        from training.learners.blend import Blend

        return Blend.load(folder / speaker)
    if speaker == "churn":
        from training.learners.churn import ChurnModel

        return ChurnModel.load(folder / speaker)
    if speaker == "logistic":
        from training.learners.logistic import LogisticModel

        return LogisticModel.load(folder / speaker)
    if speaker == "pair":
        from training.learners.pair import Pair

        return Pair.load(folder / speaker)
    return None
