"""Which files does a merge take from, how much of each, and where does its result go?"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging.blocks import block_weights
from lib_extension.spec.settings import Settings, field
from lib_extension.spec.training import check_name

Precision = Literal["same", "fp32", "fp16", "bf16"]
_BLOCKS_HELP = "ALL, INS, MIDD, OUTALL …, or 12, 17, 20 or 26 numbers: BASE, IN…, M00, OUT…"


@dataclass(frozen=True, kw_only=True)
class LoraSource(Settings):
    """A LoRA, and how much of it."""

    file: str = field(label="LoRA", names="loras", help="A .safetensors file, or a folder that peft wrote.")
    weight: float = field(1.0, label="Weight", minimum=-10, maximum=10, step=0.05)
    unet: float = field(1.0, label="U-Net", minimum=-10, maximum=10, step=0.05, help="Multiplies the weight there.", advanced=True)
    text_encoder: float = field(
        1.0, label="Text encoder", minimum=-10, maximum=10, step=0.05, help="Multiplies the weight there.", advanced=True
    )
    blocks: str = field("", label="Block weights", help=_BLOCKS_HELP, advanced=True)

    def check(self) -> None:
        """BadRequest for block weights that say nothing."""
        block_weights(self.blocks)


@dataclass(frozen=True, kw_only=True)
class CheckpointSource(Settings):
    """A checkpoint."""

    file: str = field(label="Checkpoint", names="checkpoints", help="A .safetensors file, or a folder in diffusers' layout.")
    sha256: str = field("", label="Its SHA-256", help="Empty: it is computed once for each file, and remembered.", advanced=True)

    def check(self) -> None:
        """BadRequest for what is no SHA-256."""
        if self.sha256 and not re.fullmatch(r"[0-9a-fA-F]{64}", self.sha256):
            raise BadRequest(f'"{self.sha256[:70]}" is no SHA-256; it must have 64 hexadecimal digits.')


@dataclass(frozen=True, kw_only=True)
class Output(Settings):
    """Where the result goes. A file that is there already is never touched: the new one gets a number."""

    folder: str = field(".", label="Folder", help="Such as the WebUI's models/Lora.")
    name: str = field("", label="Name", help="Without .safetensors; empty: made of the sources' names.")
    precision: Precision = field("same", label="Precision", help="same: that of the sources, the widest of several.")
    notes: str = field("", label="Notes", help="Kept in the file's metadata.", multiline=True, advanced=True)

    def check(self) -> None:
        """BadRequest for a name that is no file's on every system."""
        try:
            if self.name:
                check_name(self.name)
        except BadRequest as error:
            raise BadRequest(f"output.{error}") from error
