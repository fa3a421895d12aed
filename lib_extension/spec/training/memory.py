"""Where does the training run, in which precision, and what is given up in speed to save memory?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class MemorySettings(Settings):
    """Device, precision, and what is traded for memory."""

    precision: Literal["auto", "bf16", "fp16", "fp32"] = field(
        "auto",
        label="Precision",
        help="auto: bf16 where the GPU computes in it, else fp16, which scales the loss; fp32 without a GPU.",
    )
    base: Literal["as precision", "8bit", "nf4"] = field(
        "as precision", label="Frozen weights", help="The base model's matrices in 8 or 4 bits (arXiv:2305.14314) while a LoRA is trained."
    )
    gradient_checkpointing: bool = field(
        True, label="Gradient checkpointing", help="Computes activations twice instead of keeping them: about 27 % slower."
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
    compile: bool = field(False, label="Compile the U-Net", help="Costs minutes at the start, and again for each size.", advanced=True)
    device: str = field("auto", label="Device", help="auto, cpu, cuda, cuda:1, mps …", advanced=True)
    threads: int = field(0, label="Threads", minimum=0, maximum=1024, help="Of the processor; 0: as many as torch takes.", advanced=True)
    auto_memory: bool = field(
        False,
        label="Save memory when it is short",
        help="When the GPU's memory is full, applies the cheapest savings that learn the same but for rounding, and goes on.",
    )

    def check(self) -> None:
        """BadRequest where compiled code would meet matrices that it cannot see into."""
        if self.compile and self.base != "as precision":
            raise BadRequest(f'memory.compile does not go with memory.base "{self.base}". Leave one of them out.')
