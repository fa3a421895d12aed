"""A control map as a result: seen, edited, reused, and given to any stage's ControlNet with the module none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.pictures.png import encode_base64
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import Detect
from lib_extension.spec.settings import field
from lib_extension.stages.frame import on_white
from lib_extension.stages.stage import Given, Outcome, Stage, StageType, Work


@dataclass(frozen=True, kw_only=True)
class ControlStage(Stage):
    """Asks a preprocessor for the map of each picture that it takes: its edges, depth, pose."""

    type: Literal["control"] = field(label="Type")
    module: str = field(
        label="Preprocessor", help="As the backend lists it: canny, depth_midas, openpose_full.", names="controlnet_modules"
    )
    processor_res: int = field(
        0, label="Resolution", minimum=0, maximum=4096, help="Pixels of the shorter side; 0: the picture's own.", advanced=True
    )
    threshold_a: float = field(-1, label="Threshold A", help="-1: the preprocessor's own.", advanced=True)
    threshold_b: float = field(-1, label="Threshold B", help="-1: the preprocessor's own.", advanced=True)

    def check(self) -> None:
        """Refuse the preprocessor that does nothing."""
        if self.module.lower() == "none" or not self.module:
            raise BadRequest(f'"module" is "{self.module}", which makes no map; name a preprocessor, such as canny.')


def work(given: Given) -> Work:
    """One call to the preprocessor."""
    stage: ControlStage = given.stage
    image = on_white(given.taken[0].image)
    answer = yield Detect(
        controlnet_module=stage.module,
        controlnet_input_images=[encode_base64(image)],
        controlnet_processor_res=stage.processor_res or min(image.size),
        controlnet_threshold_a=stage.threshold_a,
        controlnet_threshold_b=stage.threshold_b,
    )
    return Outcome(answer.pictures)


TYPE = StageType("control", ControlStage, work, takes="each", guides=True)
