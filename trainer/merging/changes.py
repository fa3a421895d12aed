"""What do LoRAs change about each tensor of a checkpoint, and how is that added while the tensor passes by?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from lib_extension.formats.lora_keys import ParsedLora
from lib_extension.models.lora_delta import METHODS, delta, needs_base
from lib_extension.spec.errors import Mismatch
from trainer.merging.factors import PRODUCTS, Factors, factors_of
from trainer.merging.lora_file import LoraFile
from trainer.merging.model import Model, Place, uncalculable
from trainer.merging.precautions import other_type
from trainer.merging.strength import Strength
from trainer.merging.tensor_types import is_float

_NORM = "w"  # ParsedLora.method of a norm's own weights and biases
_BIASES = frozenset(("diff_b", "b_norm", "lora_B.bias"))  # the last is peft's, as strong as the product


@dataclass(frozen=True)
class Use:
    """An open LoRA, and how much of it."""

    lora: LoraFile
    strength: Strength


@dataclass(frozen=True)
class Change:
    """What a LoRA adds to some rows of a tensor, unread."""

    use: Use
    parsed: ParsedLora
    place: Place
    weight: float

    def parts(self) -> dict[str, Tensor]:
        """All tensors of the module."""
        return {part: self.use.lora.tensor(key) for part, key in self.parsed.parts.items()}

    @property
    def is_product(self) -> bool:
        """Whether it is known without the weight that it changes, and cheaper as two factors."""
        return self.parsed.method in PRODUCTS[:1] and not needs_base(self.parsed.parts)

    def factors(self) -> Factors:
        """Of a product, with its weight."""
        return factors_of(self.parsed.method, self.parts(), self.parsed.scale, name=self.parsed.name).times(self.weight)

    def on(self, weight: Tensor) -> Tensor:
        """Of any: what is added to the weight (out, …), float32."""
        return delta(self.parts(), weight, self.parsed.scale) * self.weight


@dataclass(frozen=True)
class Shift:
    """What a LoRA adds to a bias or a norm, unread."""

    use: Use
    key: str
    place: Place
    weight: float

    def on(self, shape: Sequence[int]) -> Tensor:
        """Float32."""
        return self.use.lora.tensor(self.key).float().reshape(tuple(shape)) * self.weight


Touched = Mapping[str, Sequence["Change | Shift"]]  # a tensor's name → what is added to it


def plan_changes(model: Model, uses: Sequence[Use]) -> list[dict[str, list[Change | Shift]]]:
    """For each part of the model what is added to which tensor.

    Raises Mismatch for a LoRA that does not fit the model, BadFile for one of a type that cannot be baked.
    """
    if uses:
        model.check_whole()
    planned: list[dict[str, list[Change | Shift]]] = [{} for _ in model.parts]
    numbers = {id(part): number for number, part in enumerate(model.parts)}
    for use in uses:
        modules, unmatched = use.lora.for_modules(model.places)
        if not modules:
            raise _misfit(use, model, "none of its parts has a place there")
        if unmatched and use.lora.family not in ("unknown", model.family):
            raise _misfit(use, model, f"{len(unmatched)} of its parts have no place there")
        for module, parsed in modules.items():
            part, place = model.places[module]
            if not is_float(dtype := part.file.header.tensors[place.tensor].dtype):
                raise uncalculable(model.name, place.tensor, dtype)
            touched = planned[numbers[id(part)]]
            for tensor, change in _changes(use, module, parsed, place, part.file.header.tensors):
                touched.setdefault(tensor, []).append(change)
    return planned


def _changes(use: Use, module: str, parsed: ParsedLora, place: Place, tensors: Mapping[str, object]) -> list[tuple[str, Change | Shift]]:
    weight = use.strength(module)
    if weight == 0:
        return []
    found: list[tuple[str, Change | Shift]] = []
    shapes = {part: use.lora.info(key).shape for part, key in parsed.parts.items()}
    if parsed.method == _NORM or "w_norm" in shapes:
        found += [(place.tensor, Shift(use, parsed.parts["w_norm"], place, weight))] if "w_norm" in shapes else []
    elif parsed.method in METHODS and (parsed.method != "diff" or "diff" in shapes):
        if not _fits(use.lora, parsed, shapes, place.shape):
            raise _other_size(use, parsed)
        found.append((place.tensor, Change(use, parsed, place, weight)))
    elif not shapes.keys() & _BIASES:
        raise other_type(use.lora, parsed.method and use.lora.kind.method, "baked")
    for bias in sorted(_BIASES & shapes.keys()) if place.bias in tensors else ():
        strength = weight * use.lora.scale(parsed) if bias == "lora_B.bias" else weight
        found.append((place.bias, Shift(use, parsed.parts[bias], place, strength)))
    if any(isinstance(change, Shift) and prod(use.lora.info(change.key).shape) != place.shape[0] for _, change in found):
        raise _other_size(use, parsed)
    return found


def without_bias(model: Model, lora: LoraFile) -> list[str]:
    """What the LoRA adds to biases of modules that have none in the model, by its names."""
    found: list[str] = []
    for module, parsed in lora.for_modules(model.places)[0].items():
        part, place = model.places[module]
        if place.bias not in part.file.header.tensors:
            found += [parsed.parts[bias] for bias in sorted(_BIASES & parsed.parts.keys())]
    return found


def _fits(lora: LoraFile, parsed: ParsedLora, shapes: Mapping[str, tuple[int, ...]], weight: tuple[int, ...]) -> bool:
    """Whether the parts make the change of such a weight. Of up and down, shapes tell it; other types are computed."""
    if {"up", "down"} <= shapes.keys() and "mid" not in shapes:
        up, down = shapes["up"], shapes["down"]
        return len(up) > 1 < len(down) and prod(up[1:]) == down[0] and up[0] == weight[0] and prod(down[1:]) == prod(weight[1:])
    parts = {part: lora.tensor(key) for part, key in parsed.parts.items()}
    try:
        delta(parts, torch.zeros(weight), parsed.scale)
    except (KeyError, IndexError, RuntimeError):
        return False
    return True


def _other_size(use: Use, parsed: ParsedLora) -> Mismatch:
    return Mismatch(f'The LoRA "{use.lora.name}" does not fit: its {parsed.name} has another size than the checkpoint\'s.')


def _misfit(use: Use, model: Model, reason: str) -> Mismatch:
    made_for = f", made for {use.lora.family}," if use.lora.family != "unknown" else ""
    return Mismatch(f'The LoRA "{use.lora.name}"{made_for} does not fit the checkpoint "{model.name}", which is {model.family}: {reason}.')


class RowChanges:
    """The changes of a tensor that are products, ready to be added to any of its rows."""

    def __init__(self, changes: Sequence[Change]) -> None:
        by_rows: dict[tuple[int, int], list[Factors]] = {}
        for change in changes:
            by_rows.setdefault((change.place.first, change.place.shape[0]), []).append(change.factors())
        self._products = [
            (first, count, torch.cat([f.scaled().up for f in factors], dim=1), torch.cat([f.down for f in factors]))
            for (first, count), factors in by_rows.items()
        ]

    def add(self, block: Tensor, start: int) -> None:
        """`block` (rows, values of a row) are the tensor's rows from `start` on, float32; W + Σ weight · scale · up @ down."""
        for first, count, up, down in self._products:
            low, high = max(first, start), min(first + count, start + len(block))
            if low < high:
                block[low - start : high - start].addmm_(up[low - first : high - first], down)


def add_all(weight: Tensor, changes: Sequence[Change | Shift]) -> None:
    """Change a whole tensor, float32, in place; each LoRA finds what those before it made."""
    for change in changes:
        rows = weight[change.place.first : change.place.first + change.place.shape[0]]
        if isinstance(change, Shift):
            rows += change.on(rows.shape)
        else:
            rows += change.on(rows.reshape(change.place.shape)).reshape(rows.shape)
