"""By which methods can LoRAs become one?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.merging.ranks import Ranks
from lib_extension.spec.settings import Settings, field

_DENSITY = {"label": "Density", "minimum": 0.0, "maximum": 1.0, "step": 0.05}


@dataclass(frozen=True, kw_only=True)
class Concatenate(Settings):
    """Exactly all of them together; the ranks add up."""

    kind: Literal["concatenate"] = field(label="Method")


@dataclass(frozen=True, kw_only=True)
class Linear(Settings):
    """The sum of the factors. Small and quick, but no sum of the changes: up and down of different LoRAs meet."""

    kind: Literal["linear"] = field(label="Method")


@dataclass(frozen=True, kw_only=True)
class Svd(Settings):
    """The best LoRA of a given rank for all of them together."""

    kind: Literal["svd"] = field(label="Method")
    ranks: Ranks = field(Ranks(), label="Rank")


@dataclass(frozen=True, kw_only=True)
class Ties(Settings):
    """Small changes are left out, then those that contradict the majority (TIES, arXiv:2306.01708)."""

    kind: Literal["ties"] = field(label="Method")
    density: float = field(0.5, **_DENSITY, help="How much of each LoRA's change is kept, the largest values first.")
    ranks: Ranks = field(Ranks(), label="Rank")


@dataclass(frozen=True, kw_only=True)
class Dare(Settings):
    """Changes are left out at random, and the rest made stronger (DARE, arXiv:2311.03099)."""

    kind: Literal["dare"] = field(label="Method")
    density: float = field(0.5, **_DENSITY, help="How much of each LoRA's change is kept.")
    elect: bool = field(False, label="Majority decides", help="Where signs differ, as TIES does.")
    seed: int = field(0, label="Seed", minimum=0, maximum=2**32 - 1)
    ranks: Ranks = field(Ranks(), label="Rank")


@dataclass(frozen=True, kw_only=True)
class Prune(Settings):
    """Small changes are left out, and what remains is added up."""

    kind: Literal["prune"] = field(label="Method")
    density: float = field(0.5, **_DENSITY, help="How much of each LoRA's change is kept, the largest values first.")
    ranks: Ranks = field(Ranks(), label="Rank")


Method = Concatenate | Linear | Svd | Ties | Dare | Prune
