"""Edges are those that OpenCV's Canny finds, and how two pictures' edges agree is what the F-measure says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image, ImageChops, ImageFilter

from lib_extension.scores import read_score
from lib_extension.scores.canny import edges
from lib_extension.scores.edges import agreement
from lib_extension.spec.errors import BadRequest
from tests.demo_model.scenes import held_out_scene
from tests.masks.asked import picture
from tests.scores.test_local import scores

SCENES = [held_out_scene(place).picture for place in range(6)]


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("thresholds", [(100, 200), (40, 90)])
def test_edges_are_opencvs(scene: Image.Image, thresholds: tuple[int, int]):
    grey = np.asarray(scene.convert("L"))
    theirs = cv2.Canny(grey, *thresholds) > 0
    ours = edges(grey.astype(np.float32), *thresholds)
    assert (ours != theirs).sum() <= 0.01 * theirs.sum() + 2 * sum(grey.shape), "at the picture's border, each has its own way"
    assert (ours[2:-2, 2:-2] != theirs[2:-2, 2:-2]).sum() <= 0.02 * theirs.sum()


def test_a_step_is_one_line_and_a_slope_none():
    step = np.zeros((20, 20), np.float32)
    step[:, 10:] = 200
    found = edges(step)
    assert (found.sum(axis=1) == 1).all()
    assert set(np.nonzero(found)[1]) <= {9, 10}
    assert not edges(np.tile(np.arange(20, dtype=np.float32), (20, 1))).any()


def test_a_faint_end_of_a_strong_line_is_kept_and_a_faint_line_is_not():
    strength = np.where(np.arange(30) < 10, 100.0, 30.0)  # Sobel makes 400 and 120 of it: over 200, and between 100 and 200
    picture_of_line = np.zeros((30, 20), np.float32)
    picture_of_line[:, 10:] = strength[:, None]
    assert edges(picture_of_line)[12:].any(axis=1).all()
    picture_of_line[:, 10:] = 30
    assert not edges(picture_of_line).any()


def line(column: int) -> Image.Image:
    values = np.zeros((20, 20), np.uint8)
    values[:, column] = 255
    return Image.fromarray(values)


def test_agreement():
    both = ImageChops.lighter(line(3), line(15))
    assert agreement(line(3), line(3), 0) == 1
    assert agreement(line(3), line(5), 2) == 1
    assert agreement(line(3), line(6), 2) == 0
    assert agreement(line(3), both, 1) == pytest.approx(2 / 3), "p = 1, r = 1/2"
    assert agreement(both, line(3), 1) == pytest.approx(2 / 3)
    empty = Image.new("L", (20, 20))
    assert (agreement(empty, empty, 2), agreement(empty, both, 2), agreement(both, empty, 2)) == (1, 0, 0)


lines = npst.arrays(np.uint8, (9, 9), elements=st.sampled_from([0, 255])).map(Image.fromarray)


@settings(max_examples=50, deadline=None)
@given(lines, lines, st.integers(0, 3))
def test_agreement_is_mutual_and_grows_with_tolerance(first: Image.Image, second: Image.Image, tolerance: int):
    found = agreement(first, second, tolerance)
    assert 0 <= found <= 1
    assert agreement(second, first, tolerance) == pytest.approx(found)
    assert agreement(first, second, tolerance + 1) >= found - 1e-12
    assert agreement(first, first, tolerance) == 1


def test_a_picture_keeps_to_itself_and_not_to_another():
    same, softer, other = scores(
        {"kind": "edges", "of": "base"}, SCENES[0], SCENES[0].filter(ImageFilter.GaussianBlur(0.5)), SCENES[1], base=picture(SCENES[0])
    )
    assert same == 1
    assert softer > 0.6 > other


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_map_of_any_size_is_compared(factor: int):
    """As a control stage gives it: white lines, one pixel wide."""
    large = SCENES[0].resize((SCENES[0].width * factor, SCENES[0].height * factor), Image.Resampling.BICUBIC)
    guide = picture(cv2.Canny(np.asarray(large.convert("L")), 60, 120))
    own, other = scores({"kind": "edges", "of": "map", "is_map": True}, SCENES[0], SCENES[1], map=guide)
    assert own > 0.75
    assert own > other + 0.2


def test_what_contradicts_itself_is_refused():
    with pytest.raises(BadRequest, match='needs "of"'):
        read_score({"kind": "edges", "of": ""})
    with pytest.raises(BadRequest, match="low threshold 300 is above the high one, 200"):
        read_score({"kind": "edges", "of": "base", "low": 300})
    with pytest.raises(BadRequest, match='no picture of "base" to compare with'):
        scores({"kind": "edges", "of": "base"}, SCENES[0])
