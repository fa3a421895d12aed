"""Do maps stay maps when they change their size?"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.engine.control_maps import fit_map, resize_map
from lib_extension.spec.controlnet import ResizeMode

# What sd-webui-controlnet 1.1.455 sent back of a map of 128×128: bits, by "map", or "map resize-mode width height".
RECORDED = np.load(Path(__file__).parents[1] / "data" / "control_maps.npz")


def recorded(name: str, width: int, height: int) -> np.ndarray:
    white = np.unpackbits(RECORDED[name])[: width * height].reshape(height, width) * np.uint8(255)
    return np.stack([white] * 3, axis=2)


@pytest.mark.parametrize("source", ["edges", "area"])
@pytest.mark.parametrize(
    ("mode", "width", "height"),
    [("Just Resize", 192, 128), ("Crop and Resize", 192, 128), ("Resize and Fill", 192, 192), ("Crop and Resize", 64, 96)],
)
def test_maps_are_resized_as_the_extension_does_it(source: str, mode: ResizeMode, width: int, height: int) -> None:
    fitted = fit_map(recorded(source, 128, 128), mode, width, height)
    assert (fitted == recorded(f"{source} {mode} {width} {height}", width, height)).all()


def lines() -> np.ndarray:
    """A one pixel wide circle."""
    image = np.zeros((128, 128), np.uint8)
    cv2.circle(image, (64, 64), 40, 255, 1)
    return np.stack([image] * 3, axis=2)


@pytest.mark.parametrize("side", [48, 64, 200])
def test_thin_lines_stay_thin_and_black_and_white(side: int) -> None:
    resized = resize_map(lines(), side, side)
    assert set(np.unique(resized)) == {0, 255}
    white = (resized[:, :, 0] > 0).sum()
    length = 2 * np.pi * 40 * side / 128
    assert 0.6 * length < white < 1.5 * length


def test_areas_of_black_and_white_keep_their_share() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[16:48, 16:48] = 255
    resized = resize_map(image, 96, 96)
    assert set(np.unique(resized)) == {0, 255}
    assert (resized > 0).mean() == pytest.approx(0.25, abs=0.02)


def test_few_colours_stay_those_colours() -> None:
    image = np.zeros((32, 32, 3), np.uint8)
    image[:10], image[10:20], image[20:] = (250, 0, 0), (0, 250, 0), (0, 0, 250)
    assert len(np.unique(resize_map(image, 50, 50).reshape(-1, 3), axis=0)) == 3


@settings(max_examples=25, deadline=None)
@given(
    mode=st.sampled_from(["Just Resize", "Crop and Resize", "Resize and Fill"]),
    source=st.tuples(st.integers(8, 60), st.integers(8, 60)),
    target=st.tuples(st.integers(8, 60), st.integers(8, 60)),
    channels=st.sampled_from([3, 4]),
)
def test_every_mode_gives_the_size_asked_for(mode: ResizeMode, source: tuple[int, int], target: tuple[int, int], channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (*source, channels)).astype(np.uint8)
    fitted = fit_map(pixels, mode, *target)
    assert fitted.shape == (target[1], target[0], channels)
    if channels == 4:
        assert set(np.unique(fitted[:, :, 3])) <= {0, 255} or source == target[::-1]


def test_filling_takes_the_borders_colour_and_paints_around_inpaint_maps() -> None:
    pixels = np.full((20, 40, 4), (10, 20, 30, 0), np.uint8)
    fitted = fit_map(pixels, "Resize and Fill", 40, 40)
    assert fitted[0, 0].tolist() == [10, 20, 30, 255]
    assert fitted[20, 20].tolist() == [10, 20, 30, 0]
