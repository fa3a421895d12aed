"""What of two checkpoints' difference is not in the LoRA that was extracted, and why?"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

import torch

from trainer.merging.model import Model
from trainer.merging.tensor_file import TensorFile
from trainer.merging.tensor_types import is_float, torch_type

_NAMED = 5  # of each kind, in a sentence


@dataclass(frozen=True)
class LeftOut:
    """Modules and tensors by why they were left out, by their paths as in diffusers, or by the files' own names."""

    same: list[str] = field(default_factory=list)
    small: list[str] = field(default_factory=list)  # changed by no more than was asked for
    only_base: list[str] = field(default_factory=list)
    only_tuned: list[str] = field(default_factory=list)
    no_place: list[str] = field(default_factory=list)  # they differ, and are not among the modules that the LoRA was asked for

    def counts(self) -> dict[str, int]:
        """For metadata, and for programs."""
        return {reason: len(names) for reason, names in vars(self).items() if names}

    def told(self, base: str, tuned: str, least: float) -> list[str]:
        """A sentence for each reason that there is."""
        reasons = [
            (self.same, "{count} modules do not differ"),
            (self.small, f"{{count}} modules differ by {least:g} at most"),
            (self.only_base, f'{{count}} modules are only in "{base}"'),
            (self.only_tuned, f'{{count}} modules are only in "{tuned}"'),
            (self.no_place, "{count} tensors differ that are not among the chosen modules"),
        ]
        return [f"Left out: {reason.format(count=len(names))}: {_named(names)}." for names, reason in reasons if names]


def only_in(model: Model, other: Model) -> list[str]:
    """Modules that the other one has not."""
    return [path for path in model.places if path not in other.places]


def differing(base: Model, tuned: Model, but: Collection[str]) -> Iterator[str]:
    """Tensors of other modules than `but` that both have and that differ where they begin. Nothing of a file and a folder together."""
    if base.path.is_dir() != tuned.path.is_dir():
        return
    taken = {(id(part), place.tensor) for path in but for part, place in [base.places[path]]}
    theirs = {part.key(name): (part.file, name) for part in tuned.parts for name in part.file.header.tensors}
    for part in base.parts:
        for name, _ in part.file.in_order():
            other = theirs.get(part.key(name))
            if other is not None and (id(part), name) not in taken and not _begin_alike((part.file, name), other):
                module = base.module_of(part, name)
                yield f"{module}.{name.rpartition('.')[2]}" if module else name


def _begin_alike(tensor: tuple[TensorFile, str], other: tuple[TensorFile, str]) -> bool:
    """In the precision of the coarser one. Further training changes all of a tensor, or nothing. Of numbers that are no floats, such as
    positions, nothing is asked.
    """
    ours, theirs = (file.header.tensors[name] for file, name in (tensor, other))
    if not (is_float(ours.dtype) and is_float(theirs.dtype)):
        return True
    if ours.shape != theirs.shape:
        return False
    dtype = min((torch_type(ours.dtype), torch_type(theirs.dtype)), key=lambda dtype: torch.finfo(dtype).bits)
    return torch.equal(*(file.beginning(name).to(dtype) for file, name in (tensor, other)))


def _named(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
