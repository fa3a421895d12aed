"""What have the demo LoRAs learnt, and what forgotten? `python -m tests.demo_model.judge_loras [--json] [--sheet pictures.png]`.

Fixed seeds; the captions' combinations of thing, colour and place were never trained on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image

from lib_extension.models.library import DEMO
from lib_extension.models.tagger import Tagger
from tests.demo_model.drawing import Drawing
from tests.demo_model.judge import found
from tests.demo_model.lora_sets import BRAND, OBJECT, RIM, ROUNDEL, STYLE, draw_object
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import SIZE, Subject, draw_subject

LORAS = DEMO / "loras"
STORYBOOK, ATELIER = LORAS / "storybook.safetensors", LORAS / "atelier.safetensors"
PALE = 0.514  # the nine-tenths quantile of saturation that best tells drawn storybook scenes (98 %) from the same ones as they are
WANTED = {"learnt": 0.90, "learnt_object": 0.80, "forgotten": 0.03}


@dataclass(frozen=True)
class Learnt:
    """Shares from 0 to 1.

    ``learnt``: pictures asked for by the LoRA's words that show what it is for; ``before``: the same captions' without the LoRA.
    ``subject``: how often the thing asked for is in the former. ``colour place``: how often they are right in pictures of the base's own
    things, by captions without the LoRA's words, with the LoRA at weight 1; ``forgotten``: what that is less than without it, at most.
    """

    learnt: float
    before: float
    subject: float
    colour: float
    place: float
    forgotten: float


def saturation(picture: Image.Image) -> float:
    """The nine-tenths quantile of (max - min) / max over pixels, 0..1."""
    values = np.asarray(picture.convert("RGB"), np.float32)
    return float(np.quantile((values.max(2) - values.min(2)) / np.maximum(1, values.max(2)), 0.9))


def is_storybook(picture: Image.Image) -> bool:
    """Whether no tenth of it is of strong colours."""
    return saturation(picture) < PALE


def has_roundel(picture: Image.Image) -> bool:
    """Whether both the roundel's cream and its rim's gold are there."""
    return _share(picture, ROUNDEL, 20) > 0.08 and _share(picture, RIM, 40) > 0.015


def _share(picture: Image.Image, colour: tuple[int, int, int], within: int) -> float:
    return float((np.abs(np.asarray(picture.convert("RGB"), np.int16) - colour).max(2) <= within).mean())


def is_mushroom(tagger: Tagger) -> Callable[[Image.Image], bool]:
    """By the tagger, which alone has seen one."""
    return lambda picture: found(tagger, picture)["object"] == OBJECT


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
        self, file: Path, subjects: Sequence[Subject], words: str, shows: Callable[[Image.Image], bool], weight: float = 1.0
    ) -> tuple[Learnt, list[Image.Image]]:
        """The figures, and the pictures asked for by the LoRA's words."""
        captions, seeds = [f"{words}{one.caption}" for one in subjects], range(1000, 1000 + len(subjects))
        before = self.drawing.draw(captions, seeds)
        with self.drawing.with_lora(file, weight):
            made = self.drawing.draw(captions, seeds)
            plain = self.drawing.draw([one.caption for one in self.known], range(len(self.known)))
        kept = accuracy(self.tagger, self.known, plain)
        learnt = Learnt(
            learnt=float(np.mean([shows(picture) for picture in made])),
            before=float(np.mean([shows(picture) for picture in before])),
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
    asked: list[tuple[str, Path | None, list[Subject], str, Callable[[Image.Image], bool]]] = [
        ("mushroom", chosen.mushroom, mushrooms(chosen.pictures), "", is_mushroom(judge.tagger)),
        ("storybook", chosen.storybook, known, f"{STYLE}, ", is_storybook),
        ("atelier", chosen.atelier, known, f"{BRAND}, ", has_roundel),
    ]
    rows: list[list[Image.Image]] = []
    for name, file, subjects, words, shows in asked:
        if file is None:
            continue
        learnt, made = judge.judge(file, subjects, words, shows)
        rows.append(made[:12])
        figures = {group: round(value, 4) for group, value in asdict(learnt).items()}
        print(
            json.dumps({"lora": name, **figures}) if chosen.json else f"{name:10} " + "  ".join(f"{k} {v:.3f}" for k, v in figures.items())
        )
    if chosen.sheet:
        write_sheet(rows, chosen.sheet)


if __name__ == "__main__":
    main()
