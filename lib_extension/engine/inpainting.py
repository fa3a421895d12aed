"""What are inpainting models shown beside the latent: the mask, and the picture with a hole where the mask is."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import Tensor

from lib_extension.engine.latents import PIXELS, encode


def everything_hidden(vae: AutoencoderKL, shape: tuple[int, int, int]) -> Tensor:
    """For a picture that does not exist yet: all masked, over grey. ``shape`` is (C, h, w); gives (1, 1 + C, h, w)."""
    _, height, width = shape
    grey = torch.full((1, 3, height * PIXELS, width * PIXELS), 0.5)
    latents = encode(vae, grey)
    return torch.cat([torch.ones_like(latents[:, :1]), latents], dim=1)


def with_hole(vae: AutoencoderKL, pictures: Tensor, mask: Tensor, weight: float = 1.0) -> Tensor:
    """``pictures`` (B, 3, H, W) in [0, 1], ``mask`` (1, 1, H, W), 1 where to redraw → (B, 1 + C, h, w).

    The hole is grey; a ``weight`` below 1 (the WebUI's inpainting_mask_weight) lets some of the picture through.
    """
    holed = torch.lerp(pictures, pictures * (1 - mask) + 0.5 * mask, weight)
    latents = encode(vae, holed)
    small = F.interpolate(mask, latents.shape[-2:]).to(latents.device)
    return torch.cat([small.expand(len(latents), -1, -1, -1), latents], dim=1)
