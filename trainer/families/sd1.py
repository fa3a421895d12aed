"""How is Stable Diffusion 1.x asked while it is trained?"""

from __future__ import annotations

from torch import Tensor, nn

from trainer.families.captions import encode
from trainer.families.family import Family, Sizes, TextStates, answer_of


def predict(unet: nn.Module, noisy: Tensor, timesteps: Tensor, text: TextStates, sizes: Sizes) -> Tensor:
    """The U-Net's answer (B, 4, h, w) to noisy latents at timesteps (B,); it knows nothing of sizes."""
    return answer_of(unet(noisy, timesteps, text.hidden))


SD1 = Family("sd1", encode, predict, "sd_v1", "stable-diffusion-v1", ("lora_te",))
