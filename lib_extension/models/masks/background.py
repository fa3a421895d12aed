"""Where is the subject, and where its background? By colour models from a border (GrabCut), or by rembg's networks."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import cv2
import numpy as np
from PIL import Image

from lib_extension.models.masks.found import Kept, Layer, Places, Thing, files_in, find_file, thing_of
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.settings import Settings, field

WORKING_SIDE = 512  # px; GrabCut takes minutes for large pictures, and its edges are not finer there
SMALLEST_SIDE = 8


@dataclass(frozen=True)
class BackgroundSettings(Settings):
    """The subject is what lies inside the border, or inside the box if one is given."""

    engine: Literal["grabcut", "rembg"] = field("grabcut", label="Method")
    border: float = field(0.05, label="Border", minimum=0.01, maximum=0.45, step=0.01, help="Surely background; a part of each side.")
    box: tuple[float, float, float, float] | None = field(None, label="Box", help="Left, top, right, bottom in pixels; for GrabCut.")
    iterations: int = field(5, label="Iterations", minimum=1, maximum=20, help="Of GrabCut.")
    model: str = field("u2net", label="rembg's network", help="The name of its .onnx file.")


class Background:
    """The mask of the subject: white is what stays when the background goes."""

    name = "background"
    settings = BackgroundSettings

    def __init__(self, places: Places) -> None:
        self._folder = places.models / "rembg"
        self._rembg = Rembg(self._folder)

    def files(self) -> Mapping[str, Path]:
        return files_in(self._folder, ".onnx")

    def find(self, picture: Image.Image, settings: object) -> list[Thing]:
        assert isinstance(settings, BackgroundSettings)
        subject = self._rembg.subject(picture, settings.model) if settings.engine == "rembg" else by_colours(picture, settings)
        return [thing_of(subject, 1.0, "subject")] if subject.any() else []


def by_colours(picture: Image.Image, settings: BackgroundSettings) -> Layer:
    """GrabCut (Rother et al. 2004): colour models of inside and outside, and the cheapest cut between them. (H, W)"""
    if min(picture.size) < SMALLEST_SIDE:
        raise BadRequest(f"The picture is {picture.width}×{picture.height}; each side must be at least {SMALLEST_SIDE} pixels.")
    scale = min(1.0, WORKING_SIDE / max(picture.size))
    size = (max(SMALLEST_SIDE, round(picture.width * scale)), max(SMALLEST_SIDE, round(picture.height * scale)))
    small = np.asarray(picture.resize(size, Image.Resampling.BOX))[:, :, ::-1].copy()
    labels = np.full(small.shape[:2], cv2.GC_BGD, np.uint8)
    left, top, right, bottom = _inside(picture, settings, size)
    labels[top:bottom, left:right] = cv2.GC_PR_FGD
    cv2.setRNGSeed(0)  # its first colour clusters are drawn by lot: the same picture gives the same mask
    try:
        cv2.grabCut(small, labels, (0, 0, 0, 0), np.zeros((1, 65)), np.zeros((1, 65)), settings.iterations, cv2.GC_INIT_WITH_MASK)
    except cv2.error as error:
        raise BadRequest("The subject could not be told from the background by colour. Choose another border or box.") from error
    subject = np.where(np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)), 255, 0).astype(np.uint8)
    return np.asarray(Image.fromarray(subject).resize(picture.size, Image.Resampling.BILINEAR)) > 127


def _inside(picture: Image.Image, settings: BackgroundSettings, size: tuple[int, int]) -> tuple[int, int, int, int]:
    """What may be subject, in the small picture's px; some of it, and some of its surroundings, is always left."""
    if settings.box is None:
        across, down = (max(1, round(side * settings.border)) for side in size)
        return across, down, size[0] - across, size[1] - down
    left, top, right, bottom = settings.box
    if not (0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height):
        raise BadRequest(
            f"settings.box is [{left:g}, {top:g}, {right:g}, {bottom:g}]; it must be left, top, right, bottom "
            f"inside the picture of {picture.width}×{picture.height}."
        )
    if (right - left) * (bottom - top) > 0.99 * picture.width * picture.height:
        raise BadRequest("settings.box covers the picture, so no background is left to learn from. Make it smaller.")
    x, y = size[0] / picture.width, size[1] / picture.height
    return int(left * x), int(top * y), max(int(left * x) + 1, round(right * x)), max(int(top * y) + 1, round(bottom * y))


class Rembg:
    """rembg's networks, where that package is installed; ``folder`` holds their files, and nothing is downloaded."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sessions: Kept[Any] = Kept(2)

    def subject(self, picture: Image.Image, model: str) -> Layer:
        if importlib.util.find_spec("rembg") is None:
            raise BadRequest(
                'settings.engine is "rembg", which is not installed. Install it into the engine\'s environment '
                '(.venv/bin/python -m pip install rembg), or choose "grabcut".'
            )
        path = find_file(self._folder, model, ".onnx", "rembg network")
        import rembg  # pyright: ignore[reportMissingImports]

        os.environ["U2NET_HOME"] = str(self._folder)
        try:
            session = self._sessions.get((path, path.stat().st_mtime_ns), lambda: rembg.new_session(path.stem))
            mask = rembg.remove(picture, session=session, only_mask=True)
        except Exception as error:  # of rembg's and onnxruntime's own kinds
            raise BadFile(f'rembg failed with the network "{path.stem}": is it one of rembg\'s own, under its own name?') from error
        return np.asarray(mask.convert("L")) > 127
