"""How are tensors read out of a safetensors file in little memory: some bytes of it at a time, into memory that is used again?

Nothing is mapped: mapped pages count as memory of the process, and a file that is overwritten meanwhile would end it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from math import prod
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import torch
from torch import Tensor

from lib_extension.formats.safetensors_header import Header, TensorInfo, read_header
from lib_extension.spec.errors import BadFile, NotFound
from trainer.merging.tensor_types import torch_type

_BEGINNING = 1 << 15  # values
PIECE = 1 << 20  # bytes that are passed on at a time; small enough to stay in the processor's cache


class Memory:
    """A piece of memory that is used again for whatever is read next, as large as the largest asked for."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def of(self, size: int) -> memoryview:
        """`size` bytes; what was handed out before is overwritten."""
        if len(self._bytes) < size:
            self._bytes = bytearray(size)
        return memoryview(self._bytes)[:size]


class TensorFile:
    """An open safetensors file. Never a pickle: whatever does not begin with a sound header is refused."""

    def __init__(self, path: str | PathLike[str]) -> None:
        self.path = Path(path)
        if self.path.suffix.lower() in (".ckpt", ".pt", ".pth", ".bin"):
            raise BadFile(
                f'"{self.path.name}" is a pickle, which runs code when it is read. Convert it to .safetensors where you trust it.'
            )
        if not self.path.is_file():
            raise NotFound(f'There is no file "{self.path.name}" where it was looked for.')
        self.header: Header = read_header(self.path)
        self._file = self.path.open("rb", buffering=0)
        self._memory = Memory()
        self._at = -1  # where the file is, in bytes; -1: unknown

    def __enter__(self) -> TensorFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def name(self) -> str:
        """Without folder and ending, as people call it."""
        return self.path.stem

    def fileno(self) -> int:
        """For the operating system's own copying."""
        self._at = -1
        return self._file.fileno()

    def in_order(self) -> list[tuple[str, TensorInfo]]:
        """The tensors as they lie in the file."""
        return sorted(self.header.tensors.items(), key=lambda item: item[1].offsets)

    def fill(self, view: memoryview, start: int) -> None:
        """Read the bytes from `start` of the file on."""
        if self._at != start:
            self._file.seek(start)
        self._at = start + len(view)
        while view:
            count = self._file.readinto(view)
            if not count:
                raise BadFile(f'"{self.path.name}" became shorter while it was read. Is something writing to it?')
            view = view[count:]

    def tensor(self, name: str) -> Tensor:
        """A whole tensor, in memory of its own."""
        told = self.header.tensors[name]
        values = bytearray(told.offsets[1] - told.offsets[0])
        self.fill(memoryview(values), self.header.data_start + told.offsets[0])
        return _as_tensor(memoryview(values), told, name).reshape(told.shape)

    def rows(self, name: str, first: int, count: int, digest: Any = None) -> Tensor:
        """Some of the rows, as (count, values of a row), in memory that the next call overwrites. A hashlib object `digest` sees them.

        A single number is one row.
        """
        told = self.header.tensors[name]
        size = (told.offsets[1] - told.offsets[0]) // (told.shape or (1,))[0]
        view = self._memory.of(count * size)
        self.fill(view, self.header.data_start + told.offsets[0] + first * size)
        if digest is not None:
            digest.update(view)
        return _as_tensor(view, told, name).view(count, prod(told.shape[1:]))

    def beginning(self, name: str) -> Tensor:
        """The first values of a tensor, whole rows of it, in memory that the next call overwrites."""
        shape = self.header.tensors[name].shape or (1,)
        if not prod(shape):
            return torch.empty(0)
        return self.rows(name, 0, min(shape[0], max(1, _BEGINNING // prod(shape[1:]))))

    def sha256(self) -> str:
        """Of the whole file, as the WebUI computes it."""
        digest = hashlib.sha256()
        for piece in self.pieces(0, self.path.stat().st_size):
            digest.update(piece)
        return digest.hexdigest()

    def pieces(self, start: int, end: int) -> Iterator[memoryview]:
        """The bytes between, in pieces that the next one overwrites."""
        while start < end:
            view = self._memory.of(min(PIECE, end - start))
            self.fill(view, start)
            yield view
            start += len(view)


def _as_tensor(view: memoryview, told: TensorInfo, name: str) -> Tensor:
    if not view:  # torch refuses memory of no bytes
        return torch.empty(0, dtype=torch_type(told.dtype, name))
    return torch.frombuffer(view, dtype=torch_type(told.dtype, name))
