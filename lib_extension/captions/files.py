"""Where does a picture's caption stand, and how is it read and written without losing any?

Beside the picture, under its name with `.txt` or `.caption`. What editors of all systems leave is read: UTF-8 and UTF-16 with or
without their mark, and older one-byte files. What is written is UTF-8 without mark.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from lib_extension.captions.decoding import decoded
from lib_extension.captions.listing import Listed, listed
from lib_extension.captions.tags import tags_of
from lib_extension.formats.name_order import as_people_count
from lib_extension.spec.errors import BadFile

MOST_BYTES = 2**20  # of one caption; a file of more is something else


@dataclass(frozen=True)
class Captioned:
    """A picture and its caption's file; `text` is empty where there is none yet."""

    picture: Path
    file: Path  # where the caption stands, or would
    text: str
    name: str  # the picture's path in its folder, with slashes
    problem: str = ""  # why its caption could not be read

    @cached_property
    def tags(self) -> tuple[str, ...]:
        """Of the text."""
        return tuple(tags_of(self.text))


def read_folder(folder: Path, ending: str = "", nested: bool = True) -> list[Captioned]:
    """Every picture of the folder with its caption, by name as people count. Links are followed, each folder once.

    ending: of the captions; empty: whichever is there, and .txt where none is. Raises BadRequest where the folder is none.
    """
    found = sorted(listed(folder, ending, nested), key=lambda one: as_people_count(one.name))
    return without_shared(captioned(one) for one in found)


def captioned(one: Listed) -> Captioned:
    """With its caption as it stands in the file."""
    picture, file = Path(one.picture), Path(one.caption)
    if one.problem or one.stamp is None:
        return Captioned(picture, file, "", one.name, one.problem)
    try:
        return Captioned(picture, file, read_text(file), one.name)
    except BadFile as problem:
        return Captioned(picture, file, "", one.name, str(problem))


def without_shared(found: Iterable[Captioned]) -> list[Captioned]:
    """Two pictures of one name have one caption between them, which nobody means: the later says so."""
    owners: dict[Path, str] = {}
    told = []
    for one in found:
        owner = owners.setdefault(one.file, one.name)
        if owner != one.name:
            problem = f'"{one.name}" and "{owner}" have the caption {one.file.name} between them. Give one of them another name.'
            one = replace(one, problem=problem)
        told.append(one)
    return told


def read_text(file: Path) -> str:
    """The caption, without the line's end. Raises BadFile for what is no text, or cannot be read."""
    try:
        size = file.stat().st_size
        data = file.read_bytes() if size <= MOST_BYTES else b""
    except OSError as problem:
        raise BadFile(f'"{file.name}" cannot be read: {problem.strerror}.') from problem
    if size > MOST_BYTES:
        raise BadFile(f'"{file.name}" has {size} bytes; a caption has at most {MOST_BYTES}.')
    return text_in(data, file.name)


def text_in(data: bytes, name: str) -> str:
    """The text of a file's bytes, without the space around it. Raises BadFile for what is none."""
    text = decoded(data).text
    if text is None:
        raise BadFile(f'"{name}" is not a text. Save it as UTF-8.')
    return text


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
            _remove(aside)
        raise BadFile(f'"{file.name}" cannot be written: {problem.strerror}. What was there before is as it was.') from problem


def _remove(aside: Path) -> None:
    """As well as that can be done: it has the rights of a file that may be read only, which some systems do not delete."""
    try:
        aside.chmod(0o600)
        aside.unlink()
    except OSError:
        pass
