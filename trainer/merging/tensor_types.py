"""Which of torch's types is each of a safetensors file's, and which are numbers that can be calculated with?"""

from __future__ import annotations

import torch
from torch import Tensor

from lib_extension.spec.errors import BadFile
from lib_extension.spec.merging import Precision

_TYPES = {
    "F64": torch.float64,
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I64": torch.int64,
    "I32": torch.int32,
    "I16": torch.int16,
    "I8": torch.int8,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_LARGEST = torch.finfo(torch.float64).max
_FLOATS = ("F16", "BF16", "F32", "F64")  # the narrowest first
_ASKED: dict[Precision, str] = {"fp32": "F32", "fp16": "F16", "bf16": "BF16"}


def torch_type(name: str, tensor: str = "") -> torch.dtype:
    """BadFile where torch has no such type, as for 8-bit floats in older versions."""
    if name not in _TYPES:
        raise BadFile(f'The tensor "{tensor}" is of the type {name}, which cannot be calculated with here.')
    return _TYPES[name]


def type_name(dtype: torch.dtype) -> str:
    """The file's word for a type."""
    return _NAMES[dtype]


def is_float(name: str) -> bool:
    """Whether values of this type can be merged."""
    return name in _FLOATS


def written_as(precision: Precision, name: str) -> str:
    """The type that a tensor of the type `name` gets in a result of this precision; what is no float stays."""
    return _ASKED.get(precision, name) if is_float(name) else name


def widest(names: set[str]) -> str:
    """The type that holds all of these floats exactly. F16 and BF16 together need F32."""
    floats = [name for name in _FLOATS if name in names]
    return "F32" if not floats or (floats[:2] == ["F16", "BF16"] and len(floats) == 2) else floats[-1]


def is_finite(values: Tensor, largest: float | None = None) -> bool:
    """Whether no value is NaN, infinite, or larger than `largest`. What is no float always is."""
    if not values.numel() or not values.is_floating_point():
        return True
    if values.numel() == 1:
        return abs(values.item()) <= (_LARGEST if largest is None else largest)
    low, high = (bound.item() for bound in torch.aminmax(values if values.dtype == torch.float64 else values.float()))
    limit = _LARGEST if largest is None else largest
    return -limit <= low and high <= limit  # false for NaN, too
