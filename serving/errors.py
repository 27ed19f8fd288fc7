"""The errors of this room: each says what was got, what was expected and what to do.

The command line turns `OutputError` into exit code 2 (wrong use) and the others into exit
code 1 (refused with a reason).
"""

from __future__ import annotations


class ServingError(RuntimeError):
    """Base of every error of this room."""


class ScoringError(ServingError):
    """Behaviour rows or a model that cannot be scored with: a column that is missing, two dates."""


class ScoreTableError(ServingError):
    """A score table that breaks its contract, or a file that is no score table."""


class OutputError(ServingError):
    """An output that cannot be written as asked, such as a file of an unknown kind."""


class CampaignError(ServingError):
    """A plan or a measurement that cannot be: an action without a cost, two arms of one name."""
