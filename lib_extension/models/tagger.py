"""What a picture shows, in tags: a tagger in the form of the WD14 taggers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.onnx_file import open_onnx
from lib_extension.spec.errors import BadFile, NotFound

RATING = "9"


@dataclass(frozen=True)
class Tag:
    """A row of ``selected_tags.csv``."""

    name: str
    category: str  # "9" rating, "0" general, "4" character


def read_tags(path: Path) -> list[Tag]:
    """Read ``selected_tags.csv`` (columns tag_id, name, category, count), in the order of the network's output."""
    if not path.is_file():
        raise NotFound(f"The tagger's {path.name} is missing: put it beside its model.onnx.")
    with path.open(newline="", encoding="utf-8") as rows:
        try:
            return [Tag(row["name"], row["category"]) for row in csv.DictReader(rows)]
        except (KeyError, csv.Error, UnicodeDecodeError) as error:
            raise BadFile(f"{path.name} is not a tagger's list: it needs the columns tag_id, name, category, count.") from error


class Tagger:
    """A folder with ``model.onnx`` and ``selected_tags.csv``: the demo model's, or a WD14 tagger's."""

    def __init__(self, folder: Path) -> None:
        self._session = open_onnx(folder / "model.onnx", what="tagger")
        self._known = read_tags(folder / "selected_tags.csv")
        taken = self._session.get_inputs()[0]
        self._input, self._side = taken.name, int(taken.shape[1])
        outputs = self._session.get_outputs()
        self._embeds = len(outputs) > 1
        wide = outputs[0].shape[-1]
        if isinstance(wide, int) and wide != len(self._known):
            raise BadFile(f"The tagger's network gives {wide} scores, but its selected_tags.csv lists {len(self._known)} tags.")

    def tags(self, picture: Image.Image) -> dict[str, float]:
        """The probability (0..1) of every tag but the ratings, by its name with spaces for underscores."""
        scores = self._run(picture)[0][0]
        return {tag.name.replace("_", " "): float(score) for tag, score in zip(self._known, scores, strict=True) if tag.category != RATING}

    def caption(self, picture: Image.Image, threshold: float = 0.35) -> str:
        """The tags above ``threshold``, the most certain first."""
        found = sorted(self.tags(picture).items(), key=lambda item: -item[1])
        return ", ".join(name for name, score in found if score >= threshold)

    def embedding(self, picture: Image.Image) -> np.ndarray | None:
        """A vector that is alike for pictures that show alike things, float32 (128,); None where the tagger gives none."""
        return self._run(picture)[1][0] if self._embeds else None

    def _run(self, picture: Image.Image) -> list[np.ndarray]:
        return [np.asarray(output) for output in self._session.run(None, {self._input: _prepare(picture, self._side)})]


def _prepare(picture: Image.Image, side: int) -> np.ndarray:
    """As the WD14 taggers were trained: on white, padded to a square, resized; BGR 0..255, float32 (1, side, side, 3)."""
    opaque = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    opaque.alpha_composite(picture.convert("RGBA"))
    widest = max(picture.size)
    square = Image.new("RGB", (widest, widest), (255, 255, 255))
    square.paste(opaque.convert("RGB"), ((widest - picture.width) // 2, (widest - picture.height) // 2))
    if widest != side:
        square = square.resize((side, side), Image.Resampling.BOX if widest > side else Image.Resampling.BICUBIC)
    return np.asarray(square, np.float32)[None, :, :, ::-1].copy()
