"""Which noise do the SDE samplers get? Differences along a Brownian path over the noise levels, one path for each picture.

Steps over the same levels share their noise, so more steps give a finer picture of the same kind rather than another one. The paths
are torchsde's, as the WebUI's are: the same seed has the same path.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from torchsde import BrownianTree

_DIGITS = 6  # torchsde rounds a path's ends so, and warns of levels beyond them


class PathNoise:
    """Noise of unit size for a batch of latents of ``shape`` (C, h, w); the paths reach from the level ``low`` to ``high``."""

    def __init__(self, shape: Sequence[int], seeds: Sequence[int], low: float, high: float) -> None:
        self._shape = tuple(shape)
        self._seeds = tuple(seeds)
        self._low, self._high = round(low, _DIGITS), round(high, _DIGITS)

    def between(self, sigma: float, after: float) -> Tensor:
        """For a step down from ``sigma`` to ``after``; (B, C, h, w)."""
        start, end = (min(max(level, self._low), self._high) for level in (after, sigma))
        steps: list[Any] = [path(start, end) for path in self._paths]
        return -torch.stack(steps) / math.sqrt(sigma - after)

    @cached_property
    def _paths(self) -> list[BrownianTree]:
        zero = torch.zeros(self._shape)
        return [BrownianTree(self._low, zero, self._high, entropy=seed % 2**64) for seed in self._seeds]
