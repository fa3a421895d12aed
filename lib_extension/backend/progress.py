"""How far is a call? What a backend says of a task that is ours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Progress:
    """Of one call that is on its way."""

    state: Literal["sent", "queued", "running"]
    share: float = 0.0  # 0 to 1
    preview: str = ""  # data URL of the latest live preview
