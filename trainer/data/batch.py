"""What does the training loop get for one step?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trainer.families.family import TextStates


@dataclass(frozen=True, eq=False)
class Batch:
    """B examples of one size. Exactly one of `latents` and `pixels` is there.

    Of several processes, each gets its part of the whole batch of a step. A process for which nothing is left gets an example of weight
    0, so that all processes step alike: `sum of losses × processes / whole` is what each process's loss must be for the mean of the
    processes' gradients to be the gradient of the whole batch's mean loss.
    """

    latents: Tensor | None  # (B, C, H/8, W/8), fp32, times the VAE's scale
    pixels: Tensor | None  # (B, 3, H, W), -1..1
    text: TextStates | None  # cached; None: encode `captions`
    captions: tuple[str, ...]
    original_sizes: Tensor  # (B, 2) int64: height, width
    crops: Tensor  # (B, 2) int64: top, left
    target_sizes: Tensor  # (B, 2) int64: height, width
    loss_mask: Tensor | None  # (B, 1, H/8, W/8), 0..1
    weights: Tensor  # (B,) weight of the concept, times the prior weight
    prior: Tensor  # (B,) bool: regularisation pictures
    names: tuple[str, ...]
    first: int  # place of the first example in the whole batch of the step
    whole: int  # examples of this step in all processes together

    def __len__(self) -> int:
        return len(self.names)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures in pixels."""
        height, width = self.target_sizes[0].tolist()
        return height, width

    def to(self, device: torch.device) -> Batch:
        """The same on a device; precision stays."""

        def moved(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device, non_blocking=True)

        return replace(
            self,
            latents=moved(self.latents),
            pixels=moved(self.pixels),
            text=self.text and TextStates(self.text.hidden.to(device), moved(self.text.pooled)),
            original_sizes=self.original_sizes.to(device),
            crops=self.crops.to(device),
            target_sizes=self.target_sizes.to(device),
            loss_mask=moved(self.loss_mask),
            weights=self.weights.to(device),
            prior=self.prior.to(device),
        )
