"""What is a stage type? Its settings, what it takes, how many pictures it gives, and the work: a generator that asks and is answered.

The work decides and never sends anything itself. It yields a Call and receives an Answer, as often as it needs, and returns an
Outcome, so one way of carrying out serves a single call, forty tiles, and a stage that asks for nothing at all:

    def work(given: Given) -> Work:
        answer = yield Txt2Img(...)
        return Outcome(answer.pictures)
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from dataclasses import field as plain
from typing import Any, Literal

from PIL import Image

from lib_extension.pictures.png import open_picture
from lib_extension.spec.calls import Call
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True, kw_only=True)
class Stage(Settings):
    """The settings that every stage type has."""

    id: str = field(label="Id")
    type: str = field(label="Type")
    title: str = field("", label="Title")
    enabled: bool = field(True, label="Enabled", help="A stage that is switched off passes on what it takes.")
    when: dict[str, str] = field(
        {},
        label="Only when",
        help="Inputs, rows or axes, and the value of each. With any other the stage is left out and gives nothing.",
        advanced=True,
    )
    takes: tuple[str, ...] = field((), label="Takes", help="Stages or inputs whose pictures come in.", source="picture")


@dataclass(frozen=True)
class Picture:
    """One picture: the PNG file's bytes as they are stored, and what is known of how it was made."""

    png: bytes
    infotext: str = ""
    seed: int | None = None
    facts: Mapping[str, Any] = plain(default_factory=dict)  # scores, mask coverage, boxes: JSON values

    @property
    def image(self) -> Image.Image:
        """The picture, decoded (limits of pictures.png hold)."""
        return open_picture(self.png, what="A stored picture")


@dataclass(frozen=True)
class Answer:
    """What a backend gave for one Call, after its receipts were checked."""

    pictures: tuple[Picture, ...] = ()
    maps: tuple[Picture, ...] = ()  # ControlNet's maps, where the backend sends them
    # ModelTags: tag to score; ModelEmbedding: {"embeddings": [[...]], "network": "..."}; boxes
    facts: Mapping[str, Any] = plain(default_factory=dict)


@dataclass(frozen=True)
class Given:
    """What one instance of a stage works on."""

    stage: Any  # the type's settings, variables filled in
    taken: tuple[Picture, ...] = ()  # one for a stage that takes each picture by itself
    others: Mapping[str, Picture] = plain(default_factory=dict)  # pictures that the settings name, by that name
    seed: int = 0  # by the stage's seed policy
    labels: tuple[Mapping[str, Any], ...] = ()  # for each taken picture, the variables of its item and "stage", "index"


@dataclass(frozen=True)
class Outcome:
    """What an instance gave. No pictures with a reason: nothing was found, and the recipe said to skip."""

    pictures: tuple[Picture, ...]
    reason: str = ""
    files: Mapping[str, bytes] = plain(default_factory=dict)  # what export writes: path under the output folder to content


Work = Generator[Call, Answer, Outcome]


@dataclass(frozen=True)
class StageType:
    """A line of STAGES."""

    name: str
    settings: type[Stage]
    work: Callable[[Given], Work]
    takes: Literal["nothing", "each", "all"]  # "each": an instance a picture; "all": one for all of an item, or of the run
    count: Callable[[Any, int], int] = lambda stage, taken: 1  # pictures that an instance gives, from how many it takes
    references: Callable[[Any], tuple[str, ...]] = lambda stage: ()  # stages and inputs that the settings name, besides `takes`
    cost: Callable[[Any], float] = lambda stage: 0.0  # megapixels x steps, for the time estimate
    seeded: bool = False  # has a seed of its own
    guides: bool = False  # what it gives, such as a mask, is for other stages to draw by, rather than to be looked at
    local: Callable[[Any], bool] = lambda stage: False  # asks no backend: its pictures are the same whatever backend makes the others
    patterns: tuple[str, ...] = ()  # fields whose {names} the stage fills in itself, for each picture, from its labels
    version: int = 1  # raised when the same settings come to give other pictures: part of every key


# Fields of a stage that do not change its pictures, and names that its sources stand for in a key.
NOT_IN_KEYS = frozenset({"id", "title", "takes", "enabled", "when", "seed_policy"})


def declared_fields(cls: type[Stage]) -> set[str]:
    """The names of a stage type's settings."""
    return {f.name for f in dataclasses.fields(cls)}
