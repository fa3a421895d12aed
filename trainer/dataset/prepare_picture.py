"""How does one picture come into the prepared folder, with its caption and its mask, and into nobody else's files?"""

from __future__ import annotations

import errno
import io
import json
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extension.captions.files import Captioned, write_bytes
from lib_extension.formats.picture_names import MASK_SUFFIX
from lib_extension.spec.dataset import PrepareSettings
from lib_extension.spec.errors import AtelierError, BadFile
from lib_extension.spec.settings import to_json
from trainer.data.looks import other_kind
from trainer.data.pictures import DAMAGE, TooManyPixels, UnknownPixels, colours, file_hash, has_alpha, opened, upright
from trainer.dataset.prepare import Prepared, prepared
from trainer.dataset.prepare_colours import with_known_colours
from trainer.dataset.prepare_manifest import Note, Versions, made_by, write_note
from trainer.dataset.tools import Masks, masks_for, tools_for

_NOT_ABOUT_PIXELS = ("folder", "into", "nested", "leave_out", "processes", "boxes")
_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}


@dataclass(frozen=True)
class Task:
    """One picture and where it goes; files by their path in the prepared folder."""

    captioned: Captioned
    target: str
    made: Mapping[str, Versions]  # of the target, and of its caption's and its mask's files
    beside: Path | None = None  # the mask that lies with it

    @property
    def name(self) -> str:
        return self.captioned.name

    @property
    def caption(self) -> str:
        """Where its caption goes."""
        return Path(self.target).with_suffix(self.captioned.file.suffix).as_posix()

    @property
    def mask(self) -> str:
        """Where its mask goes."""
        target = Path(self.target)
        return target.with_name(f"{target.stem}{MASK_SUFFIX}.png").as_posix()


@dataclass(frozen=True)
class Done:
    """What became of a task: made anew, there already, or a problem."""

    name: str
    new: bool = False
    problem: str = ""
    is_full: bool = False  # no other picture could be written either
    files: tuple[str, ...] = ()  # that belong there now
    left: tuple[str, ...] = ()  # of these the ones that are not as they would be made, as somebody else changed or made them


def do(settings: PrepareSettings, task: Task) -> Done:
    """Makes what is not there yet."""
    try:
        return _do(settings, task)
    except AtelierError as problem:
        return Done(task.name, problem=str(problem), is_full=_is_full(problem.__cause__))
    except OSError as problem:
        return Done(task.name, problem=f"{problem.strerror or problem}.", is_full=_is_full(problem))


def _is_full(problem: BaseException | None) -> bool:
    return isinstance(problem, OSError) and problem.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))


def _do(settings: PrepareSettings, task: Task) -> Done:
    into = Path(settings.into)
    data, caption = task.captioned.picture.read_bytes(), _read(task.captioned.file)
    masks = masks_for(settings, task.name, task.beside)
    key = _key(data, settings, task.name, masks)
    files = [task.target, *([task.mask] if settings.background == "mask" or masks.beside else [])]
    by = {file: made_by(into / file, task.made.get(file, {})) for file in files}
    if by[task.target] is None:
        raise BadFile(
            f'"{task.target}" is there already, and was not made here or was changed since. Move it away, or choose another folder.'
        )
    new: dict[str, bytes] = {}
    left = [file for file in files if by[file] is None]
    if caption is not None:
        files.append(task.caption)
        if (there := _read(into / task.caption)) is None or file_hash(there) in task.made.get(task.caption, {}):
            new |= {task.caption: caption} if there != caption else {}
        elif there != caption:
            left.append(task.caption)
    if any(one not in (key, None) for one in by.values()):
        made = _prepared(data, settings, task.name, masks)
        if made.mask is not None and task.mask not in left:
            new[task.mask] = _encoded(made.mask, "png", 0)
        new[task.target] = _encoded(made.picture, settings.format, settings.quality)
    _write(settings, Note(whole(settings.folder), task.name, key, {file: file_hash(content) for file, content in new.items()}), new)
    return Done(task.name, bool(new), files=tuple(files), left=tuple(left))


def whole(folder: str) -> str:
    """The same text for the same folder, however it was named."""
    return str(Path(folder).resolve())


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None


def _key(data: bytes, settings: PrepareSettings, name: str, masks: Masks) -> str:
    """Another one whenever other pixels could come of it."""
    about = {field: value for field, value in to_json(settings).items() if field not in _NOT_ABOUT_PIXELS}
    box = to_json(settings.boxes[name]) if name in settings.boxes else None
    by = [file_hash(one.data) if one else None for one in (masks.subject, masks.beside)]
    return file_hash(data + json.dumps([about, box, by], sort_keys=True).encode())


def _prepared(data: bytes, settings: PrepareSettings, name: str, masks: Masks) -> Prepared:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd EXIF and the like
        picture = with_known_colours(_decoded(data))
        return prepared(picture, name, settings, tools_for(settings, masks, picture.size))


def _write(settings: PrepareSettings, note: Note, new: Mapping[str, bytes]) -> None:
    """The picture comes last: while it is not there, the task is not done."""
    if not new:
        return
    into = Path(settings.into)
    (into / note.name).parent.mkdir(parents=True, exist_ok=True)
    write_note(into, note)
    for file, content in new.items():
        write_bytes(into / file, content)


def _decoded(data: bytes) -> Image.Image:
    try:
        return upright(opened(data))
    except TooManyPixels as problem:
        raise BadFile("It has too many pixels to be sure that it is a picture. Make it smaller.") from problem
    except (UnknownPixels, *DAMAGE) as problem:
        if kind := other_kind(data):
            raise BadFile(f"It is {kind}, which cannot be read. Save it as PNG, JPEG or WEBP.") from problem
        raise BadFile("It cannot be read as a picture. Replace it by a sound copy, or leave it out.") from problem


def _encoded(picture: Image.Image, ending: str, quality: int) -> bytes:
    keeps_alpha = has_alpha(picture) and ending != "jpg"
    mode = "L" if picture.mode == "L" else "RGBA" if keeps_alpha else "RGB"
    image = picture.convert(mode) if keeps_alpha or mode == "L" else colours(picture)
    more: dict[str, Any] = {} if ending == "png" else {"quality": quality}
    profile = None if mode == "L" else picture.info.get("icc_profile")
    out = io.BytesIO()
    image.save(out, _FORMATS[ending], **more, icc_profile=profile)
    return out.getvalue()
