"""Where does a run's folder lie, and what goes into the LoRA file?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class OutputSettings(Settings):
    """What is written, and where."""

    folder: str = field("training-runs", label="Folder of runs", help="The run gets a folder of its name in it.")
    lora_folder: str = field(
        "", label="LoRA folder", help="The WebUI's, where the finished file goes under a new name; empty: it stays in the run's folder."
    )
    dtype: Literal["fp16", "bf16", "fp32"] = field("fp16", label="Precision of the file")
    peft_copy: bool = field(False, label="A copy for diffusers and peft", advanced=True)
    title: str = field("", label="Title", help="In the file's metadata; empty: the name.")
    author: str = field("", label="Author")
    description: str = field("", label="Description", multiline=True)
    license: str = field("", label="License")
