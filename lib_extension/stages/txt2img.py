"""A picture from a text, and from what guides it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field
from lib_extension.stages.bodies import txt2img_body
from lib_extension.stages.frame import frame_of
from lib_extension.stages.hires import Hires
from lib_extension.stages.picture_settings import PictureStage, drawing_cost, named_pictures
from lib_extension.stages.stage import Given, Outcome, StageType, Work


@dataclass(frozen=True, kw_only=True)
class Txt2ImgStage(PictureStage):
    """Draws pictures from a text. It takes none; controls may name some."""

    type: Literal["txt2img"] = field(label="Type")
    width: int = field(512, label="Width", minimum=8, maximum=16384, step=8, help="Pixels.")
    height: int = field(512, label="Height", minimum=8, maximum=16384, step=8, help="Pixels.")
    hires: Hires | None = field(None, label="Hires fix", help="A second pass that makes the picture larger. Without: none.")

    @property
    def size(self) -> tuple[int, int]:
        """Of its pictures."""
        return self.hires.size(self.width, self.height) if self.hires else (self.width, self.height)

    def check(self) -> None:
        """Refuse controls that would look at a picture that is not there, and a second pass that makes it smaller."""
        super().check()
        if self.size[0] < self.width or self.size[1] < self.height:
            shown = f"{self.size[0]}×{self.size[1]}"
            raise BadRequest(f"hires would make a picture of {self.width}×{self.height} {shown}, which is smaller. Raise its size.")
        for place, control in enumerate(self.controlnet):
            if control.enabled and not control.image:
                raise BadRequest(f'controlnet[{place}] needs "image", the name of a stage or an input: txt2img takes no picture itself.')


def work(given: Given) -> Work:
    """One call."""
    stage: Txt2ImgStage = given.stage
    frame = frame_of(stage.width, stage.height)
    larger = frame_of(*stage.size)
    answer = yield txt2img_body(stage, given, frame, stage.hires, larger)
    return Outcome(tuple(larger.cut(picture) for picture in answer.pictures))


def _cost(stage: Txt2ImgStage) -> float:
    first = drawing_cost(stage)
    if stage.hires is None:
        return first
    steps = stage.hires.hr_second_pass_steps or stage.steps
    larger = stage.size[0] * stage.size[1] / (stage.width * stage.height)
    return first + first * larger * steps / stage.steps * stage.hires.denoising_strength


TYPE = StageType(
    "txt2img",
    Txt2ImgStage,
    work,
    takes="nothing",
    count=lambda stage, taken: stage.count,
    references=named_pictures,
    cost=_cost,
    seeded=True,
)
