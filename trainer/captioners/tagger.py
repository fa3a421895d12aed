"""Tags by a network of the WD14 form: any `model.onnx` with its `selected_tags.csv`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from lib_extension.captions.tags import escaped, spaced
from lib_extension.models.library import DEMO
from lib_extension.models.tagger import CHARACTER, RATING, Tagger
from lib_extension.spec.captioning import TaggerSettings
from trainer.captioners.described import Described


class TaggerCaptioner:
    """The thresholds and the spelling are the settings'."""

    def __init__(self, settings: TaggerSettings) -> None:
        self._settings = settings
        self._tagger = Tagger(Path(settings.model) if settings.model else DEMO / "tagger")

    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """All in one pass of the network."""
        return [Described(self._tags(scores)) for scores in self._tagger.scores(pictures)]

    def _tags(self, scores: Sequence[float]) -> tuple[str, ...]:
        settings, known = self._settings, self._tagger.known
        found = []
        for tag, score in zip(known, scores, strict=True):
            if tag.category == RATING:
                continue
            if score >= (settings.character_threshold if tag.category == CHARACTER else settings.threshold):
                found.append((score, tag.name))
        found.sort(key=lambda pair: -pair[0])
        names = [name for _, name in found[: settings.most or None]]
        ratings = [(score, tag.name) for tag, score in zip(known, scores, strict=True) if tag.category == RATING]
        if settings.rating and ratings:
            names.append(max(ratings)[1])
        spelt = [name if settings.underscores else spaced(name) for name in names]
        return tuple(escaped(name) for name in spelt) if settings.escape else tuple(spelt)
