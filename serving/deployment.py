"""What one service process serves: names, the store, and one version of the model.

Resolved once, in this order:

- names and store: the settings file that ``REGULARS_CONFIG`` names (``regulars.toml`` in the
  working folder when there is one), else what was put beside the model in a bento;
- the scorer: the folder ``REGULARS_SCORER`` with its version ``REGULARS_MODEL_VERSION``, else
  the model of the bento that this process runs from, else MLflow's champion.

The process above the workers calls `pin` before it starts them: it asks MLflow once and sets the
two variables, so that a promotion meanwhile cannot give workers of different versions, and
workers need no MLflow.
"""

from __future__ import annotations

import atexit
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from features.errors import SettingsError
from features.opening import locations, variables
from features.store import Store
from serving import event_words
from serving.api import billing
from serving.api.observability import DIRECTORY
from serving.campaigns import terms as campaigns
from serving.campaigns.terms import Terms
from serving.errors import ScoreTableError, ServingError
from serving.groups.population import Thresholds
from serving.policy import Policy

CONFIG = "REGULARS_CONFIG"
SCORER = "REGULARS_SCORER"
VERSION = "REGULARS_MODEL_VERSION"

#: Name of the model in BentoML's model store.
MODEL = "regulars-scorer"

#: File beside the scorer in a bento's model.
BUNDLE = "bundle.json"


class _Store(BaseModel):
    path: str = ".regulars"


class _Tracking(BaseModel):
    uri: str | None = None


class _Settings(Policy):
    """The keys of `regulars.toml` that nothing is served without.

    The front door checks the others; those of plans are read in `serving.campaigns.terms`.
    """

    name: str
    currency: str
    timezone: str
    store: _Store = _Store()
    tracking: _Tracking = _Tracking()


@dataclass(frozen=True)
class Names:
    """What the business is called, counts in and lives by.

    Parameters
    ----------
    name, currency, timezone : str
        From the settings.
    """

    name: str
    currency: str
    timezone: str


@dataclass(frozen=True)
class Deployment:
    """What one service process serves.

    Parameters
    ----------
    names : Names
    store : Store or None
        None in a bento without settings.
    scorer : Path or None
        Folder of the model; None before the first champion.
    model_version : str
        Empty without a scorer.
    thresholds : Thresholds or None
        Those put beside the model; a score table's own go before them.
    billing : dict or None
        How subscriptions are kept (`serving.api.billing.kept`); None without such a source.
    tracking : str or None
        Address of MLflow's store; None in a bento without settings. It can hold a password.
    terms : Terms or None
        What plans keep to; None in a bento without settings.
    policy : Policy
        What the settings decide of groups; the defaults in a bento without settings.
    kinds : dict of str to str
        The business's own words for kinds of events (`serving.event_words.checked`).
    """

    names: Names
    store: Store | None
    scorer: Path | None
    model_version: str
    thresholds: Thresholds | None = None
    billing: dict[str, Any] | None = None
    tracking: str | None = field(default=None, repr=False)
    terms: Terms | None = None
    policy: Policy = field(default_factory=Policy)
    kinds: dict[str, str] = field(default_factory=dict)


def resolve(environ: Mapping[str, str], bundle: Path | None = None) -> Deployment:
    """Find out what to serve.

    Parameters
    ----------
    environ : mapping of str to str
        The process's environment.
    bundle : Path, optional
        Folder of the bento's model, when the process runs from a bento.

    Returns
    -------
    Deployment

    Raises
    ------
    ServingError
        If there is no settings file and no bento, or one of them cannot be read.
    TrainingError
        If MLflow cannot be asked.
    """
    bundled = None if bundle is None else _read_bundle(bundle)
    file = _settings_file(environ)
    if file is None and bundled is None:
        raise ServingError(
            f"there is nothing to serve: set {CONFIG} to the settings file (regulars.toml)"
        )
    here = bundled
    if file is not None:
        here = _read_settings(file, environ)
    assert here is not None  # noqa: S101 - one of the two was read
    if SCORER in environ:
        scorer, version = Path(environ[SCORER]), environ.get(VERSION, "unknown")
        return replace(here, scorer=scorer, model_version=version, thresholds=None)
    if bundled is not None:
        return replace(
            bundled,
            names=here.names,
            store=here.store,
            billing=here.billing,
            tracking=here.tracking,
            terms=here.terms,
            policy=here.policy,
            kinds=here.kinds,
        )
    assert here.tracking is not None  # noqa: S101 - read with the settings
    found, version = _champion(here.tracking, here.names.name, environ.get(VERSION))
    return replace(here, scorer=found, model_version=version)


def pin(environ: MutableMapping[str, str], bundle: Path | None = None) -> None:
    """Fix what every worker will serve, and where they count; called once, above them.

    Parameters
    ----------
    environ : mutable mapping of str to str
        The process's environment, which the workers inherit.
    bundle : Path, optional
        Folder of the bento's model, when the process runs from a bento.
    """
    # Workers of a bento start in another folder.
    if (file := _settings_file(environ)) is not None:
        environ[CONFIG] = str(file)
    found = resolve(environ, bundle)
    if found.scorer is not None and bundle is None:
        environ[SCORER] = str(found.scorer)
        environ[VERSION] = found.model_version
    if DIRECTORY not in environ:
        folder = tempfile.mkdtemp(prefix="regulars-metrics-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        environ[DIRECTORY] = folder


def bundle(
    names: Names,
    model_version: str,
    thresholds: Thresholds | None,
    billing: dict[str, Any] | None = None,
    kinds: dict[str, str] | None = None,
) -> str:
    """Text of the file that goes beside the scorer in a bento's model.

    Parameters
    ----------
    names : Names
    model_version : str
    thresholds : Thresholds or None
        Of the last full scoring, so that raw transactions can be scored without a store.
    billing : dict, optional
        How subscriptions are kept.
    kinds : dict of str to str, optional
        The business's own words for kinds of events.

    Returns
    -------
    str
        JSON.
    """
    told = {
        "name": names.name,
        "currency": names.currency,
        "timezone": names.timezone,
        "model_version": model_version,
        "thresholds": None if thresholds is None else thresholds.to_dict(),
        "billing": billing,
        "kinds": kinds or {},
    }
    return json.dumps(told, indent=1, allow_nan=False)


def _read_bundle(folder: Path) -> Deployment:
    try:
        told = json.loads((folder / BUNDLE).read_text(encoding="utf-8"))
        names = Names(told["name"], told["currency"], told["timezone"])
        thresholds = told["thresholds"] and Thresholds.from_dict(told["thresholds"])
        scorer, version = folder / "scorer", told["model_version"]
        keeping, kinds = told.get("billing"), told.get("kinds", {})
        return Deployment(names, None, scorer, version, thresholds, keeping, kinds=kinds)
    except (OSError, ValueError, KeyError, ScoreTableError) as error:
        raise ServingError(
            f"the bento's model cannot be read ({type(error).__name__}: {error}); put the "
            "champion into the model store again and build the bento again"
        ) from error


def _settings_file(environ: Mapping[str, str]) -> Path | None:
    if CONFIG in environ:
        return Path(environ[CONFIG]).absolute()
    usual = Path("regulars.toml").absolute()
    return usual if usual.is_file() else None


def _read_settings(file: Path, environ: Mapping[str, str]) -> Deployment:
    """What is served but for the model; relative paths start at the file's folder."""
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8-sig"))
        # Sources are not read here: their variables need not be set where answers are given.
        read = {key: content[key] for key in _Settings.model_fields if key in content}
        settings = _Settings.model_validate(variables.expand(read, environ))
        if (keeping := billing.kept(content)) is not None:
            keeping = variables.expand(keeping, environ)
            billing.source(keeping)
        kinds = event_words.checked(variables.expand(event_words.kept(content), environ))
        store = locations.path(settings.store.path, file.parent)
        tracking = locations.tracking(settings.tracking.uri, file.parent, store)
    except OSError as error:
        raise ServingError(f"{file} cannot be read: {error.strerror}; {CONFIG} names it") from error
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        raise ServingError(f"{file}: missing or wrong: {keys}; see `regulars check`") from error
    except SettingsError as error:
        raise ServingError(f"{file}: {error}") from error
    except ValueError as error:
        raise ServingError(f"{file} is not TOML in UTF-8: {error}") from error
    names = Names(settings.name, settings.currency, settings.timezone)
    place = Store(Path(store))
    kept_to = campaigns.read(
        content,
        environ,
        file.parent,
        margin=settings.value.margin,
        currency=names.currency,
        timezone=names.timezone,
    )
    return Deployment(
        names,
        place,
        None,
        "",
        billing=keeping,
        tracking=tracking,
        terms=kept_to,
        policy=Policy(value=settings.value, segments=settings.segments),
        kinds=kinds,
    )


def _champion(tracking: str, name: str, version: str | None) -> tuple[Path | None, str]:
    # Reading the champion needs MLflow, which nothing else here does.
    from training.runs import registry

    os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
    found = registry.champion(tracking, name, version)
    return (None, "") if found is None else (found.path, found.version)
