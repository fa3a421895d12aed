"""How do pictures leave the engine: as base64 in an answer, and as files when `save_images` asks for them?"""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

from PIL import Image

from lib_extension.engine.generated import Generated
from lib_extension.engine.options import Options
from lib_extension.pictures.png import encode_png
from lib_extension.spec.errors import BadRequest

EXIF_IFD = 0x8769
USER_COMMENT = 0x9286

_NUMBERED = re.compile(r"(\d{5,})-.*")


def encoded(image: Image.Image, infotext: str | None, options: Options) -> str:
    """Base64 in the format that the options name."""
    return base64.b64encode(file_of(image, infotext, options)).decode("ascii")


def file_of(image: Image.Image, infotext: str | None, options: Options) -> bytes:
    """The bytes of a picture file; the infotext is in a PNG's text chunk, or in EXIF's user comment."""
    kind = str(options["samples_format"]).lower()
    infotext = infotext if options["enable_pnginfo"] else None
    if kind == "png":
        return encode_png(image, infotext)
    if kind in ("jpg", "jpeg"):
        return _with_exif(image.convert("RGB"), infotext, "JPEG", quality=int(options["jpeg_quality"]))
    if kind == "webp":
        return _with_exif(image, infotext, "WEBP", quality=int(options["jpeg_quality"]), lossless=bool(options["webp_lossless"]))
    raise BadRequest(f'samples_format is "{kind}". The engine writes png, jpg and webp.')


def encoded_with(image: Image.Image, chunks: dict[str, str]) -> str:
    """Base64 of a PNG with these texts."""
    return base64.b64encode(encode_png(image, extra=chunks)).decode("ascii")


def save(generated: Generated, folder: Path, options: Options) -> None:
    """Writes the pictures as the WebUI names them: 00007-1234.png is the eighth picture of that day, with seed 1234.

    Grids are numbered by themselves; control maps are not written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    first = generated.info.index_of_first_image
    for place, (image, infotext) in enumerate(zip(generated.images, generated.infotexts, strict=False)):
        name = "grid" if place < first else str(generated.info.all_seeds[place - first])
        path = folder / f"{_next_number(folder):05d}-{name}.{str(options['samples_format']).lower()}"
        path.write_bytes(file_of(image, infotext, options))


def _next_number(folder: Path) -> int:
    numbers = [int(match[1]) for file in folder.iterdir() if (match := _NUMBERED.fullmatch(file.name))]
    return max(numbers, default=-1) + 1


def _with_exif(image: Image.Image, infotext: str | None, kind: str, **settings: int | bool) -> bytes:
    exif = Image.Exif()
    if infotext:
        exif.get_ifd(EXIF_IFD)[USER_COMMENT] = b"UNICODE\0" + infotext.encode("utf-16-be")
    file = io.BytesIO()
    image.save(file, kind, exif=exif, **settings)
    return file.getvalue()
