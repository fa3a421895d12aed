"""How is a picture shown to a YOLO network, and what do its numbers mean? For exports of YOLOv8 and later, with or without masks."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from lib_extension.models.masks.found import Layer, Thing
from lib_extension.models.onnx_file import open_onnx
from lib_extension.spec.errors import BadFile

Floats = NDArray[np.float32]

SIDE = 640  # px; of exports that take any size
GREY = (114, 114, 114)  # what the networks were trained to see around a picture
COEFFICIENTS = 32  # of an instance's mask
MOST_CANDIDATES = 3000


@dataclass(frozen=True)
class Letterbox:
    """A picture scaled by ``scale`` into the middle of a grey one, (``left``, ``top``) from its corner."""

    picture: Image.Image
    scale: float
    left: int
    top: int

    @classmethod
    def of(cls, picture: Image.Image, width: int, height: int) -> Letterbox:
        scale = min(width / picture.width, height / picture.height)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        left, top = (width - size[0]) // 2, (height - size[1]) // 2
        boxed = Image.new("RGB", (width, height), GREY)
        boxed.paste(picture.resize(size, Image.Resampling.BILINEAR), (left, top))
        return cls(boxed, scale, left, top)

    def to_picture(self, corners: Floats, size: tuple[int, int]) -> Floats:
        """Corners (N, 4) in px of the original, inside it."""
        moved = (corners - np.array([self.left, self.top] * 2, np.float32)) / self.scale
        return np.clip(moved, 0, np.array([*size] * 2, np.float32))


@dataclass(frozen=True)
class Candidates:
    """N boxes that may be something: corners (N, 4) in px of the letterbox, scores (N,), classes (N,), coefficients (N, 32 or 0)."""

    corners: Floats
    scores: Floats
    classes: NDArray[np.int64]
    coefficients: Floats

    def take(self, which: NDArray[np.int64]) -> Candidates:
        return Candidates(self.corners[which], self.scores[which], self.classes[which], self.coefficients[which])


@dataclass(frozen=True)
class Yolo:
    """An opened detector and the names of its classes."""

    session: onnxruntime.InferenceSession
    names: tuple[str, ...]

    @classmethod
    def load(cls, path: Path) -> Yolo:
        """Raises BadFile for what is not ONNX, or not such a network."""
        session = open_onnx(path, what=f'detector "{path.stem}"')
        shapes = [output.shape for output in session.get_outputs()]
        masked = len(shapes) == 2 and len(shapes[1]) == 4
        channels = shapes[0][1] if len(shapes[0]) == 3 else None
        channels = channels if isinstance(channels, int) else 0
        count = channels - 4 - (COEFFICIENTS if masked else 0)
        many = shapes[0][2] if count > 0 else 0
        if count < 1 or len(session.get_inputs()) != 1 or (isinstance(many, int) and many < channels):
            raise BadFile(
                f'The detector "{path.stem}" gives {" and ".join(str(shape) for shape in shapes)}. Needed is what YOLOv8 and later '
                "export: boxes as (1, 4 + classes, many), with masks (1, 4 + classes + 32, many) and (1, 32, height, width). "
                "Export it without nms."
            )
        return cls(session, _names(session, count))

    def find(self, picture: Image.Image, confidence: float, overlap: float, wanted: Sequence[int] | None, most: int) -> list[Thing]:
        """The surest first, ``most`` of them; ``wanted`` are classes by number, None all."""
        boxed = Letterbox.of(picture, *self._size())
        values = np.asarray(boxed.picture, np.float32).transpose(2, 0, 1)[None] / 255  # (1, 3, H, W)
        found, *prototypes = (np.asarray(output) for output in self.session.run(None, {self._input.name: values.astype(self._dtype)}))
        candidates = _candidates(found[0].astype(np.float32), len(self.names), confidence, wanted)
        kept = candidates.take(_without_overlaps(candidates, overlap)[:most])
        corners = boxed.to_picture(kept.corners, picture.size)
        if prototypes:
            layers = _layers(kept, prototypes[0][0].astype(np.float32), boxed, picture.size)
        else:
            layers = [np.ones((picture.height, picture.width), np.bool_)] * len(corners)
        things = []
        for i, layer in enumerate(layers):
            inside = layer & _rectangle(corners[i], picture.size)
            if inside.any():
                left, top, right, bottom = corners[i].tolist()
                things.append(Thing(inside, (left, top, right, bottom), float(kept.scores[i]), self.names[kept.classes[i]]))
        return things

    @property
    def _input(self) -> onnxruntime.NodeArg:
        return self.session.get_inputs()[0]

    @property
    def _dtype(self) -> type[np.floating]:
        return np.float16 if self._input.type == "tensor(float16)" else np.float32

    def _size(self) -> tuple[int, int]:
        """Width and height that the network takes."""
        height, width = self._input.shape[2:]
        return (width if isinstance(width, int) else SIDE), (height if isinstance(height, int) else SIDE)


def _names(session: onnxruntime.InferenceSession, count: int) -> tuple[str, ...]:
    """Of the classes, from the file's metadata, where exports write them as a Python dict; their numbers where there are none."""
    try:
        written = ast.literal_eval(session.get_modelmeta().custom_metadata_map.get("names", "{}"))
        names = {int(number): str(name) for number, name in written.items()}
    except (ValueError, SyntaxError, AttributeError, TypeError, MemoryError, RecursionError):
        names = {}
    return tuple(names.get(number, str(number)) for number in range(count))


def _candidates(found: Floats, classes: int, confidence: float, wanted: Sequence[int] | None) -> Candidates:
    """From (4 + classes + coefficients, N): centre x, y, width, height, then the scores. The surest first."""
    scores = found[4 : 4 + classes].copy()  # (classes, N)
    if wanted is not None:
        scores[[number for number in range(classes) if number not in wanted]] = -1
    best = scores.max(axis=0)
    which = np.flatnonzero(best >= max(confidence, 1e-6))
    which = which[np.argsort(-best[which], kind="stable")][:MOST_CANDIDATES]
    x, y, width, height = found[:4, which]
    corners = np.stack([x - width / 2, y - height / 2, x + width / 2, y + height / 2], axis=1)
    return Candidates(corners, best[which], scores[:, which].argmax(axis=0), found[4 + classes :, which].T)


def _without_overlaps(candidates: Candidates, overlap: float) -> NDArray[np.int64]:
    """Non-maximum suppression: of boxes of one class whose intersection over union is more than ``overlap``, the surest stays."""
    left = np.arange(len(candidates.scores))
    kept = []
    while len(left):
        first, left = left[0], left[1:]
        kept.append(first)
        same = candidates.classes[left] == candidates.classes[first]
        left = left[~same | (_shared(candidates.corners[first], candidates.corners[left]) <= overlap)]
    return np.array(kept, np.int64)


def _shared(one: Floats, others: Floats) -> Floats:
    """Intersection over union of a box (4,) with others (N, 4)."""
    sides = np.clip(np.minimum(one[2:], others[:, 2:]) - np.maximum(one[:2], others[:, :2]), 0, None)
    both = sides.prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (one[2:] - one[:2]).prod()
    return both / np.maximum(areas - both, 1e-9)


def _layers(kept: Candidates, prototypes: Floats, boxed: Letterbox, size: tuple[int, int]) -> list[Layer]:
    """Each instance's mask mixed from the prototypes (32, h, w), scaled to the letterbox and cut out of it. (H, W) of the original."""
    layers = []
    for coefficients in kept.coefficients:
        mixed = Image.fromarray(np.tensordot(coefficients, prototypes, axes=1).astype(np.float32))
        across, down = mixed.width / boxed.picture.width, mixed.height / boxed.picture.height
        inner = (
            boxed.left * across,
            boxed.top * down,
            (boxed.left + size[0] * boxed.scale) * across,
            (boxed.top + size[1] * boxed.scale) * down,
        )
        inner = (inner[0], inner[1], min(inner[2], mixed.width), min(inner[3], mixed.height))
        layers.append(np.asarray(mixed.resize(size, Image.Resampling.BILINEAR, box=inner)) > 0)  # a sigmoid above one half
    return layers


def _rectangle(corners: Floats, size: tuple[int, int]) -> Layer:
    left, top, right, bottom = np.rint(corners).astype(int)
    layer = np.zeros((size[1], size[0]), np.bool_)
    layer[top:bottom, left:right] = True
    return layer
