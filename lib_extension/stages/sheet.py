"""Several pictures as one: a contact sheet with labels, or a turnaround, all views in one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from typing import Literal

from PIL import Image, ImageColor

from lib_extension.pictures.grid import labelled_sheet
from lib_extension.pictures.png import MOST_PIXELS, encode_png
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import field
from lib_extension.stages.patterns import fill_pattern, with_variables
from lib_extension.stages.stage import Given, Outcome, Picture, Stage, StageType, Work

LONGEST_LABEL = 300  # characters: a prompt's beginning, rather than more text than picture


@dataclass(frozen=True, kw_only=True)
class SheetStage(Stage):
    """Puts all pictures that it takes on one. It knows where each lies: the mask of the kind geometry asks it for seams and cells."""

    type: Literal["sheet"] = field(label="Type")
    scope: Literal["item", "run"] = field("run", label="One for", help="Each item, or the whole run.")
    layout: Literal["contact", "turnaround"] = field("contact", label="Layout", help="turnaround: one row, of one height.")
    columns: int = field(0, label="Columns", minimum=0, maximum=1000, help="0: about as many as rows.")
    cell: int = field(0, label="Longest side", minimum=0, maximum=8192, help="Pixels that a picture has at most; 0: as it is.")
    labels: str = field(
        "{variables}", label="Labels", help="Below each picture: {stage}, {index}, {variables}, or any {variable}. Empty: none."
    )
    heading: str = field("", label="Heading")
    gap: int = field(8, label="Gap", minimum=0, maximum=1024, help="Pixels between pictures and around them.", advanced=True)
    background: str = field("white", label="Background", help="#rrggbb or an HTML name.", advanced=True)

    def check(self) -> None:
        """Refuse what is no colour."""
        colour_of(self.background)


def colour_of(name: str) -> tuple[int, int, int]:
    """Red, green and blue. BadRequest where the name is no colour."""
    try:
        red, green, blue, *_ = ImageColor.getrgb(name)
    except ValueError as error:
        raise BadRequest(f'"{name[:40]}" is no colour; write #rrggbb, such as #00ff00, or an HTML name, such as lime.') from error
    return red, green, blue


def work(given: Given) -> Work:
    """Asks nobody. Facts of the result: cells, [left, top, right, bottom] of each picture, in the order taken."""
    yield from ()
    stage: SheetStage = given.stage
    if not given.taken:
        return Outcome((), reason="There are no pictures to put on a sheet.")
    turnaround = stage.layout == "turnaround"
    pictures = _shrunk_ones(stage, given.taken)
    if turnaround:
        pictures = _of_one_height(pictures)
    sheet = labelled_sheet(
        pictures,
        [_shortened(fill_pattern(stage.labels, labels)) for labels in with_variables(given.labels)],
        columns=len(pictures) if turnaround else stage.columns,
        heading=_shortened(stage.heading),
        gap=stage.gap,
        background=colour_of(stage.background),
    )
    cells = [list(box) for box in sheet.cells]
    return Outcome((Picture(encode_png(sheet.image), facts={"cells": cells}),))


def _shortened(text: str) -> str:
    return text if len(text) <= LONGEST_LABEL else text[: LONGEST_LABEL - 1] + "…"


def _shrunk_ones(stage: SheetStage, taken: Sequence[Picture]) -> list[Image.Image]:
    """The pictures as they go on the sheet. Refused at the first that would make it too large, and not with all of them in memory."""
    pictures: list[Image.Image] = []
    width = height = 0
    for picture in taken:
        pictures.append(_shrunk(picture.image, stage.cell))
        width, height = max(width, pictures[-1].width), max(height, pictures[-1].height)
        _refuse_huge(stage, len(taken), width, height)
    return pictures


def _shrunk(image: Image.Image, longest: int) -> Image.Image:
    if not longest or max(image.size) <= longest:
        return image
    scale = longest / max(image.size)
    return image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.LANCZOS)


def _of_one_height(pictures: list[Image.Image]) -> list[Image.Image]:
    height = min(picture.height for picture in pictures)
    return [
        picture
        if picture.height == height
        else picture.resize((max(1, round(picture.width * height / picture.height)), height), Image.Resampling.LANCZOS)
        for picture in pictures
    ]


def _refuse_huge(stage: SheetStage, count: int, width: int, height: int) -> None:
    """So many pictures, the largest of them so large. How much labels add is found out later."""
    columns = count if stage.layout == "turnaround" else min(stage.columns or ceil(sqrt(count)), count)
    room = 0.95 * MOST_PIXELS / (columns * ceil(count / columns))
    if (width + stage.gap) * (height + stage.gap) > room:
        fitting = max(1, int(max(width, height) * (room / (width * height)) ** 0.5) - stage.gap)
        raise BadRequest(f'The sheet "{stage.id}" of {count} pictures would be too large. Set "cell" to {fitting} or less.')


TYPE = StageType("sheet", SheetStage, work, takes="all", local=lambda stage: True, patterns=("labels",))
