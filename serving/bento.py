"""Puts the champion into BentoML's model store, so that a bento needs no MLflow.

`python -m serving.bento`, with `REGULARS_CONFIG` set, then `bentoml build` in the project's
folder. The model holds the scorer, its version, the names of the business, and the thresholds of
the last full scoring; so a bento scores raw transactions without a store. With
`REGULARS_CONFIG` set where it runs, it serves the score tables of that store too.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

from serving import deployment, scores
from serving.deployment import BUNDLE, MODEL, Deployment
from serving.errors import ServingError


def put(found: Deployment) -> str:
    """Copy a deployment's scorer into the model store.

    Parameters
    ----------
    found : Deployment
        With a scorer, and a store with a score table.

    Returns
    -------
    str
        Tag of the new model, such as ``"regulars-scorer:kq3x…"``.

    Raises
    ------
    ServingError
        If there is no champion or no score table yet.
    """
    import bentoml

    if found.scorer is None:
        raise ServingError("there is no champion to put into a bento: run `regulars train` first")
    meta = _newest(found)
    labels = {
        "name": found.names.name,
        "model_version": found.model_version,
        "thresholds_as_of": meta.as_of.isoformat(),
    }
    with bentoml.models.create(MODEL, labels=labels) as model:
        folder = Path(model.path)
        shutil.copytree(found.scorer, folder / "scorer")
        kept = found.billing, found.kinds
        text = deployment.bundle(found.names, found.model_version, meta.thresholds, *kept)
        (folder / BUNDLE).write_text(text, encoding="utf-8")
    return str(model.tag)


def _newest(found: Deployment) -> Any:
    as_of = None if found.store is None else found.store.latest("scores")
    if found.store is None or as_of is None:
        raise ServingError(
            "there is no score table to take the thresholds from: run `regulars score` first"
        )
    return scores.read_meta(found.store.scores(as_of))


def main() -> None:
    """Put the champion of the settings into the model store and say how it is called."""
    tag = put(deployment.resolve(os.environ))
    sys.stdout.write(f"{tag}\nNow build: bentoml build\n")


if __name__ == "__main__":
    main()
