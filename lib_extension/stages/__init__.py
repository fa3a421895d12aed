"""What stages can a recipe have? One file a type; STAGES lists them."""

from __future__ import annotations

from lib_extension.stages import composite, control, export, img2img, inpaint, mask, review, sheet, txt2img, upscale
from lib_extension.stages.stage import StageType

STAGES: dict[str, StageType] = {
    stage.name: stage
    for stage in (
        txt2img.TYPE,
        img2img.TYPE,
        inpaint.TYPE,
        control.TYPE,
        mask.TYPE,
        upscale.TYPE,
        composite.TYPE,
        review.TYPE,
        sheet.TYPE,
        export.TYPE,
    )
}
