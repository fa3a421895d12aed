"""How does one file of a checkpoint pass through once, in the order in which it lies, with some tensors changed on the way?

What nothing changes is copied as it is. What is changed passes in blocks of rows that stay in the processor's cache, so that memory does
not grow with the file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from lib_extension.formats.safetensors_header import TensorInfo
from lib_extension.spec.errors import BadFile
from lib_extension.spec.merging import Precision
from trainer.merging.changes import Change, RowChanges, Shift, add_all
from trainer.merging.copying import copy
from trainer.merging.model import is_schedule
from trainer.merging.output_file import OutputFile, Planned
from trainer.merging.precautions import damaged_tensor
from trainer.merging.tensor_file import TensorFile
from trainer.merging.tensor_types import is_finite, torch_type, written_as

_BLOCK = 1 << 18  # values of a block of rows; 1 MiB as float32

MixRows = Callable[[Tensor, int], None]  # changes rows (rows, values of a row) of a tensor, from the given one on, in place


@dataclass(frozen=True)
class Work:
    """What happens to a file: which tensors get what added, which are mixed with those of other files, and how they are written."""

    file: TensorFile
    changes: Mapping[str, Sequence[Change | Shift]]
    mixed: Mapping[str, MixRows]
    precision: Precision
    others: Sequence[tuple[str, TensorFile]] = ()  # what it is mixed with, by the models' names

    def plan(self) -> list[Planned]:
        """The tensors of the result."""
        return [Planned(name, self.type_of(name, told), told.shape) for name, told in self.file.in_order()]

    def type_of(self, name: str, told: TensorInfo) -> str:
        """What a tensor is written as."""
        return told.dtype if is_schedule(name) else written_as(self.precision, told.dtype)

    def changes_values(self, name: str, told: TensorInfo) -> bool:
        """Whether the tensor's bytes can be other ones in the result."""
        return name in self.changes or name in self.mixed or self.type_of(name, told) != told.dtype


class Stream:
    """A file on its way into another. `progress` is told how many bytes have passed; `digest`, a hashlib object, sees the source's."""

    def __init__(self, work: Work, output: OutputFile, progress: Callable[[int], None], digest: Any = None) -> None:
        self._work, self._output, self._progress, self._digest = work, output, progress, digest
        self._values = torch.empty(0)
        self._written: dict[torch.dtype, Tensor] = {}

    @torch.no_grad()
    def run(self) -> None:
        """All of it."""
        file, start = self._work.file, self._work.file.header.data_start
        if self._digest is not None:
            for piece in file.pieces(0, start):
                self._digest.update(piece)
        run = start  # where what is copied as it is begins
        for name, told in file.in_order():
            if self._work.changes_values(name, told):
                self._copy(run, start + told.offsets[0])
                self._change(name, told)
                run = start + told.offsets[1]
                self._progress(run)
        self._copy(run, file.path.stat().st_size)

    def _copy(self, start: int, end: int) -> None:
        step = 256 << 20  # bytes between two reports
        for at in range(start, end, step):
            copy(self._work.file, at, min(at + step, end), self._output, self._digest)
            self._progress(min(at + step, end))

    def _change(self, name: str, told: TensorInfo) -> None:
        changes = self._work.changes.get(name, ())
        products = [change for change in changes if isinstance(change, Change) and change.is_product]
        rows, width = (told.shape or (1,))[0], prod(told.shape[1:])
        is_whole = len(products) < len(changes)
        adding = RowChanges(products)
        step = rows if is_whole else max(1, _BLOCK // max(1, width))
        dtype = torch_type(self._work.type_of(name, told), name)
        for first in range(0, rows, step) if width else ():
            read = self._work.file.rows(name, first, min(step, rows - first), self._digest)
            values = self._as_float32(read)
            if name in self._work.mixed:
                self._work.mixed[name](values, first)
            if is_whole:
                add_all(values.view(told.shape), changes)
            else:
                adding.add(values, first)
            self._check(name, read, values, dtype)
            self._output.write_tensor(self._as_written(values, dtype))

    def _as_float32(self, read: Tensor) -> Tensor:
        """In memory that is used again."""
        if self._values.numel() < read.numel():
            self._values = torch.empty(read.numel())
        return self._values[: read.numel()].view(read.shape).copy_(read)

    def _as_written(self, values: Tensor, dtype: torch.dtype) -> Tensor:
        if dtype == torch.float32:
            return values
        held = self._written.get(dtype)
        if held is None or held.numel() < values.numel():
            held = self._written[dtype] = torch.empty(values.numel(), dtype=dtype)
        return held[: values.numel()].view(values.shape).copy_(values)

    def _check(self, name: str, read: Tensor, values: Tensor, dtype: torch.dtype) -> None:
        """BadFile for NaN or infinity, and for values too large for the type that they are written as."""
        if not is_finite(values, torch.finfo(dtype).max if dtype.is_floating_point else None):
            if not is_finite(read):
                raise damaged_tensor(name, self._work.file.path.name)
            for model, file in self._work.others:
                if name in file.header.tensors and not is_finite(file.tensor(name)):
                    raise damaged_tensor(name, model)
            raise BadFile(
                f'The tensor "{name}" gets values that its type cannot hold. Choose lower weights, or the precision bf16 or fp32.'
            )
