"""Where does chance come from? From (seed, epoch, picture, repeat) alone, so that any step can be made at any time."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Turn:
    """One time that a picture is seen: `repeat` counts within the epoch."""

    seed: int
    epoch: int
    name: str
    repeat: int

    def dice(self, purpose: str) -> random.Random:
        """A generator of its own for each purpose: whether one thing is drawn changes nothing about another."""
        return random.Random(f"{purpose}/{self.seed}/{self.epoch}/{self.repeat}/{self.name}")
