"""Where are the pictures? Files named by the sha256 of what they hold: whole or not there, and checked when they are read.

A blob is written aside, flushed to the disk, and renamed; a name is never seen before all its bytes are there.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from lib_extension.formats.flushing import flush_folder
from lib_extension.runs.storage import Damaged, disk_errors

_WHAT = "The pictures' folder"
_flush = getattr(os, "fdatasync", os.fsync)


class LostBlob(Damaged):
    """A picture is not there any more, or is not what it was; what made it must run again."""

    def __init__(self, blob: str) -> None:
        super().__init__(f"The stored picture {blob[:12]}… is gone or damaged; what made it runs again.")
        self.blob = blob


class Blobs:
    """A folder of blobs. Safe for many threads and processes at once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._aside = folder / "aside"
        with disk_errors(_WHAT):
            self._aside.mkdir(parents=True, exist_ok=True)

    def put(self, data: bytes) -> str:
        """Store `data`; its name. When this returns, it is on the disk."""
        return self.put_all([data])[0]

    def put_all(self, contents: Iterable[bytes]) -> list[str]:
        """Store each, with one flush a folder; their names in the same order."""
        names: list[str] = []
        folders: set[Path] = set()
        with disk_errors(_WHAT):
            for data in contents:
                name = hashlib.sha256(data).hexdigest()
                names.append(name)
                path = self.path(name)
                if not _is_whole(path, len(data)):
                    folders |= {path.parent} | ({self._folder} if _make(path.parent) else set())
                    self._write(path, data)
            for folder in folders:
                flush_folder(folder)
        return names

    def get(self, name: str) -> bytes:
        """What was stored under the name. LostBlob where it is gone or damaged; a damaged file is removed, so that it can be made anew."""
        path = self.path(name)
        with disk_errors(_WHAT):
            try:
                data = path.read_bytes()
            except FileNotFoundError as error:
                raise LostBlob(name) from error
            if hashlib.sha256(data).hexdigest() != name:
                path.unlink(missing_ok=True)
                raise LostBlob(name)
        return data

    def path(self, name: str) -> Path:
        """Where the blob is, if it is there."""
        return self._folder / name[:2] / name

    def missing(self, sizes: Mapping[str, int]) -> set[str]:
        """Which of these names (with their sizes in bytes) have no whole file."""
        folder = str(self._folder)  # ten thousand Path objects would take longer than looking at the files
        return {name for name, size in sizes.items() if not _is_whole(f"{folder}/{name[:2]}/{name}", size)}

    def names(self) -> Iterator[tuple[str, int, float]]:
        """Every blob: name, size in bytes, and when it was written (seconds since 1970)."""
        with disk_errors(_WHAT):
            for folder in self._folder.iterdir():
                if len(folder.name) != 2:
                    continue
                for entry in os.scandir(folder):
                    about = entry.stat()
                    yield entry.name, about.st_size, about.st_mtime

    def remove(self, name: str) -> None:
        """Delete a blob; nothing happens where it is not there."""
        with disk_errors(_WHAT):
            self.path(name).unlink(missing_ok=True)

    def sweep(self, older_than: float) -> int:
        """Delete what was left half-written, by now older than so many seconds; how many files."""
        begun = time.time() - older_than
        with disk_errors(_WHAT):
            left = [path for path in self._aside.iterdir() if path.stat().st_mtime < begun]
            for path in left:
                path.unlink(missing_ok=True)
        return len(left)

    def _write(self, path: Path, data: bytes) -> None:
        aside = self._aside / secrets.token_hex(12)
        try:
            with aside.open("xb", buffering=0) as file:
                view = memoryview(data)
                while view:  # an unbuffered write may take less than all, as on a disk that fills up
                    view = view[file.write(view) :]
                _flush(file.fileno())
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise


def _is_whole(path: Path | str, size: int) -> bool:
    try:
        return os.stat(path).st_size == size  # noqa: PTH116
    except FileNotFoundError:
        return False


def _make(folder: Path) -> bool:
    """Whether the folder had to be made."""
    if folder.is_dir():
        return False
    folder.mkdir(exist_ok=True)
    return True
