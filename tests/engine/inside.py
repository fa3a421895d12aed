"""Engines in the test's own process, over tiny models: for what needs no HTTP."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from lib_extension.engine.annotators import Annotators
from lib_extension.engine.engine import Engine
from lib_extension.engine.options import Options
from lib_extension.models.checkpoint import Placement
from lib_extension.models.library import Library
from lib_extension.pictures.png import encode_base64


class Grey:
    """A depth judge: bright is near."""

    def depth(self, image: Image.Image) -> Image.Image:
        return image.convert("L")


def engine_over(models: Path, checkpoint: str, *, lenient: bool = False) -> Engine:
    """One for each set of arguments, with the models that are there now."""
    engine = _engine(models, checkpoint, lenient)
    engine.library.refresh()
    return engine


@cache
def _engine(models: Path, checkpoint: str, lenient: bool) -> Engine:
    options = Options({"sd_model_checkpoint": checkpoint}, lenient=lenient)
    return Engine(Library(models), options, Placement(), Annotators(Grey(), models / "no-packages"), lenient=lenient)


def values(image: Image.Image) -> np.ndarray[Any, np.dtype[np.int16]]:
    return np.asarray(image.convert("RGB")).astype(np.int16)


def largest_difference(first: Image.Image, second: Image.Image) -> int:
    return int(np.abs(values(first) - values(second)).max())


def mean_difference(first: Image.Image, second: Image.Image) -> float:
    return float(np.abs(values(first) - values(second)).mean())


def scene(width: int = 64, height: int = 64) -> Image.Image:
    """A disc and a bar on a slope of colours: edges, areas and gradients."""
    rows, columns = np.mgrid[0:height, 0:width]
    ground = np.stack([columns * 255 / width, rows * 255 / height, np.full((height, width), 90.0)], axis=2)
    image = Image.fromarray(ground.astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((width // 4, height // 4, width * 3 // 4, height * 3 // 4), fill=(220, 40, 40))
    draw.rectangle((2, 2, width // 3, 8), fill=(20, 20, 20))
    return image


def base64_of(image: Image.Image) -> str:
    return encode_base64(image)
