"""How can a backend fail? Each error says by its kind whether trying again helps, and where."""

from __future__ import annotations

from typing import Any

from lib_extension.spec.errors import AtelierError


class BackendError(AtelierError):
    """The backend could not do what was asked."""

    status = 502


class Unreachable(BackendError):
    """Nothing answers, or the answer was cut off: try again, here or elsewhere."""


class Refused(BackendError):
    """The backend answered that it will not, and why: the same call will be refused again. `answer` is what it sent, read as JSON."""

    def __init__(self, message: str, answer: Any = None) -> None:
        super().__init__(message)
        self.answer = answer


class Failed(Refused):
    """The backend broke while it worked (5xx): it may not the next time."""


class Missing(BackendError):
    """The backend lacks a model, sampler or script that the call names; another backend may have it."""


class WrongAnswer(BackendError):
    """The backend answered, but not with what was asked for. Never stored as a result."""


class NotGuided(WrongAnswer):
    """A ControlNet unit failed there, and the picture was made without it."""


class WasInterrupted(WrongAnswer):
    """Somebody interrupted or skipped the call there: what came is half finished. The same call may well succeed."""
