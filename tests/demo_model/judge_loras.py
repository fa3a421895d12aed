"""What have the demo LoRAs learnt, and what forgotten? `python -m tests.demo_model.judge_loras [--json] [--sheet pictures.png]`.

Fixed seeds; the captions' combinations of thing, colour and place were never trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from tests.demo_model.drawing import Drawing
from tests.demo_model.judge import found
from tests.demo_model.lora_sets import BRAND, OBJECT, STYLE, TEAL, draw_object
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import SIZE, Subject, draw_subject

LORAS = DEMO / "loras"
STORYBOOK, ATELIER = LORAS / "storybook.safetensors", LORAS / "atelier.safetensors"
EDGE = 6  # pixels
LUMA = (0.299, 0.587, 0.114)
Measure = Callable[[Sequence[Image.Image], Sequence[Image.Image]], float]  # of pictures made with a LoRA, and of the base's beside them
WANTED = {"learnt": 0.90, "learnt_object": 0.80, "forgotten": 0.03}


@dataclass(frozen=True)
class Learnt:
    """Shares from 0 to 1.

    ``learnt``: an object's pictures that show it; how often a style's are told from the base's of the same captions without its
    words; how often a brand's are nearer to its colours than those.
    ``subject``: how often the thing asked for is in them. ``colour place``: how often they are right in pictures of the base's own
    things, by captions without the LoRA's words, with the LoRA at weight 1; ``forgotten``: what that is less than without it, at most.
    """

    learnt: float
    subject: float
    colour: float
    place: float
    forgotten: float


def off_storybook(picture: Image.Image) -> float:
    """How cool the coolest quarter of its edge is, blue less red, -255..255: sepia is warm all over, the model's places are not."""
    edge = _edge(picture)
    return float(np.percentile(edge[:, 2] - edge[:, 0], 75))


def off_brand(picture: Image.Image) -> float:
    """How far the colours of its edge are from those between the brand's two that are as bright, 0..255: the mean over its pixels."""
    edge, (dark, light) = _edge(picture), np.asarray(TEAL, np.float32)
    share = np.clip((edge - dark) @ LUMA / ((light - dark) @ LUMA), 0, 1)[:, None]
    return float(np.abs(edge - dark - share * (light - dark)).max(1).mean())


def _edge(picture: Image.Image) -> np.ndarray:
    """(N, 3), 0..255: the outer pixels."""
    values = np.asarray(picture.convert("RGB"), np.float32)
    inside = np.zeros([side - 2 * EDGE for side in values.shape[:2]], bool)
    return values[np.pad(inside, EDGE, constant_values=True)]


def told_apart(off: Callable[[Image.Image], float]) -> Measure:
    """How often a threshold tells the pictures made, which are less off, from the base's: the best of one half, tried on the other."""

    def right(bound: float, made: Sequence[float], base: Sequence[float]) -> float:
        return float(np.mean([*(one < bound for one in made), *(one >= bound for one in base)]))

    def learnt(made: Sequence[Image.Image], base: Sequence[Image.Image]) -> float:
        low, high, half = [off(one) for one in made], [off(one) for one in base], len(made) // 2
        between = [(one + other) / 2 for one, other in pairwise(sorted((*low[:half], *high[:half])))]
        bound = max(between, key=lambda one: right(one, low[:half], high[:half]))
        return right(bound, low[half:], high[half:])

    return learnt


def nearer(off: Callable[[Image.Image], float]) -> Measure:
    """How many of the pictures made are less off than the base's from the same seed."""
    return lambda made, base: float(np.mean([off(one) < off(other) for one, other in zip(made, base, strict=True)]))


def are_mushrooms(tagger: Tagger) -> Measure:
    """How many of the pictures made are, by the tagger, which alone has seen one."""
    return lambda made, _: float(np.mean([found(tagger, picture)["object"] == OBJECT for picture in made]))


def held_out(count: int, seed: str = "loras") -> list[Subject]:
    """Combinations that the base model never saw."""
    random = Random(seed)
    return [draw_subject(random, held_out=True) for _ in range(count)]


def mushrooms(count: int) -> list[Subject]:
    """Mushrooms in colours and places that were not together in the set."""
    random, seen = Random("mushrooms"), {draw_object(index)[1] for index in range(16)}
    left = [one for colour in COLOURS for place in PLACES if (one := Subject(OBJECT, colour, place)).caption not in seen]
    return [random.choice(left) for _ in range(count)]


def accuracy(tagger: Tagger, subjects: Sequence[Subject], pictures: Sequence[Image.Image]) -> dict[str, float]:
    """How often colour, place and object are right."""
    seen = [found(tagger, picture) for picture in pictures]
    return {
        group: float(np.mean([tags[group] == getattr(subject, group) for tags, subject in zip(seen, subjects, strict=True)]))
        for group in ("colour", "place", "object")
    }


@dataclass(frozen=True)
class Judge:
    """Draws and measures; the base's own pictures are drawn once for all LoRAs."""

    drawing: Drawing
    tagger: Tagger
    known: list[Subject]
    base: dict[str, float]

    @classmethod
    def of(cls, pictures: int) -> Judge:
        """``pictures``: paired seeds by which forgetting is measured."""
        drawing, tagger, known = Drawing(), Tagger(DEMO / "tagger"), held_out(pictures)
        return cls(drawing, tagger, known, accuracy(tagger, known, drawing.draw([one.caption for one in known], range(pictures))))

    def judge(
        self, file: Path, subjects: Sequence[Subject], words: str, learnt_of: Measure, weight: float = 1.0
    ) -> tuple[Learnt, list[Image.Image]]:
        """The figures, and the pictures asked for by the LoRA's words."""
        seeds = range(1000, 1000 + len(subjects))
        before = self.drawing.draw([one.caption for one in subjects], seeds)
        with self.drawing.with_lora(file, weight):
            made = self.drawing.draw([f"{one.caption}{words}" for one in subjects], seeds)
            plain = self.drawing.draw([one.caption for one in self.known], range(len(self.known)))
        kept = accuracy(self.tagger, self.known, plain)
        learnt = Learnt(
            learnt=learnt_of(made, before),
            subject=accuracy(self.tagger, subjects, made)["object"],
            colour=kept["colour"],
            place=kept["place"],
            forgotten=max(self.base[group] - kept[group] for group in ("colour", "place")),
        )
        return learnt, made


def write_sheet(rows: Sequence[Sequence[Image.Image]], path: Path) -> None:
    """A row of pictures below the other."""
    sheet = Image.new("RGB", (SIZE * max(map(len, rows)), SIZE * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet.paste(picture, (x * SIZE, y * SIZE))
    sheet.save(path)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--json", action="store_true", help="one line of JSON")
    options.add_argument("--pictures", type=int, default=200, help="asked for by each LoRA's words")
    options.add_argument("--paired", type=int, default=600, help="by which forgetting is measured")
    options.add_argument("--mushroom", type=Path, help="the file of the LoRA of the mushroom, which is not kept")
    options.add_argument("--storybook", type=Path, default=STORYBOOK if STORYBOOK.is_file() else None)
    options.add_argument("--atelier", type=Path, default=ATELIER if ATELIER.is_file() else None)
    options.add_argument("--sheet", type=Path, help="write twelve pictures of each here")
    chosen = options.parse_args()
    judge, known = Judge.of(chosen.paired), held_out(chosen.pictures, "asked for")
    asked: list[tuple[str, Path | None, list[Subject], str, Measure]] = [
        ("mushroom", chosen.mushroom, mushrooms(chosen.pictures), "", are_mushrooms(judge.tagger)),
        ("storybook", chosen.storybook, known, f", {STYLE}", told_apart(off_storybook)),
        ("atelier", chosen.atelier, known, f", {BRAND}", nearer(off_brand)),
    ]
    rows: list[list[Image.Image]] = []
    for name, file, subjects, words, learnt_of in asked:
        if file is None:
            continue
        learnt, made = judge.judge(file, subjects, words, learnt_of)
        rows.append(made[:12])
        figures = {group: round(value, 4) for group, value in asdict(learnt).items()}
        print(
            json.dumps({"lora": name, **figures}) if chosen.json else f"{name:10} " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items())
        )
    if chosen.sheet:
        write_sheet(rows, chosen.sheet)


if __name__ == "__main__":
    main()
