"""How does the demo model draw many pictures in little time? In batches, with or without a LoRA file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import DEMO, Found
from lib_extension.models.lora import LoraUse, apply
from lib_extension.spec.training.loss import LossSettings
from tests.demo_model.scenes import SIZE
from trainer.families import FAMILIES
from trainer.samples import stepped, timesteps
from trainer.step import noising

AT_ONCE = 20
STEPS, GUIDANCE = 12, 5.0


class Drawing:
    """The demo model in memory. Pictures come from (caption, seed) alone, whatever is drawn beside them."""

    def __init__(self) -> None:
        self.checkpoint: Checkpoint = load_checkpoint(Found(DEMO, DEMO.name, Hashes()), Placement())
        self._noising = noising(self.checkpoint.noise, LossSettings())

    @contextmanager
    def with_lora(self, file: Path | None, weight: float = 1.0) -> Iterator[None]:
        """With the file's changes in the weights; without one, with none."""
        uses = [] if file is None else [LoraUse(Found(file, file.name, Hashes()), weight, weight)]
        apply(self.checkpoint, uses)
        try:
            yield
        finally:
            apply(self.checkpoint, [])

    def draw(self, captions: Sequence[str], seeds: Sequence[int]) -> list[Image.Image]:
        """A picture for each caption, from the seed beside it."""
        made: list[Image.Image] = []
        for first in range(0, len(captions), AT_ONCE):
            values = self._batch(captions[first : first + AT_ONCE], seeds[first : first + AT_ONCE])
            made += [Image.fromarray(one.numpy()) for one in values]
        return made

    @torch.no_grad()
    def _batch(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        """(B, H, W, 3), bytes; DDIM with classifier-free guidance, as the trainer's samples."""
        family, side, count = FAMILIES[self.checkpoint.family], SIZE // 8, len(captions)
        text = family.encode_text(self.checkpoint, [*[""] * count, *captions], 1, 0)
        latents = torch.cat([torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(seed)) for seed in seeds])
        sizes = _NoSizes()
        times = timesteps(STEPS, len(self._noising.alphas_cumprod))
        for time, after in zip(times, [*times[1:], None], strict=True):
            both = family.predict(self.checkpoint.unet, torch.cat([latents, latents]), torch.full((2 * count,), time), text, sizes)
            without, told = both.chunk(2)  # (B, 4, h, w)
            latents = stepped(latents, without + GUIDANCE * (told - without), self._noising, time, after)
        values = self.checkpoint.vae.decode(latents / self.checkpoint.vae.config["scaling_factor"], return_dict=False)[0]
        return ((values.clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1)


class _NoSizes:
    """SD1 is not told of sizes."""

    original_sizes = crops = target_sizes = torch.zeros(0)
