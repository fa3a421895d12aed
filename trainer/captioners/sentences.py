"""How does a network of transformers write a sentence about each picture of a batch?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from PIL import Image

from trainer.captioners.described import Described
from trainer.data.pictures import colours


@dataclass(frozen=True)
class SentenceCaptioner:
    """`hides_prompt`: the network repeats the prompt before its answer, and it is no part of the sentence."""

    model: Any
    processor: Any
    prompt: str
    longest: int
    beams: int
    hides_prompt: bool = False

    @torch.inference_mode()
    def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
        """Beam search: the same picture gets the same sentence."""
        shown = [colours(picture) for picture in pictures]
        text = [self.prompt] * len(shown) if self.prompt else None
        inputs = self.processor(images=shown, text=text, return_tensors="pt", padding=True).to(self.model.device, self.model.dtype)
        made = self.model.generate(**inputs, max_new_tokens=self.longest, num_beams=self.beams, do_sample=False)
        return [Described(sentence=self._sentence(text)) for text in self.processor.batch_decode(made, skip_special_tokens=True)]

    def _sentence(self, text: str) -> str:
        tidied = " ".join(text.split())
        return tidied.removeprefix(self.prompt).strip() if self.hides_prompt else tidied
