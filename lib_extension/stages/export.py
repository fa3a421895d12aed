"""Pictures as files to hand on: in the sizes and the format asked for, named by a pattern, with a manifest that tells what each is."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

from lib_extension.pictures.png import MOST_PIXELS, encode_png
from lib_extension.pictures.sizes import CROP, resize_image
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field
from lib_extension.stages.file_names import safe_name, safe_path, unused
from lib_extension.stages.patterns import Labels, fill_pattern, with_variables
from lib_extension.stages.sheet import colour_of
from lib_extension.stages.stage import Given, Outcome, Picture, Stage, StageType, Work

MANIFEST = "manifest.json"
FILES = "files"  # fact of a picture: the paths of the files that were made of it

_ENDINGS = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp"}
_LONGEST_SIDE = {"PNG": 2**31 - 1, "JPEG": 65500, "WEBP": 16383}
_MOST_EXIF = 60_000  # bytes; a JPEG takes 64 KiB
_EXIF_IFD, _USER_COMMENT = 0x8769, 0x9286


@dataclass(frozen=True, kw_only=True)
class ExportSize(Settings):
    """One of the sizes that every picture is written in."""

    name: str = field("", label="Name", help="Of {size} in the pattern; empty: such as 1200x800.")
    width: int = field(0, label="Width", minimum=0, maximum=16384, help="Pixels; 0: follows the height.")
    height: int = field(0, label="Height", minimum=0, maximum=16384, help="Pixels; 0: follows the width.")
    fit: Literal["inside", "crop", "pad", "stretch"] = field(
        "inside", label="Fit", help="inside: not larger than that; crop: cut to it; pad: background around it; stretch: distorted."
    )

    def check(self) -> None:
        """Refuse a size without a size, and a crop to one side."""
        if not self.width and not self.height:
            raise BadRequest('A size needs "width", "height" or both. Without any sizes, pictures keep their own.')
        if self.fit != "inside" and not (self.width and self.height):
            raise BadRequest(f'A size with the fit "{self.fit}" needs both width and height.')
        if self.width * self.height > MOST_PIXELS:
            raise BadRequest(f"A size of {self.width}×{self.height} is asked for; {MOST_PIXELS // 1_000_000} megapixels is the most.")


@dataclass(frozen=True, kw_only=True)
class ExportStage(Stage):
    """Writes all pictures that it takes as files, and passes them on as they are."""

    type: Literal["export"] = field(label="Type")
    scope: Literal["item", "run"] = field("run", label="One manifest for", help="Each item, in a folder of its own, or the whole run.")
    sizes: tuple[ExportSize, ...] = field((), label="Sizes", help="Each picture is written in all of them; none: in its own.")
    format: Literal["PNG", "JPEG", "WEBP"] = field("PNG", label="Format")
    quality: int = field(92, label="Quality", minimum=1, maximum=100, help="Of JPEG and WEBP; 100 is without loss for WEBP.")
    name: str = field(
        "{variables}-{stage}-{index}",
        label="File names",
        help="With {stage}, {index}, {number}, {size}, {seed}, {variables}, any {variable}, and /.",
    )
    background: str = field(
        "white", label="Background", help="Below what is transparent, in JPEG, and around what is padded.", advanced=True
    )
    metadata: bool = field(True, label="Tell in the file how it was made", advanced=True)
    manifest: bool = field(True, label="Write manifest.json", advanced=True)

    def check(self) -> None:
        """Refuse what is no colour, and a pattern without a name."""
        colour_of(self.background)
        if not self.name.strip():
            raise BadRequest('"name" is empty; it is the pattern of the files\' names, such as {variables}-{index}.')


def work(given: Given) -> Work:
    """Asks nobody. Each picture's facts have the paths of its files under FILES."""
    yield from ()
    stage: ExportStage = given.stage
    labels = with_variables(given.labels)
    files: dict[str, bytes] = {}
    entries: list[dict[str, Any]] = []
    used = {MANIFEST}
    pictures: list[Picture] = []
    for number, (picture, label) in enumerate(zip(given.taken, labels, strict=True), 1):
        before = len(files)
        for size, image in _sized(stage, picture.image):
            values = {**label, "number": number, "size": size, "seed": picture.seed, "width": image.width, "height": image.height}
            path = unused(f"{_path(stage, values)}.{_ENDINGS[stage.format]}", used)
            files[path] = _encoded(stage, image, picture.infotext if stage.metadata else "")
            entries.append(_entry(stage, path, files[path], picture, label, image))
        pictures.append(dataclasses.replace(picture, facts={**picture.facts, FILES: list(files)[before:]}))
    if stage.manifest and files:
        told = {"made_by": "Atelier", "stage": stage.id, "files": entries}
        files[MANIFEST] = (json.dumps(told, indent=2, ensure_ascii=False, default=str) + "\n").encode("utf-8", "replace")
    return Outcome(tuple(pictures), files=files)


def _path(stage: ExportStage, values: Labels) -> str:
    """Values are names before they are put together: a / in one of them makes no folder."""
    pattern = stage.name if len(stage.sizes) < 2 or "{size}" in stage.name else stage.name + "-{size}"
    return safe_path(fill_pattern(pattern, {name: safe_name(str(value)) for name, value in values.items()}))


def _sized(stage: ExportStage, image: Image.Image) -> Iterator[tuple[str, Image.Image]]:
    """(the size's name, the picture in it) for each size."""
    if not stage.sizes:
        yield f"{image.width}x{image.height}", image
    for size in stage.sizes:
        fitted = _fitted(size, image, stage.background)
        yield size.name or f"{fitted.width}x{fitted.height}", fitted


def _fitted(size: ExportSize, image: Image.Image, background: str) -> Image.Image:
    if size.fit == "crop":
        return resize_image(CROP, image, size.width, size.height)
    if size.fit == "stretch":
        return image.resize((size.width, size.height), Image.Resampling.LANCZOS)
    scale = min(side / own for side, own in ((size.width, image.width), (size.height, image.height)) if side)
    inner_size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    if inner_size[0] * inner_size[1] > MOST_PIXELS:
        raise BadRequest(f"A picture would become {inner_size[0]}×{inner_size[1]}; {MOST_PIXELS // 1_000_000} megapixels is the most.")
    inner = image.resize(inner_size, Image.Resampling.LANCZOS)
    if size.fit == "inside":
        return inner
    canvas = Image.new("RGB", (size.width, size.height), colour_of(background))
    place = ((size.width - inner.width) // 2, (size.height - inner.height) // 2)
    canvas.paste(inner.convert("RGB"), place, inner.getchannel("A") if inner.mode == "RGBA" else None)
    return canvas


def _encoded(stage: ExportStage, image: Image.Image, infotext: str) -> bytes:
    if max(image.size) > _LONGEST_SIDE[stage.format]:
        longest = _LONGEST_SIDE[stage.format]
        raise BadRequest(f"{stage.format} holds no picture of {image.width}×{image.height}; {longest} pixels a side is the most. Use PNG.")
    image.info = {name: value for name, value in image.info.items() if name == "icc_profile"}  # nothing else travels along unasked
    if stage.format == "PNG":
        return encode_png(image, infotext or None)
    if stage.format == "JPEG" and image.mode == "RGBA":
        ground = Image.new("RGBA", image.size, (*colour_of(stage.background), 255))
        image = Image.alpha_composite(ground, image).convert("RGB")
    file = io.BytesIO()
    lossless = {"lossless": True} if stage.format == "WEBP" and stage.quality == 100 else {}
    image.save(file, format=stage.format, quality=stage.quality, exif=_exif(infotext), **lossless)
    return file.getvalue()


def _exif(infotext: str) -> bytes:
    """The infotext where the WebUI looks for it in JPEG and WEBP; nothing where it is too long for that."""
    comment = b"UNICODE\0" + infotext.encode("utf-16-be", "replace")
    if not infotext or len(comment) > _MOST_EXIF:
        return b""
    exif = Image.Exif()
    exif[_EXIF_IFD] = {_USER_COMMENT: comment}
    return exif.tobytes()


def _entry(stage: ExportStage, path: str, content: bytes, picture: Picture, label: Labels, image: Image.Image) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "file": path,
        "width": image.width,
        "height": image.height,
        "sha256": hashlib.sha256(content).hexdigest(),
        "made_from": hashlib.sha256(picture.png).hexdigest(),
        "variables": {name: value for name, value in label.items() if name != "variables"},
    }
    if stage.metadata:
        entry |= {"seed": picture.seed, "infotext": picture.infotext, "facts": dict(picture.facts)}
    return entry


TYPE = StageType(
    "export", ExportStage, work, takes="all", count=lambda stage, taken: taken, local=lambda stage: True, patterns=("name",), version=2
)
