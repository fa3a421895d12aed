"""Which calls would a WebUI carry out as something else, without a word? They are refused here, before they cost anything."""

from __future__ import annotations

import numpy as np

from lib_extension.pictures.png import decode_picture
from lib_extension.spec.controlnet import ControlNetUnit, read_units
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.inventory import NOTHING
from lib_extension.spec.sdapi import Img2Img, Txt2Img


def refuse_unusable(body: Txt2Img | Img2Img) -> None:
    """Raises BadRequest for an empty mask, and for a ControlNet unit that has nothing to act on."""
    if isinstance(body, Img2Img) and body.mask is not None:
        refuse_empty_mask(body)
    for place, unit in enumerate(read_units(body.alwayson_scripts).units):
        if unit.enabled:
            refuse_idle_unit(unit, f"ControlNet unit {place}", redraws=isinstance(body, Img2Img))


def refuse_empty_mask(body: Img2Img) -> None:
    """An empty "only masked" mask makes a WebUI redraw the whole picture."""
    mask = np.asarray(decode_picture(body.mask or "", what="mask").convert("L"))
    chosen = mask < 255 if body.inpainting_mask_invert else mask > 0
    if not chosen.any():
        raise BadRequest(
            "The mask is empty: nothing would be redrawn. Check what it was made from, or say what to do when nothing is found."
        )


def refuse_idle_unit(unit: ControlNetUnit, where: str, *, redraws: bool) -> None:
    """A WebUI leaves out a unit without picture, or whose picture or mask cannot be used; img2img lends it the picture that it redraws."""
    if unit.image is None and not redraws:
        raise BadRequest(f"{where} has no picture to be guided by. Name a stage or an input as its image.")
    if unit.image is not None:
        size = decode_picture(unit.image, what=f"The picture of {where}").size
        if unit.mask and (covered := decode_picture(unit.mask, what=f"The mask of {where}").size) != size:
            raise BadRequest(f"{where} has a mask of {_told(covered)} for a picture of {_told(size)}. Bring them to one size.")
    if unit.module in NOTHING and unit.model in NOTHING:
        raise BadRequest(f"{where} has neither a preprocessor nor a model, so it would do nothing. Name a model.")


def _told(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
