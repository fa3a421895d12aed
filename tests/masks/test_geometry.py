"""Masks from rectangles and from a sheet's own layout."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.masks import read_source
from lib_extension.spec.errors import BadRequest
from tests.masks.asked import found, mask_of, picture

GRID = [[1, 1, 4, 3], [5, 1, 8, 3], [1, 4, 4, 6]]  # two above, one below; the last place is empty


def shape(kind: str, cells: list[list[int]] = GRID, size: tuple[int, int] = (9, 7), **more: Any) -> list[str]:
    mask = found({"kind": "geometry", "shape": kind, **more}, picture(Image.new("RGB", size), cells=cells))
    assert set(np.unique(mask)) <= {0, 255}
    return ["".join("#" if value else "." for value in row) for row in mask]


def test_cells():
    assert shape("cells") == [
        ".........",
        ".###.###.",
        ".###.###.",
        ".........",
        ".###.....",
        ".###.....",
        ".........",
    ]
    assert shape("cells", which=[1])[1] == ".....###."


def test_gutters_lie_between_neighbours():
    assert shape("gutters") == [
        ".........",
        "....#....",
        "....#....",
        ".####....",
        ".........",
        ".........",
        ".........",
    ]


def test_margins_are_the_rest():
    assert shape("margins") == [
        "#########",
        "#.......#",
        "#.......#",
        "#....####",
        "#...#####",
        "#...#####",
        "#########",
    ]


def test_seams_reach_into_both_pictures():
    assert shape("seams", width=1) == [
        ".........",
        "...###...",
        ".#####...",
        ".#####...",
        ".#####...",
        ".........",
        ".........",
    ]


def test_seams_of_pictures_without_a_gap():
    row = [[0, 0, 3, 2], [3, 0, 6, 2], [6, 0, 9, 2]]
    assert shape("seams", row, (9, 2), width=1) == ["..##.##..", "..##.##.."]
    assert mask_of({"kind": "geometry", "shape": "gutters"}, picture(Image.new("RGB", (9, 2)), cells=row)) is None


def test_only_neighbours_have_a_seam():
    """The tall one on the left has two on its right; the last is behind them."""
    cells = [[0, 0, 2, 4], [3, 0, 5, 2], [3, 2, 5, 4], [6, 0, 8, 4]]
    assert shape("gutters", cells, (8, 4)) == ["..#..#.."] * 4


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 3))
def test_cells_gutters_and_margins_share_a_sheet(columns: int, rows: int, gap: int, width: int, height: int, missing: int):
    lefts, tops = [gap + column * (width + gap) for column in range(columns)], [gap + row * (height + gap) for row in range(rows)]
    cells = [[left, top, left + width, top + height] for top in tops for left in lefts]
    cells = cells[: max(len(cells) - min(missing, columns - 1), 1)]
    size = (lefts[-1] + width + gap, tops[-1] + height + gap)
    total = np.zeros((size[1], size[0]), int)
    for kind in ("cells", "gutters", "margins"):
        mask = mask_of({"kind": "geometry", "shape": kind}, picture(Image.new("RGB", size), cells=cells))
        total += 0 if mask is None else mask // 255
    assert (total == 1).all()


def test_rectangles():
    taken = picture(Image.new("RGB", (8, 4)))
    pixels = mask_of({"kind": "geometry", "rectangles": [[1, 1, 3, 2], [6.6, 2.5, 99, 99]]}, taken)
    assert pixels is not None
    assert np.argwhere(pixels).tolist() == [[1, 1], [1, 2], [2, 7], [3, 7]]
    share = mask_of({"kind": "geometry", "unit": "share", "rectangles": [[0.5, 0, 1, 0.25]]}, taken)
    assert share is not None
    assert np.argwhere(share).tolist() == [[0, 4], [0, 5], [0, 6], [0, 7]]


def test_a_rectangle_beside_the_picture_is_nothing():
    assert mask_of({"kind": "geometry", "rectangles": [[-9, -9, 0, 4], [8, 0, 20, 4]]}, picture(Image.new("RGB", (8, 4)))) is None


def test_another_pictures_layout():
    sheet = picture(Image.new("RGB", (9, 7)), cells=GRID)
    mask = mask_of({"kind": "geometry", "shape": "cells", "of": "sheet"}, picture(Image.new("RGB", (18, 14))), sheet=sheet)
    assert mask is not None
    assert mask.shape == (14, 18)
    assert (mask[2:6, 2:8] == 255).all()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"shape": "cells", "rectangles": [[0, 0, 1, 1]]}, '"cells" has no "rectangles"'),
        ({}, '"rectangles" needs "rectangles"'),
        ({"rectangles": [[4, 0, 4, 5]]}, "4, 0, 4, 5 is empty"),
        ({"shape": "seem"}, 'Did you mean "seams"'),
        ({"shape": "cells", "which": [-1]}, "at least 0"),
    ],
)
def test_what_contradicts_itself_is_refused(source: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        read_source({"kind": "geometry", **source})


def test_no_sheet_and_no_such_cell():
    with pytest.raises(BadRequest, match="the picture has no cells: it is no sheet"):
        mask_of({"kind": "geometry", "shape": "seams"}, picture(Image.new("RGB", (8, 4))))
    with pytest.raises(BadRequest, match="asks for cell 3, but the sheet has 3: 0 to 2"):
        shape("cells", which=[0, 3])
