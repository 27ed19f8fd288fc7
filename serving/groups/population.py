"""What the last full scoring learned about its population, kept for every later score.

In: the histories and lifetime values of a whole population. Out: ``Thresholds``, which go into
the score table's metadata as JSON and come back exactly, so that one customer alone gets the
stage, tier and segment that it has in the table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

import numpy as np

from serving.errors import ScoreTableError
from serving.groups import lifecycle, potential, segments, tiers
from serving.groups.history import History
from serving.groups.lifecycle import Rhythm
from serving.groups.potential import Potential
from serving.groups.segments import Quintiles
from serving.groups.tiers import FREE, Costs, Cuts
from training.silence.unsaid import Finding

#: Raised when the layout or the meaning of the thresholds changes.
FORMAT = 1


@dataclass(frozen=True)
class Thresholds:
    """Edges, cuts and limits of one population.

    Parameters
    ----------
    as_of : date
        As-of date of the full scoring.
    customers : int
        Customers in it, at least 1.
    rhythm : Rhythm or None
    quintiles : Quintiles or None
    potential : Potential or None
    cuts : Cuts or None
        None where the population gave nothing to learn from: no purchases on record, or no
        lifetime values.
    typical : mapping of str to float
        What the risk of a typical loyal customer is made of, log-odds by family and, of
        subscribers, by column: reasons tell how a customer differs from that.
    findings : tuple of Finding
        What could not be backed of the whole population on that date: of no customer is it said.

    Raises
    ------
    ScoreTableError
        If there is no customer.
    """

    as_of: date
    customers: int
    rhythm: Rhythm | None
    quintiles: Quintiles | None
    potential: Potential | None
    cuts: Cuts | None
    typical: Mapping[str, float] = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()

    def __post_init__(self) -> None:
        if self.customers < 1:
            raise ScoreTableError(
                "got no customer to learn thresholds from; expected a whole population: build "
                "the behaviour table for a date with customers"
            )

    def to_dict(self) -> dict[str, Any]:
        """Thresholds as JSON values; every number survives exactly."""
        return {**asdict(self), "format": FORMAT, "as_of": self.as_of.isoformat()}

    def to_json(self) -> str:
        """Thresholds as one line of JSON."""
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Thresholds:
        """Read what `to_dict` gave.

        Parameters
        ----------
        given : mapping

        Returns
        -------
        Thresholds

        Raises
        ------
        ScoreTableError
            If it was written in another format, or a part is missing or unknown.
        """
        if given.get("format") != FORMAT:
            raise ScoreTableError(
                f"got thresholds of format {given.get('format')!r}; this version reads {FORMAT}: "
                "run a full scoring again"
            )
        try:
            return cls(
                as_of=date.fromisoformat(given["as_of"]),
                customers=given["customers"],
                rhythm=_part(Rhythm, given["rhythm"]),
                quintiles=_part(Quintiles, given["quintiles"]),
                potential=_part(Potential, given["potential"]),
                cuts=_part(Cuts, given["cuts"]),
                typical=dict(given["typical"]),
                # Older scorings looked for none.
                findings=tuple(map(Finding.from_dict, given.get("findings", ()))),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ScoreTableError(
                f"got thresholds that cannot be read ({error}); run a full scoring again"
            ) from error

    @classmethod
    def from_json(cls, text: str) -> Thresholds:
        """Read what `to_json` gave."""
        return cls.from_dict(json.loads(text))


def learn(
    history: History,
    clv: np.ndarray,
    *,
    as_of: date,
    horizon_days: int,
    costs: Costs = FREE,
) -> Thresholds:
    """Learn every threshold from a full scoring.

    Parameters
    ----------
    history : History
        The whole population.
    clv : numpy.ndarray of float64
        Lifetime values in currency; NaN where there is none.
    as_of : date
    horizon_days : int
        Outcome window in days.
    costs : Costs, optional
        Of serving a customer.

    Returns
    -------
    Thresholds
        The same whatever the order of the rows.

    Raises
    ------
    ScoreTableError
        If there is no customer.
    """
    bought = bool(history.known.any())
    valued = bool(np.isfinite(clv).any())
    return Thresholds(
        as_of=as_of,
        customers=len(clv),
        rhythm=lifecycle.learn(history, horizon_days=horizon_days) if bought else None,
        quintiles=segments.learn(history) if bought else None,
        potential=potential.learn(history, clv),
        cuts=tiers.learn(history, clv, costs) if valued else None,
    )


def _part(kind: type, given: Mapping[str, Any] | None) -> Any:
    return None if given is None else kind(**{key: _tuples(v) for key, v in given.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value
