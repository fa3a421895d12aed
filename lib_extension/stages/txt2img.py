"""A picture from a text, and from what guides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field
from lib_extension.stages.bodies import txt2img_body
from lib_extension.stages.frame import frame_of
from lib_extension.stages.picture_settings import PictureStage, drawing_cost, named_pictures
from lib_extension.stages.stage import Given, Outcome, StageType, Work


@dataclass(frozen=True, kw_only=True)
class Txt2ImgStage(PictureStage):
    """Draws pictures from a text. It takes none; controls may name some."""

    type: Literal["txt2img"] = field(label="Type")
    width: int = field(512, label="Width", minimum=8, maximum=16384, step=8, help="Pixels.")
    height: int = field(512, label="Height", minimum=8, maximum=16384, step=8, help="Pixels.")

    def check(self) -> None:
        """Refuse controls that would look at a picture that is not there."""
        super().check()
        for place, control in enumerate(self.controlnet):
            if control.enabled and not control.image:
                raise BadRequest(f'controlnet[{place}] needs "image", the name of a stage or an input: txt2img takes no picture itself.')


def work(given: Given) -> Work:
    """One call."""
    stage: Txt2ImgStage = given.stage
    frame = frame_of(stage.width, stage.height)
    answer = yield txt2img_body(stage, given, frame)
    return Outcome(tuple(frame.cut(picture) for picture in answer.pictures))


TYPE = StageType(
    "txt2img",
    Txt2ImgStage,
    work,
    takes="nothing",
    count=lambda stage, taken: stage.count,
    references=named_pictures,
    cost=drawing_cost,
    seeded=True,
)
