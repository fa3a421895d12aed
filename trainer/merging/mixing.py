"""How do tensors of two or three checkpoints become one?

weighted: (1 − s) A + s B, the weighted sum; difference: A + s (B − C), task arithmetic (arXiv:2212.04089, equation 1). Each share s
may differ from block to block of the U-Net.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from torch import Tensor

from lib_extension.spec.errors import Mismatch
from lib_extension.spec.merging import Mix
from trainer.merging.model import Model, is_schedule, uncalculable
from trainer.merging.streaming import MixRows
from trainer.merging.strength import share_of
from trainer.merging.tensor_file import TensorFile
from trainer.merging.tensor_types import is_float


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
    for each in (model, *others):
        _check_types(each)
    theirs = [_tensors(each) for each in others]
    planned: list[dict[str, MixRows]] = []
    for part, asked in zip(model.parts, _asked(model, mix), strict=True):
        mixed: dict[str, MixRows] = {}
        for name, share in asked.items():
            found = [tensor for tensors in theirs if (tensor := tensors.get(part.key(name)))]
            if len(found) == len(others):
                shape = part.file.header.tensors[name].shape
                for (file, name_there), each in zip(found, others, strict=True):
                    _check_shape(name, shape, file.header.tensors[name_there].shape, model, each)
                mixed[name] = _mixing(found, share)
        planned.append(mixed)
    return planned


def unmixed(model: Model, other: Model, mix: Mix) -> list[str]:
    """The tensors of the model that stay as they are because the other one has none of their names; averages of training do not count."""
    theirs = _tensors(other)
    names = [(part.key(name), name) for part, asked in zip(model.parts, _asked(model, mix), strict=True) for name in asked]
    return [name for key, name in names if key not in theirs and not name.startswith("model_ema.")]


def _asked(model: Model, mix: Mix) -> list[dict[str, float]]:
    """For each part, the tensors that can be mixed, and the others' share of them; numbers of positions cannot."""
    share = share_of(mix, model.family)
    return [
        {
            name: amount
            for name, told in part.file.header.tensors.items()
            if is_float(told.dtype) and not is_schedule(name) and (amount := share(model.module_of(part, name))) != 0
        }
        for part in model.parts
    ]


def _mixing(sources: Sequence[tuple[TensorFile, str]], share: float) -> MixRows:
    formula: Callable[..., None] = weighted if len(sources) == 1 else difference

    def mix(values: Tensor, first: int) -> None:
        read = [file.rows(name, first, len(values)).float() for file, name in sources]
        width = min(rows.shape[1] for rows in (values, *read))  # an inpainting model's first convolution begins with the others'
        formula(values[:, :width], *(rows[:, :width] for rows in read), share)

    return mix


def _tensors(model: Model) -> dict[str, tuple[TensorFile, str]]:
    return {part.key(name): (part.file, name) for part in model.parts for name in part.file.header.tensors}


def _check_types(model: Model) -> None:
    for part in model.parts:
        for name, told in part.file.header.tensors.items():
            if told.dtype.startswith("F8"):
                raise uncalculable(model.name, name, told.dtype)


def _check_like(model: Model, other: Model) -> None:
    if model.family != other.family:
        raise Mismatch(
            f'"{model.name}" is {model.family} and "{other.name}" is {other.family}; only checkpoints of one family can be mixed.'
        )
    if model.path.is_dir() != other.path.is_dir():
        raise Mismatch(f'"{model.name}" and "{other.name}" must both be single files, or both folders in diffusers\' layout.')


def _check_shape(name: str, ours: tuple[int, ...], theirs: tuple[int, ...], model: Model, other: Model) -> None:
    takes_pictures = len(ours) == 4 and ours[1] in (8, 9) and theirs == (ours[0], 4, *ours[2:])  # as those for inpainting do
    if ours != theirs and not takes_pictures:
        raise Mismatch(
            f'"{model.name}" and "{other.name}" do not fit each other: {name} is {list(ours)} in one and {list(theirs)} in the other.'
        )
