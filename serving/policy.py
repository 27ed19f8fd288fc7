"""What the business decided: the terms of its lifetime values, and its segments."""

from __future__ import annotations

from pydantic import Field

from features.section import Section
from serving.groups.rules import SegmentSettings
from training.settings import ValueSettings


class Policy(Section):
    """The sections [value] and [segments.…], which answers about groups need."""

    value: ValueSettings = ValueSettings()
    segments: dict[str, SegmentSettings] = Field(default_factory=dict)
