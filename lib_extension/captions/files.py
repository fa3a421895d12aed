"""Where does a picture's caption stand, and how is it read and written without losing any?

Beside the picture, under its name with `.txt` or `.caption`. What editors of all systems leave is read: UTF-8 and UTF-16 with or
without their mark, and older one-byte files. What is written is UTF-8 without mark.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lib_extension.spec.errors import BadFile, BadRequest

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif", ".jxl", ".heic")
ENDINGS = (".txt", ".caption")
MASK_SUFFIX = "-masklabel"  # NAME-masklabel.png beside NAME.jpg is its mask, as in other trainers, and no picture of its own
MOST_BYTES = 2**20  # of one caption; a file of more is something else
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True)
class Captioned:
    """A picture and its caption's file; `text` is empty where there is none yet."""

    picture: Path
    file: Path  # where the caption stands, or would
    text: str
    name: str  # the picture's path in its folder, with slashes
    problem: str = ""  # why its caption could not be read


def read_folder(folder: Path, ending: str = "", nested: bool = True) -> list[Captioned]:
    """Every picture of the folder with its caption, by name as people count. Links are followed, each folder once.

    ending: of the captions; empty: whichever is there, and .txt where none is. Raises BadRequest where the folder is none.
    """
    if ending and ending not in ENDINGS:
        raise BadRequest(f'Captions end with "{ending}"; known are {" and ".join(ENDINGS)}.')
    if not folder.is_dir():
        raise BadRequest(f'There is no folder "{folder}".')
    pictures = sorted(_pictures(folder, nested, set()), key=lambda path: _as_people_count(path.relative_to(folder).as_posix()))
    found = [_captioned(picture, folder, ending) for picture in pictures]
    return _without_shared(found)


def read_text(file: Path) -> str:
    """The caption, without the line's end. Raises BadFile for what is no text, or cannot be read."""
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MOST_BYTES else b""
    except OSError as problem:
        raise BadFile(f'"{file.name}" cannot be read: {problem.strerror}.') from problem
    if size > MOST_BYTES:
        raise BadFile(f'"{file.name}" has {size} bytes; a caption has at most {MOST_BYTES}.')
    return decoded(data, file.name).strip()


def decoded(data: bytes, name: str) -> str:
    """The text of the bytes, by their mark, else as UTF-8, else as Windows' one-byte letters. Raises BadFile for none of these."""
    encodings = [encoding for mark, encoding in _MARKS if data.startswith(mark)] or ["utf-8", "cp1252"]
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise BadFile(f'"{name}" is not a text. Save it as UTF-8.')


def write_text(file: Path, text: str) -> None:
    """Put the caption in place at once: a file is the old one or the new one, whatever happens. Raises BadFile where it cannot be."""
    write_bytes(file, f"{text}\n".encode())


def write_bytes(file: Path, data: bytes) -> None:
    """As write_text. A link is written through, so that it stays one."""
    target = file.resolve() if file.is_symlink() else file
    aside = None
    try:
        with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.stem[:40]}", suffix=".part", delete=False) as part:
            aside = Path(part.name)
            part.write(data)
            part.flush()
            os.fsync(part.fileno())
        aside.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o644)
        aside.replace(target)
    except OSError as problem:
        if aside is not None:
            aside.unlink(missing_ok=True)
        raise BadFile(f'"{file.name}" cannot be written: {problem.strerror}. Its old caption is as it was.') from problem


def _captioned(picture: Path, folder: Path, ending: str) -> Captioned:
    there = next((file for e in ([ending] if ending else ENDINGS) if (file := picture.with_suffix(e)).is_file()), None)
    file = there or picture.with_suffix(ending or ENDINGS[0])
    name = picture.relative_to(folder).as_posix()
    if there is None:
        return Captioned(picture, file, "", name)
    try:
        return Captioned(picture, file, read_text(file), name)
    except BadFile as problem:
        return Captioned(picture, file, "", name, str(problem))


def _without_shared(found: list[Captioned]) -> list[Captioned]:
    """Two pictures of one name have one caption between them, which nobody means: the later says so."""
    owners: dict[Path, str] = {}
    told = []
    for one in found:
        owner = owners.setdefault(one.file, one.name)
        if owner != one.name:
            problem = f'"{one.name}" and "{owner}" have the caption {one.file.name} between them. Give one of them another name.'
            one = Captioned(one.picture, one.file, one.text, one.name, problem)
        told.append(one)
    return told


def _pictures(folder: Path, nested: bool, seen: set[Path]) -> Iterator[Path]:
    real = folder.resolve()
    if real in seen:
        return
    seen.add(real)
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = Path(entry.path)
            if entry.is_dir():
                if nested:
                    yield from _pictures(path, nested, seen)
            elif path.suffix.lower() in PICTURES and not path.stem.endswith(MASK_SUFFIX) and entry.is_file():
                yield path


def _as_people_count(name: str) -> list[tuple[int, int, str]]:
    """Sorts 2.png before 10.png."""
    parts: list[tuple[int, int, str]] = []
    digits = ""
    for letter in f"{name.lower()}\0":
        if letter.isascii() and letter.isdigit():
            digits += letter
            continue
        if digits:
            parts.append((0, int(digits), ""))
            digits = ""
        parts.append((1, 0, letter))
    return parts
