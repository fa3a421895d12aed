"""How does what was trained become a LoRA file that the WebUI reads: its names, its scales, its metadata and hash?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.spec.training.network import NetworkSettings

Precision = Literal["fp16", "bf16", "fp32"]


@dataclass(frozen=True)
class LoraTold:
    """What the file's metadata says of the training."""

    output_name: str
    title: str = ""
    author: str = ""
    description: str = ""
    trigger: str = ""
    resolution: tuple[int, int] = (512, 512)  # width, height
    steps: int = 0
    epoch: int = 0
    seed: int = 0
    clip_skip: int = 1
    pictures: int = 0
    tag_frequency: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by folder
    more: Mapping[str, str] = field(default_factory=dict)  # further ss_* or own entries


def check_name(name: str) -> None:
    """Raises BadRequest for a name that is no plain file name, or that no `<lora:name:1>` could say."""
    raise NotImplementedError


def write_lora(folder: Path, checkpoint: Checkpoint, settings: NetworkSettings, told: LoraTold, precision: Precision = "fp16") -> Path:
    """Writes `folder`/`told.output_name`.safetensors, or with -2, -3 … where that is there; nothing is ever overwritten."""
    raise NotImplementedError


def write_peft(folder: Path, checkpoint: Checkpoint, settings: NetworkSettings, told: LoraTold, precision: Precision = "fp16") -> Path:
    """The same under diffusers' and peft's names, for `load_lora_weights`. Raises BadRequest for kinds that diffusers does not read."""
    raise NotImplementedError
