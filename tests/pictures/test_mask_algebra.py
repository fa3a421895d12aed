"""Masks form an algebra: what holds of sets holds of them, and growing, shrinking, holes and regions keep their promises."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray
from PIL import Image

from lib_extension.pictures import mask_algebra, masks
from lib_extension.pictures.mask_algebra import connected, fill_holes, largest, shrink

Values = NDArray[np.uint8]

shapes = npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12)
grey = st.integers(0, 255) | st.sampled_from([0, 127, 128, 255])
arrays = shapes.flatmap(lambda shape: npst.arrays(np.uint8, shape, elements=grey))
pairs = shapes.flatmap(lambda shape: st.tuples(npst.arrays(np.uint8, shape, elements=grey), npst.arrays(np.uint8, shape, elements=grey)))
layers = shapes.flatmap(lambda shape: npst.arrays(np.bool_, shape))
radii = st.integers(0, 5)
some = settings(max_examples=50, deadline=None)


def values(mask: Image.Image) -> Values:
    assert mask.mode == "L"
    return np.asarray(mask)


def drawn(*rows: str) -> Image.Image:
    """White where a row has #."""
    return Image.fromarray(np.array([[255 if place == "#" else 0 for place in row] for row in rows], np.uint8))


def shown(mask: Image.Image) -> list[str]:
    return ["".join("#" if value else "." for value in row) for row in values(mask)]


@some
@given(pairs)
def test_sets(pair: tuple[Values, Values]):
    a, b = map(Image.fromarray, pair)
    union, intersection = masks.union(a, b), masks.intersection(a, b)
    assert np.array_equal(values(masks.invert(union)), values(masks.intersection(masks.invert(a), masks.invert(b))))
    assert np.array_equal(values(masks.invert(intersection)), values(masks.union(masks.invert(a), masks.invert(b))))
    assert np.array_equal(values(masks.union(a, a)), pair[0])
    assert np.array_equal(values(masks.intersection(a, a)), pair[0])
    assert np.array_equal(values(masks.union(a, intersection)), pair[0])
    assert np.array_equal(values(masks.difference(a, b)), values(masks.intersection(a, masks.invert(b))))


@some
@given(pairs, radii, radii)
def test_growing_and_shrinking_keep_order(pair: tuple[Values, Values], radius: int, more: int):
    smaller, mask = Image.fromarray(np.minimum(*pair)), Image.fromarray(pair[0])
    for change in (masks.grow, shrink):
        assert (values(change(smaller, radius)) <= values(change(mask, radius))).all()
    assert (values(mask) <= values(masks.grow(mask, radius))).all()
    assert (values(shrink(mask, radius)) <= values(mask)).all()
    assert (values(masks.grow(mask, radius)) <= values(masks.grow(mask, radius + more))).all()
    assert (values(shrink(mask, radius + more)) <= values(shrink(mask, radius))).all()


@some
@given(arrays, radii)
def test_growing_is_shrinking_what_is_not_chosen(array: Values, radius: int):
    mask = Image.fromarray(array)
    assert np.array_equal(values(masks.invert(masks.grow(mask, radius))), values(shrink(masks.invert(mask), radius)))
    closed = shrink(masks.grow(mask, radius), radius)
    assert (array <= values(closed)).all()
    assert np.array_equal(values(shrink(masks.grow(closed, radius), radius)), values(closed))
    assert np.array_equal(values(masks.grow(mask, 0)), array)


@some
@given(arrays, st.floats(0, 6))
def test_a_feather_keeps_the_range_and_ends(array: Values, pixels: float):
    feathered = values(masks.feather(Image.fromarray(array), pixels))
    assert array.min() <= feathered.min()
    assert feathered.max() <= array.max()
    wide = np.zeros((41, 41), np.uint8)
    wide[20, 20] = 255
    reach = int(1.25 * pixels + 0.5)
    rows, columns = np.nonzero(values(masks.feather(Image.fromarray(wide), pixels)))
    assert np.abs(rows - 20).max(initial=0) <= reach
    assert np.abs(columns - 20).max(initial=0) <= reach


@some
@given(arrays, st.integers(1, 5))
def test_the_largest_regions_are_part_of_the_mask(array: Values, count: int):
    mask = Image.fromarray(array)
    kept = values(largest(mask, count))
    assert ((kept == array) | (kept == 0)).all()
    assert np.array_equal(values(largest(Image.fromarray(kept), count)), kept)
    assert (kept <= values(largest(mask, count + 1))).all()
    assert len(connected(kept > 127)[1]) == min(count, len(connected(array > 127)[1]))


@some
@given(arrays)
def test_filling_holes_adds_and_is_done_after_once(array: Values):
    filled = values(fill_holes(Image.fromarray(array)))
    assert (filled >= array).all()
    assert set(np.unique(filled[filled != array])) <= {255}
    assert np.array_equal(values(fill_holes(Image.fromarray(filled))), filled)
    assert np.array_equal(filled[[0, -1]], array[[0, -1]])


def test_only_enclosed_places_are_holes():
    ring = drawn(
        ".####..",
        ".#..#..",
        ".#..###",
        ".####.#",
        "......#",
        "##.####",
    )
    assert shown(fill_holes(ring)) == [
        ".####..",
        ".####..",
        ".######",
        ".####.#",
        "......#",
        "##.####",
    ]
    assert shown(fill_holes(drawn("###", "#.#", "##."))) == ["###", "###", "##."], "a way out goes sideways, not round a corner"


def test_the_largest_of_several_regions():
    spots = drawn(
        "##....#",
        "##...#.",
        "....#..",
        "#......",
        "..###..",
    )
    assert shown(largest(spots, 2)) == [
        "##....#",
        "##...#.",
        "....#..",
        ".......",
        ".......",
    ], "corners connect, and of two regions of three pixels the upper one is kept"


def test_grey_places_follow_their_region():
    values_given = np.array([[200, 100, 0, 255, 255]], np.uint8)
    assert values(largest(Image.fromarray(values_given), 1)).tolist() == [[0, 0, 0, 255, 255]]


@some
@given(layers, st.booleans())
def test_regions_are_what_a_flood_reaches(layer: NDArray[np.bool_], corners: bool):
    labels, areas = connected(layer, corners=corners)
    flooded = np.zeros(layer.shape, np.int64)
    for place in zip(*np.nonzero(layer), strict=True):
        if not flooded[place]:
            _flood(layer, flooded, place, int(flooded.max()) + 1, corners)
    assert np.array_equal(labels, flooded), "numbered in reading order"
    assert areas.tolist() == np.bincount(flooded.ravel())[1:].tolist()


def _flood(layer: NDArray[np.bool_], flooded: NDArray[np.int64], start: tuple[int, ...], number: int, corners: bool) -> None:
    waiting = [start]
    while waiting:
        y, x = waiting.pop()
        if not (0 <= y < layer.shape[0] and 0 <= x < layer.shape[1]) or not layer[y, x] or flooded[y, x]:
            continue
        flooded[y, x] = number
        waiting += [(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if corners or dy == 0 or dx == 0]


def _maze(side: int) -> NDArray[np.bool_]:
    """One line that goes up and down through the whole picture."""
    maze = np.zeros((side, side), np.bool_)
    maze[:, ::2] = True
    maze[0, 1::4] = maze[-1, 3::4] = True
    return maze


def _noise(side: int) -> NDArray[np.bool_]:
    return np.random.default_rng(1).random((side, side)) > 0.41


def _chessboard(side: int) -> NDArray[np.bool_]:
    return np.indices((side, side)).sum(axis=0) % 2 == 0


@pytest.mark.parametrize(("make", "regions"), [(_maze, 1), (_noise, None), (_chessboard, 1)])
def test_a_megapixel_of_the_worst_shapes(make, regions: int | None):
    layer = make(1024)
    _, areas = connected(layer)
    assert areas.sum() == layer.sum()
    assert regions is None or len(areas) == regions


def test_nothing_and_everything():
    nothing, everything = Image.new("L", (5, 4)), Image.new("L", (5, 4), 255)
    for change in (fill_holes, lambda mask: largest(mask, 2), lambda mask: mask_algebra.shrink(mask, 2)):
        assert not values(change(nothing)).any()
        assert (values(change(everything)) == 255).all()
