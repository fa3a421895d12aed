"""By which methods do LoRAs become one? METHODS lists them; each turns what several LoRAs do to one module into one LoRA's factors."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lib_extension.spec.merging import Dare, Prune, Ranks, Ties
from trainer.merging.factors import Factors
from trainer.merging.keeping import choose_of, nearly_best
from trainer.merging.low_rank import Truncated, truncated_product
from trainer.merging.methods.concatenate import concatenate
from trainer.merging.methods.dare import dare
from trainer.merging.methods.linear import linear
from trainer.merging.methods.prune import prune
from trainer.merging.methods.ties import elected, ties

_ITERATIONS = 2  # of the randomised SVD, for changes whose rank is as large as they are


@dataclass(frozen=True)
class Meeting:
    """What several LoRAs do to one module."""

    module: str
    factors: Sequence[Factors]  # at strength 1
    weights: Sequence[float]

    def weighted(self) -> list[Factors]:
        """With their weights."""
        return [factors.times(weight) for factors, weight in zip(self.factors, self.weights, strict=True)]

    def dense(self) -> Tensor:
        """(LoRAs, out, in · kernel), with their weights."""
        return torch.stack([factors.dense() for factors in self.weighted()])

    @property
    def kernel(self) -> tuple[int, ...]:
        """The longest: of some types, a 1×1 convolution looks like a matrix."""
        return max((factors.kernel for factors in self.factors), key=len)


@dataclass(frozen=True)
class Met:
    """The result, and by how much it misses what the method asks for, in squared Frobenius norms."""

    factors: Factors
    energy: float = 0.0
    lost: float = 0.0


def _concatenate(meeting: Meeting, method: Any) -> Met:
    return Met(concatenate(meeting.weighted()).balanced())


def _linear(meeting: Meeting, method: Any) -> Met:
    return Met(linear(meeting.weighted()).balanced())


def _svd(meeting: Meeting, method: Any) -> Met:
    return lower_rank(concatenate(meeting.weighted()), method.ranks)


def _ties(meeting: Meeting, method: Ties) -> Met:
    return _of_dense(ties(meeting.dense(), method.density), meeting, method.ranks)


def _dare(meeting: Meeting, method: Dare) -> Met:
    changes = [dare(change, method.density, _generator(method.seed, meeting.module, n)) for n, change in enumerate(meeting.dense())]
    together = torch.stack(changes)
    return _of_dense(elected(together) if method.elect else together.sum(0), meeting, method.ranks)


def _prune(meeting: Meeting, method: Prune) -> Met:
    return _of_dense(torch.stack([prune(change, method.density) for change in meeting.dense()]).sum(0), meeting, method.ranks)


METHODS: dict[str, Callable[[Meeting, Any], Met]] = {
    "concatenate": _concatenate,
    "linear": _linear,
    "svd": _svd,
    "ties": _ties,
    "dare": _dare,
    "prune": _prune,
}


def lower_rank(factors: Factors, ranks: Ranks) -> Met:
    """The best product of the rank asked for."""
    return _met(truncated_product(factors.scaled().up, factors.down, choose_of(ranks, factors.kernel)), factors.kernel)


def _of_dense(change: Tensor, meeting: Meeting, ranks: Ranks) -> Met:
    return _met(nearly_best(change, ranks, meeting.kernel, _ITERATIONS, _number(0, meeting.module, 0)), meeting.kernel)


def _met(found: Truncated, kernel: tuple[int, ...]) -> Met:
    return Met(Factors(found.up, found.down, kernel), found.energy, found.lost)


def _generator(seed: int, module: str, number: int) -> torch.Generator:
    return torch.Generator().manual_seed(_number(seed, module, number))


def _number(seed: int, module: str, number: int) -> int:
    """Of each module and LoRA its own, whatever order they come in."""
    return int.from_bytes(hashlib.sha256(f"{seed} {module} {number}".encode()).digest()[:8], "little") >> 1
