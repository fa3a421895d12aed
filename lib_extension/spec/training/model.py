"""On which base model is a LoRA trained, and how is that model held in memory?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
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


@dataclass(frozen=True)
class MemorySettings(Settings):
    """What is traded for memory."""

    precision: Literal["bf16", "fp16", "fp32"] = field("bf16", label="Precision", help="fp16, for cards without bf16, scales the loss.")
    base: Literal["as precision", "8bit", "nf4"] = field(
        "as precision", label="Frozen weights", help="The base model's matrices in 8 or 4 bits (arXiv:2305.14314) while a LoRA is trained."
    )
    gradient_checkpointing: bool = field(
        True, label="Gradient checkpointing", help="Computes activations twice instead of keeping them: about 27 % slower."
    )
    attention: Literal["sdpa", "xformers"] = field("sdpa", label="Attention", advanced=True)
    compile: bool = field(False, label="Compile the U-Net", help="Costs minutes at the start, and again for each size.", advanced=True)
    device: str = field("auto", label="Device", help="auto, cpu, cuda, cuda:1, mps …", advanced=True)
    auto_memory: bool = field(False, label="Save memory when it is short", help="Applies the cheapest savings and goes on.")

    def check(self) -> None:
        """BadRequest where compiled code would meet matrices that it cannot see into."""
        if self.compile and self.base != "as precision":
            raise BadRequest(f'memory.compile does not go with memory.base "{self.base}". Leave one of them out.')
