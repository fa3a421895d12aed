"""How is a mask asked for and made? One of the kinds, or several combined, each followed by operations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

from PIL import Image

from lib_extension.masks import alpha, background, colour, geometry, operations, upload
from lib_extension.masks.alpha import AlphaMask
from lib_extension.masks.background import BackgroundMask
from lib_extension.masks.colour import ColourMask
from lib_extension.masks.detector import DetectorMask
from lib_extension.masks.geometry import GeometryMask
from lib_extension.masks.mask_type import MaskGiven, MaskType, MaskWork, ask_network, fitted, local
from lib_extension.masks.operations import Operation
from lib_extension.masks.parts import PartsMask
from lib_extension.masks.text import TextMask
from lib_extension.masks.upload import UploadMask
from lib_extension.pictures import masks
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field, read_value, value_schema

MASKS: dict[str, MaskType] = {
    mask.name: mask
    for mask in (
        MaskType("alpha", AlphaMask, local(alpha.find)),
        MaskType("colour", ColourMask, local(colour.find)),
        MaskType("upload", UploadMask, local(upload.find)),
        MaskType("geometry", GeometryMask, local(geometry.find)),
        MaskType("background", BackgroundMask, background.find, needs_network=True),
        MaskType("parts", PartsMask, ask_network, needs_network=True),
        MaskType("text", TextMask, ask_network, needs_network=True),
        MaskType("detector", DetectorMask, ask_network, needs_network=True),
    )
}


@dataclass(frozen=True, kw_only=True)
class CombinedMask(Settings):
    """Several masks as one: `union`, what any of them chooses; `intersection`, what all do; `minus`, the first without the others.

    `first` is the first of them that finds something; those after it are not asked. So one recipe serves pictures on a transparent
    ground and photographs: first alpha, then a network.
    """

    union: tuple[MaskSource, ...] = field((), label="Union")
    intersection: tuple[MaskSource, ...] = field((), label="Intersection")
    minus: tuple[MaskSource, ...] = field((), label="The first minus the others")
    first: tuple[MaskSource, ...] = field((), label="The first that finds something")
    then: tuple[Operation, ...] = field(
        (), label="Then", help="One after the other; what comes out empty counts as nothing found.", advanced=True
    )

    def check(self) -> None:
        """Refuse what combines nothing, or in two ways at once."""
        asked = [name for name in COMBINATIONS if getattr(self, name)]
        if len(asked) != 1:
            known = ", ".join(MASKS)
            raise BadRequest(f'A mask needs "kind" (one of {known}) or just one of {_WAYS} with masks in it.')
        if len(getattr(self, asked[0])) < 2:
            raise BadRequest(f'"{asked[0]}" of one mask is that mask: leave "{asked[0]}" out, or add a second mask.')

    @property
    def parts(self) -> tuple[MaskSource, ...]:
        """The masks that are combined."""
        return self.union or self.intersection or self.minus or self.first


MaskSource = AlphaMask | ColourMask | UploadMask | GeometryMask | BackgroundMask | PartsMask | TextMask | DetectorMask | CombinedMask

_COMBINE: dict[str, Callable[[Image.Image, Image.Image], Image.Image]] = {
    "union": masks.union,
    "intersection": masks.intersection,
    "minus": masks.difference,
}
COMBINATIONS = (*_COMBINE, "first")
_WAYS = f"{', '.join(COMBINATIONS[:-1])} and {COMBINATIONS[-1]}"


def read_source(data: object, where: str = "") -> MaskSource:
    """A mask from parsed JSON. Every error is a BadRequest that names the field by its path, starting with `where`."""
    return read_value(MaskSource, data, where or "mask")


def source_schema(defs: dict[str, Any]) -> dict[str, Any]:
    """The JSON Schema of what read_source takes; the kinds go to `defs`, the whole schema's "$defs"."""
    return value_schema(MaskSource, defs)


def make_mask(source: MaskSource, given: MaskGiven) -> MaskWork:
    """The work of making it: yields calls, takes answers, and returns the mask (mode L) at the taken picture's size.

    None where nothing was found: none of a union's masks or of first's, any of an intersection's, the first of minus, or a mask that
    is empty in the end. Operations leave nothing found as it is, so that nothing inverted is never the whole picture.
    """
    if isinstance(source, CombinedMask):
        mask = yield from _combined(source, given)
    else:
        mask = yield from MASKS[source.kind].work(source, given)
        mask = None if mask is None or mask.getbbox() is None else fitted(mask, given.taken.image.size)
    if mask is None:
        return None
    mask = reduce(lambda so_far, operation: operations.apply(operation, so_far), source.then, mask)
    return mask if mask.getbbox() else None


def _combined(source: CombinedMask, given: MaskGiven) -> MaskWork:
    found: list[Image.Image | None] = []
    for part in source.parts:
        found.append((yield from make_mask(part, given)))
        if source.first and found[-1] is not None:
            return found[-1]
    if source.first:
        return None
    if (source.minus and found[0] is None) or (source.intersection and None in found):
        return None
    combine = next(_COMBINE[name] for name in _COMBINE if getattr(source, name))
    present = [mask for mask in found if mask is not None]
    return reduce(combine, present) if present else None


def references(source: MaskSource) -> tuple[str, ...]:
    """The stages and inputs whose pictures it looks at, each once."""
    if isinstance(source, CombinedMask):
        return tuple(dict.fromkeys(name for part in source.parts for name in references(part)))
    return (source.of,) if source.of else ()


def needs_network(source: MaskSource) -> bool:
    """Whether it asks for a mask that only the worker can find."""
    if isinstance(source, CombinedMask):
        return any(needs_network(part) for part in source.parts)
    return MASKS[source.kind].needs_network
