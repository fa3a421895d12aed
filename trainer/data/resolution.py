"""In which resolution is trained where nobody says one? In the base model's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lib_extension.formats.base_model import what_is
from lib_extension.formats.safetensors_header import read_header
from lib_extension.spec.errors import AtelierError
from lib_extension.spec.training.data import USUAL_RESOLUTION
from trainer.base_model import path_of

_PIXELS = 8  # of the picture in one of the latent
_STEP = 64


def with_resolution(config: dict[str, Any]) -> tuple[str, ...]:
    """Puts the base model's resolution into a training's parsed configuration where data.resolution is 0 or not said.

    Gives the notes on it: where it is not the usual one, and where the one that is said is far below the base model's.
    """
    data, model = config.get("data"), config.get("model")
    if not isinstance(data, dict):
        return ()
    asked = data.get("resolution", 0)
    if type(asked) is not int:  # for the settings to refuse
        return ()
    own = own_resolution(model.get("checkpoint") if isinstance(model, dict) else None)
    if asked == 0:
        data["resolution"] = own or USUAL_RESOLUTION
        return (f"data.resolution is {own}, as the base model's own.",) if own not in (0, USUAL_RESOLUTION) else ()
    if 2 * asked <= own:
        return (f"data.resolution is {asked}, and the base model was made for {own}: of pictures so small it learns few details.",)
    return ()


def own_resolution(checkpoint: object) -> int:
    """Side in pixels, a multiple of 64, of the pictures that a base model was made for; 0 where that is not known."""
    if not isinstance(checkpoint, str) or not checkpoint:
        return 0
    try:
        path = path_of(checkpoint, "checkpoint")
        side = _of_folder(path) if path.is_dir() else what_is(read_header(path)).side
    except (AtelierError, OSError):  # what is wrong with it is told where it is loaded
        return 0
    return round(side / _STEP) * _STEP


def _of_folder(folder: Path) -> int:
    """As the diffusers folder's U-Net says it."""
    try:
        size = json.loads((folder / "unet" / "config.json").read_text("utf-8")).get("sample_size", 0)
    except (ValueError, AttributeError):
        return 0
    return size * _PIXELS if type(size) is int else 0
