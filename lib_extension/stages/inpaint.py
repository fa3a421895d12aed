"""A part of a picture drawn anew; the rest stays as it is, to the bit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

from lib_extension.pictures import masks
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.settings import field
from lib_extension.stages.bodies import guided_by, img2img_body
from lib_extension.stages.frame import Frame, frame_of, on_white, up_to_8, with_image
from lib_extension.stages.mask_use import MaskUse, WhenEmpty, mask_names, mask_of, nothing_found, refuse_nothing
from lib_extension.stages.picture_settings import PictureStage, drawing_cost, named_pictures
from lib_extension.stages.stage import Given, Outcome, StageType, Work

FILLS = ("fill", "original", "latent noise", "latent nothing")  # by the API's numbers


@dataclass(frozen=True, kw_only=True)
class InpaintStage(PictureStage):
    """Redraws what a mask chooses. The result has the size of the picture taken; width and height are what is drawn at."""

    has_mask = True

    type: Literal["inpaint"] = field(label="Type")
    denoising_strength: float = field(0.75, label="Denoising strength", minimum=0, maximum=1, step=0.01)
    mask: MaskUse = field(label="Mask", help="White is redrawn: a mask stage or input, or masks written here.", source="mask")
    paste_back: MaskUse = field(
        "",
        label="Mask to paste back",
        help="Nothing changes outside it. Empty: the mask with its blur, as the WebUI has it.",
        source="mask",
    )
    mask_blur: int = field(4, label="Mask blur", minimum=0, maximum=masks.WIDEST_BLUR, help="Standard deviation in pixels.")
    inpainting_fill: int | Literal["fill", "original", "latent noise", "latent nothing"] = field(
        "original", label="Masked content", minimum=0, maximum=3, help="What the drawing starts from."
    )
    inpaint_full_res: bool = field(False, label="Only masked", help="Draw the box around the mask at the full width and height.")
    inpaint_full_res_padding: int = field(
        32, label="Only masked: padding", minimum=0, maximum=4096, help="Pixels around the box.", advanced=True
    )
    when_empty: WhenEmpty = field(
        "fail",
        label="When nothing is to redraw",
        help="fail; skip the picture and what needs it; keep: it goes on as it is; whole: all of it is redrawn.",
        advanced=True,
    )

    def check(self) -> None:
        """Refuse no mask."""
        super().check()
        refuse_nothing(self.mask, "mask")


def work(given: Given) -> Work:
    """Finds the masks, calls once, and puts every pixel outside the mask to paste back as it was taken."""
    stage: InpaintStage = given.stage
    taken = given.taken[0].image
    mask = yield from mask_of(stage.mask, given)
    paste = (yield from mask_of(stage.paste_back, given)) if mask is not None and stage.paste_back else None
    if mask is None or (stage.paste_back and paste is None):
        if stage.when_empty == "fail":
            raise nothing_found(given)
        if stage.when_empty != "whole":
            return Outcome(given.taken if stage.when_empty == "keep" else (), reason="Nothing is chosen to redraw.")
        paste = Image.new("L", taken.size, 255)
        mask = mask or paste
    frame = _drawn_size(stage, taken.size)
    drawn_mask = mask.resize(frame.size, Image.Resampling.BICUBIC) if frame.size != mask.size else mask
    image = on_white(taken)
    image = image.resize(frame.size, Image.Resampling.LANCZOS) if frame.size != image.size else image
    answer = yield img2img_body(stage, given.seed, frame, image, guided_by(given, frame, image), **_mask_fields(stage, frame, drawn_mask))
    paste = paste or _reach(stage, frame, drawn_mask).resize(taken.size, Image.Resampling.BOX)
    cut = [frame.cut(picture) for picture in answer.pictures]
    return Outcome(tuple(with_image(picture, paste_onto(taken, picture.image, paste)) for picture in cut))


def paste_onto(taken: Image.Image, drawn: Image.Image, mask: Image.Image) -> Image.Image:
    """`drawn` where the mask is white and `taken`, bit for bit, where it is black. In the mode of `taken`, but never grey."""
    mode = "RGBA" if taken.mode == "RGBA" else "RGB"
    if drawn.size != taken.size:
        drawn = drawn.resize(taken.size, Image.Resampling.LANCZOS)
    return Image.composite(drawn.convert(mode), taken.convert(mode), mask)


def _drawn_size(stage: InpaintStage, taken: tuple[int, int]) -> Frame:
    """With "only masked" the backend itself enlarges the box, so that the picture is sent as it is."""
    if stage.inpaint_full_res or not (stage.width or stage.height):
        return frame_of(*taken)
    return frame_of(stage.width or round(taken[0] * stage.height / taken[1]), stage.height or round(taken[1] * stage.width / taken[0]))


def _mask_fields(stage: InpaintStage, frame: Frame, mask: Image.Image) -> dict[str, Any]:
    fill = stage.inpainting_fill
    fields: dict[str, Any] = {
        "denoising_strength": stage.denoising_strength,
        "mask": encode_base64(frame.widen(mask)),
        "mask_blur_x": stage.mask_blur,
        "mask_blur_y": stage.mask_blur,
        "mask_blur": stage.mask_blur,
        "inpainting_fill": FILLS.index(fill) if isinstance(fill, str) else fill,
        "inpaint_full_res": stage.inpaint_full_res,
        "inpaint_full_res_padding": stage.inpaint_full_res_padding,
    }
    if stage.inpaint_full_res:
        width, height = frame.asked
        fields |= {"width": up_to_8(stage.width) or width, "height": up_to_8(stage.height) or height}
    return fields


def _reach(stage: InpaintStage, frame: Frame, mask: Image.Image) -> Image.Image:
    """Where the backend pasted what it drew: all that the mask's blur reaches. It has faded there already, so this does not fade."""
    blurred = masks.blur(frame.widen(mask), stage.mask_blur, stage.mask_blur).crop((0, 0, *frame.size))
    return masks.threshold(blurred, 0)


TYPE = StageType(
    "inpaint",
    InpaintStage,
    work,
    takes="each",
    count=lambda stage, taken: stage.count,
    references=lambda stage: tuple(dict.fromkeys((*named_pictures(stage), *mask_names(stage.mask), *mask_names(stage.paste_back)))),
    cost=lambda stage: drawing_cost(stage, stage.denoising_strength),
    seeded=True,
)
