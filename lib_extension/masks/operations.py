"""What is done with a mask once it is found? Operations, each an object with one thing in it: {"grow": 8}."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from PIL import Image

from lib_extension.pictures import mask_algebra, masks
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class Operation(Settings):
    """One step after a mask was found: exactly one of these."""

    exactly_one = True

    invert: bool = field(False, label="Invert")
    grow: int | None = field(None, label="Grow", minimum=0, maximum=1024, help="By a disc of this radius in pixels.")
    shrink: int | None = field(None, label="Shrink", minimum=0, maximum=1024, help="By a disc of this radius in pixels.")
    feather: float | None = field(
        None, label="Feather", minimum=0, maximum=256, help="The edge fades over about so many pixels to both sides."
    )
    fill_holes: bool = field(False, label="Fill holes")
    largest: int | None = field(None, label="Keep the largest", minimum=1, maximum=1000, help="So many regions stay.")
    threshold: float | None = field(
        None, label="Threshold", minimum=0.01, maximum=1, step=0.05, help="What is chosen at least so much is chosen."
    )

    def check(self) -> None:
        """Refuse none and several: their order would be anybody's guess."""
        if len(self.asked) != 1:
            found = " and ".join(self.asked) or "nothing"
            known = ", ".join(f.name for f in dataclasses.fields(self))
            raise BadRequest(f'An operation after a mask names {found}; it must name one of {known}, such as {{"grow": 8}}.')

    @property
    def asked(self) -> list[str]:
        """The names of what is to be done."""
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return [name for name, value in values.items() if value is not None and value is not False]


def apply(operation: Operation, mask: Image.Image) -> Image.Image:
    """The mask after it."""
    (name,) = operation.asked
    return _WORK[name](mask, getattr(operation, name))


_WORK: Mapping[str, Callable[[Image.Image, Any], Image.Image]] = {
    "invert": lambda mask, _: masks.invert(mask),
    "grow": masks.grow,
    "shrink": mask_algebra.shrink,
    "feather": masks.feather,
    "fill_holes": lambda mask, _: mask_algebra.fill_holes(mask),
    "largest": mask_algebra.largest,
    "threshold": lambda mask, share: masks.threshold(mask, round(share * 255) - 1),
}
