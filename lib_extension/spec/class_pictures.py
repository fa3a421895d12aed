"""What may be asked of class pictures: drawn by the backend from a folder's captions without the trigger word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class ClassPicturesSettings(Settings):
    """Draw what the captions say without the trigger word, so that a training does not forget what such things look like."""

    folder: str = field(label="Folder", help="Of the pictures that are trained on, with their captions.")
    into: str = field(label="Into the folder", help="For the class pictures and their captions; what is there already stays.")
    trigger: str = field(
        "", label="Trigger word", help="It is left out; several with commas between them. Empty: the captions are taken as they are."
    )
    instead: str = field("", label="In its place", help="What the class is called, such as watch, where the captions do not say it.")
    each: int = field(1, label="Pictures of each caption", minimum=1, maximum=1000)
    negative_prompt: str = field("", label="Negative prompt", multiline=True, prompt=True)
    checkpoint: str = field("", label="Checkpoint", help="Empty: the one that the backend has in use.", names="checkpoints")
    sampler_name: str = field("Euler a", label="Sampling method", names="samplers", advanced=True)
    scheduler: str = field("Automatic", label="Schedule type", names="schedulers", advanced=True)
    steps: int = field(20, label="Sampling steps", minimum=1, maximum=1000)
    cfg_scale: float = field(7.0, label="CFG scale", minimum=0, maximum=100, step=0.5)
    width: int = field(512, label="Width", minimum=8, maximum=16384, step=8)
    height: int = field(512, label="Height", minimum=8, maximum=16384, step=8)
    seed: int = field(-1, label="Seed", minimum=-1, maximum=2**32 - 1, help="Of the first; each has one of its own. -1: drawn once.")
    nested: bool = field(True, label="Folders in it, too", advanced=True)
    ending: Literal["", ".txt", ".caption"] = field("", label="Ending", help="Empty: whichever is there.", advanced=True)
