"""A mask of parts that the demo model's own network knows, found in the worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.masks.mask_type import OneMask
from lib_extension.spec.settings import field


@dataclass(frozen=True, kw_only=True)
class PartsMask(OneMask):
    """Where a picture shows parts of a thing."""

    kind: Literal["parts"]
    parts: tuple[Literal["object", "face", "strap", "ground"], ...] = field(("object",), label="Parts")
    threshold: float = field(0.5, label="Threshold", minimum=0, maximum=1, step=0.05, help="How sure a pixel must be.")
