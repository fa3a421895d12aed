"""What is a kind of mask? Its settings and its work: a generator that may ask a backend, as a stage's, and gives a mask or nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from dataclasses import field as plain
from typing import TYPE_CHECKING, Any

from PIL import Image

from lib_extension.masks.operations import Operation
from lib_extension.pictures import masks
from lib_extension.pictures.png import encode_base64
from lib_extension.spec.calls import Call, ModelMask
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field, tag_of, to_json

if TYPE_CHECKING:  # stages have masks in their settings, so that at run time they import us
    from lib_extension.stages.stage import Answer, Picture


@dataclass(frozen=True, kw_only=True)
class OneMask(Settings):
    """What every kind of mask has."""

    of: str = field(
        "", label="Of", help="The stage or input whose picture is looked at; empty is the picture that is worked on.", source="picture"
    )
    then: tuple[Operation, ...] = field(
        (), label="Then", help="One after the other; what comes out empty counts as nothing found.", advanced=True
    )


@dataclass(frozen=True)
class MaskGiven:
    """What a mask is made for and from."""

    taken: Picture  # the picture that is worked on; the mask gets its size
    others: Mapping[str, Picture] = plain(default_factory=dict)  # pictures that the settings name, by that name

    def picture(self, name: str) -> Picture:
        """The picture of that name; '' is the one that is worked on."""
        if name and name not in self.others:
            raise BadRequest(f'There is no picture of "{name}" to make a mask from.')
        return self.others[name] if name else self.taken


MaskWork = Generator["Call", "Answer", Image.Image | None]


@dataclass(frozen=True)
class MaskType:
    """A line of MASKS. The work gets the kind's settings, and gives None for nothing found."""

    name: str
    settings: type[OneMask]
    work: Callable[[Any, MaskGiven], MaskWork]
    needs_network: bool = False  # asks for a ModelMask, which the worker answers


def local(find: Callable[[Any, MaskGiven], Image.Image | None]) -> Callable[[Any, MaskGiven], MaskWork]:
    """The work of a kind that asks no backend."""

    def work(source: OneMask, given: MaskGiven) -> MaskWork:
        yield from ()
        return find(source, given)

    return work


def ask_network(source: OneMask, given: MaskGiven, ours: tuple[str, ...] = ()) -> MaskWork:
    """The work of every kind whose mask a network finds: it is sent the kind's settings but those that are `ours`."""
    tag = tag_of(type(source))
    assert tag is not None
    kept = {tag[0], *ours, *(f.name for f in dataclasses.fields(OneMask))}
    settings = {name: value for name, value in to_json(source).items() if name not in kept}
    answer = yield ModelMask(kind=tag[1], image=encode_base64(given.picture(source.of).image), settings=settings)
    return answer.pictures[0].image.convert("L") if answer.pictures else None


def fitted(mask: Image.Image, size: tuple[int, int]) -> Image.Image:
    """The mask at the size of the picture that it is for. BadRequest where their proportions differ by more than 8 pixels' rounding."""
    if mask.size == size:
        return mask
    (width, height), scale = mask.size, max(size[0] / mask.width, size[1] / mask.height)
    if abs(width * scale - size[0]) > 8 or abs(height * scale - size[1]) > 8:
        raise BadRequest(
            f"A mask of {width}×{height} does not fit a picture of {size[0]}×{size[1]}: it would be distorted. "
            "Make both with the same proportions."
        )
    return masks.threshold(mask.resize(size, Image.Resampling.BICUBIC)) if _is_hard(mask) else mask.resize(size, Image.Resampling.BICUBIC)


def _is_hard(mask: Image.Image) -> bool:
    return sum(mask.histogram()[1:255]) == 0
