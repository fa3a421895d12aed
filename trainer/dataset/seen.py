"""What was seen of every picture of a folder, in one reading of each?"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.parts import Parts
from lib_extension.spec.dataset import CheckSettings
from lib_extension.spec.training.data import DataSettings
from trainer.data.buckets import Fit, Sizes, fit, sizes_of
from trainer.data.looks import Look, look_and_picture
from trainer.dataset.facts import Facts, facts_of, smaller, thumbnail_of
from trainer.dataset.tools import parts_network

_KEPT = 600  # thumbnails: those that the page shows first
_FAINT = 0.002  # share of the picture below which a mask shows nothing


@dataclass(frozen=True)
class Seen:
    """`facts`, `thumbnail` and `fit` are None where the file is no picture that can be used."""

    file: Path
    name: str
    look: Look
    facts: Facts | None = None
    fit: Fit | None = None
    subject_kept: float | None = None  # share of the subject that the crop leaves, where it was looked for and found
    kept_thumbnail: Image.Image | None = None

    @property
    def thumbnail(self) -> Image.Image | None:
        """Read again where it was not kept: ten thousand would fill a gigabyte, and few are shown."""
        if self.kept_thumbnail is not None or self.facts is None:
            return self.kept_thumbnail
        look, picture = look_and_picture(self.file)
        return None if picture is None else _shown(thumbnail_of(smaller(picture)), look)


def see_all(files: Sequence[tuple[Path, str]], settings: CheckSettings, told: Callable[[int, int], None]) -> Iterator[Seen]:
    """Each file, in order, by as many threads as there are cores: Pillow decodes beside Python."""
    parts = parts_network(settings.network) if settings.subject else None
    sizes = sizes_of(DataSettings(), settings.resolution)
    with warnings.catch_warnings(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        warnings.simplefilter("ignore")  # of odd EXIF and the like, which does not matter here
        for done, seen in enumerate(pool.map(lambda one: _see(one[0], one[1], sizes, parts, settings.subject), files), 1):
            told(done, len(files))
            yield seen if done <= _KEPT else replace(seen, kept_thumbnail=None)


def _see(file: Path, name: str, sizes: Sizes, parts: Parts | None, subject: str) -> Seen:
    look, picture = look_and_picture(file)
    if picture is None:
        return Seen(file, name, look)
    fitted = fit(picture.width, picture.height, sizes)
    kept = _kept(parts.masks(picture)[subject], fitted) if parts and fitted else None
    small = smaller(picture)
    thumbnail = thumbnail_of(small)
    return Seen(file, name, look, facts_of(small, thumbnail), fitted, kept, _shown(thumbnail, look))


def _shown(thumbnail: Image.Image, look: Look) -> Image.Image:
    wanted = "RGBA" if look.alpha else "RGB"
    return thumbnail if thumbnail.mode == wanted else thumbnail.convert(wanted)


def _kept(mask: Image.Image, fitted: Fit) -> float | None:
    """Share of the mask inside the crop; None where there is no subject."""
    height, width = fitted.resized
    shown = np.asarray(mask.resize((width, height))) > 127  # H W
    whole = float(shown.sum())
    if whole < _FAINT * shown.size:
        return None
    top, left = fitted.crop
    return float(shown[top : top + fitted.bucket[0], left : left + fitted.bucket[1]].sum()) / whole
