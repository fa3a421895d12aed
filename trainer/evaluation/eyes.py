"""What do drawn pictures show, as a tagger or a CLIP sees them?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from trainer.evaluation import scores

_SIDE = 16  # of the small picture that stands for one where no network gives a better vector


class Seeing(Protocol):
    """A network that looks at pictures."""

    def agreement(self, prompts: Sequence[str], pictures: Sequence[Image.Image]) -> float | None: ...
    def vector(self, picture: Image.Image) -> np.ndarray: ...


class Eyes:
    """Of a tagger's or a CLIP's folder; without one only what needs none can be told."""

    def __init__(self, folder: str) -> None:
        self._seeing = _seeing(DEMO / "tagger" if folder == DEMO.name else Path(folder).expanduser()) if folder else None

    def agreement(self, prompts: Sequence[str], pictures: Sequence[Image.Image]) -> float | None:
        """How much of what the prompts say is in the pictures, 0..1."""
        return None if self._seeing is None else self._seeing.agreement(prompts, pictures)

    def vectors(self, pictures: Iterable[Image.Image]) -> np.ndarray | None:
        """One of each picture, (N, D). None without a network or pictures."""
        found = [] if self._seeing is None else [self._seeing.vector(picture) for picture in pictures]
        return np.stack(found) if found else None


class _Tags:
    """A tagger."""

    def __init__(self, folder: Path) -> None:
        self._tagger = Tagger(folder)

    def agreement(self, prompts: Sequence[str], pictures: Sequence[Image.Image]) -> float | None:
        """The share of the prompts' words that the tagger knows which it also finds."""
        found = [self._tagger.tags(picture) for picture in pictures]
        return scores.agreement([_said(prompt, tags) for prompt, tags in zip(prompts, found, strict=True)], found)

    def vector(self, picture: Image.Image) -> np.ndarray:
        """The tagger's own, or where it gives none the scores of its tags."""
        own = self._tagger.embedding(picture)
        return np.asarray([*self._tagger.tags(picture).values()], np.float32) if own is None else own


def _seeing(folder: Path) -> Seeing:
    if (folder / "config.json").is_file() and not (folder / "selected_tags.csv").is_file():
        from trainer.evaluation.clip import Clip  # here, as only those who have one should wait for transformers

        return Clip(folder)
    return _Tags(folder)


def small(pictures: Sequence[Image.Image]) -> np.ndarray:
    """Each picture at 16 × 16 about its mean, (N, 768): enough to compare pictures from one seed."""
    sized = [picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX) for picture in pictures]
    values = np.stack([np.asarray(one, np.float32).ravel() for one in sized])
    return values - values.mean(1, keepdims=True)


def _said(prompt: str, known: Iterable[str]) -> list[str]:
    words = " ".join(["", *re.findall(r"[^\W_]+", prompt.casefold()), ""])
    return [tag for tag in known if f" {tag.casefold()} " in words]
