"""How do the saves look beside one another? A row for each prompt and save, a column for each weight."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from lib_extension.pictures.grid import labelled_sheet
from trainer.written import write_bytes

SHEET = "evaluation.png"
_WIDEST = 256  # pixels of a picture on the sheet
_LONGEST = 60  # characters of a prompt in a label


@dataclass(frozen=True)
class Cell:
    """A picture on the sheet; of the prompt with that number."""

    number: int
    prompt: str
    step: int
    weight: float
    picture: Image.Image

    @property
    def label(self) -> str:
        """What stands below it."""
        prompt = self.prompt if len(self.prompt) <= _LONGEST else self.prompt[: _LONGEST - 1] + "…"
        return f"step {self.step}, weight {self.weight:g}: {prompt}"


def cell(number: int, prompt: str, step: int, weight: float, picture: Image.Image) -> Cell:
    """With the picture small enough for a sheet of many."""
    picture = picture.copy()
    picture.thumbnail((_WIDEST, _WIDEST))
    return Cell(number, prompt, step, weight, picture)


def write_sheet(cells: Iterable[Cell], folder: Path, heading: str, columns: int) -> Path:
    """evaluation.png in a folder, in place of an older one."""
    ordered = sorted(cells, key=lambda one: (one.number, one.step, one.weight))
    sheet = labelled_sheet([one.picture for one in ordered], [one.label for one in ordered], columns=columns, heading=heading)
    buffer = io.BytesIO()
    sheet.image.save(buffer, "PNG", optimize=True)
    folder.mkdir(exist_ok=True)
    write_bytes(folder / SHEET, buffer.getvalue())
    return folder / SHEET
