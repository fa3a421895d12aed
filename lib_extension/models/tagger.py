"""What a picture shows, in tags: a tagger in the form of the WD14 taggers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.onnx_file import open_onnx
from lib_extension.spec.errors import BadFile, NotFound

RATING, CHARACTER = "9", "4"


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
        self.known = read_tags(folder / "selected_tags.csv")
        taken = self._session.get_inputs()[0]
        self._input, self._side = taken.name, int(taken.shape[1])
        self._one_by_one = taken.shape[0] == 1  # some are exported for a single picture
        outputs = self._session.get_outputs()
        self._embeds = len(outputs) > 1
        wide = outputs[0].shape[-1]
        if isinstance(wide, int) and wide != len(self.known):
            raise BadFile(f"The tagger's network gives {wide} scores, but its selected_tags.csv lists {len(self.known)} tags.")

    def scores(self, pictures: Sequence[Image.Image]) -> np.ndarray:
        """The probability (0..1) of each of ``known`` for each picture, float32 (N, tags)."""
        prepared = [_prepare(picture, self._side) for picture in pictures]
        batches = prepared if self._one_by_one else [np.concatenate(prepared)]
        return np.concatenate([np.asarray(self._session.run(None, {self._input: batch})[0]) for batch in batches])

    def tags(self, picture: Image.Image) -> dict[str, float]:
        """The probability (0..1) of every tag but the ratings, by its name with spaces for underscores."""
        scores = self.scores([picture])[0]
        return {tag.name.replace("_", " "): float(score) for tag, score in zip(self.known, scores, strict=True) if tag.category != RATING}

    def caption(self, picture: Image.Image, threshold: float = 0.35) -> str:
        """The tags above ``threshold``, the most certain first."""
        found = sorted(self.tags(picture).items(), key=lambda item: -item[1])
        return ", ".join(name for name, score in found if score >= threshold)

    def embedding(self, picture: Image.Image) -> np.ndarray | None:
        """A vector that is alike for pictures that show alike things, float32 (128,); None where the tagger gives none."""
        if not self._embeds:
            return None
        return np.asarray(self._session.run(None, {self._input: _prepare(picture, self._side)})[1])[0]


def _prepare(picture: Image.Image, side: int) -> np.ndarray:
    """As the WD14 taggers were trained: on white, padded to a square, resized; BGR 0..255, float32 (1, side, side, 3)."""
    square = _on_white(picture)
    widest = max(picture.size)
    if picture.width != picture.height:
        padded = Image.new("RGB", (widest, widest), (255, 255, 255))
        padded.paste(square, ((widest - picture.width) // 2, (widest - picture.height) // 2))
        square = padded
    if widest != side:
        square = square.resize((side, side), Image.Resampling.BOX if widest > side else Image.Resampling.BICUBIC)
    return np.asarray(square, np.float32)[None, :, :, ::-1].copy()


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("RGB", "L"):
        return picture.convert("RGB")
    opaque = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    opaque.alpha_composite(picture.convert("RGBA"))
    return opaque.convert("RGB")
