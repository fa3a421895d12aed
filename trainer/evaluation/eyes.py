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

    def vectors(self, pictures: Iterable[Image.Image]) -> np.ndarray | None:
        """The tagger's own of each picture, or where it gives none the scores of its tags, (N, D). None without a tagger or pictures."""
        if self._tagger is None:
            return None
        found = [self._vector(self._tagger, picture) for picture in pictures]
        return np.stack(found) if found else None

    @staticmethod
    def _vector(tagger: Tagger, picture: Image.Image) -> np.ndarray:
        own = tagger.embedding(picture)
        return np.asarray([*tagger.tags(picture).values()], np.float32) if own is None else own


def small(pictures: Sequence[Image.Image]) -> np.ndarray:
    """Each picture at 16 × 16 about its mean, (N, 768): enough to compare pictures from one seed."""
    sized = [picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX) for picture in pictures]
    values = np.stack([np.asarray(one, np.float32).ravel() for one in sized])
    return values - values.mean(1, keepdims=True)


def _said(prompt: str, known: Iterable[str]) -> list[str]:
    words = " ".join(["", *re.findall(r"[^\W_]+", prompt.casefold()), ""])
    return [tag for tag in known if f" {tag.casefold()} " in words]
