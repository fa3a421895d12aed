"""Does the judge count edges as it says?"""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from tests.demo_model.hints import canny
from tests.demo_model.judge import edge_f1, mean_f1
from tests.demo_model.scenes import held_out_scene


def square(x: int) -> Image.Image:
    """The outline of a square of 40 px that begins at ``x``, mode L."""
    picture = Image.new("L", (128, 128))
    ImageDraw.Draw(picture).rectangle([x, 40, x + 40, 80], outline=255)
    return picture


@pytest.mark.parametrize(("shift", "low", "high"), [(0, 1, 1), (2, 1, 1), (10, 0.3, 0.7), (60, 0, 0.05)])
def test_edges_count_within_two_pixels(shift: int, low: float, high: float) -> None:
    assert low <= edge_f1(square(10), square(10 + shift)) <= high


def test_no_edges_agree_with_nothing() -> None:
    assert edge_f1(Image.new("L", (128, 128)), square(10)) == 0


def test_a_scene_agrees_with_itself_more_than_with_others() -> None:
    scenes = [held_out_scene(i) for i in range(12)]
    pictures = [s.picture for s in scenes]
    assert mean_f1(pictures, scenes) == pytest.approx(1)
    assert mean_f1(pictures, scenes, shift=1) < 0.6


def test_canny_finds_an_outline() -> None:
    edges = np.asarray(canny(Image.merge("RGB", [Image.new("L", (64, 64))] * 3)))
    assert edges.max() == 0
    assert np.asarray(canny(held_out_scene(0).picture)).max() == 255
