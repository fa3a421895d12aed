"""Tiles cover a picture, overlap as told, come in the order told, and blend without a seam."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.stages.tiles import Mosaic, Order, Tile, cut_tiles
from tests.stages.painting import photo, pixels


@settings(max_examples=100, deadline=None)
@given(width=st.integers(1, 700), height=st.integers(1, 700), tile=st.integers(8, 40).map(lambda n: 8 * n), share=st.floats(0.03, 0.5))
@pytest.mark.parametrize("order", ["linear", "chess"])
def test_every_pixel_is_drawn_and_neighbours_share_enough(width: int, height: int, tile: int, share: float, order: Order):
    overlap = max(1, int(tile * share))
    tiles = cut_tiles((width, height), tile, overlap, order)
    covered = np.zeros((height, width), bool)
    for left, top, right, bottom in (one.box for one in tiles):
        assert (right - left, bottom - top) == (min(tile, width), min(tile, height))
        covered[top:bottom, left:right] = True
    assert covered.all()
    assert sorted(one.place for one in tiles) == list(range(len(tiles)))
    for starts in (sorted({one.box[side] for one in tiles}) for side in (0, 1)):
        assert all(after - before <= tile - overlap for before, after in itertools.pairwise(starts))


def test_linear_goes_row_by_row_and_chess_by_the_colour_of_the_squares():
    assert [tile.place for tile in cut_tiles((300, 300), 120, 20, "linear")] == list(range(9))
    assert [tile.place for tile in cut_tiles((300, 300), 120, 20, "chess")] == [0, 2, 4, 6, 8, 1, 3, 5, 7]


@settings(max_examples=60, deadline=None)
@given(columns=st.integers(1, 5), rows=st.integers(1, 5))
def test_in_chess_no_tile_of_the_first_half_touches_another_by_a_side(columns: int, rows: int):
    tiles = cut_tiles((columns * 40 + 8, rows * 40 + 8), 48, 8, "chess")
    first = {divmod(tile.place, columns) for tile in tiles[: (len(tiles) + 1) // 2]}
    assert not any((row + 1, column) in first or (row, column + 1) in first for row, column in first)


def mosaic(size: tuple[int, int], overlap: int) -> Mosaic:
    return Mosaic(photo(*size), overlap)


@pytest.mark.parametrize("order", ["linear", "chess"])
def test_tiles_drawn_as_they_were_change_nothing(order: Order):
    canvas = mosaic((201, 157), 24)
    for tile in cut_tiles((201, 157), 64, 24, order):
        canvas.put(tile, canvas.crop(tile))
    assert np.array_equal(pixels(canvas.image), pixels(photo(201, 157)))


def test_a_single_tile_is_taken_to_the_bit():
    canvas = mosaic((60, 50), 16)
    (tile,) = cut_tiles((60, 50), 64, 16, "linear")
    canvas.put(tile, photo(60, 50, place=2))
    assert np.array_equal(pixels(canvas.image), pixels(photo(60, 50, place=2)))


@pytest.mark.parametrize("order", ["linear", "chess"])
@pytest.mark.parametrize(("size", "tile", "overlap"), [((200, 200), 72, 24), ((170, 90), 64, 32), ((130, 200), 128, 40)])
def test_no_tile_ends_at_once(order: Order, size: tuple[int, int], tile: int, overlap: int):
    """Tiles of flat colours far apart are the worst case: the steepest step from one pixel to the next tells how visible a seam is."""
    canvas = Mosaic(Image.new("RGB", size), overlap)
    tiles = cut_tiles(size, tile, overlap, order)
    for one in tiles:
        level = 40 if sum(divmod(one.place, len({t.box[0] for t in tiles}))) % 2 else 220
        canvas.put(one, Image.new("RGB", (one.box[2] - one.box[0], one.box[3] - one.box[1]), (level,) * 3))
    values = pixels(canvas.image)[..., 0]
    assert values.min() >= 40
    assert values.max() <= 220
    steepest = max(np.abs(np.diff(values, axis=0)).max(), np.abs(np.diff(values, axis=1)).max())
    assert steepest <= 180 / overlap * 2 + 2


def test_the_order_does_not_matter_for_how_tiles_blend():
    drawn = {tile.place: photo(64, 64, place=tile.place % 4) for tile in cut_tiles((160, 160), 64, 16, "linear")}
    results = []
    for order in ("linear", "chess"):
        canvas = mosaic((160, 160), 16)
        for tile in cut_tiles((160, 160), 64, 16, order):
            canvas.put(tile, drawn[tile.place])
        results.append(pixels(canvas.image))
    assert np.abs(results[0] - results[1]).max() <= 3  # each of up to four tiles is rounded once


def test_memory_goes_with_the_tile_and_not_with_the_picture():
    def most(side: int) -> int:
        canvas = Mosaic(Image.new("RGB", (side, side)), 32)
        tiles = cut_tiles((side, side), 128, 32, "linear")
        drawn = Image.new("RGB", (128, 128), "red")
        tracemalloc.start()
        for tile in tiles[-30:]:
            canvas.put(tile, drawn)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small, large = most(600), most(2400)
    assert large < 1.2 * small
    assert large < 128 * 128 * 3 * 4 * 12


def test_a_tile_lies_where_it_says():
    canvas = mosaic((100, 80), 8)
    canvas.put(Tile(0, (30, 20, 62, 52)), Image.new("RGB", (32, 32), "blue"))
    values = pixels(canvas.image)
    assert (values[20:52, 30:62] == (0, 0, 255)).all()
    outside = np.ones((80, 100), bool)
    outside[20:52, 30:62] = False
    assert np.array_equal(values[outside], pixels(photo(100, 80))[outside])
