"""Pasted pixels take the ground's colours at the edge, and stay themselves further in."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from lib_extension.pictures.colour_match import match_edge
from lib_extension.pictures.mask_algebra import shrink
from lib_extension.spec.errors import BadRequest

RNG = np.random.default_rng(3)
SIZE = (97, 81)
PASTED = RNG.integers(60, 190, (SIZE[1], SIZE[0], 3), np.uint8)


def square(left: int, top: int, right: int, bottom: int) -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle((left, top, right - 1, bottom - 1), fill=255)
    return mask


def matched(ground: np.ndarray, mask: Image.Image, width: int) -> np.ndarray:
    return np.asarray(match_edge(Image.fromarray(PASTED), Image.fromarray(ground), mask, width)).astype(int)


@settings(max_examples=15, deadline=None)
@given(st.tuples(st.integers(-60, 60), st.integers(-60, 60), st.integers(-60, 60)), st.integers(1, 20))
def test_another_light_is_taken_on_at_the_edge_and_only_there(light: tuple[int, int, int], width: int):
    change = matched((PASTED + np.array(light)).astype(np.uint8), square(10, 5, 90, 75), width) - PASTED
    assert (change[5 + width : 75 - width, 10 + width : 90 - width] == 0).all(), "deep inside nothing changes"
    assert (change[5:75, 10] == light).all()
    steps = np.abs(change[40, 10 : 10 + width])
    assert (np.diff(steps, axis=0) <= 0).all(), "less and less"
    assert (np.abs(change) <= np.abs(light)).all()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(0, SIZE[0]), st.integers(0, SIZE[1])), min_size=3, max_size=6), st.integers(1, 12))
def test_whatever_the_outline_no_pixel_further_in_changes(corners: list[tuple[int, int]], width: int):
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    change = matched(255 - PASTED, mask, width) - PASTED
    assert (change[np.asarray(shrink(mask, width)) == 255] == 0).all()


def test_the_same_light_changes_nothing():
    assert np.array_equal(matched(PASTED, square(20, 20, 60, 60), 12), PASTED)


def test_detail_of_the_ground_is_not_taken_on():
    """Light is: the ground is 30 brighter, and chequered by ±25."""
    chequered = PASTED + 30 + 25 * (1 - 2 * (np.indices((SIZE[1], SIZE[0])).sum(axis=0) % 2))[..., None]
    change = matched(chequered.astype(np.uint8), square(10, 10, 87, 71), 12) - PASTED
    assert np.abs(change[10:71, 10] - 30).max() <= 10


def test_the_pictures_own_border_is_no_edge():
    change = matched(PASTED + 20, Image.new("L", SIZE, 255), 16) - PASTED
    assert (change == 0).all()
    change = matched(PASTED + 20, square(0, 0, 50, SIZE[1]), 16) - PASTED
    assert (change[:, :34] == 0).all()
    assert (change[:, 49] > 10).all()


def test_without_a_mask_nothing_changes():
    assert np.array_equal(matched(PASTED + 20, Image.new("L", SIZE), 16), PASTED)


def test_other_sizes_are_refused():
    with pytest.raises(BadRequest, match="97×81 and 96×81 and 97×81"):
        match_edge(Image.fromarray(PASTED), Image.new("RGB", (96, 81)), Image.new("L", SIZE))
