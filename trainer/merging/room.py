"""How large will a LoRA become, by the shapes in the headers alone, so that a full disk is told before anything is computed?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path

import torch

from lib_extension.formats.safetensors_header import BITS
from lib_extension.spec.merging import Concatenate, Linear, Method, Output, Precision, Ranks
from lib_extension.spec.merging.warnings import ROOM, Warned
from trainer.merging.lora_file import LoraFile
from trainer.merging.output_file import check_space, free_bytes, is_too_full
from trainer.merging.tensor_types import type_name, written_as
from trainer.merging.topology import kernel_of

Sizes = tuple[int, int, int]  # (out, in · kernel, rank) of a module's change as two factors
_OF_A_TENSOR = 250  # bytes of the header


@dataclass(frozen=True)
class Room:
    """What a result takes. With a rule for ranks, that is the most that it can become, and no reason to refuse."""

    folder: Path
    size: int  # bytes
    is_sure: bool = True

    def warnings(self) -> list[Warned]:
        """Where the disk has too little room."""
        if not is_too_full(self.folder, self.size):
            return []
        return [Warned(ROOM, {"needed": f"{self.size / 1e9:.2f}", "free": f"{free_bytes(self.folder) / 1e9:.2f}"})]

    def check(self) -> None:
        """BadRequest, before work, where the disk has too little room for certain."""
        if self.is_sure:
            check_space(self.folder, self.size)


def room_for(output: Output, size: int, ranks: Ranks | None = None) -> Room:
    """For a LoRA of so many bytes, and of these ranks."""
    return Room(Path(output.folder), size, ranks is None or ranks.rule == "fixed")


def merged_bytes(uses: Mapping[str, Sequence[LoraFile]], method: Method, family: str, dtype: torch.dtype) -> int:
    """Of a merge; `uses`: module → the LoRAs that change it. With a rule for ranks, the most that it can become."""
    total = 0
    for path, loras in uses.items():
        sizes = [found for lora in loras if (found := sizes_of(lora, path))]
        if not sizes:
            total += sum(stored_bytes(lora, path) for lora in loras[:1])
            continue
        (out, inner, _), ranks = sizes[0], [rank for *_, rank in sizes]
        if isinstance(method, (Concatenate, Linear)):
            rank = sum(ranks) if isinstance(method, Concatenate) else max(ranks)
        else:
            rank = method.ranks.highest(kernel_of(path, family))
        total += _bytes(out, inner, min(rank, out, inner), dtype)
    return total


def resized_bytes(lora: LoraFile, ranks: Ranks, dtype: torch.dtype) -> int:
    """Of all modules at these ranks, or as they are where they have no factors."""
    total = 0
    for path in lora.modules:
        if sizes := sizes_of(lora, path):
            out, inner, rank = sizes
            total += _bytes(out, inner, min(ranks.highest(kernel_of(path, lora.family)), out, inner, rank), dtype)
        else:
            total += stored_bytes(lora, path)
    return total


def extracted_bytes(shapes: Iterable[tuple[int, ...]], ranks: Ranks, dtype: torch.dtype) -> int:
    """Of modules with weights of these shapes, if all of them changed."""
    sizes = [(shape[0], prod(shape[1:]), ranks.highest(shape[2:])) for shape in shapes]
    return sum(_bytes(out, inner, min(out, inner, rank), dtype) for out, inner, rank in sizes)


def converted_bytes(lora: LoraFile, precision: Precision) -> int:
    """Of all tensors in another precision."""
    told = [lora.info(key) for key in lora.keys]
    return sum(prod(one.shape) * BITS[written_as(precision, one.dtype)] // 8 + _OF_A_TENSOR for one in told)


def sizes_of(lora: LoraFile, path: str) -> Sizes | None:
    """None for what is no product of factors, and where the parts make no sense."""
    shapes = {part: lora.info(key).shape for part, key in lora.modules[path].parts.items()}
    try:
        if "down" in shapes and "up" in shapes:
            return shapes["up"][0], prod(shapes["down"][1:]) * prod(shapes.get("mid", ())[2:]), shapes["down"][0]
        if "hada_w1_b" in shapes:
            (out, inner, first), (*_, second) = _side(shapes, "hada_w1"), _side(shapes, "hada_w2")
            return out, inner, min(first * second, out, inner)
        if any(part.startswith("lokr_w1") for part in shapes):
            first, second = _side(shapes, "lokr_w1"), _side(shapes, "lokr_w2")
            return first[0] * second[0], first[1] * second[1], first[2] * second[2]
        if "diff" in shapes:
            return _side(shapes, "diff")
    except (IndexError, KeyError):
        pass
    return None


def stored_bytes(lora: LoraFile, path: str) -> int:
    """Of a module as it is."""
    told = [lora.info(key) for key in lora.modules[path].parts.values()]
    return sum(one.offsets[1] - one.offsets[0] + _OF_A_TENSOR for one in told)


def _side(shapes: Mapping[str, tuple[int, ...]], name: str) -> Sizes:
    """Of a matrix that is whole, or two factors; with a tensor t (r, r, h, w) between them, those are (r, out) and (r, in)."""
    if name in shapes:
        out, inner = shapes[name][0], prod(shapes[name][1:])
        return out, inner, min(out, inner)
    a, b = shapes[f"{name}_a"], shapes[f"{name}_b"]
    middle = shapes.get(f"{name[:-2]}t{name[-1]}")
    return (a[1], b[1] * prod(middle[2:]), b[0]) if middle else (a[0], prod(b[1:]), b[0])


def _bytes(out: int, inner: int, rank: int, dtype: torch.dtype) -> int:
    return (rank * (out + inner) + 1) * BITS[type_name(dtype)] // 8 + 3 * _OF_A_TENSOR
