"""Where does the training run, in which precision, and what is given up in speed to save memory?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class MemorySettings(Settings):
    """Device, precision, and what saves memory."""

    device: str = field("auto", label="Device", help="auto, cpu, cuda, cuda:1, mps.", advanced=True)
    precision: Literal["auto", "bf16", "fp16", "fp32"] = field(
        "auto", label="Precision", help="auto: bf16 where the GPU computes in it, else fp16; fp32 without a GPU."
    )
    base: Literal["as precision", "fp32", "8bit", "nf4"] = field(
        "as precision", label="Weights of the base model", help="How the frozen U-Net is held; 8bit and nf4 need bitsandbytes."
    )
    gradient_checkpointing: bool = field(
        False, label="Gradient checkpointing", help="Computes activations twice instead of keeping them: about 30 % slower, much smaller."
    )
    accumulation: int = field(
        1,
        label="Gradient accumulation",
        minimum=1,
        maximum=1024,
        help="Batches whose gradients are added up before the optimizer is called.",
    )
    parts: int = field(
        1,
        label="Parts of a batch",
        minimum=1,
        maximum=1024,
        help="A batch is computed in so many parts, one after the other: the same result in less memory.",
    )
    attention: Literal["sdpa", "xformers"] = field("sdpa", label="Attention", advanced=True)
    compile: bool = field(False, label="torch.compile", help="Takes minutes at the start and makes each step quicker.", advanced=True)
    auto_memory: bool = field(
        True,
        label="Save memory when it runs out",
        help="When the GPU's memory is full, turn on what saves some, and go on from the same step.",
    )
    threads: int = field(0, label="Threads", minimum=0, maximum=1024, help="Of the processor; 0: as many as it has.", advanced=True)
