"""Is a picture much like one before it? By perceptual hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.pictures.hashes import BITS, apart, gradient_hash, perceptual_hash
from lib_extension.scores.score_type import OneScore, ScoreGiven, opaque
from lib_extension.spec.settings import field

UNRELATED = BITS / 2  # bits that differ between pictures that have nothing to do with each other


@dataclass(frozen=True, kw_only=True)
class DuplicatesScore(OneScore):
    """How alike a picture is to the one most like it among those before it: 1 is the same picture, 0 as unlike as by chance.

    Of duplicates the first keeps its place: only those after it are marked.
    """

    kind: Literal["duplicates"]
    hash: Literal["perceptual", "gradient"] = field("perceptual", label="Hash", help="Gradient is faster, and less sure of small changes.")


def measure(score: DuplicatesScore, given: ScoreGiven) -> list[float]:
    """Lower is better."""
    make = perceptual_hash if score.hash == "perceptual" else gradient_hash
    hashes = [make(opaque(picture.image)) for picture in given.pictures]
    nearest = [min((apart(mine, other) for other in hashes[:place]), default=BITS) for place, mine in enumerate(hashes)]
    return [max(0.0, 1 - bits / UNRELATED) for bits in nearest]
