"""How is Stable Diffusion 2.x, which predicts noise or v, asked while it is trained?"""

from __future__ import annotations

from trainer.families.captions import encode
from trainer.families.family import Family
from trainer.families.sd1 import predict

SD2 = Family("sd2", encode, predict, "sd_v2", "stable-diffusion-v2", ("lora_te",))
