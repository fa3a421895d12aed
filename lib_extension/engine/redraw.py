"""Which part of which pictures is redrawn, and how does it get back into them? Pictures and masks only, no model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from lib_extension.engine.colour_correction import with_colours_of
from lib_extension.engine.control import Source
from lib_extension.engine.options import Options
from lib_extension.engine.task import Task
from lib_extension.models.upscalers import upscale
from lib_extension.pictures import masks
from lib_extension.pictures.masks import Box
from lib_extension.pictures.png import decode_picture
from lib_extension.pictures.sizes import CROP, FILL, LATENT, STRETCH, Upscale, resize_image
from lib_extension.spec.controlnet import ResizeMode
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Img2Img

FILLS = ("fill", "original", "latent noise", "latent nothing")
RESIZE_NAMES: tuple[ResizeMode, ...] = ("Just Resize", "Crop and Resize", "Resize and Fill", "Just Resize")


@dataclass(frozen=True)
class Masked:
    """``latent`` is the mask of what is sampled; ``paste`` that of what goes back, in the size of the finished picture.

    ``box`` is the part of the picture that is sampled ("Only masked"), or None for all of it.
    """

    latent: Image.Image
    paste: Image.Image
    box: Box | None


@dataclass(frozen=True)
class Redraw:
    """``pictures`` are what is encoded, one for each of the batch or one for all; ``originals`` what the result is laid over."""

    request: Img2Img
    pictures: list[Image.Image]
    originals: list[Image.Image]
    masked: Masked | None
    batch_size: int
    source: Source
    facts: dict[str, Any] = field(default_factory=dict)
    keeps_colours: bool = False

    def finish(self, made: list[Image.Image]) -> list[Image.Image]:
        """What was made, recoloured if that is wished, laid over the originals. Where the mask is 0 these stay as they are, bit for bit."""
        if self.keeps_colours:
            pictures = self.pictures * (len(made) if len(self.pictures) == 1 else 1)
            made = [with_colours_of(original, picture) for original, picture in zip(pictures, made, strict=True)]
        if self.masked is None:
            return made
        originals = self.originals * (len(made) if len(self.originals) == 1 else 1)
        return [_laid_over(picture, original, self.masked) for picture, original in zip(made, originals, strict=True)]


def plan_redraw(task: Task, request: Img2Img) -> Redraw:
    """Raises BadRequest where pictures, mask and settings do not go together."""
    asked, lenient = task.asked, task.engine.lenient
    _check(request, lenient)
    assert request.init_images is not None
    pictures = [
        _flattened(decode_picture(text, what=f"init_images[{i}]"), asked.options["img2img_background_color"])
        for i, text in enumerate(request.init_images)
    ]
    size = (asked.width, asked.height)
    resized = _resizer(request, size, _upscaler(task, asked.options))
    facts: dict[str, Any] = {"Denoising strength": request.denoising_strength}
    mask = _mask(request, pictures, facts, lenient)
    box = masks.crop_region(mask, request.inpaint_full_res_padding) if mask is not None and request.inpaint_full_res else None
    if mask is not None and request.inpaint_full_res and box is None:
        if not lenient:
            raise BadRequest('The mask is empty, so there is nothing to redraw with "Only masked" (inpaint_full_res). White is redrawn.')
        mask = None  # The WebUI redraws everything then.
    batch_size = len(pictures) if len(pictures) > 1 else request.batch_size
    keeps_colours = bool(asked.options["img2img_color_correction"])
    if mask is None:
        source = Source(pictures[0], None, RESIZE_NAMES[request.resize_mode])
        return Redraw(request, [resized(picture) for picture in pictures], [], None, batch_size, source, facts, keeps_colours)
    if box is not None:
        box = masks.expand_to_ratio(box, *size, mask.width, mask.height)
        facts |= {"Inpaint area": "Only masked", "Masked area padding": request.inpaint_full_res_padding}
        masked = Masked(resize_image(FILL, mask.crop(box), *size), _of_size(mask, pictures[0].size), box)
        originals = pictures
        sampled = [resize_image(FILL, picture.crop(box), *size) for picture in pictures]
    else:
        latent = resized(mask)
        masked = Masked(latent, latent.point([min(2 * value, 255) for value in range(256)]), None)
        originals = sampled = [resized(picture) for picture in pictures]
    if request.inpainting_fill != 1:
        sampled = [masks.fill(picture, masked.latent) for picture in sampled]
        facts["Masked content"] = FILLS[request.inpainting_fill]
    source = Source(pictures[0], mask, RESIZE_NAMES[request.resize_mode], _cropper(mask, box, size) if box else None)
    return Redraw(request, sampled, originals, masked, batch_size, source, facts, keeps_colours)


def _check(request: Img2Img, lenient: bool) -> None:
    if not request.init_images:
        raise BadRequest("img2img needs init_images, a list with at least one picture in base64.")
    if not 0 <= request.resize_mode <= LATENT:
        raise BadRequest(f"resize_mode is {request.resize_mode}; it must be 0, 1, 2 or 3.")
    if not 0 <= request.inpainting_fill < len(FILLS):
        raise BadRequest(f"inpainting_fill is {request.inpainting_fill}; it must be from 0 to {len(FILLS) - 1} ({', '.join(FILLS)}).")
    if len(request.init_images) > request.batch_size and len(request.init_images) > 1:
        raise BadRequest(f"There are {len(request.init_images)} init_images for a batch_size of {request.batch_size}; make them equal.")
    if lenient:
        return
    if 1 < len(request.init_images) < request.batch_size:
        raise BadRequest(f"There are {len(request.init_images)} init_images for a batch_size of {request.batch_size}; make them equal.")
    if request.inpaint_full_res_padding < 0:
        raise BadRequest(f"inpaint_full_res_padding is {request.inpaint_full_res_padding}; it must be 0 or more.")
    if request.latent_mask is not None:
        raise BadRequest("The engine has no latent_mask. Send the mask in the field mask.")


def _mask(request: Img2Img, pictures: Sequence[Image.Image], facts: dict[str, Any], lenient: bool) -> Image.Image | None:
    """The mask in its own size: inverted, then blurred, as asked."""
    if not request.mask:
        return None
    mask = masks.from_picture(decode_picture(request.mask, what="mask"), rounded=request.mask_round)
    for picture in pictures:
        if picture.size != mask.size and not lenient:
            raise BadRequest(
                f"The mask is {mask.width}×{mask.height}, the init image {picture.width}×{picture.height}; they must be of one size."
            )
    if request.inpainting_mask_invert:
        mask = masks.invert(mask)
        facts["Mask mode"] = "Inpaint not masked"
    x, y = (request.mask_blur_x, request.mask_blur_y) if request.mask_blur is None else (request.mask_blur, request.mask_blur)
    if x > 0 or y > 0:
        facts["Mask blur"] = x if x == y else None
    return masks.blur(mask, x, y)


def _resizer(request: Img2Img, size: tuple[int, int], upscaler: Upscale | None) -> Callable[[Image.Image], Image.Image]:
    """Brings a picture or mask to the size that is sampled. Resize mode 3 stretches latents, and with a mask the picture."""
    mode = request.resize_mode
    if mode == LATENT:
        if not request.mask:
            return lambda image: image
        mode = STRETCH
    return lambda image: resize_image(mode, image, *size, upscaler)


def _upscaler(task: Task, options: Options) -> Upscale | None:
    name = options["upscaler_for_img2img"]
    if name in (None, "", "None"):
        return None
    library, device = task.engine.library, task.loaded.checkpoint.device
    return lambda image, scale: upscale(str(name), image, scale, library, device)


def _cropper(mask: Image.Image, box: Box, size: tuple[int, int]) -> Callable[[Image.Image, ResizeMode], Image.Image]:
    modes = {"Just Resize": STRETCH, "Crop and Resize": CROP, "Resize and Fill": FILL}
    return lambda image, mode: resize_image(FILL, resize_image(modes[mode], image, *mask.size).crop(box), *size)


def _flattened(image: Image.Image, background: str) -> Image.Image:
    """RGB; what is transparent takes the background's colour."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, background)
    ground.alpha_composite(image)
    return ground.convert("RGB")


def _of_size(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    return mask if mask.size == size else resize_image(STRETCH, mask, *size)


def _laid_over(made: Image.Image, original: Image.Image, masked: Masked) -> Image.Image:
    if masked.box is not None:
        left, top, right, bottom = masked.box
        whole = Image.new("RGB", original.size)
        whole.paste(resize_image(CROP, made, right - left, bottom - top), (left, top))
        made = whole
    share = np.asarray(masked.paste, np.float32)[:, :, None] / 255
    mixed = np.asarray(made, np.float32) * share + np.asarray(original, np.float32) * (1 - share)
    return Image.fromarray(np.rint(mixed).astype(np.uint8))
