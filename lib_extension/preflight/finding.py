"""What does preflight report: what is wrong or doubtful, beside which field of which stage, and what to do about it?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning"]


@dataclass(frozen=True)
class Finding:
    """One thing that a rule found. An error keeps the run from starting; a warning says what the pictures will suffer from."""

    severity: Severity
    stage: str  # the stage's id
    field: str  # the field's path within the stage: "loras[0].weight"
    message: str
