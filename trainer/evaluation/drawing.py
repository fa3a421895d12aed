"""What does a LoRA file draw, at any weight? On a base model loaded anew, as whoever uses the file will have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from PIL import Image

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.library import Found
from lib_extension.models.lora import LoraUse, apply
from lib_extension.spec.training import TrainingConfig
from lib_extension.spec.training.run import SampleSettings
from trainer.base_model import BaseModel
from trainer.data.captions import plain_caption
from trainer.data.example import Example
from trainer.samples import Sampler
from trainer.step import Noising

_FROM_CAPTIONS = 2  # prompts, where nobody said what to draw


@dataclass(frozen=True)
class Drawing:
    """A base model, and how pictures come from it."""

    config: TrainingConfig
    base: BaseModel
    checkpoint: Checkpoint
    noising: Noising

    @torch.no_grad()
    def use(self, file: Path | None, weight: float = 1.0) -> None:
        """From now on the model is the base with the file at that weight; None: the base alone."""
        used = [] if file is None else [LoraUse(Found(file, file.name, self.base.found.hashes), weight, weight)]
        apply(self.checkpoint, used)

    def draw(self, samples: Sequence[SampleSettings]) -> list[Image.Image]:
        """One picture of each."""
        config = replace(self.config, run=replace(self.config.run, samples=tuple(samples)))
        return Sampler(config, self.base, None).draw(self.checkpoint, self.noising)


def samples_of(config: TrainingConfig, examples: Sequence[Example]) -> tuple[SampleSettings, ...]:
    """What is drawn to compare, once each: the samples, or the prompts that were named, drawn as the first sample is.

    Where there is neither, the first captions that were trained on.
    """
    prompts, samples = config.evaluation.prompts, config.run.samples
    if not prompts and samples:
        return samples
    like = samples[0] if samples else SampleSettings(prompt="")
    captions = dict.fromkeys(plain_caption(one) for one in examples if not one.prior)
    return tuple(replace(like, prompt=prompt) for prompt in prompts or list(captions)[:_FROM_CAPTIONS])


def from_more_seeds(samples: Sequence[SampleSettings], count: int) -> list[SampleSettings]:
    """Each from `count` seeds, its own first."""
    return [replace(one, seed=(one.seed + more) % 2**32) for more in range(count) for one in samples]
