"""What is in a .safetensors file: its tensors' names, types, shapes and places, and its metadata, read without the tensors.

Layout: 8 bytes length N (little endian), N bytes JSON, then the tensors' bytes. Nothing that a header says is believed: a file whose
header contradicts itself or the file's size is refused as a whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn

from lib_extension.spec.errors import BadFile

LONGEST_HEADER = 100_000_000  # bytes; the safetensors library refuses longer ones too
MOST_VALUES = 2**63  # of one tensor; keeps a shape of huge numbers from being multiplied out

_NAMES_BY_BITS = {
    4: "F4",
    6: "F6_E2M3 F6_E3M2",
    8: "BOOL U8 I8 F8_E4M3 F8_E5M2 F8_E8M0 F8_E4M3FNUZ F8_E5M2FNUZ",
    16: "I16 U16 F16 BF16",
    32: "I32 U32 F32",
    64: "I64 U64 F64 C64",
}
BITS = {name: bits for bits, names in _NAMES_BY_BITS.items() for name in names.split()}


@dataclass(frozen=True)
class TensorInfo:
    """One tensor, unread."""

    dtype: str  # "F16"; see BITS
    shape: tuple[int, ...]
    offsets: tuple[int, int]  # first byte and the one after the last, counted from Header.data_start


@dataclass(frozen=True)
class Header:
    """Everything in the file but the tensors' values."""

    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]
    data_start: int  # byte in the file


def read_header(path: str | PathLike[str]) -> Header:
    """The header of the file, or BadFile, which names the file and says what is wrong with it."""
    path = Path(path)

    def refuse(reason: str) -> NoReturn:
        raise BadFile(f'"{path.name}" is not a sound safetensors file: {reason}. Download or export it again.')

    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if size < 8 or length > size - 8:
                refuse(f"it says its header has {length} bytes, and the file has {size}")
            if length > LONGEST_HEADER:
                refuse(f"its header of {length} bytes is longer than {LONGEST_HEADER}")
            text = file.read(length)
    except OSError as problem:
        raise BadFile(f'"{path.name}" cannot be read: {problem.strerror}.') from problem
    parsed = _parse(text, refuse)
    metadata = parsed.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        refuse("its metadata is not a table of texts")
    tensors = {name: _tensor(name, told, refuse) for name, told in parsed.items()}
    _check_places(tensors, size - 8 - length, refuse)
    return Header(tensors, metadata, 8 + length)


def _parse(text: bytes, refuse: Callable[[str], NoReturn]) -> dict[str, Any]:
    def without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        table = dict(pairs)
        if len(table) != len(pairs):
            refuse("a name stands twice in its header")
        return table

    if not text.startswith(b"{"):
        refuse("its header is not JSON")
    try:
        return json.loads(text, object_pairs_hook=without_twins)
    except (ValueError, RecursionError):  # ValueError: not JSON, not UTF-8, or a number of thousands of digits
        refuse("its header is not JSON")


def _tensor(name: str, told: Any, refuse: Callable[[str], NoReturn]) -> TensorInfo:
    if not isinstance(told, dict) or set(told) != {"dtype", "shape", "data_offsets"}:
        refuse(f'what it says about "{name}" is not dtype, shape and data_offsets')
    dtype, shape, offsets = told["dtype"], told["shape"], told["data_offsets"]
    if not isinstance(dtype, str) or dtype not in BITS:
        refuse(f'the type of "{name}" is not known')
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2 or len(shape) > 64:
        refuse(f'shape or offsets of "{name}" are not whole numbers of 0 or more')
    if prod(shape) >= MOST_VALUES:
        refuse(f'the shape of "{name}" is larger than any file')
    start, end = offsets
    if prod(shape) * BITS[dtype] != (end - start) * 8:
        refuse(f'"{name}" of type {dtype} and shape {shape} does not fill its {end - start} bytes')
    return TensorInfo(dtype, tuple(shape), (start, end))


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and 0 <= value < MOST_VALUES for value in values)


def _check_places(tensors: dict[str, TensorInfo], data_size: int, refuse: Callable[[str], NoReturn]) -> None:
    """The tensors fill the rest of the file, without gap and overlap, as the format demands."""
    reached = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: item[1].offsets):
        start, end = tensor.offsets
        if start < reached:
            refuse(f'the bytes of "{name}" are another tensor\'s too')
        if start > reached:
            refuse(f'there are bytes before "{name}" that belong to no tensor')
        reached = end
    if reached != data_size:
        refuse(f"its tensors need {reached} bytes, and {data_size} are there")
