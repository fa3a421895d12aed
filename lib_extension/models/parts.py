"""Depth and part masks of a picture, by the demo model's small network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from lib_extension.models.onnx_file import open_onnx
from lib_extension.spec.errors import BadFile

PARTS = ("object", "face", "strap", "ground")
SIDE, MULTIPLE = 128, 16  # it was trained on pictures of this size, and halves them four times


class Parts:
    """A folder with ``model.onnx``: RGB (N, 3, H, W) in 0..1 → (N, 5, H, W) in 0..1, depth and the four parts."""

    def __init__(self, folder: Path) -> None:
        self._session = open_onnx(folder / "model.onnx", what="depth and parts network")
        layers = self._session.get_outputs()[0].shape[1]
        if layers != 1 + len(PARTS):
            raise BadFile(f"The depth and parts network gives {layers} layers, {1 + len(PARTS)} are needed: it is another network's file.")

    def depth(self, picture: Image.Image) -> Image.Image:
        """The depth map: mode L, the picture's size, near is bright."""
        return self._layers(picture)[0]

    def masks(self, picture: Image.Image) -> dict[str, Image.Image]:
        """A soft mask for each part: mode L, the picture's size."""
        return dict(zip(PARTS, self._layers(picture)[1:], strict=True))

    def _layers(self, picture: Image.Image) -> list[Image.Image]:
        scale = SIDE / max(picture.size)
        width, height = (max(MULTIPLE, round(side * scale / MULTIPLE) * MULTIPLE) for side in picture.size)
        small = picture.convert("RGB").resize((width, height), Image.Resampling.BOX if scale < 1 else Image.Resampling.BICUBIC)
        values = np.asarray(small, np.float32).transpose(2, 0, 1)[None] / 255
        (found,) = self._session.run(None, {self._session.get_inputs()[0].name: values})
        layers = (np.asarray(found)[0] * 255 + 0.5).astype(np.uint8)
        return [Image.fromarray(layer).resize(picture.size, Image.Resampling.BICUBIC) for layer in layers]
