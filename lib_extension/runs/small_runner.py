"""How is a recipe carried out? Stage after stage, row after row, each picture by a call; every result knows where it came from."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from PIL import Image

from lib_extension.backend.client import Client
from lib_extension.runs.calls import call_for
from lib_extension.runs.small_recipe import Recipe, Stage
from lib_extension.spec.sdapi import Img2Img, Txt2Img


@dataclass(frozen=True)
class Result:
    """One picture of one stage of one row."""

    stage: str
    row: int
    number: int  # among the stage's pictures of this row, from 0
    image: Image.Image
    infotext: str
    seed: int
    body: Txt2Img | Img2Img  # what was asked
    source: Result | None  # the picture that it was made from
    seconds: float  # of the call that made it


class Watcher(Protocol):
    """Is told how the run goes on."""

    def stage(self, number: int, stage: Stage, calls: int) -> AbstractContextManager[object]:
        """Wraps the stage with this number, from 0, which takes so many calls."""
        ...

    def called(self) -> None:
        """A call of the stage is done."""
        ...


def run(recipe: Recipe, inputs: Mapping[str, Image.Image], client: Client, watcher: Watcher) -> Iterator[Result]:
    """Carry out `recipe` and give each picture when it is there. Raises AtelierError."""
    done: list[Result] = []
    for number, stage in enumerate(recipe.stages):
        tasks = _tasks(recipe, stage, done)
        with watcher.stage(number, stage, len(tasks)):
            for row, source in tasks:
                made = sum(result.stage == stage.name and result.row == row for result in done)
                for result in _call(recipe, stage, row, source, made, inputs, client):
                    done.append(result)
                    yield result
                watcher.called()


def _tasks(recipe: Recipe, stage: Stage, done: list[Result]) -> list[tuple[int, Result | None]]:
    """The row and the picture to take of each of the stage's calls."""
    if not stage.takes:
        return [(row, None) for row in range(len(recipe.rows))]
    return [(result.row, result) for result in done if result.stage == stage.takes]


def _call(
    recipe: Recipe, stage: Stage, row: int, source: Result | None, made: int, inputs: Mapping[str, Image.Image], client: Client
) -> list[Result]:
    body = call_for(recipe, stage, recipe.rows[row], inputs, source.image if source else None)
    started = time.monotonic()
    answer = client.generate(body)
    seconds = time.monotonic() - started
    pictures = zip(answer.images, answer.infotexts, answer.seeds, strict=True)
    return [Result(stage.name, row, made + i, *picture, body, source, seconds) for i, picture in enumerate(pictures)]
