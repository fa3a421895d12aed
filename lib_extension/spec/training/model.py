"""On which base model is a LoRA trained?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class ModelSettings(Settings):
    """The base model."""

    checkpoint: str = field(label="Checkpoint", names="checkpoints", help="A safetensors file or a diffusers folder: a name or a path.")
    vae: str = field("", label="VAE", names="vaes", help="Empty: the checkpoint's own.", advanced=True)
    family: Literal["auto", "sd1", "sd2", "sdxl"] = field(
        "auto", label="Family", help="If it is stated, a checkpoint of another family is refused.", advanced=True
    )
    prediction: Literal["auto", "epsilon", "v_prediction"] = field(
        "auto", label="The U-Net predicts", help="auto: what the checkpoint says or shows.", advanced=True
    )
    clip_skip: int = field(1, label="CLIP skip", minimum=1, maximum=12, help="Heeded by SD1 only, as in the WebUI.")
    caption_chunks: int = field(
        3, label="Longest caption", minimum=1, maximum=16, help="In chunks of 75 tokens; what is longer is cut off.", advanced=True
    )
