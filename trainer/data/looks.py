"""What is each picture's file: its size, its hash, and what is wrong with it? Looked at once, and remembered while the file stays."""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from lib_extension.formats.flushing import replace
from trainer.data import mistakes
from trainer.data.mistakes import Mistake
from trainer.data.pictures import (
    DAMAGE,
    TooManyPixels,
    UnknownPixels,
    alpha,
    as_mask,
    file_hash,
    has_alpha,
    opened,
    upright,
)

_VERSION = 3  # of what is remembered
_ORIENTATION = 0x0112  # EXIF's number for it
_MOVING = ("GIF", "PNG", "WEBP", "AVIF", "TIFF")  # a JPEG with several pictures has the same one in other sizes
_COLOURS = {
    "CMYK": mistakes.CMYK,
    "LAB": mistakes.LAB,
    "P": mistakes.PALETTE,
    "PA": mistakes.PALETTE,
    "L": mistakes.GREY,
    "LA": mistakes.GREY,
    "1": mistakes.BLACK_AND_WHITE,
}
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_JPEG_XL = (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")


@dataclass(frozen=True)
class Look:
    """What was seen. Without a hash it cannot be used."""

    width: int = 0
    height: int = 0
    sha256: str = ""
    found: tuple[str, ...] = ()  # mistakes' texts
    detail: str = ""
    alpha: bool = False
    visible: bool = True  # somewhere not transparent
    bright: bool = True  # as a mask: somewhere not black
    turned: bool = False  # only its EXIF says which side is up


Progress = Callable[[int, int], None]


def look_at_all(files: Iterable[Path], memory: Path | None = None, told: Progress | None = None) -> dict[Path, Look]:
    """Each file's look. `memory` is a file in which they are kept for the next time."""
    wanted = list(dict.fromkeys(files))
    known = _read(memory) if memory else {}
    looks: dict[Path, Look] = {}
    stamps = {file: _stamp(file) for file in wanted}
    new = [file for file in wanted if (held := known.get(str(file))) is None or held[0] != stamps[file]]
    looks.update((file, known[str(file)][1]) for file in wanted if file not in set(new))
    with warnings.catch_warnings(), ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")  # of odd EXIF and the like, which does not matter here
        for done, (file, look) in enumerate(zip(new, pool.map(look_at, new), strict=True), 1):
            looks[file] = look
            if told:
                told(done, len(new))
    if memory and new:
        known.update((str(file), (stamps[file], looks[file])) for file in new)
        _write(memory, known)
    return looks


def look_at(file: Path) -> Look:
    """Reads and decodes it."""
    return look_and_picture(file)[0]


def look_and_picture(file: Path) -> tuple[Look, Image.Image | None]:
    """As look_at, with the picture, upright; None where it cannot be used."""
    try:
        data = file.read_bytes()
    except OSError as error:
        return _unusable(mistakes.NOT_READABLE, error.strerror or ""), None
    if not data:
        return _unusable(mistakes.EMPTY_FILE), None
    try:
        image = opened(data)
        found = _oddities(image, file)
        seen = upright(image)
        layer = alpha(seen)
        bright = _is_bright(seen)
    except TooManyPixels:
        return _unusable(mistakes.TOO_LARGE), None
    except UnknownPixels as error:
        return _unusable(mistakes.ODD_PIXELS, str(error)), None
    except DAMAGE as error:
        kind = other_kind(data) if isinstance(error, UnidentifiedImageError) else ""
        return _unusable(mistakes.UNKNOWN_KIND, kind) if kind else _unusable(mistakes.BROKEN, _reason(error)), None
    visible = layer is None or layer.getextrema()[1] != 0
    turned = image.getexif().get(_ORIENTATION, 1) != 1
    return Look(seen.width, seen.height, file_hash(data), found, "", has_alpha(seen), visible, bright, turned), seen


def other_kind(data: bytes) -> str:
    """The kind of a picture that nothing here reads, such as "HEIC"; empty for all others."""
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC:
        return "HEIC"
    return "JPEG XL" if data.startswith(_JPEG_XL) else ""


def _is_bright(seen: Image.Image) -> bool:
    """Whether it is, as a mask, somewhere not black."""
    if seen.mode in ("RGB", "L") and not has_alpha(seen):
        return seen.getbbox() is not None  # which ends at the first such pixel
    return bool(as_mask(seen).getextrema()[1])


def _oddities(image: Image.Image, file: Path) -> tuple[str, ...]:
    """What can be lived with."""
    expected = Image.registered_extensions().get(file.suffix.lower())
    is_same = image.format == expected or {image.format, expected} == {"JPEG", "MPO"}
    is_moving = image.format in _MOVING and getattr(image, "n_frames", 1) > 1
    colours = mistakes.SIXTEEN_BITS if image.mode.startswith("I") else _COLOURS.get(image.mode)
    odd = (
        None if is_same else mistakes.MISLABELLED,
        mistakes.ANIMATED if is_moving else colours,  # animations mostly have palettes
    )
    return tuple(mistake.what for mistake in odd if mistake)


def _unusable(mistake: Mistake, detail: str = "") -> Look:
    return Look(found=(mistake.what,), detail=detail)


def _reason(error: Exception) -> str:
    """What the reader said, without the object's address that Pillow puts into one of its messages."""
    text = str(error).split(" <")[0].strip()
    return text[:80]


def _stamp(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _read(memory: Path) -> dict[str, tuple[tuple[int, int], Look]]:
    """What cannot be read is looked at again."""
    try:
        held = json.loads(memory.read_text("utf-8"))
        if held["version"] != _VERSION:
            return {}
        return {
            file: ((int(size), int(changed)), Look(**{**look, "found": tuple(look["found"])}))
            for file, (size, changed, look) in held["looks"].items()
            if all(text in mistakes.BY_TEXT for text in look["found"])
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def _write(memory: Path, known: dict[str, tuple[tuple[int, int], Look]]) -> None:
    """Aside and renamed, so that no reader meets half a file. Pictures that cannot be used are looked at again the next time."""
    looks = {file: (*stamp, asdict(look)) for file, (stamp, look) in known.items() if look.sha256}
    memory.parent.mkdir(parents=True, exist_ok=True)
    aside = memory.with_name(f"{memory.name}.{os.getpid()}.part")
    aside.write_text(json.dumps({"version": _VERSION, "looks": looks}), "utf-8")
    replace(aside, memory)
