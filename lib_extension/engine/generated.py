"""What does a generation give back?"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PIL import Image

VERSION = "1.10.1"  # The WebUI whose behaviour the engine follows; clients read it from `info` and infotexts.


@dataclass(frozen=True)
class Info:
    """``info`` of the WebUI's answer (there a JSON string): the same names in the same order."""

    prompt: str
    all_prompts: list[str]
    negative_prompt: str
    all_negative_prompts: list[str]
    seed: int
    all_seeds: list[int]
    subseed: int
    all_subseeds: list[int]
    subseed_strength: float
    width: int
    height: int
    sampler_name: str
    cfg_scale: float
    steps: int
    batch_size: int
    restore_faces: bool
    face_restoration_model: str | None
    sd_model_name: str
    sd_model_hash: str
    sd_vae_name: str | None
    sd_vae_hash: str | None
    seed_resize_from_w: int
    seed_resize_from_h: int
    denoising_strength: float | None
    extra_generation_params: dict[str, Any]
    index_of_first_image: int
    infotexts: list[str]
    styles: list[str]
    job_timestamp: str
    clip_skip: int
    is_using_inpainting_conditioning: bool
    version: str = VERSION


@dataclass(frozen=True)
class Generated:
    """``images`` are a grid if one was asked for, the pictures, then control maps; the first ``len(infotexts)`` of them have an infotext.

    ``index_of_first_image`` of ``info`` tells where the pictures start. Nothing is written to disk here.
    """

    images: list[Image.Image]
    infotexts: list[str]
    info: Info
    warnings: list[str] = field(default_factory=list)
