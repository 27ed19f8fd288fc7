"""The registered scorer of a business: versions, the champion, and how it came to be.

The registered model is ``regulars-<name>``; the alias ``champion`` names the version that is
served, ``challenger`` the newest one that did not pass the gate. Each promotion is kept as a tag
``history.<n>`` on the registered model, so it lives and dies with the registry itself.

Everything here takes the tracking URI as an argument; MLflow's global one is as it was afterwards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from training.errors import RegistryError

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

CHAMPION = "champion"
CHALLENGER = "challenger"
_HISTORY = re.compile(r"^history\.(\d{6})$")


@dataclass(frozen=True)
class Champion:
    """The version that speaks.

    Attributes
    ----------
    version : str
        Version in the registry.
    path : Path
        Local folder of the scorer.
    tested_path : Path or None
        Local folder of its twin that never saw the version's own test window; None where there
        was no window to test on.
    run_id : str
        The parent run of its training.
    tags : dict of str to str
        As registered.
    """

    version: str
    path: Path
    tested_path: Path | None
    run_id: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """One promotion or rollback.

    Attributes
    ----------
    at : str
        ISO instant, UTC.
    kind : {"promotion", "rollback"}
        What was done.
    from_version, to_version : str or None
        Champion before and after.
    why : str
        The gate's sentence, or the person's.
    """

    at: str
    kind: str
    from_version: str | None
    to_version: str
    why: str


@dataclass(frozen=True)
class Version:
    """One registered version, for people to read.

    Attributes
    ----------
    version, run_id, created_at : str
        Identity and ISO instant of registration (UTC).
    aliases : tuple of str
        ``champion``, ``challenger`` or none.
    tags : mapping of str to str
        ``trained_as_of``, ``horizon_days``, ``speaker``, ``grade_risk``, ``grade_value``,
        ``gate``.
    """

    version: str
    run_id: str
    created_at: str
    aliases: tuple[str, ...]
    tags: dict[str, str]


def model_name(name: str) -> str:
    """Name of the registered model of a business.

    Examples
    --------
    >>> model_name("online-retail")
    'regulars-online-retail'
    """
    return f"regulars-{name}"


def client(tracking_uri: str) -> MlflowClient:
    """An MLflow client on this tracking store, which is also the registry.

    Parameters
    ----------
    tracking_uri : str
        ``sqlite:///…``, ``postgresql://…`` or a tracking server's address.
    """
    from mlflow import MlflowClient

    return MlflowClient(tracking_uri=tracking_uri, registry_uri=tracking_uri)


@contextmanager
def pointed(tracking_uri: str) -> Iterator[None]:
    """Point MLflow's global tracking and registry at a store for the length of a block.

    Some of its calls read the global address even where a client is given another.

    Parameters
    ----------
    tracking_uri : str
        The store.
    """
    import mlflow

    before = mlflow.get_tracking_uri(), mlflow.get_registry_uri()
    mlflow.set_tracking_uri(tracking_uri)
    mlflow.set_registry_uri(tracking_uri)
    try:
        yield
    finally:
        mlflow.set_tracking_uri(before[0])
        mlflow.set_registry_uri(before[1])


def register(
    tracking_uri: str, name: str, *, run_id: str, source: str, tags: dict[str, str]
) -> str:
    """Add a version; it speaks for nobody until it is promoted.

    Parameters
    ----------
    tracking_uri, name : str
        Store, and the settings' ``name``.
    run_id : str
        Parent run of the training.
    source : str
        URI of the logged model.
    tags : dict of str to str
        Kept on the version.

    Returns
    -------
    str
        The new version.
    """
    from mlflow.exceptions import MlflowException

    api = client(tracking_uri)
    model = model_name(name)
    try:
        api.create_registered_model(model)
    except MlflowException as problem:
        if problem.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    model_id = source.removeprefix("models:/") if source.startswith("models:/m-") else None
    with pointed(tracking_uri):
        made = api.create_model_version(model, source, run_id, tags=tags, model_id=model_id)
    api.set_registered_model_alias(model, CHALLENGER, made.version)
    return str(made.version)


def champion(tracking_uri: str, name: str, version: str | None = None) -> Champion | None:
    """The champion, or a version asked for by number, with its files at hand.

    Parameters
    ----------
    tracking_uri, name : str
        Store, and the settings' ``name``.
    version : str, optional
        A pinned version instead of the alias.

    Returns
    -------
    Champion or None
        None where no version is champion yet.

    Raises
    ------
    RegistryError
        If the pinned version does not exist or its files cannot be read.
    """
    api = client(tracking_uri)
    asked = version or champion_version(tracking_uri, name)
    if asked is None:
        return None
    found = _version(api, name, asked)
    run_id = str(found.run_id)
    folder = _download(tracking_uri, f"models:/{model_name(name)}/{asked}")
    tested = found.tags.get("tested_scorer")
    twin = _download(tracking_uri, f"runs:/{run_id}/{tested}") if tested else None
    return Champion(asked, folder / "artifacts" / "scorer", twin, run_id, dict(found.tags))


def champion_version(tracking_uri: str, name: str) -> str | None:
    """Version behind the alias ``champion``, or None."""
    from mlflow.exceptions import MlflowException

    try:
        found = client(tracking_uri).get_model_version_by_alias(model_name(name), CHAMPION)
    except MlflowException:
        return None
    return str(found.version)


def versions(tracking_uri: str, name: str) -> list[Version]:
    """All registered versions, newest first."""
    api = client(tracking_uri)
    model = model_name(name)
    rows = api.search_model_versions(f"name = '{model}'", max_results=1000)
    if not rows:
        return []
    aliases = dict(api.get_registered_model(model).aliases)
    made = [
        Version(
            version=str(row.version),
            run_id=str(row.run_id),
            created_at=datetime.fromtimestamp(row.creation_timestamp / 1000, UTC).isoformat(),
            aliases=tuple(a for a, v in aliases.items() if str(v) == str(row.version)),
            tags=dict(row.tags),
        )
        for row in rows
    ]
    return sorted(made, key=lambda row: int(row.version), reverse=True)


def history(tracking_uri: str, name: str) -> list[Change]:
    """Every promotion and rollback, oldest first."""
    from mlflow.exceptions import MlflowException

    try:
        model = client(tracking_uri).get_registered_model(model_name(name))
    except MlflowException:
        return []
    kept = sorted((key, text) for key, text in model.tags.items() if _HISTORY.match(key))
    return [Change(**json.loads(text)) for _, text in kept]


def promote(
    tracking_uri: str,
    name: str,
    version: str,
    *,
    why: str,
    now: datetime,
    kind: str = "promotion",
) -> Change:
    """Make a version the champion and write down why.

    Parameters
    ----------
    tracking_uri, name, version : str
        Store, the settings' ``name``, and the version to promote.
    why : str
        Reason, kept with the change; may not be blank.
    now : datetime
        The instant, with a time zone.
    kind : {"promotion", "rollback"}
        What to call it in the history.

    Returns
    -------
    Change
        What was written.

    Raises
    ------
    RegistryError
        If the version does not exist, is champion already, or no reason is given.

    Notes
    -----
    The history entry is written first and the alias moved last. A kill between the two leaves
    the former champion speaking and an entry that ``reigns`` shows as not carried out.
    """
    api = client(tracking_uri)
    model = model_name(name)
    before = champion_version(tracking_uri, name)
    if not why.strip():
        raise RegistryError("a change of champion needs a reason; give one with --why")
    _version(api, name, version)
    if before == version:
        raise RegistryError(f"version {version} is the champion already; nothing to do")
    change = Change(now.astimezone(UTC).isoformat(), kind, before, version, why.strip())
    number = len(history(tracking_uri, name)) + 1
    api.set_registered_model_tag(model, f"history.{number:06d}", json.dumps(asdict(change)))
    api.set_registered_model_alias(model, CHAMPION, version)
    aliases = dict(api.get_registered_model(model).aliases)
    if str(aliases.get(CHALLENGER)) == version:
        api.delete_registered_model_alias(model, CHALLENGER)
    return change


def rollback(tracking_uri: str, name: str, *, why: str, now: datetime) -> Change:
    """Bring back the champion before this one.

    Parameters
    ----------
    tracking_uri, name : str
        Store, and the settings' ``name``.
    why : str
        Reason, kept with the change.
    now : datetime
        The instant, with a time zone.

    Returns
    -------
    Change
        What was written.

    Raises
    ------
    RegistryError
        If there is no former champion.
    """
    current = champion_version(tracking_uri, name)
    past = reigns(tracking_uri, name)
    arrived = [c for c in past if c.to_version == current and c.kind == "promotion"]
    if current is None or not arrived or arrived[-1].from_version is None:
        raise RegistryError("there is no former champion to go back to; see `regulars models`")
    return promote(tracking_uri, name, arrived[-1].from_version, why=why, now=now, kind="rollback")


def reigns(tracking_uri: str, name: str) -> list[Change]:
    """The changes that were carried out, oldest first.

    A change is carried out when the next one starts from it or the alias stands at it now.
    """
    changes = history(tracking_uri, name)
    current = champion_version(tracking_uri, name)
    after = [*(change.from_version for change in changes[1:]), current][: len(changes)]
    return [c for c, then in zip(changes, after, strict=True) if c.to_version == then]


def _version(api: MlflowClient, name: str, version: str) -> ModelVersion:
    from mlflow.exceptions import MlflowException

    try:
        return api.get_model_version(model_name(name), version)
    except MlflowException as problem:
        raise RegistryError(
            f"there is no version {version!r} of {model_name(name)}; see `regulars models`"
        ) from problem


def _download(tracking_uri: str, uri: str) -> Path:
    from mlflow.artifacts import download_artifacts
    from mlflow.exceptions import MlflowException

    try:
        with pointed(tracking_uri):
            return Path(download_artifacts(artifact_uri=uri))
    except (MlflowException, OSError) as problem:
        raise RegistryError(
            f"the files of {uri} cannot be read; were they moved or removed? Train again, or "
            "roll back with `regulars models rollback`"
        ) from problem
