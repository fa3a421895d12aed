"""How do a folder's pictures come to a network, so many at a time?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from PIL import Image

from lib_extension.captions.files import Captioned
from trainer.data.looks import look_and_picture


@dataclass(frozen=True)
class Shown:
    """A picture, upright, or why there is none."""

    captioned: Captioned
    picture: Image.Image | None
    problem: str = ""


def batches(captions: Sequence[Captioned], size: int) -> Iterator[list[Shown]]:
    """All of them, in order, read as they are asked for."""
    rest = iter(captions)
    while some := list(islice(rest, size)):
        yield [_shown(one) for one in some]


def _shown(one: Captioned) -> Shown:
    look, picture = look_and_picture(one.picture)
    return Shown(one, picture, "; ".join(look.found) if picture is None else "")
