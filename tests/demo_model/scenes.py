"""What the demo model is trained on: drawn scenes with their captions, depth maps, part masks and skeletons."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from PIL import Image

from tests.demo_model.character import POSES, VIEWS, draw_character, keypoints, skeleton
from tests.demo_model.objects import COLOURS, OBJECTS, UNSEEN, Spot, draw_watch
from tests.demo_model.painter import Colour, Painter
from tests.demo_model.places import PLACES, draw_place

SIZE = 128
EVERY_OBJECT = (*OBJECTS, "character")
TAGGED_OBJECTS = (*EVERY_OBJECT, *UNSEEN)
_FOOT = {
    "mug": 0.95,
    "bottle": 1.05,
    "house": 1.0,
    "shoe": 0.8,
    "mushroom": 1.0,
}  # how far below its centre a standing thing ends, in halves


@dataclass(frozen=True)
class Subject:
    """What a scene shows, in the words of its caption."""

    object: str  # one of TAGGED_OBJECTS
    colour: str  # one of COLOURS
    place: str  # one of PLACES
    view: str = ""  # characters only: one of VIEWS
    pose: str = ""  # characters only: one of POSES
    strap: str = ""  # watches only: the strap's own colour, if it has one

    @property
    def held_out(self) -> bool:
        """Whether this object-colour-place combination is kept from training (one in eight), so that judging on it is fair."""
        digest = hashlib.sha256(f"{self.object} {self.colour} {self.place}".encode()).digest()
        return digest[0] % 8 == 0

    @property
    def caption(self) -> str:
        """The caption in its plain form, such as "an orange watch with a black strap on a beach"."""
        comma = "," if self.view else ""
        return f"{_article(self.colour)} {self.colour} {self._thing}{comma} {PLACES[self.place]}"

    @property
    def tags(self) -> str:
        """The caption as comma-separated tags."""
        return f"{self.colour} {self._thing}, {self.place}"

    @property
    def _thing(self) -> str:
        if self.object == "character":
            return f"character {self.pose}, {self.view} view"
        if self.strap:
            return f"watch with {_article(self.strap)} {self.strap} strap"
        return self.object


@dataclass(frozen=True)
class Scene:
    """One drawn scene; all pictures have the same square size."""

    subject: Subject
    picture: Image.Image  # RGB
    depth: Image.Image  # L, near is bright
    masks: dict[str, Image.Image]  # L, for "object", "face", "strap", "ground"
    skeleton: Image.Image | None  # RGB, characters only


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"


def draw_subject(random: Random, *, held_out: bool = False, things: Sequence[str] = EVERY_OBJECT) -> Subject:
    """Draw a random subject of ``things``: one that training sees, or one that it never does."""
    while True:
        thing = random.choice((*things, "character", "watch"))
        subject = Subject(
            object=thing,
            colour=random.choice(tuple(COLOURS)),
            place=random.choice(tuple(PLACES)),
            view=random.choice(VIEWS) if thing == "character" else "",
            pose=random.choice(POSES) if thing == "character" else "",
            strap=random.choice(tuple(COLOURS)) if thing == "watch" and random.random() < 0.3 else "",
        )
        if subject.held_out == held_out:
            return subject


def draw_scene(subject: Subject, random: Random, size: int = SIZE) -> Scene:
    """Draw ``subject`` at a random place, size and shade."""
    painter = Painter(size)
    ground = draw_place(painter, subject.place, random)
    colour = _shade(COLOURS[subject.colour], random)
    if subject.object == "character":
        half = random.uniform(0.36, 0.41)
        spot = Spot(random.uniform(0.36, 0.64), random.uniform(1.12 * half, 0.98 - 1.14 * half), half)
        draw_character(painter, spot, colour, subject.view, subject.pose)
        bones = skeleton(keypoints(spot, subject.view, subject.pose), size)
        return Scene(subject, painter.picture(), painter.depth(), painter.masks(), bones)
    half = random.uniform(0.2, 0.28)
    y = random.uniform(0.4, 0.58)
    if subject.object in _FOOT:
        y = random.uniform(ground + 0.08, 0.95) - _FOOT[subject.object] * half
    spot = Spot(random.uniform(0.34, 0.66), y, half)
    if subject.object == "watch":
        draw_watch(painter, spot, colour, _shade(COLOURS[subject.strap], random) if subject.strap else None)
    else:
        (OBJECTS | UNSEEN)[subject.object](painter, spot, colour)
    return Scene(subject, painter.picture(), painter.depth(), painter.masks(), None)


def training_scene(index: int, size: int = SIZE) -> Scene:
    """The ``index``-th scene of the endless training set."""
    random = Random(index)
    return draw_scene(draw_subject(random), random, size)


def held_out_scene(index: int, size: int = SIZE) -> Scene:
    """The ``index``-th scene of the endless judging set: its combination is never trained on."""
    random = Random(f"held out {index}")
    return draw_scene(draw_subject(random, held_out=True), random, size)


def tagger_scene(index: int, size: int = SIZE) -> Scene:
    """The ``index``-th scene of what the tagger learns from: the training set's like, and things that the U-Net never sees."""
    random = Random(f"tagger {index}")
    return draw_scene(draw_subject(random, things=TAGGED_OBJECTS), random, size)


def held_out_tagger_scene(index: int, size: int = SIZE) -> Scene:
    """The ``index``-th scene that the tagger is judged by: combinations that it never learnt from."""
    random = Random(f"held out from the tagger {index}")
    return draw_scene(draw_subject(random, held_out=True, things=TAGGED_OBJECTS), random, size)


def _shade(colour: Colour, random: Random) -> Colour:
    r, g, b = (max(0, min(255, v + random.randint(-10, 10))) for v in colour)
    return (r, g, b)
