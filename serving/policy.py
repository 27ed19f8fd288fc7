"""What the business decided: the terms of its lifetime values, and its segments.

In: `regulars.toml` as read. Out: the parts of it that answers about groups need. The front door
checks the file as a whole; here its sources are not looked at, so their variables need not be set
where answers are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from features import variables
from features.settings import Section
from serving.groups.rules import SegmentSettings
from training.settings import ValueSettings


class Policy(Section):
    """The sections [value] and [segments.…]."""

    value: ValueSettings = ValueSettings()
    segments: dict[str, SegmentSettings] = Field(default_factory=dict)


def read(content: Mapping[str, Any], environ: Mapping[str, str]) -> Policy:
    """Take the policy out of the settings.

    Parameters
    ----------
    content : mapping
        As read from TOML; other sections are not looked at.
    environ : mapping of str to str
        Values of `${NAME}`.

    Returns
    -------
    Policy
        Defaults filled in.

    Raises
    ------
    SettingsError
        If a variable is not set.
    pydantic.ValidationError
        If a value cannot be.
    """
    kept = {key: content[key] for key in Policy.model_fields if key in content}
    return Policy.model_validate(variables.expand(kept, environ))
