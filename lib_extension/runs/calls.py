"""What is asked of the backend for one stage, one row and one picture? Pure: a body comes out, nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PIL import Image, ImageOps

from lib_extension.pictures.png import encode_base64
from lib_extension.runs.small_recipe import Control, Mask, Recipe, Row, Stage, fill, inputs_of
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Img2Img, Txt2Img

Inputs = Mapping[str, Image.Image]


def call_for(recipe: Recipe, stage: Stage, row: Row, inputs: Inputs, taken: Image.Image | None) -> Txt2Img | Img2Img:
    """The body of the stage's call. `taken` is the picture to redraw, for img2img."""
    settings: dict[str, Any] = fill({**_shared(recipe, stage), **stage.settings}, row, stage.name)
    if stage.controlnet:
        settings["alwayson_scripts"] = {"controlnet": {"args": [_unit(control, row, stage, inputs) for control in stage.controlnet]}}
    if taken is None:
        return Txt2Img(**settings)
    width, height = (_to_multiple_of_8(side * stage.scale) for side in taken.size)
    sized = {**settings, "width": width, "height": height, "init_images": [encode_base64(taken)]}
    if stage.mask:
        sized["mask"] = encode_base64(mask_from_alpha(stage.mask, inputs[inputs_of(stage, row)[-1]], taken.size))
    return Img2Img(**sized)


def mask_from_alpha(mask: Mask, drawing: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The mask in mode L at `size`, white where the stage draws."""
    if drawing.mode != "RGBA":
        raise BadRequest(f'The input "{mask.alpha_of}" has no transparent ground, so it gives no mask.')
    alpha = drawing.getchannel("A").resize(size, Image.Resampling.BOX)
    return ImageOps.invert(alpha) if mask.invert else alpha


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB, on white where it is transparent."""
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    ground = Image.new("RGBA", picture.size, "white")
    return Image.alpha_composite(ground, picture).convert("RGB")


def _shared(recipe: Recipe, stage: Stage) -> dict[str, Any]:
    """The recipe's settings for every stage, without the size where that follows from the picture taken."""
    sized = () if stage.type == "txt2img" else ("width", "height")
    return {name: value for name, value in recipe.settings.items() if name not in sized}


def _unit(control: Control, row: Row, stage: Stage, inputs: Inputs) -> dict[str, Any]:
    picture = encode_base64(on_white(inputs[str(fill(control.image, row, stage.name))]))
    return {
        "enabled": True,
        "image": picture,
        "module": control.module,
        "model": control.model,
        "weight": control.weight,
        "guidance_start": control.guidance_start,
        "guidance_end": control.guidance_end,
        "pixel_perfect": True,
        "save_detected_map": False,
    }


def _to_multiple_of_8(side: float) -> int:
    return max(8, int(side / 8 + 0.5) * 8)
