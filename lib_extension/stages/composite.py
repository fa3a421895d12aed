"""A picture with pixels of another one pasted back: the product as it was photographed, in a place that was drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image

from lib_extension.pictures import masks
from lib_extension.pictures.colour_match import match_edge
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field
from lib_extension.stages.frame import at_size, on_white, with_image
from lib_extension.stages.mask_use import MaskUse, WhenEmpty, asks_network, mask_names, mask_of, nothing_found
from lib_extension.stages.stage import Given, Outcome, Stage, StageType, Work


@dataclass(frozen=True, kw_only=True)
class CompositeStage(Stage):
    """Pastes `over` on each picture that it takes, where a mask is white and `over` is opaque."""

    type: Literal["composite"] = field(label="Type")
    over: str = field(label="Original", help="The stage or input whose pixels are pasted.", source="picture")
    mask: MaskUse = field("", label="Mask", help="White is pasted. Empty: what is opaque in the original.", source="mask")
    match_colour: bool = field(False, label="Match colours at the edge", help="What is pasted takes on the picture's light near its edge.")
    match_width: int = field(
        16, label="Match colours: width", minimum=1, maximum=256, help="Pixels from the edge on inwards.", advanced=True
    )
    when_empty: WhenEmpty = field(
        "fail",
        label="When nothing is to paste",
        help="fail; skip the picture and what needs it; keep: it goes on as it is; whole: all of the original is pasted.",
        advanced=True,
    )

    def check(self) -> None:
        """Refuse to paste nothing."""
        if not self.over:
            raise BadRequest('"over" is empty; name the stage or input whose pixels are pasted back.')


def work(given: Given) -> Work:
    """Where the mask is white the result is the original to the bit, but for colours matched; where it is black, the picture taken."""
    stage: CompositeStage = given.stage
    taken = given.taken[0].image
    original = at_size(given.others[stage.over].image, taken.size, what=f'The original "{stage.over}"')
    mask = (yield from mask_of(stage.mask, given)) if stage.mask else _opaque(original)
    if mask is not None and stage.mask and original.mode == "RGBA":
        mask = masks.intersection(mask, original.getchannel("A"))
    if mask is None or mask.getbbox() is None:
        if stage.when_empty == "fail":
            raise nothing_found(given)
        if stage.when_empty != "whole":
            return Outcome(given.taken if stage.when_empty == "keep" else (), reason="There is nothing to paste.")
        mask = Image.new("L", taken.size, 255)
    pasted = original.convert("RGB")
    if stage.match_colour:
        pasted = match_edge(pasted, on_white(taken), mask, stage.match_width)
    mode = "RGBA" if taken.mode == "RGBA" else "RGB"
    return Outcome((with_image(given.taken[0], Image.composite(pasted.convert(mode), taken.convert(mode), mask)),))


def _opaque(original: Image.Image) -> Image.Image | None:
    return original.getchannel("A") if original.mode == "RGBA" else None


TYPE = StageType(
    "composite",
    CompositeStage,
    work,
    takes="each",
    references=lambda stage: tuple(dict.fromkeys((stage.over, *mask_names(stage.mask)))),
    local=lambda stage: not asks_network(stage.mask),
    version=2,
)
