"""Masks that need no network: from transparency, from a colour, from an upload."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from lib_extension.masks import read_source
from lib_extension.spec.errors import BadRequest
from tests.masks.asked import found, mask_of, picture

GREEN, BLUE = (0, 255, 0), (0, 0, 255)


def with_alpha(*alpha: int) -> np.ndarray:
    return np.array([[(9, 9, 9, value) for value in alpha]], np.uint8)


def test_alpha_is_what_is_at_least_half_opaque():
    taken = picture(with_alpha(0, 127, 128, 255))
    assert found({"kind": "alpha"}, taken).tolist() == [[0, 0, 255, 255]]
    assert found({"kind": "alpha", "soft": True}, taken).tolist() == [[0, 127, 128, 255]]


@pytest.mark.parametrize(
    "values", [with_alpha(255, 255), with_alpha(200, 255), with_alpha(0, 0), with_alpha(0, 0)[..., :3], with_alpha(1, 2)[..., 0]]
)
def test_without_any_use_of_transparency_nothing_is_found(values: np.ndarray):
    """And not the whole picture, which would be redrawn in silence."""
    assert mask_of({"kind": "alpha"}, picture(values)) is None


def test_another_pictures_alpha_comes_at_the_size_of_the_taken_one():
    product = np.zeros((4, 4, 4), np.uint8)
    product[:, 2:, 3] = 255
    mask = found({"kind": "alpha", "of": "product"}, picture(np.zeros((8, 8, 3))), product=picture(product))
    assert mask.shape == (8, 8)
    assert set(np.unique(mask)) == {0, 255}, "hard stays hard"
    assert not mask[:, :4].any()
    assert (mask[:, 4:] == 255).all()


def test_a_soft_mask_stays_soft_at_another_size():
    product = np.full((4, 4, 4), 100, np.uint8)
    mask = found({"kind": "alpha", "of": "product", "soft": True}, picture(np.zeros((8, 8, 3))), product=picture(product))
    assert (mask == 100).all()


@pytest.mark.parametrize(("size", "fits"), [((100, 50), True), ((200, 104), True), ((200, 116), False), ((64, 64), False)])
def test_a_mask_of_other_proportions_is_refused(size: tuple[int, int], fits: bool):
    taken, upload = picture(Image.new("RGB", (200, 100))), picture(Image.new("L", size, 255))
    if fits:
        mask = found({"kind": "upload", "of": "drawn"}, taken, drawn=upload)
        assert mask.shape == (100, 200)
    else:
        with pytest.raises(BadRequest, match=f"A mask of {size[0]}×{size[1]} does not fit a picture of 200×100"):
            mask_of({"kind": "upload", "of": "drawn"}, taken, drawn=upload)


@pytest.mark.parametrize(
    ("colour", "tolerance", "wanted"),
    [
        ("lime", 0, [255, 0, 0, 0]),
        ("#00ff00", 19, [255, 0, 0, 0]),
        ("#00ff00", 20, [255, 255, 0, 0]),
        ("#0f0", 255, [255, 255, 255, 0]),
        ("blue", 16, [0, 0, 255, 0]),
    ],
)
def test_colour(colour: str, tolerance: int, wanted: list[int]):
    values = np.array([[(*GREEN, 255), (20, 235, 20, 255), (*BLUE, 255), (*GREEN, 127)]], np.uint8)
    assert found({"kind": "colour", "colour": colour, "tolerance": tolerance}, picture(values)).tolist() == [wanted]


def test_a_colour_that_is_not_there_is_not_found():
    assert mask_of({"kind": "colour", "colour": "red"}, picture(np.zeros((3, 3, 3)))) is None


def test_an_upload_is_taken_as_it_was_painted():
    taken = picture(np.zeros((1, 4, 3)))
    grey = picture(np.array([[0, 90, 200, 255]]))
    assert found({"kind": "upload", "of": "drawn"}, taken, drawn=grey).tolist() == [[0, 90, 200, 255]]
    painted = picture(np.array([[(255, 255, 255, 0), (0, 0, 0, 255), (0, 0, 0, 100), (0, 0, 0, 0)]]))
    assert found({"kind": "upload", "of": "drawn"}, taken, drawn=painted).tolist() == [[0, 255, 100, 0]]
    assert mask_of({"kind": "upload", "of": "drawn"}, taken, drawn=picture(np.zeros((1, 4)))) is None


def test_a_picture_that_is_not_given_is_named():
    with pytest.raises(BadRequest, match='no picture of "product"'):
        mask_of({"kind": "alpha", "of": "product"}, picture(np.zeros((2, 2, 3))))


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ({"kind": "upload"}, '"upload" needs "of"'),
        ({"kind": "colour"}, "mask.colour is missing"),
        ({"kind": "colour", "colour": "gren"}, '"gren" is no colour'),
        ({"kind": "colour", "colour": "red", "tolerance": 256}, "tolerance is 256; it must be between 0 and 255"),
    ],
)
def test_what_contradicts_itself_is_refused(source: object, message: str):
    with pytest.raises(BadRequest, match=message):
        read_source(source)
