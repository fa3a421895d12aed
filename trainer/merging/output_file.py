"""How does a safetensors file come to be whole or not at all, under a name that was free?

It is written aside in the same folder under a name that nothing loads, flushed to the disk, and then linked to its own name, which fails
where that is taken. Killed at any moment, it leaves what was there as it was.
"""

from __future__ import annotations

import ctypes
import json
import os
import secrets
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from types import TracebackType

from torch import Tensor

from lib_extension.formats.flushing import flush_folder
from lib_extension.formats.safetensors_header import BITS, LONGEST_HEADER
from lib_extension.spec.errors import BadRequest, TooLarge
from trainer.merging.tensor_types import type_name

_ASIDE = ".part"
_FORGOTTEN = 3600.0  # seconds after which what nobody writes to any more is removed
_LONGEST_NAME = 200  # bytes; file systems take 255, with the number and the ending
_SPARE = 4096  # bytes of the header kept free for metadata that is known at the end only, such as hashes


@dataclass(frozen=True)
class Planned:
    """A tensor that will be written."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def size(self) -> int:
        """Bytes."""
        return prod(self.shape) * BITS[self.dtype] // 8


class OutputFile:
    """A file at work. Tensors come in the order in which they were planned; `finish` gives it its name, leaving it undone removes it."""

    def __init__(self, folder: Path, name: str, tensors: Iterable[Planned], metadata: Mapping[str, str]) -> None:
        self._folder, self._name = folder, name
        self._tensors = tuple(tensors)
        size = sum(planned.size for planned in self._tensors)
        header = self._header(metadata)
        self._room = -(-(len(header) + _SPARE) // 8) * 8
        make_folder(folder)
        sweep(folder)
        check_space(folder, size + self._room + 8)
        self._aside = _beside(folder, name)
        self._file = self._aside.open("x+b", buffering=0)
        self._begin(header)
        self._left = size

    def __enter__(self) -> OutputFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()
        self._aside.unlink(missing_ok=True)

    def fileno(self) -> int:
        """For the operating system's own copying; `copied` tells of it."""
        return self._file.fileno()

    def write(self, view: memoryview) -> None:
        """The next bytes."""
        self._left -= len(view)
        while view:
            view = view[self._file.write(view) :]

    def copied(self, size: int) -> None:
        """So many bytes were written past this object."""
        self._left -= size

    def write_tensor(self, tensor: Tensor) -> None:
        """The next tensor, or some rows of it."""
        values = tensor.contiguous()
        self.write(bytes_of(values))

    def finish(self, metadata: Mapping[str, str] | None = None, described: Path | None = None) -> Path:
        """Flush it, and give it its name, or the first free one with a number. `metadata` takes the place of what was given first; of
        a file `described`, a copy gets the same name with its own ending.
        """
        assert self._left == 0, f"{self._left} bytes were planned and not written"
        if metadata is not None:
            header = self._header(metadata)
            if len(header) > self._room:
                raise TooLarge("The metadata grew by more than was kept free for it. Shorten the notes.")
            self._file.seek(0)
            self._begin(header)
        os.fsync(self._file.fileno())
        self._file.close()
        return place(self._aside, self._folder, self._name, described)

    def _begin(self, header: bytes) -> None:
        view = memoryview(self._room.to_bytes(8, "little") + header.ljust(self._room))
        while view:
            view = view[self._file.write(view) :]

    def _header(self, metadata: Mapping[str, str]) -> bytes:
        table: dict[str, object] = {"__metadata__": dict(metadata)} if metadata else {}
        at = 0
        for planned in self._tensors:
            table[planned.name] = {"dtype": planned.dtype, "shape": list(planned.shape), "data_offsets": [at, at := at + planned.size]}
        header = json.dumps(table, separators=(",", ":"), ensure_ascii=False).encode()
        if len(header) + _SPARE > LONGEST_HEADER:
            raise TooLarge(f"The result's header would have {len(header)} bytes, more than readers take. Shorten the metadata.")
        return header


@contextmanager
def folder_aside(folder: Path, name: str) -> Iterator[Path]:
    """Where a folder is filled that `place` gives its name; what is not placed is removed."""
    sweep(folder)
    aside = _beside(folder, name)
    try:
        yield aside
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _beside(folder: Path, name: str) -> Path:
    return folder / f".{short(name, 60)}-{secrets.token_hex(6)}{_ASIDE}"


def short(name: str, most: int = _LONGEST_NAME) -> str:
    """As much of a name as has at most so many bytes, of which letters of some scripts have three."""
    whole = os.fsencode(name)
    return whole[:most].decode("utf-8", "ignore").rstrip(". ") if len(whole) > most else name


def bytes_of(tensor: Tensor) -> memoryview:
    """The values of a contiguous tensor as they stand in memory, for as long as the tensor lives."""
    assert tensor.is_contiguous()
    size = tensor.numel() * tensor.element_size()
    if not size:
        return memoryview(b"")
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B")  # numpy knows no bfloat16, and may be absent


def planned(name: str, tensor: Tensor) -> Planned:
    """The plan of a tensor that is there already."""
    return Planned(name, type_name(tensor.dtype), tuple(tensor.shape))


def place(aside: Path, folder: Path, name: str, described: Path | None = None) -> Path:
    """Rename the finished file or folder `aside` to the first of `name`, `name-2` … that is free, never over another.

    A copy of the file `described` is there before, so that the result is never without it.
    """
    ending, name = "" if aside.is_dir() else ".safetensors", short(name)
    for number in range(1, 10_000):
        path = folder / (f"{name}-{number}{ending}" if number > 1 else f"{name}{ending}")
        if path.exists() or path.is_symlink():
            continue
        beside = _copied(described, path) if described else None
        if _moved(aside, path):
            flush_folder(folder)
            return path
        if beside:
            beside.unlink()
    raise BadRequest(f'There are too many files named "{name}" already; choose another name.')


def _copied(source: Path, path: Path) -> Path | None:
    """A copy with the ending of the source beside `path`, whole or not at all; None where another file is there."""
    target, aside = path.with_suffix(source.suffix), _beside(path.parent, path.stem)
    if not target.exists():
        try:
            with aside.open("xb") as file:
                file.write(source.read_bytes())
                file.flush()
                os.fsync(file.fileno())
            if _moved(aside, target):
                return target
        finally:
            aside.unlink(missing_ok=True)
    return None


def _moved(aside: Path, path: Path) -> bool:
    """False where the name is taken. A link cannot overwrite, nor can renaming on Windows; elsewhere a look comes first."""
    try:
        if os.name == "posix" and not aside.is_dir():
            try:
                os.link(aside, path)
                aside.unlink()
                return True
            except FileExistsError:
                return False
            except OSError:
                pass  # the file system has no hard links
        if path.exists() or path.is_symlink():
            return False
        aside.rename(path)
        return True
    except FileExistsError:
        return False


def make_folder(folder: Path) -> None:
    """BadRequest where the folder cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadRequest(f'The folder "{folder.name}" cannot be made: {error.strerror}.') from error


def check_space(folder: Path, size: int) -> None:
    """BadRequest where the disk has less room than that, and a little more."""
    if is_too_full(folder, size):
        free = free_bytes(folder)
        raise BadRequest(f"The result needs {size / 1e9:.2f} GB, and {free / 1e9:.2f} GB are free on that disk. Make room first.")


def is_too_full(folder: Path, size: int) -> bool:
    """Whether so many bytes, and a little more, have no room on the disk of a folder, which need not be there yet."""
    return free_bytes(folder) < size + (16 << 20)


def free_bytes(folder: Path) -> int:
    """On the disk where the folder is, or will be."""
    there = next((place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir()), Path())
    return shutil.disk_usage(there).free


def sweep(folder: Path) -> None:
    """Remove what killed processes left half-written."""
    for left in folder.glob(f".*-????????????{_ASIDE}"):
        try:
            if left.stat().st_mtime > time.time() - _FORGOTTEN:
                continue
            if left.is_dir():
                shutil.rmtree(left)
            else:
                left.unlink()
        except OSError:
            continue  # another process removed it, or it is not ours


assert sys.byteorder == "little", "The files are little endian, and so must the machine be."
