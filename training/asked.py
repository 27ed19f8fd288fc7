"""The settings that every fit of a training shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from training.terms import Terms
from training.windows import panel

if TYPE_CHECKING:
    from training.learners.churn import ChurnModel
    from training.settings import ChurnSettings, ValueSettings


@dataclass(frozen=True)
class Asked:
    """What was asked of a training.

    Attributes
    ----------
    churn : ChurnSettings
        Rule, horizon, threads.
    value : ValueSettings
        CLV span, margin, discount.
    seed : int
        Seed of the tree learner.
    parameters : mapping
        LightGBM parameters found by a search; empty for the defaults.
    """

    churn: ChurnSettings
    value: ValueSettings
    seed: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def horizon_days(self) -> int:
        """Window that the scores are about, in days."""
        return self.churn.horizon_days

    @property
    def window_days(self) -> int:
        """Length of the windows that models learn from, in days."""
        return panel.window_days(self.horizon_days)

    @property
    def horizons(self) -> tuple[int, ...]:
        """Every horizon that the training answers for, rising, in days."""
        return tuple(sorted({*panel.ANCHORS, self.horizon_days, self.window_days}))

    def terms(self, as_of: date) -> Terms:
        """What a scorer trained as of this date promises."""
        return Terms(
            rule=self.churn.rule,
            horizon_days=self.horizon_days,
            clv_horizon_days=self.value.clv_horizon_days,
            margin=self.value.margin,
            annual_discount_rate=self.value.annual_discount_rate,
            trained_as_of=as_of.isoformat(),
            window_days=self.window_days,
        )

    def trees(self) -> ChurnModel:
        """An unfitted LightGBM churn model with this training's parameters."""
        from training.learners.churn import ChurnModel

        return ChurnModel(threads=self.churn.threads, seed=self.seed, **self.parameters)
