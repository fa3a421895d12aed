"""How are the weights averaged over a run? An exponential moving mean of each (Polyak & Juditsky 1992), warmed up at the start."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor


class Ema:
    """mean ← d mean + (1 - d) weight, with d = min(decay, (1 + n) / (10 + n)) after n steps, so that it does not hang on to its start."""

    def __init__(self, decay: float, weights: Mapping[str, Tensor]) -> None:
        self.decay = decay
        self.steps = 0
        self.means = {name: weight.detach().clone() for name, weight in weights.items()}

    @torch.no_grad()
    def update(self, weights: Mapping[str, Tensor]) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))
        means = list(self.means.values())
        torch._foreach_lerp_(means, [weights[name].detach() for name in self.means], 1 - decay)
