"""The settings file `regulars.toml`: each room's own part, put together and checked.

Whatever is wrong is said at once, with file, section and key, before anything is opened.
Relative paths start at the settings file's folder; `${NAME}` and `${NAME:-default}` in strings
come from the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, ValidationError, field_validator, model_validator

from features.errors import SettingsError
from features.opening import locations, variables
from features.section import Section, Source
from features.settings import Sources, StoreSettings
from regulars import corrections
from serving.campaigns.settings import Actions, PlanSettings, action_name
from serving.groups.rules import SegmentSettings
from training.settings import ChurnSettings, TrackingSettings, ValueSettings

_NAME = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_NAME_LENGTH = 60


class Settings(Section):
    """Everything that `regulars.toml` says, with defaults filled in and paths absolute.

    `name` becomes the MLflow experiment and, with `regulars-` before it, the registered model.
    """

    name: str = Field(
        description='Short name of the business, as `name = "my-shop"`: small letters, digits and '
        "single dashes, at most 60. Names the MLflow experiment and, after `regulars-`, the model."
    )
    currency: str = Field(
        description='Three letters of ISO 4217, as `currency = "EUR"`; every amount is in it.'
    )
    timezone: str = Field(
        description='Where the business is, as `timezone = "Europe/London"`: a day begins at its '
        "midnight."
    )
    sources: Sources
    churn: ChurnSettings = ChurnSettings()
    value: ValueSettings = ValueSettings()
    store: StoreSettings = StoreSettings()
    tracking: TrackingSettings = TrackingSettings()
    actions: Actions = Field(default={})
    plan: PlanSettings = PlanSettings()
    segments: dict[str, SegmentSettings] = Field(default_factory=dict)

    @field_validator("name")
    @classmethod
    def _slug(cls, name: str) -> str:
        if not _NAME.fullmatch(name) or len(name) > _NAME_LENGTH:
            raise ValueError(
                f"got {name!r}; expected small letters, digits and single dashes, at most "
                f'{_NAME_LENGTH}, as name = "online-retail".'
            )
        return name

    @field_validator("currency")
    @classmethod
    def _iso_4217(cls, currency: str) -> str:
        if not re.fullmatch("[A-Z]{3}", currency):
            raise ValueError(
                f'got {currency!r}; expected three capital letters, as currency = "EUR".'
            )
        return currency

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, timezone: str) -> str:
        try:
            ZoneInfo(timezone)
        except (OSError, ValueError, KeyError):
            near = corrections.nearest(timezone, available_timezones())
            meant = f"did you mean {near!r}?" if near else "expected a name as 'Europe/London'."
            raise ValueError(f"no time zone is called {timezone!r}; {meant}") from None
        return timezone

    @field_validator("actions")
    @classmethod
    def _named_actions(cls, actions: Actions) -> Actions:
        for name in actions:
            action_name(name)
        return actions

    @model_validator(mode="after")
    def _parts_agree(self) -> Settings:
        if faults := list(_disagreements(self)):
            raise ValueError("\n".join(faults))
        return self


def _disagreements(settings: Settings) -> list[str]:
    """Faults that no section can see alone."""
    sources, rule = settings.sources, settings.churn.rule
    faults = []
    if rule == "subscription" and sources.subscriptions is None:
        faults.append("the section [sources.subscriptions] is missing; `subscription` reads it.")
    if rule == "inactivity" and sources.transactions is None:
        faults.append("the section [sources.transactions] is missing; `inactivity` reads it.")
    if rule == "label" and (sources.customers is None or sources.customers.label is None):
        faults.append(
            'rule = "label" in [churn] needs `label` in [sources.customers]: the column that '
            "says who churned."
        )
    others = (_of_labels, _of_segments, _of_contacts)
    return faults + [fault for find in others for fault in find(settings)]


def _of_contacts(settings: Settings) -> Iterator[str]:
    """Columns that decide who may be contacted and are not read."""
    customers = settings.sources.customers
    known = customers.contacts if customers else ()
    asked = [("suppressed", "[plan]", settings.plan.suppressed)]
    asked += [("consent", f"[actions.{n}]", one.consent) for n, one in settings.actions.items()]
    for key, section, name in asked:
        if name is not None and name not in known:
            meant = corrections.nearest(name, known)
            hint = f"; did you mean {meant!r}?" if meant else "."
            yield (
                f"`{key}` in {section} names {name!r}, which is not among the `permissions` of "
                f"[sources.customers]{hint}"
            )


def _of_segments(settings: Settings) -> Iterator[str]:
    """Faults in the conditions of [segments.…]."""
    from serving.groups import rules

    customers = settings.sources.customers
    yield from rules.faults(settings.segments, customers.attributes if customers else ())


def _of_labels(settings: Settings) -> Iterator[str]:
    """Faults in the keys that only the rule `label` reads."""
    from features.catalogue import names

    churn, customers = settings.churn, settings.sources.customers
    if churn.rule != "label":
        given = [f"`{key}`" for key in ("keep", "base_rate") if getattr(churn, key)]
        if given:
            yield f'{" and ".join(given)} in [churn] go with rule = "label" only.'
        return
    known = [*(customers.attributes if customers else ()), *names()]
    for name in churn.keep:
        if name not in known:
            meant = corrections.nearest(name, known)
            hint = f"; did you mean {meant!r}?" if meant else "."
            yield (
                f"`keep` in [churn] names {name!r}, which is neither among the `attributes` of "
                f"[sources.customers] nor a column of docs/columns.md{hint}"
            )


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(
            f"There is no settings file {str(file)!r}. `regulars demo --no-serve` writes one to "
            "go on from (regulars-demo/regulars.toml), or name yours with -c."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{file} is not TOML: {error}.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{file} is not UTF-8 text (byte {error.start}); save it so."
        ) from error
    except OSError as error:
        raise SettingsError(f"{file} cannot be read: {error.strerror or error}.") from error


def _located(settings: Settings, folder: Path) -> Settings:
    """Paths made absolute, the tracking address filled in."""
    sources = {
        name: source.model_copy(update={"uri": locations.source(source.uri, folder)})
        for name, source in settings.sources
        if isinstance(source, Source)
    }
    store = locations.path(settings.store.path, folder)
    uri = locations.tracking(settings.tracking.uri, folder, store)
    return settings.model_copy(
        update={
            "sources": settings.sources.model_copy(update=sources),
            "store": settings.store.model_copy(update={"path": store}),
            "tracking": settings.tracking.model_copy(update={"uri": uri}),
        }
    )


def parse(content: Mapping[str, Any], *, file: Path, environment: Mapping[str, str]) -> Settings:
    """Check settings that were read from TOML.

    Parameters
    ----------
    content : mapping
        The file's tables and keys.
    file : Path
        Where they come from: named in errors; its folder is where relative paths start.
    environment : mapping of str to str
        Values of `${NAME}`, as `os.environ`.

    Returns
    -------
    Settings
        Frozen; paths absolute.

    Raises
    ------
    SettingsError
        One line for each fault: unknown keys with the nearest known one, missing keys, wrong
        types and ranges, sections that contradict each other.
    """
    try:
        given = variables.expand(content, environment)
        faults = corrections.misplaced_booleans(Settings, given)
        if not faults:
            return _located(Settings.model_validate(given), file.absolute().parent)
    except ValidationError as error:
        faults = corrections.sentences(Settings, error)
    except SettingsError as error:
        faults = [str(error)]
    raise SettingsError("\n".join(f"{file}: {fault}" for fault in faults))


def load(file: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Read and check a settings file.

    Parameters
    ----------
    file : Path
        A `regulars.toml`.
    environment : mapping of str to str, optional
        Values of `${NAME}`; the process's environment when not given.

    Returns
    -------
    Settings
        Frozen; paths absolute, the tracking address filled in.

    Raises
    ------
    SettingsError
        The file is missing, unreadable or not TOML, or a setting cannot be.

    See Also
    --------
    parse : the same from content that was read already.
    """
    content = _read(file)
    return parse(content, file=file, environment=os.environ if environment is None else environment)


def loggable(settings: Settings) -> dict[str, Any]:
    """Settings as plain values for the records of a training, without passwords.

    Parameters
    ----------
    settings : Settings
        As loaded.

    Returns
    -------
    dict
        JSON-ready; absent options left out, passwords in addresses as ``***``.
    """
    plain = settings.model_dump(mode="json", exclude_none=True)
    for section in (*plain["sources"].values(), plain["tracking"]):
        if "uri" in section:
            section["uri"] = locations.without_password(section["uri"])
    return plain
