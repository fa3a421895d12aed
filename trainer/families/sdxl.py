"""How is SDXL asked while it is trained?"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from trainer.families.captions import encode
from trainer.families.family import Family, Sizes, TextStates, answer_of


def predict(unet: nn.Module, noisy: Tensor, timesteps: Tensor, text: TextStates, sizes: Sizes) -> Tensor:
    """The U-Net's answer (B, 4, h, w) to noisy latents at timesteps (B,), told by time ids how the picture was cut."""
    added = {"text_embeds": text.pooled, "time_ids": time_ids(sizes).to(text.hidden)}
    return answer_of(unet(noisy, timesteps, text.hidden, added_cond_kwargs=added))


def time_ids(sizes: Sizes) -> Tensor:
    """(B, 6): original height and width, the crop's top and left, target height and width (Podell et al. 2023, arXiv:2307.01952, 2.2)."""
    return torch.cat([sizes.original_sizes, sizes.crops, sizes.target_sizes], dim=1)


SDXL = Family("sdxl", encode, predict, "sdxl_base_v1-0", "stable-diffusion-xl-v1-base", ("lora_te1", "lora_te2"))
