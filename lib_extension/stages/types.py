"""Which stage types are there? A new one is one file, and one line here."""

from __future__ import annotations

from lib_extension.stages import composite, control, cut, export, img2img, inpaint, mask, review, sheet, txt2img, upscale
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
        cut.TYPE,
        review.TYPE,
        sheet.TYPE,
        export.TYPE,
    )
}
