"""Which pictures lie in a folder, and where does the caption of each stand, or would? Nothing is opened here."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lib_extension.formats.picture_names import MASK_SUFFIX, READABLE
from lib_extension.spec.errors import BadFile, BadRequest

PICTURES = (*READABLE, ".heic", ".heif", ".jxl")  # also those that a training cannot read, so that a check can say so
ENDINGS = (".txt", ".caption")

Stamp = tuple[int, int, int, int]


@dataclass(frozen=True)
class Listed:
    """A picture and its caption's file."""

    picture: str
    caption: str
    name: str  # the picture's path in its folder, with slashes
    stamp: Stamp | None  # another one once the caption's file is; None: there is none
    problem: str = ""  # why its caption is of no use


def listed(folder: Path, ending: str = "", nested: bool = True, within: Sequence[Path] | None = None) -> list[Listed]:
    """In no order. Links are followed, each folder once.

    ending: of the captions; empty: whichever is there, and .txt where none is. within: what lies elsewhere, also by a link, is left out.
    Raises BadRequest where the folder is none, BadFile where one in it cannot be read.
    """
    if ending and ending not in ENDINGS:
        raise BadRequest(f'Captions end with "{ending}"; known are {" and ".join(ENDINGS)}.')
    if not folder.is_dir():
        raise BadRequest(f'There is no folder "{folder}".')
    bounds = None if within is None else tuple(os.path.realpath(one) for one in within)
    looked = _Look((ending,) if ending else ENDINGS, nested, bounds)
    return list(looked.at(str(folder), ""))


class _Look:
    """One walk through a folder."""

    def __init__(self, endings: tuple[str, ...], nested: bool, bounds: tuple[str, ...] | None) -> None:
        self._endings = endings
        self._nested = nested
        self._bounds = bounds
        self._seen: set[str] = set()

    def at(self, folder: str, below: str) -> Iterator[Listed]:
        """`below`: the folder's path in the first one, ended by a slash."""
        real = os.path.realpath(folder)
        if real in self._seen or not self._is_within(real):
            return
        self._seen.add(real)
        try:
            with os.scandir(folder) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
        except OSError as problem:
            what = f'The folder "{folder.rpartition(os.sep)[2]}" cannot be read: {problem.strerror}.'
            raise BadFile(f"{what} Give the right to read it{', or leave out the folders in it' * bool(below)}.") from problem
        captions = {entry.name: entry for entry in entries if entry.name.lower().endswith(self._endings) and _holds(entry.is_file)}
        alike = _alike(captions)
        for entry in entries:
            stem, dot, ending = entry.name.rpartition(".")
            if f"{dot}{ending.lower()}" in PICTURES and not stem.endswith(MASK_SUFFIX) and _holds(entry.is_file):
                if not entry.is_symlink() or self._is_within(os.path.realpath(entry.path)):
                    yield self._told(entry, stem, below, captions, alike)
            elif self._nested and _holds(entry.is_dir):
                yield from self.at(entry.path, f"{below}{entry.name}/")

    def _told(
        self, picture: os.DirEntry[str], stem: str, below: str, captions: Mapping[str, os.DirEntry[str]], alike: Mapping[str, list[str]]
    ) -> Listed:
        name = f"{below}{picture.name}"
        would = f"{picture.path.rpartition('.')[0]}{self._endings[0]}"
        if not _is_text(name):
            shown = name.encode("utf-8", "replace").decode()
            return Listed(picture.path, would, shown, None, f'The name of "{shown}" is not Unicode. Give it another one.')
        names = [f"{stem}{ending}" for ending in self._endings]
        there = next((one for one in names if one in captions), "")
        if not there:
            found = (caption for one in names for caption in alike.get(_plain(one), ()))
            there = next((caption for caption in found if _is_same(picture.path, stem, caption)), "")
        if not there:
            return Listed(picture.path, would, name, None)
        entry = captions[there]
        if entry.is_symlink() and not self._is_within(os.path.realpath(entry.path)):
            return Listed(picture.path, entry.path, name, None, f'"{there}" leads out of the folders that may be used from here.')
        try:
            stat = entry.stat()
        except OSError as problem:
            return Listed(picture.path, entry.path, name, None, f'"{there}" cannot be read: {problem.strerror}.')
        return Listed(picture.path, entry.path, name, (stat.st_mtime_ns, stat.st_size, stat.st_ino, stat.st_ctime_ns))

    def _is_within(self, real: str) -> bool:
        return self._bounds is None or any(real == bound or real.startswith(bound.rstrip(os.sep) + os.sep) for bound in self._bounds)


def _alike(names: Iterable[str]) -> dict[str, list[str]]:
    """By what they are but for capitals and the form of their letters."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(_plain(name), []).append(name)
    return found


def _plain(name: str) -> str:
    return _composed(name).casefold()


def _composed(name: str) -> str:
    """ "é" may be one letter in a picture's name and two in its caption's, as some systems write it."""
    return name if name.isascii() else unicodedata.normalize("NFC", name)


def _is_same(picture: str, stem: str, caption: str) -> bool:
    """Whether a caption's file of a name that is alike belongs to the picture; of names that differ by capitals the system has its say."""
    own, dot, ending = caption.rpartition(".")
    return _composed(own) == _composed(stem) or Path(f"{picture.rpartition('.')[0]}{dot}{ending}").exists()


def _is_text(name: str) -> bool:
    """Whether it is Unicode: systems take other bytes, too."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)


def _holds(question: Callable[[], bool]) -> bool:
    """What the system cannot tell, as of links in a circle, does not hold."""
    try:
        return question()
    except OSError:
        return False
