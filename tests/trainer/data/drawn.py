"""Folders of small pictures, and settings for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from lib_extension.spec.settings import from_json
from lib_extension.spec.training.data import AugmentationSettings, CaptionSettings, DataSettings
from trainer.data.example import Concept, Example


def picture(file: Path, width: int = 64, height: int = 64, *, seed: int = 0, mode: str = "RGB", **how: Any) -> Path:
    """A picture of smooth noise, other for each seed."""
    channels = {"RGB": 3, "RGBA": 4, "CMYK": 4, "LA": 2, "L": 1}[mode]
    noise = np.random.default_rng(seed).integers(0, 255, (4, 4, channels), dtype=np.uint8)
    layers = [
        Image.fromarray(np.ascontiguousarray(noise[:, :, at])).resize((width, height), Image.Resampling.BICUBIC) for at in range(channels)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    (Image.merge(mode, layers) if channels > 1 else layers[0]).save(file, **how)
    return file


def folder(at: Path, count: int = 4, *, width: int = 64, height: int = 64, caption: str | None = "a mug, {}", seed: int = 0) -> Path:
    """`count` pictures, with their captions unless that is None."""
    for number in range(count):
        picture(at / f"{number}.png", width, height, seed=seed * 1000 + number)
        if caption is not None:
            (at / f"{number}.txt").write_text(caption.format(number), "utf-8")
    return at


def settings(*concepts: Path | dict[str, Any], **fields: Any) -> DataSettings:
    """For pictures of about 64 px."""
    listed = [one if isinstance(one, dict) else {"folder": str(one)} for one in concepts]
    return from_json(DataSettings, {"resolution": 64, "bucket_step": 8, "concepts": listed} | fields)


def example(
    caption: str = "", *, trigger: str = "", name: str = "mugs/0.png", captions: CaptionSettings | None = None, **fields: Any
) -> Example:
    """One that has no file."""
    concept = Concept(
        Path("mugs"),
        "mugs",
        "instance",
        1,
        1.0,
        64,
        trigger,
        captions or CaptionSettings(),
        AugmentationSettings(**fields.pop("augmentation", {})),
    )
    return Example(Path(name), name, concept, 64, 64, "0" * 64, caption, **fields)
