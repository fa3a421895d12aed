"""What do drawn pictures show, as a tagger sees them?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from trainer.evaluation import scores

_SIDE = 16  # of the small picture that stands for one where no tagger gives a better vector


class Eyes:
    """Of a tagger's folder; without one only what needs none can be told."""

    def __init__(self, tagger: str) -> None:
        folder = DEMO / "tagger" if tagger == DEMO.name else Path(tagger).expanduser()
        self._tagger = Tagger(folder) if tagger else None

    def agreement(self, prompts: Sequence[str], pictures: Sequence[Image.Image]) -> float | None:
        """The share of the prompts' words that the tagger knows which it also finds."""
        if self._tagger is None:
            return None
        found = [self._tagger.tags(picture) for picture in pictures]
        return scores.agreement([_said(prompt, tags) for prompt, tags in zip(prompts, found, strict=True)], found)

    def vectors(self, pictures: Sequence[Image.Image]) -> np.ndarray | None:
        """The tagger's own of each picture, (N, D); None where it gives none."""
        if self._tagger is None:
            return None
        found = [self._tagger.embedding(picture) for picture in pictures]
        known = [vector for vector in found if vector is not None]
        return np.stack(known) if known else None


def small(pictures: Sequence[Image.Image]) -> np.ndarray:
    """Each picture at 16 × 16 about its mean, (N, 768): enough to compare pictures from one seed."""
    sized = [picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX) for picture in pictures]
    values = np.stack([np.asarray(one, np.float32).ravel() for one in sized])
    return values - values.mean(1, keepdims=True)


def _said(prompt: str, known: Iterable[str]) -> list[str]:
    words = " ".join(["", *re.findall(r"[^\W_]+", prompt.casefold()), ""])
    return [tag for tag in known if f" {tag.casefold()} " in words]
