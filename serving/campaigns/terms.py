"""The terms of plans: the actions, the rules of [plan], and where it says who may be contacted.

The command line has them from its checked settings. The service reads the few sections itself; a
section that cannot be read there bars plans, with the reason, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from features.settings import Sources
from serving.campaigns.settings import Actions, ActionSettings, PlanSettings, action_name
from serving.errors import CampaignError

#: Sources that say who may be contacted.
_SOURCES = ("customers", "treatments")


# What reads like a name may be said back; anything else could be a customer's.
_NAME = re.compile(r"[a-z_-]{1,40}")
_SHOWN = 5


def _said(unknown: Sequence[str]) -> str:
    """Names that are not known, as far as they may be said back."""
    names = [name for name in unknown if _NAME.fullmatch(name)][:_SHOWN]
    more = len(unknown) - len(names)
    others = f"{more:,} more" if names else f"{more:,} that read like no name"
    return ", ".join([*names, *([others] if more else [])])


@dataclass(frozen=True)
class Terms:
    """What every plan of a business keeps to.

    Attributes
    ----------
    currency, timezone : str
        Of the settings.
    margin : float
        Share of the spend that is profit where a score row says none, in (0, 1].
    actions : mapping of str to ActionSettings
    rules : PlanSettings
    sources : Sources or None
        Those that say who may be contacted; None where nothing asks for them. Their addresses are
        absolute and can hold a password.
    uncooled : tuple of str
        Actions whose cooling-off cannot be kept, as no source says who was treated when.
    obstacle : str
        Why no plan can be made with them; empty where one can.
    """

    currency: str
    timezone: str
    margin: float = 0.30
    actions: Mapping[str, ActionSettings] = field(default_factory=dict)
    rules: PlanSettings = field(default_factory=PlanSettings)
    sources: Sources | None = field(default=None, repr=False)
    uncooled: tuple[str, ...] = ()
    obstacle: str = ""

    def of(self, names: Collection[str]) -> Terms:
        """The terms of a plan with some of the actions, in the order of the settings.

        Raises
        ------
        CampaignError
            If one of them is not in the settings.
        """
        unknown = sorted(set(names) - set(self.actions))
        if unknown:
            raise CampaignError(
                f"Got unknown actions: {_said(unknown)}; expected some of: "
                f"{', '.join(self.actions) or '(none)'}."
            )
        chosen = {name: one for name, one in self.actions.items() if name in names}
        return replace(self, actions=chosen)


def terms(
    actions: Mapping[str, ActionSettings],
    rules: PlanSettings,
    sources: Sources,
    *,
    margin: float,
    currency: str,
    timezone: str,
) -> Terms:
    """Terms from settings that were checked.

    Parameters
    ----------
    actions : mapping of str to ActionSettings
    rules : PlanSettings
    sources : Sources
        All of the business; only those that are asked for are kept.
    margin : float
        Share of the spend that is profit where a score row says none, in (0, 1].
    currency, timezone : str

    Returns
    -------
    Terms
    """
    wanted = asked(actions, rules)
    kept = {name: getattr(sources, name) for name in wanted if getattr(sources, name) is not None}
    cooled = tuple(name for name, one in actions.items() if one.cooling_off_days)
    return Terms(
        currency=currency,
        timezone=timezone,
        margin=margin,
        actions=actions,
        rules=rules,
        sources=Sources(**kept) if kept else None,
        uncooled=() if "treatments" in kept else cooled,
    )


def asked(actions: Mapping[str, ActionSettings], rules: PlanSettings) -> tuple[str, ...]:
    """Names of the sources that say who may be contacted, as far as anything asks for them."""
    ruled = rules.suppressed is not None or any(one.consent for one in actions.values())
    cooled = any(one.cooling_off_days for one in actions.values())
    needs = dict(zip(_SOURCES, (ruled, cooled), strict=True))
    return tuple(name for name, needed in needs.items() if needed)


def read(
    content: Mapping[str, Any],
    environ: Mapping[str, str],
    folder: Path,
    *,
    margin: float,
    currency: str,
    timezone: str,
) -> Terms:
    """Terms from the content of a settings file.

    Parameters
    ----------
    content : mapping
        As read from TOML.
    environ : mapping of str to str
        Values of the variables in it.
    folder : Path
        Where its relative paths start.
    margin : float
        Share of the spend that is profit where a score row says none, in (0, 1].
    currency, timezone : str

    Returns
    -------
    Terms
        With an `obstacle` where a section that plans need cannot be read.
    """
    from pydantic import TypeAdapter, ValidationError

    from features.errors import SettingsError
    from features.opening import variables

    def section(name: str) -> Any:
        return variables.expand(content.get(name, {}), environ, name)

    try:
        actions = TypeAdapter(Actions).validate_python(section("actions"))
        for name in actions:
            action_name(name)
        rules = PlanSettings.model_validate(section("plan"))
        return terms(
            actions,
            rules,
            _sources(content.get("sources") or {}, asked(actions, rules), environ, folder),
            margin=margin,
            currency=currency,
            timezone=timezone,
        )
    except ValidationError as error:
        keys = ", ".join(".".join(map(str, fault["loc"])) for fault in error.errors())
        why = f"The settings of plans are missing or wrong: {keys}; see `regulars check`."
    except (SettingsError, ValueError) as error:
        why = str(error)
    return Terms(currency=currency, timezone=timezone, obstacle=why)


def _sources(
    content: Mapping[str, Any], names: Collection[str], environ: Mapping[str, str], folder: Path
) -> Sources:
    """The sources of some names; the variables of the others need not be set."""
    from features.opening import locations, variables

    given = {
        name: variables.expand(content[name], environ, f"sources.{name}")
        for name in names
        if name in content
    }
    read = Sources.model_validate(given)
    located = {
        name: one.model_copy(update={"uri": locations.source(one.uri, folder)})
        for name in given
        if (one := getattr(read, name)) is not None
    }
    return read.model_copy(update=located)
