"""What a plan is asked for: actions, beliefs, rules, and who may be contacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from serving.campaigns.belief import Effect
from serving.campaigns.settings import ActionSettings, PlanSettings

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Order:
    """What a plan is asked for.

    Attributes
    ----------
    plan_id : str
        Names the plan, its file and its draw.
    key : bytes
        Secret of the draw.
    margin : float
        Share of the spend that is profit where a score row says none, in (0, 1].
    actions : mapping of str to ActionSettings
    rules : PlanSettings
        Its budget is the plan's.
    learned : mapping of str to Effect
        What was measured of actions; the others are assumed.
    customers, contacts : pandas.DataFrame or None
        As for `serving.campaigns.audience.audience`.
    running : tuple of str
        Plans that still run: whoever is in them is left to them.
    engaged : pandas.Series or None
        Ids of everyone in those plans.
    """

    plan_id: str
    key: bytes = field(repr=False)
    margin: float
    actions: Mapping[str, ActionSettings]
    rules: PlanSettings = field(default_factory=PlanSettings)
    learned: Mapping[str, Effect] = field(default_factory=dict)
    customers: pd.DataFrame | None = field(default=None, repr=False)
    contacts: pd.DataFrame | None = field(default=None, repr=False)
    running: tuple[str, ...] = ()
    engaged: pd.Series | None = field(default=None, repr=False)

    def effect(self, name: str) -> Effect:
        """What is believed of an action: measured, or else assumed."""
        return self.learned.get(name, self.actions[name].assumed)
