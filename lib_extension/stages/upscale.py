"""A picture made larger: by an upscaler alone, redrawn at once (hires fix), or redrawn tile by tile."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from PIL import Image

from lib_extension.pictures.png import encode_base64, encode_png
from lib_extension.pictures.sizes import CROP, STRETCH, resize_image
from lib_extension.spec.calls import Call
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.sdapi import ExtraSingle
from lib_extension.spec.settings import field
from lib_extension.stages.bodies import PictureOf, guided_by, img2img_body
from lib_extension.stages.frame import Frame, frame_of, on_white, up_to_8, with_image
from lib_extension.stages.hires import LATENT
from lib_extension.stages.picture_settings import HIGHEST_SEED, Control, PictureStage, drawing_cost, named_pictures
from lib_extension.stages.stage import Answer, Given, Outcome, Picture, StageType, Work
from lib_extension.stages.tiles import Mosaic, Tile, cut_tiles

STRETCH_LATENTS = 3  # img2img's resize_mode

# Preprocessors that look at a picture as a whole: what it shows or how it is painted, not where.
_WHOLE_PICTURE = ("reference", "ip-adapter", "shuffle", "clip_vision", "revision", "t2ia_style", "instant_id")


@dataclass(frozen=True, kw_only=True)
class UpscaleStage(PictureStage):
    """Enlarges each picture that it takes. What is set for drawing counts for the methods hires and tiled."""

    type: Literal["upscale"] = field(label="Type")
    method: Literal["upscaler", "hires", "tiled"] = field("upscaler", label="Method")
    upscaler: str = field(
        "Lanczos",
        label="Upscaler",
        help='As the backend lists it; "Latent", for hires, stretches what the model works on.',
        names="upscalers",
    )
    scale: float = field(2.0, label="Scale", minimum=1, maximum=16, step=0.05, help="Width and height come before it.")
    denoising_strength: float = field(0.3, label="Denoising strength", minimum=0, maximum=1, step=0.01)
    tile: int = field(
        512, label="Tile", minimum=64, maximum=4096, step=8, help="Pixels of a tile's side, with what it shares.", advanced=True
    )
    overlap: int = field(
        64, label="Overlap", minimum=8, maximum=1024, help="Pixels that neighbours share at least; there they blend.", advanced=True
    )
    order: Literal["linear", "chess"] = field(
        "linear", label="Order", help="Of the tiles: row by row, or every second one first.", advanced=True
    )

    def check(self) -> None:
        """Refuse tiles that cannot be drawn or that mostly overlap, several pictures of one, and no upscaler."""
        super().check()
        if self.tile % 8:
            raise BadRequest(f"tile is {self.tile}; it must be a multiple of 8, such as {self.tile // 8 * 8}.")
        if self.overlap * 2 > self.tile:
            raise BadRequest(f"overlap is {self.overlap}; it must be at most half of tile, {self.tile // 2}.")
        if self.method != "hires" and self.count > 1:
            raise BadRequest(f'The method "{self.method}" gives one picture; leave batch_size and n_iter at 1, or use "hires".')
        if self.upscaler in ("", "None"):
            raise BadRequest(f'upscaler is "{self.upscaler}", which enlarges nothing; name one that the backend has, such as Lanczos.')
        if self.upscaler.startswith(LATENT) and (self.upscaler != LATENT or self.method != "hires"):
            # Of a picture, img2img stretches latents in one way alone; the others are there only while txt2img draws.
            raise BadRequest(
                f'upscaler is "{self.upscaler}" and method "{self.method}". A picture can be enlarged by "Latent" with the method "hires"; '
                "the other ways of stretching latents are for a txt2img stage's own hires."
            )


def work(given: Given) -> Work:
    """The upscaler's call first; then none, one, or one for each tile."""
    stage: UpscaleStage = given.stage
    taken = on_white(given.taken[0].image)
    frame = _target(stage, taken.size)
    if stage.upscaler == LATENT:
        return (yield from _stretched(stage, given, taken, frame))
    larger = yield from _upscaled(stage.upscaler, taken, frame)
    if stage.method == "hires":
        answer = yield img2img_body(
            stage, given.seed, frame, larger, guided_by(given, frame, larger), denoising_strength=stage.denoising_strength
        )
        return Outcome(tuple(frame.cut(picture) for picture in answer.pictures))
    known = dataclasses.replace(given.taken[0], facts={})
    if stage.method == "tiled":
        larger, infotext = yield from _redrawn(stage, given, larger)
        known = Picture(b"", infotext, given.seed)
    return Outcome((dataclasses.replace(known, png=encode_png(larger, known.infotext)),))


def _target(stage: UpscaleStage, taken: tuple[int, int]) -> Frame:
    """The size of the result. BadRequest where it is not larger."""
    if stage.width or stage.height:
        frame = frame_of(stage.width or round(taken[0] * stage.height / taken[1]), stage.height or round(taken[1] * stage.width / taken[0]))
    else:
        frame = frame_of(round(taken[0] * stage.scale), round(taken[1] * stage.scale))
    if frame.width < taken[0] or frame.height < taken[1]:
        shown = f"{frame.width}×{frame.height}"
        raise BadRequest(f'"{stage.id}" would make a picture of {taken[0]}×{taken[1]} {shown}, which is smaller. Use img2img for that.')
    return frame


def _upscaled(upscaler: str, taken: Image.Image, frame: Frame) -> Generator[Call, Answer, Image.Image]:
    """By one call to the upscaler. It is sent a multiple of 8, as the WebUI would make the result's size one by distorting it."""
    factor = max(frame.width / taken.width, frame.height / taken.height)
    if factor == 1:
        return taken
    source = Frame(*taken.size)
    answer = yield ExtraSingle(
        image=encode_base64(source.widen(taken)),
        upscaling_resize=factor,
        upscaler_1=upscaler,
        show_extras_results=True,
    )
    larger = answer.pictures[0].image.convert("RGB")
    wanted = (round(source.asked[0] * factor), round(source.asked[1] * factor))
    inner = resize_image(STRETCH, larger, *wanted).crop((0, 0, round(taken.width * factor), round(taken.height * factor)))
    return resize_image(CROP, inner, *frame.size)


def _stretched(stage: UpscaleStage, given: Given, taken: Image.Image, frame: Frame) -> Work:
    """Redrawn from stretched latents, in one call. Where the picture was widened for it, what that became is cut off again."""
    source = Frame(*taken.size)
    factor = max(frame.width / taken.width, frame.height / taken.height)
    width, height = (up_to_8(round(side * factor)) for side in source.asked)
    answer = yield img2img_body(
        stage,
        given.seed,
        source,
        taken,
        guided_by(given, source, taken),
        resize_mode=STRETCH_LATENTS,
        width=width,
        height=height,
        denoising_strength=stage.denoising_strength,
    )
    inner = (0, 0, round(taken.width * width / source.asked[0]), round(taken.height * height / source.asked[1]))
    if inner[2:] == (width, height) == frame.size:
        return Outcome(answer.pictures)
    cut = [(picture, resize_image(CROP, picture.image.crop(inner), *frame.size)) for picture in answer.pictures]
    return Outcome(tuple(with_image(picture, image) for picture, image in cut))


def _redrawn(stage: UpscaleStage, given: Given, larger: Image.Image) -> Generator[Call, Answer, tuple[Image.Image, str]]:
    """The picture, in place, with every tile redrawn, each from what its neighbours have become, and the infotext of the first."""
    mosaic = Mosaic(larger, stage.overlap)
    infotext = ""
    for tile in cut_tiles(larger.size, stage.tile, stage.overlap, stage.order):
        image = mosaic.crop(tile)
        frame = Frame(*image.size)
        seed = (given.seed + tile.place) % (HIGHEST_SEED + 1)
        answer = yield img2img_body(
            stage, seed, frame, image, _seen_by(tile, given, larger.size, image), denoising_strength=stage.denoising_strength
        )
        mosaic.put(tile, frame.cut(answer.pictures[0]).image.convert("RGB"))
        infotext = infotext or answer.pictures[0].infotext
    return mosaic.image, infotext


def _seen_by(tile: Tile, given: Given, size: tuple[int, int], image: Image.Image) -> PictureOf:
    """A control's picture for one tile: the part of it that lies there, or all of it where the control looks at it as a whole."""

    def picture_of(control: Control) -> Image.Image:
        if not control.image:
            return Frame(*image.size).widen(image)
        picture = on_white(given.others[control.image].image)
        if control.module.lower().startswith(_WHOLE_PICTURE):
            return picture
        across, down = picture.width / size[0], picture.height / size[1]
        left, top, right, bottom = tile.box
        part = (left * across, top * down, right * across, bottom * down)
        return Frame(*image.size).widen(picture.resize(image.size, Image.Resampling.BICUBIC, box=part))

    return picture_of


def _cost(stage: UpscaleStage) -> float:
    if stage.method == "upscaler":
        return 0.0
    larger = 1.0 if stage.width and stage.height else stage.scale**2
    twice = (stage.tile / (stage.tile - stage.overlap)) ** 2 if stage.method == "tiled" else 1.0  # what tiles share
    return drawing_cost(stage, stage.denoising_strength) * larger * twice


TYPE = StageType(
    "upscale",
    UpscaleStage,
    work,
    takes="each",
    count=lambda stage, taken: stage.count,
    references=named_pictures,
    cost=_cost,
    seeded=True,
)
