"""How do pictures become latents, latents pictures, and latents a quick preview?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from PIL import Image
from torch import Tensor

from lib_extension.pictures.grid import image_grid

PIXELS = 8  # A latent's pixel is 8×8 of the picture's.
DECODED_AT_ONCE = 512 * 512  # px


def to_tensor(images: Sequence[Image.Image]) -> Tensor:
    """RGB pictures of one size as (B, 3, H, W) in [0, 1]."""
    values = np.stack([np.asarray(image.convert("RGB"), dtype=np.float32) for image in images])  # B H W 3
    return torch.from_numpy(values / 255.0).permute(0, 3, 1, 2)


def encode(vae: AutoencoderKL, pictures: Tensor) -> Tensor:
    """(B, 3, H, W) in [0, 1] → (B, C, H/8, W/8), fp32. The middle of the encoder's distribution, so the same every time."""
    first = next(vae.parameters())
    values = (pictures * 2 - 1).to(first.device, first.dtype)
    # One by one: memory, and alike in any batch.
    latents = [vae.encode(value.unsqueeze(0), return_dict=False)[0].mode() for value in values]
    return torch.cat(latents).float() * vae.config["scaling_factor"]


def decode(vae: AutoencoderKL, latents: Tensor) -> list[Image.Image]:
    """(B, C, h, w) → RGB pictures. Brightness is cut off, not rounded, as in the WebUI."""
    pictures = []
    for values in decode_values(vae, latents):
        pictures.append(Image.fromarray((values * 255).to(torch.uint8).permute(1, 2, 0).cpu().numpy()))
    return pictures


def decode_values(vae: AutoencoderKL, latents: Tensor) -> list[Tensor]:
    """(B, C, h, w) → (3, H, W) in [0, 1] for each. Small pictures go together, which is faster, large ones alone, which fits."""
    first = next(vae.parameters())
    scaled = (latents / vae.config["scaling_factor"]).to(first.device, first.dtype)
    together = max(1, DECODED_AT_ONCE // (scaled.shape[2] * scaled.shape[3] * PIXELS**2))
    decoded = [vae.decode(group, return_dict=False)[0].float() for group in scaled.split(together)]
    return [(one / 2 + 0.5).clamp(0, 1) for group in decoded for one in group]


@dataclass(frozen=True)
class PreviewColours:
    """RGB of a latent's pixel as a linear function of its channels, which is close enough to look at."""

    weights: Tensor  # (C + 1, 3); the last row is added as it is

    def draw(self, latents: Tensor) -> Image.Image:
        """The whole batch as one picture of the final size, blurred as it is."""
        values = latents.detach().float().cpu()
        values = torch.cat([values, torch.ones_like(values[:, :1])], dim=1)  # (B, C + 1, h, w)
        colours = torch.einsum("bchw,cr->bhwr", values, self.weights).clamp(0, 1)
        small = [Image.fromarray(one) for one in (colours * 255).to(torch.uint8).numpy()]
        return image_grid([one.resize((one.width * PIXELS, one.height * PIXELS), Image.Resampling.BILINEAR) for one in small])


def preview_colours(vae: AutoencoderKL) -> PreviewColours:
    """Fitted by least squares to what this VAE decodes smooth random latents to: every VAE has its own colours."""
    channels = vae.config["latent_channels"]
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(1, channels, 6, 6, generator=generator) * 1.5
    latents = F.interpolate(coarse, size=(16, 16), mode="bilinear")
    picture = decode_values(vae, latents)[0].cpu()
    small = F.avg_pool2d(picture, PIXELS)  # (3, 16, 16)
    known = torch.cat([latents[0].flatten(1), torch.ones(1, 256)]).T  # (256, C + 1)
    return PreviewColours(torch.linalg.lstsq(known, small.flatten(1).T).solution)
