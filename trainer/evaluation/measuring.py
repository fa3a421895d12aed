"""What are the figures of each save? All are drawn with by the same prompts and seeds, beside the base model's own pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.library import DEMO
from lib_extension.spec.training.run import SampleSettings
from trainer.data.pictures import colours, opened, upright
from trainer.evaluation import scores
from trainer.evaluation.drawing import Drawing, from_more_seeds, samples_of
from trainer.evaluation.eyes import Eyes, small
from trainer.evaluation.scores import SaveScores
from trainer.evaluation.sheet import Cell, cell
from trainer.session import Session
from trainer.validation import validation_loss

_OTHERS = ("a house", "a landscape", "a cat", "a cup")  # of which the LoRA should change nothing
_MOST = 64  # training pictures that likeness is measured to


class Measuring:
    """One save after the other; what they are compared with is drawn and looked at once."""

    def __init__(self, session: Session, drawing: Drawing) -> None:
        settings, examples = session.config.evaluation, session.batches.examples
        self._session, self._drawing = session, drawing
        self._eyes = Eyes(settings.tagger or (DEMO.name if drawing.base.found.path == DEMO.resolve() else ""))
        self._samples = samples_of(session.config, examples)
        self._asked = from_more_seeds(self._samples, settings.pictures)
        self._others = from_more_seeds(_others(session, self._samples[0]), settings.pictures)
        drawing.use(None)
        self._base = self._shown(drawing.draw(self._others))
        trained = [one.file for one in examples if not one.prior][:_MOST]
        self._training = self._eyes.vectors(as_trained(file) for file in trained)

    def of(self, step: int, file: Path) -> SaveScores:
        """All figures at weight 1."""
        self._drawing.use(file)
        drawn, others = self._drawing.draw(self._asked), self._drawing.draw(self._others)
        vectors = self._eyes.vectors(drawn)
        return SaveScores(
            file=file.name,
            step=step,
            validation_loss=validation_loss(self._session),
            agreement=self._eyes.agreement([one.prompt for one in self._asked], drawn),
            likeness=None if vectors is None or self._training is None else scores.likeness(vectors, self._training),
            kept=scores.kept(self._shown(others), self._base),
        )

    def cells(self, step: int, file: Path, weight: float) -> list[Cell]:
        """Of the sheet: one picture of each prompt."""
        self._drawing.use(file, weight)
        pictures = self._drawing.draw(self._samples)
        return [cell(place, self._samples[place].prompt, step, weight, picture) for place, picture in enumerate(pictures)]

    def _shown(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        vectors = self._eyes.vectors(pictures)
        return small(pictures) if vectors is None else vectors


def as_trained(file: Path) -> Image.Image:
    """A training picture with the colours that are learnt, mode RGB."""
    return colours(upright(opened(file.read_bytes())))


def _others(session: Session, like: SampleSettings) -> list[SampleSettings]:
    """What is known to be something else: the captions of regularisation pictures where there are any."""
    captions = list(dict.fromkeys(one.caption for one in session.batches.examples if one.prior and one.caption))[: len(_OTHERS)]
    return [replace(like, prompt=prompt) for prompt in captions or _OTHERS]
