"""How large will a stage's pictures be, and how large does the model draw them, as far as that is known beforehand?"""

from __future__ import annotations

from typing import Any

from lib_extension.preflight.look import Size
from lib_extension.stages.cut import CutStage
from lib_extension.stages.img2img import Img2ImgStage
from lib_extension.stages.inpaint import InpaintStage
from lib_extension.stages.sheet import SheetStage
from lib_extension.stages.txt2img import Txt2ImgStage
from lib_extension.stages.upscale import UpscaleStage


def result_size(stage: Any, taken: Size | None) -> Size | None:
    """Of the stage's pictures; None where it is not known. Stages that draw nothing give what they take."""
    if isinstance(stage, Txt2ImgStage):
        return stage.size
    if isinstance(stage, (Img2ImgStage, UpscaleStage)):
        return _sized(stage.width, stage.height, stage.scale, taken)
    return None if isinstance(stage, (SheetStage, CutStage)) else taken


def drawn_size(stage: Any, taken: Size | None) -> Size | None:
    """Of what the model composes at once: a tile, the box around a mask, the first pass of two, or the picture."""
    if isinstance(stage, UpscaleStage) and stage.method == "tiled":
        whole = result_size(stage, taken) or (stage.tile, stage.tile)
        return min(stage.tile, whole[0]), min(stage.tile, whole[1])
    if isinstance(stage, InpaintStage):
        if stage.inpaint_full_res:
            return (stage.width, stage.height) if stage.width and stage.height else taken
        return _sized(stage.width, stage.height, 1.0, taken)
    if isinstance(stage, Txt2ImgStage):
        return stage.width, stage.height
    return result_size(stage, taken)


def _sized(width: int, height: int, scale: float, taken: Size | None) -> Size | None:
    """Where one side is set, the other follows the proportions; where none is, `scale` counts."""
    if width and height:
        return width, height
    if taken is None:
        return None
    if width or height:
        return width or round(taken[0] * height / taken[1]), height or round(taken[1] * width / taken[0])
    return round(taken[0] * scale), round(taken[1] * scale)
