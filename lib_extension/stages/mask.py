"""A mask as a result: found or computed from each picture, seen, edited, and used by any stage after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageStat

from lib_extension.pictures.png import encode_png
from lib_extension.spec.settings import field
from lib_extension.stages.mask_use import MaskUse, WhenEmpty, asks_network, mask_names, mask_of, nothing_found, refuse_nothing
from lib_extension.stages.stage import Given, Outcome, Picture, Stage, StageType, Work


@dataclass(frozen=True, kw_only=True)
class MaskStage(Stage):
    """Makes a mask (white is chosen) of each picture that it takes, at the picture's size."""

    type: Literal["mask"] = field(label="Type")
    mask: MaskUse = field(label="Mask", help="One mask, or several: what any of them chooses.", source="mask")
    when_empty: WhenEmpty = field(
        "fail",
        label="When nothing is found",
        help="fail; skip what needs the mask; keep: an empty mask goes on; whole: all is chosen.",
        advanced=True,
    )

    def check(self) -> None:
        """Refuse no mask."""
        refuse_nothing(self.mask, "mask")


def work(given: Given) -> Work:
    """As the mask's sources do it. Facts of the result: coverage (0 to 1), and the box that holds all that is chosen."""
    stage: MaskStage = given.stage
    mask = yield from mask_of(stage.mask, given)
    if mask is None:
        if stage.when_empty == "fail":
            raise nothing_found(given)
        if stage.when_empty == "skip":
            return Outcome((), reason="Nothing was found to choose.")
        mask = Image.new("L", given.taken[0].image.size, 255 if stage.when_empty == "whole" else 0)
    box = mask.getbbox()
    facts = {"coverage": round(ImageStat.Stat(mask).mean[0] / 255, 4), "box": list(box) if box else None}
    return Outcome((Picture(encode_png(mask), facts=facts),))


TYPE = StageType(
    "mask",
    MaskStage,
    work,
    takes="each",
    references=lambda stage: mask_names(stage.mask),
    local=lambda stage: not asks_network(stage.mask),
    guides=True,
)
