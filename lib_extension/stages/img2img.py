"""A picture drawn anew from another one, more or less like it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.pictures.sizes import resize_image
from lib_extension.spec.settings import field
from lib_extension.stages.bodies import guided_by, img2img_body
from lib_extension.stages.frame import RESIZE_MODES, Frame, frame_of, on_white
from lib_extension.stages.picture_settings import PictureStage, drawing_cost, named_pictures
from lib_extension.stages.stage import Given, Outcome, StageType, Work


@dataclass(frozen=True, kw_only=True)
class Img2ImgStage(PictureStage):
    """Redraws each picture that it takes."""

    type: Literal["img2img"] = field(label="Type")
    denoising_strength: float = field(0.4, label="Denoising strength", minimum=0, maximum=1, step=0.01, help="0 keeps the picture.")
    scale: float = field(
        1.0, label="Scale", minimum=0.05, maximum=8, step=0.05, help="Size of the result; width and height come before it."
    )
    resize_mode: Literal["stretch", "crop", "fill"] = field(
        "crop", label="Resize mode", help="Where the proportions are others.", advanced=True
    )


def target_size(stage: Img2ImgStage, taken: tuple[int, int]) -> Frame:
    """The size of the result. Where one side alone is set, the other follows the taken picture's proportions."""
    width, height = stage.width, stage.height
    if not width and not height:
        return frame_of(round(taken[0] * stage.scale), round(taken[1] * stage.scale))
    return frame_of(width or round(taken[0] * height / taken[1]), height or round(taken[1] * width / taken[0]))


def work(given: Given) -> Work:
    """One call, with the picture brought to its size beforehand, so that every host redraws the same."""
    stage: Img2ImgStage = given.stage
    taken = on_white(given.taken[0].image)
    frame = target_size(stage, taken.size)
    image = resize_image(RESIZE_MODES[stage.resize_mode], taken, *frame.size)
    answer = yield img2img_body(
        stage, given.seed, frame, image, guided_by(given, frame, image), denoising_strength=stage.denoising_strength
    )
    return Outcome(tuple(frame.cut(picture) for picture in answer.pictures))


TYPE = StageType(
    "img2img",
    Img2ImgStage,
    work,
    takes="each",
    count=lambda stage, taken: stage.count,
    references=named_pictures,
    cost=lambda stage: drawing_cost(stage, stage.denoising_strength) * (1.0 if stage.width or stage.height else stage.scale**2),
    seeded=True,
)
