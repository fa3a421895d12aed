"""What is a score? Its settings and its work: a generator that may ask a backend, and gives a number from 0 to 1 for each picture."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from dataclasses import field as plain
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.spec.calls import Call
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field

if TYPE_CHECKING:  # stages have scores in their settings, so that at run time they import us
    from lib_extension.stages.stage import Answer, Picture

MOST_SENT = 512  # px; taggers look at 448 or less, and a hundred large pictures are slow to send


@dataclass(frozen=True, kw_only=True)
class OneScore(Settings):
    """What every score has."""

    weight: float = field(1.0, label="Weight", minimum=0, maximum=100, help="How much it counts beside the other scores.")


@dataclass(frozen=True)
class ScoreGiven:
    """What is scored: the pictures of one review, in its order, and those that the settings name, by that name."""

    pictures: tuple[Picture, ...]
    others: Mapping[str, Picture] = plain(default_factory=dict)

    def other(self, name: str) -> Picture:
        """The picture of that name."""
        if name not in self.others:
            raise BadRequest(f'There is no picture of "{name}" to compare with.')
        return self.others[name]


@dataclass(frozen=True)
class Measured:
    """What a score came to."""

    values: list[float]  # one a picture, 0 to 1
    by: str = ""  # the network that was asked, where there may be one or another


ScoreWork = Generator["Call", "Answer", Measured]


@dataclass(frozen=True)
class ScoreType:
    """A line of SCORES. The work gets the score's settings, and gives a number for each picture."""

    name: str
    settings: type[OneScore]
    work: Callable[[Any, ScoreGiven], ScoreWork]
    higher_is_better: bool = True
    needs_network: bool = False  # asks for what the worker answers


def local(measure: Callable[[Any, ScoreGiven], list[float]]) -> Callable[[Any, ScoreGiven], ScoreWork]:
    """The work of a score that asks no backend."""

    def work(score: OneScore, given: ScoreGiven) -> ScoreWork:
        yield from ()
        return Measured(measure(score, given))

    return work


def opaque(image: Image.Image) -> Image.Image:
    """The picture on white, where it is transparent: RGB."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, (255, 255, 255, 255))
    white.alpha_composite(image)
    return white.convert("RGB")


def brightness(image: Image.Image) -> NDArray[np.float32]:
    """(H, W), 0 to 255: luma as of ITU-R BT.601, on white where the picture is transparent."""
    return np.asarray(opaque(image).convert("L"), np.float32)


def small(image: Image.Image) -> Image.Image:
    """The picture as it is sent to a network that only looks at it."""
    shown = opaque(image)
    shown.thumbnail((MOST_SENT, MOST_SENT), Image.Resampling.BOX)
    return shown
