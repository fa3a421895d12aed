"""Masks combine as sets do; blur, boxes and fill are the WebUI's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image

from lib_extension.pictures import masks
from lib_extension.spec.errors import BadRequest

DATA = Path(__file__).parents[1] / "data"
RECORDED = np.load(DATA / "webui_pictures.npz")
BOXES = json.loads((DATA / "webui_boxes.json").read_text())
MASK = Image.fromarray(RECORDED["mask"])

arrays = npst.arrays(np.uint8, npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9))
pairs = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9).flatmap(
    lambda s: st.tuples(npst.arrays(np.uint8, s), npst.arrays(np.uint8, s))
)


def same(first: Image.Image, second: Image.Image) -> bool:
    return first.mode == second.mode == "L" and np.array_equal(np.asarray(first), np.asarray(second))


@given(pairs)
def test_algebra(pair: tuple[np.ndarray, np.ndarray]):
    a, b = map(Image.fromarray, pair)
    assert same(masks.invert(masks.invert(a)), a)
    assert same(masks.invert(masks.union(a, b)), masks.intersection(masks.invert(a), masks.invert(b)))
    assert same(masks.difference(a, b), masks.intersection(a, masks.invert(b)))
    assert np.array_equal(np.asarray(masks.union(a, b)), np.maximum(*pair))
    assert np.array_equal(np.asarray(masks.threshold(a, 100)), np.where(pair[0] > 100, 255, 0))


@pytest.mark.parametrize(("box", "size", "image", "expanded"), BOXES)
def test_expanded_boxes_are_the_webuis(box: list[int], size: list[int], image: list[int], expanded: list[int]):
    left, top, right, bottom = box
    assert masks.expand_to_ratio((left, top, right, bottom), *size, *image) == tuple(expanded)


def test_fill_is_the_webuis():
    assert np.array_equal(np.asarray(masks.fill(Image.fromarray(RECORDED["base"]), MASK)), RECORDED["fill"])


@pytest.mark.parametrize("sigma", [1, 4])
def test_blur_is_the_webuis(sigma: int):
    """Within two grey levels: OpenCV rounds its weights to 1/256 and after each of the two passes."""
    ours = np.asarray(masks.blur(MASK, sigma, sigma)).astype(int)
    assert np.abs(ours - RECORDED[f"blur/{sigma}"]).max() <= 2


def test_blur_of_one_direction_only():
    line = np.zeros((9, 9), np.uint8)
    line[4, 4] = 255
    across = np.asarray(masks.blur(Image.fromarray(line), 1, 0))
    assert across[4, 2:7].tolist() == [14, 62, 102, 62, 14]
    assert across.sum() == across[4].sum()
    assert np.array_equal(np.asarray(masks.blur(Image.fromarray(line), 0, 1)), across.T)


@settings(max_examples=30)
@given(arrays, st.floats(-1, 20) | st.sampled_from([256, 257, 1e9]))
def test_blur_stays_between_the_extremes(array: np.ndarray, sigma: float):
    mask = Image.fromarray(array)
    if sigma > masks.WIDEST_BLUR:
        with pytest.raises(BadRequest, match="too wide"):
            masks.blur(mask, sigma, 0)
    else:
        blurred = np.asarray(masks.blur(mask, sigma, sigma)).astype(int)
        assert int(array.min()) - 1 <= blurred.min()
        assert blurred.max() <= int(array.max()) + 1


def test_feather_fades_to_both_sides():
    half = Image.fromarray(np.repeat([[0] * 20 + [255] * 20], 4, 0).astype(np.uint8))
    row = np.asarray(masks.feather(half, 6))[0].astype(int)
    assert (row[10], row[29]) == (0, 255)
    assert 100 < row[19] < 128 < row[20] < 155
    assert np.all(np.diff(row) >= 0)


@given(arrays, st.integers(0, 6))
def test_grow_is_a_disc(array: np.ndarray, radius: int):
    """Against the definition: the largest value no further away than the radius."""
    grown = np.asarray(masks.grow(Image.fromarray(array), radius))
    height, width = array.shape
    for y in range(height):
        for x in range(width):
            near = [array[v, u] for v in range(height) for u in range(width) if (u - x) ** 2 + (v - y) ** 2 <= radius**2]
            assert grown[y, x] == max(near)


@given(arrays, st.integers(0, 6))
def test_shrinking_is_growing_the_rest(array: np.ndarray, radius: int):
    mask = Image.fromarray(array)
    assert same(masks.grow(mask, -radius), masks.invert(masks.grow(masks.invert(mask), radius)))


def test_crop_region():
    mask = Image.new("L", (30, 20))
    assert masks.crop_region(mask, 4) is None
    mask.paste(1, (8, 5, 17, 12))
    assert masks.crop_region(mask) == (8, 5, 17, 12)
    assert masks.crop_region(mask, 6) == (2, 0, 23, 18)
    assert masks.crop_region(mask, 100) == (0, 0, 30, 20)


def test_mask_from_a_sent_picture():
    colour = Image.new("RGBA", (2, 1), (200, 200, 200, 255))
    assert np.asarray(masks.from_picture(colour)).tolist() == [[200, 200]]
    colour.putpixel((1, 0), (200, 200, 200, 128))
    assert np.asarray(masks.from_picture(colour)).tolist() == [[255, 0]]
    assert np.asarray(masks.from_picture(colour, rounded=False)).tolist() == [[255, 128]]
    assert np.asarray(masks.from_picture(Image.new("RGB", (1, 1), (255, 255, 255)))).tolist() == [[255]]
