"""Which ControlNet modules are there, and what map does each make of a picture?

Names, sliders and defaults are those of sd-webui-controlnet. Arrays are RGB, (H, W, 3), 0..255.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from lib_extension.engine.aux_process import AuxProcess
from lib_extension.spec.errors import BadRequest, near_miss

Pixels = NDArray[np.uint8]


class DepthJudge(Protocol):
    """Gives a picture's depth map, mode L, near is bright."""

    def depth(self, image: Image.Image) -> Image.Image: ...


@dataclass(frozen=True)
class Slider:
    name: str
    value: float
    min: float
    max: float
    step: float


@dataclass(frozen=True)
class Numbers:
    """What a module works with: the length of the shorter side, and its thresholds."""

    resolution: int
    a: float
    b: float


@dataclass(frozen=True)
class Module:
    """``make`` does the work here; modules without it are the depth network, and controlnet-aux in its own process."""

    name: str
    label: str
    tags: tuple[str, ...]
    thresholds: tuple[Slider, ...] = ()
    has_resolution: bool = True
    make: Callable[[Pixels, Numbers], Pixels] | None = None

    @property
    def sliders(self) -> tuple[Slider, ...]:
        return (RESOLUTION, *self.thresholds) if self.has_resolution else ()

    @property
    def inpaints(self) -> bool:
        return self.name.startswith("inpaint")


RESOLUTION = Slider("Resolution", 512, 64, 2048, 8)
UNUSED = Slider("", 0.5, 0.0, 1.0, 0.01)  # What sd-webui-controlnet has for a threshold that a module lacks.


class Annotators:
    """Makes maps. ``packages`` is the folder of controlnet-aux, ``weights`` that of its detectors' files."""

    def __init__(self, judge: DepthJudge, packages: Path | None = None, weights: Path | None = None) -> None:
        self._judge = judge
        self._aux = AuxProcess(packages, weights)

    def map(self, module: Module, picture: Pixels, numbers: Numbers) -> Pixels:
        """The module's map of ``picture``; its size may be another. Raises NotFound for what is not installed."""
        if module.make is not None:
            return module.make(picture, numbers)
        if module.name == "depth":
            depth = self._judge.depth(Image.fromarray(_resized(picture, numbers.resolution)))
            return np.stack([np.asarray(depth.convert("L"))] * 3, axis=2)
        small = _resized(picture, numbers.resolution)
        found = self._aux.detect(module.name, small, numbers.resolution)
        if found.shape == small.shape:
            return found
        # The detectors round sides to multiples of 64, each by itself: undone, so that the map lies on the picture.
        return cv2.resize(found, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA).astype(np.uint8)

    def close(self) -> None:
        self._aux.close()


def find_module(name: str) -> Module:
    """By name or by label, as clients send either. Raises BadRequest."""
    for module in MODULES:
        if name in (module.name, module.label):
            return module
    raise BadRequest(f'There is no ControlNet module "{name}".{near_miss(name, module_names())} GET /controlnet/module_list lists them.')


def module_names() -> list[str]:
    """Every name and label that a request may hold."""
    return list(dict.fromkeys(name for module in MODULES for name in (module.name, module.label)))


def numbers_of(module: Module, resolution: float, a: float, b: float, *, lenient: bool) -> Numbers:
    """What a unit's numbers mean for the module: -1 is its default. What is out of range is refused, or the default as well."""
    a_slider, b_slider = (*module.thresholds, UNUSED, UNUSED)[:2]
    checked = []
    for name, value, slider in (("processor_res", resolution, RESOLUTION), ("threshold_a", a, a_slider), ("threshold_b", b, b_slider)):
        if slider.min <= value <= slider.max:
            checked.append(value)
            continue
        if slider in module.sliders and value >= 0 and not lenient:
            raise BadRequest(f"{name} is {value:g}; for the module {module.name} it must be from {slider.min:g} to {slider.max:g}.")
        checked.append(slider.value)
    return Numbers(int(checked[0]), checked[1], checked[2])


def pixel_perfect(picture: Pixels, width: int, height: int, *, fits_inside: bool) -> int:
    """The resolution at which a pixel of the map is one of the picture to come. ``fits_inside`` is "Resize and Fill"."""
    ratios = (height / picture.shape[0], width / picture.shape[1])
    return round((min(ratios) if fits_inside else max(ratios)) * min(picture.shape[:2]))


def _resized(picture: Pixels, shorter_side: int) -> Pixels:
    height, width = picture.shape[:2]
    scale = shorter_side / min(height, width)
    size = (round(width * scale), round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA).astype(np.uint8)


def _padded_to_64(picture: Pixels) -> Pixels:
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, -height % 64), (0, -width % 64), (0, 0)), mode="edge")


def _same(picture: Pixels, numbers: Numbers) -> Pixels:
    return picture


def _canny(picture: Pixels, numbers: Numbers) -> Pixels:
    small = _resized(picture, numbers.resolution)
    edges = cv2.Canny(_padded_to_64(small), int(numbers.a), int(numbers.b))[: small.shape[0], : small.shape[1]]
    return np.stack([edges] * 3, axis=2).astype(np.uint8)


def _invert(picture: Pixels, numbers: Numbers) -> Pixels:
    return 255 - picture


def _threshold(picture: Pixels, numbers: Numbers) -> Pixels:
    small = _resized(picture, numbers.resolution)
    return np.where(small.min(axis=2, keepdims=True) > numbers.a, 255, 0).astype(np.uint8).repeat(3, axis=2)


def _blur(picture: Pixels, numbers: Numbers) -> Pixels:
    return cv2.GaussianBlur(_resized(picture, numbers.resolution), (0, 0), numbers.a).astype(np.uint8)


def _tile(picture: Pixels, numbers: Numbers) -> Pixels:
    if numbers.a < 1.1:
        return picture
    size = (max(1, int(picture.shape[1] / numbers.a)), max(1, int(picture.shape[0] / numbers.a)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8)


MODULES = (
    Module("none", "none", ("InstructP2P",), make=_same),
    Module(
        "canny",
        "canny",
        ("Canny",),
        (Slider("Low Threshold", 100, 1, 255, 1), Slider("High Threshold", 200, 1, 255, 1)),
        make=_canny,
    ),
    Module("depth", "depth_midas", ("Depth",)),
    Module("openpose", "openpose", ("OpenPose",)),
    Module("openpose_full", "openpose_full", ("OpenPose",)),
    Module("openpose_hand", "openpose_hand", ("OpenPose",)),
    Module("lineart", "lineart_realistic", ("Lineart",)),
    Module("lineart_coarse", "lineart_coarse", ("Lineart",)),
    Module("lineart_anime", "lineart_anime", ("Lineart",)),
    Module("lineart_standard", "lineart_standard (from white bg & black line)", ("Lineart",)),
    Module("shuffle", "shuffle", ("Shuffle",), has_resolution=False),
    Module("tile_resample", "tile_resample", ("Tile",), (Slider("Down Sampling Rate", 1.0, 1.0, 8.0, 0.01),), make=_tile),
    Module("blur_gaussian", "blur_gaussian", ("Tile",), (Slider("Sigma", 9.0, 0.01, 64.0, 0.01),), make=_blur),
    Module("inpaint", "inpaint_global_harmonious", ("Inpaint",), has_resolution=False, make=_same),
    Module("inpaint_only", "inpaint_only", ("Inpaint",), has_resolution=False, make=_same),
    Module("threshold", "threshold", ("Scribble",), (Slider("Binarization Threshold", 127, 0, 255, 0.01),), make=_threshold),
    Module("invert", "invert (from white bg & black line)", ("Canny", "Lineart", "Scribble", "MLSD"), has_resolution=False, make=_invert),
)
