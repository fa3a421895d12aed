"""Tags by a network of the WD14 form: any `model.onnx` with its `selected_tags.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.captions.tags import escaped, spaced
from lib_extension.models.library import DEMO
from lib_extension.models.tagger import CHARACTER, RATING, Tag, Tagger
from lib_extension.spec.captioning import TaggerSettings
from trainer.captioners.described import Described


class TaggerCaptioner:
    """The thresholds and the spelling are the settings'."""

    def __init__(self, settings: TaggerSettings) -> None:
        self._settings = settings
        self._tagger = Tagger(Path(settings.model) if settings.model else DEMO / "tagger")
        self._thresholds = np.array([_threshold(tag, settings) for tag in self._tagger.known], np.float32)  # tags
        self._ratings = np.flatnonzero([tag.category == RATING for tag in self._tagger.known])

    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """All in one pass of the network."""
        return [Described(tuple(self._spelt(self._found(scores)))) for scores in self._tagger.scores(pictures)]

    def probabilities(self, pictures: Sequence[Image.Image]) -> list[dict[str, float]]:
        """The probability (0..1) of every tag but ratings for each picture, spelt as `describe` does."""
        names = self._spelt([tag.name for tag in self._tagger.known])
        general = [place for place, tag in enumerate(self._tagger.known) if tag.category != RATING]
        return [{names[place]: float(scores[place]) for place in general} for scores in self._tagger.scores(pictures)]

    def _found(self, scores: np.ndarray) -> list[str]:
        """The names of the tags above their thresholds, the most certain first."""
        above = np.flatnonzero(scores >= self._thresholds)
        certain = above[np.argsort(-scores[above], kind="stable")][: self._settings.most or None]
        names = [self._tagger.known[place].name for place in certain]
        if self._settings.rating and len(self._ratings):
            names.append(self._tagger.known[self._ratings[scores[self._ratings].argmax()]].name)
        return names

    def _spelt(self, names: Sequence[str]) -> list[str]:
        spelt = list(names) if self._settings.underscores else [spaced(name) for name in names]
        return [escaped(name) for name in spelt] if self._settings.escape else spelt


def _threshold(tag: Tag, settings: TaggerSettings) -> float:
    if tag.category == RATING:
        return np.inf
    return settings.character_threshold if tag.category == CHARACTER else settings.threshold
