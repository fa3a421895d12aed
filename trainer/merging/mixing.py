"""How do tensors of two or three checkpoints become one?

weighted: (1 − s) A + s B, the weighted sum; difference: A + s (B − C), task arithmetic (arXiv:2212.04089, equation 1). Each share s
may differ from block to block of the U-Net.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod

from torch import Tensor

from lib_extension.spec.errors import Mismatch
from lib_extension.spec.merging import Mix
from trainer.merging.model import Model
from trainer.merging.streaming import MixRows, mixable
from trainer.merging.strength import share_of
from trainer.merging.tensor_file import TensorFile


def weighted(a: Tensor, b: Tensor, share: float) -> None:
    """a ← (1 − share) a + share b; any equal shapes."""
    a.mul_(1 - share).add_(b, alpha=share)


def difference(a: Tensor, b: Tensor, c: Tensor, share: float) -> None:
    """a ← a + share (b − c); any equal shapes."""
    a.add_(b, alpha=share).sub_(c, alpha=share)


def plan_mixing(model: Model, other: Model, minus: Model | None, mix: Mix) -> list[dict[str, MixRows]]:
    """For each part of the model, how each tensor is mixed. Mismatch where the checkpoints are not of one family or layout."""
    others = [each for each in (other, minus) if each is not None]
    for each in others:
        _check_like(model, each)
    share = share_of(mix, model.family)
    places = [_tensors(each) for each in others]
    planned: list[dict[str, MixRows]] = []
    for part in model.parts:
        mixed: dict[str, MixRows] = {}
        for name, told in part.file.header.tensors.items():
            found = [place.get(part.key(name)) for place in places]
            amount = share(model.module_of(part, name))
            if not mixable(told) or amount == 0 or not all(found):
                continue
            files = [file for file in found if file is not None]
            for file, each in zip(files, others, strict=True):
                _check_shape(name, told.shape, file.header.tensors[name].shape, model, each)
            mixed[name] = _mixing(files, name, told.shape, amount)
        planned.append(mixed)
    return planned


def _mixing(files: list[TensorFile], name: str, shape: tuple[int, ...], share: float) -> MixRows:
    formula: Callable[..., None] = weighted if len(files) == 1 else difference

    def mix(values: Tensor, first: int) -> None:
        read = [file.rows(name, first, len(values)).float() for file in files]
        theirs = read[0].shape[1]
        if theirs != values.shape[1]:  # an inpainting model's first convolution: its first channels are the other's
            values = values.view(len(values), prod(shape[1:]))[:, :theirs]
        formula(values, *read, share)

    return mix


def _tensors(model: Model) -> dict[str, TensorFile]:
    return {part.key(name): part.file for part in model.parts for name in part.file.header.tensors}


def _check_like(model: Model, other: Model) -> None:
    if model.family != other.family:
        raise Mismatch(
            f'"{model.name}" is {model.family} and "{other.name}" is {other.family}; only checkpoints of one family can be mixed.'
        )
    if model.path.is_dir() != other.path.is_dir():
        raise Mismatch(f'"{model.name}" and "{other.name}" must both be single files, or both folders in diffusers\' layout.')


def _check_shape(name: str, ours: tuple[int, ...], theirs: tuple[int, ...], model: Model, other: Model) -> None:
    is_inpainting = len(ours) == 4 and ours[1] == 9 and theirs == (ours[0], 4, *ours[2:])
    if ours != theirs and not is_inpainting:
        raise Mismatch(
            f'"{model.name}" and "{other.name}" do not fit each other: {name} is {list(ours)} in one and {list(theirs)} in the other.'
        )
