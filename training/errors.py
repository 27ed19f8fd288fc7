"""What training can say when it has to stop, and the class of its doubts.

Errors stop the work with a sentence: what was got, what was expected, what to do.
A statistical doubt does not stop anything: it is a warning of its own class.
"""

from __future__ import annotations


class TrainingError(RuntimeError):
    """Something that training cannot work with; the message says what to do."""


class NotEnoughData(TrainingError):  # noqa: N818  (a refusal, and it reads as one)
    """Too little history to answer; the message says what is missing."""


class RegistryError(TrainingError):
    """The tracking store or the model registry cannot be used as asked."""


class StatisticalWarning(UserWarning):
    """A result that can be used, with a doubt about it that a reader should know."""
