"""Scores that need no network: sharpness, exposure, duplicates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFilter

from lib_extension.scores import SCORES, ScoreGiven, read_score
from lib_extension.scores.sharpness import laplacian_variance
from lib_extension.stages.stage import Picture
from tests.demo_model.scenes import held_out_scene
from tests.masks.asked import carried_out, picture

SCENES = [held_out_scene(place).picture for place in range(4)]


def scores(score: dict[str, Any], *pictures: Picture | Image.Image | np.ndarray, **others: Picture) -> list[float]:
    read = read_score(score)
    given = ScoreGiven(tuple(one if isinstance(one, Picture) else picture(one) for one in pictures), others)
    measured, _ = carried_out(SCORES[read.kind].work(read, given))
    assert all(0 <= value <= 1 for value in measured.values)
    assert not measured.by
    return measured.values


def test_the_laplacian_of_one_bright_pixel():
    """-4 at it, 1 at its four neighbours, 0 at the other four of the inner 3×3: 20 / 9 of variance, squared by its height."""
    grey = np.zeros((5, 5), np.float32)
    grey[2, 2] = 3
    assert laplacian_variance(grey) == pytest.approx(9 * 20 / 9)
    ramp = np.add.outer(np.arange(6), 2 * np.arange(7)).astype(np.float32)
    assert laplacian_variance(ramp) == 0


def test_sharpness_is_half_at_a_variance_of_100():
    grey = np.zeros((5, 5, 3), np.uint8)
    grey[2, 2] = 100
    variance = 100**2 * 20 / 9
    assert scores({"kind": "sharpness"}, grey, np.full((5, 5), 77), np.zeros((2, 9))) == [pytest.approx(variance / (variance + 100)), 0, 0]


def test_the_more_blurred_the_less_sharp():
    blurred = [SCENES[0].filter(ImageFilter.GaussianBlur(radius)) for radius in (0, 0.6, 1.2, 3, 8)]
    found = scores({"kind": "sharpness"}, *blurred)
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.5 > found[-1]


@pytest.mark.parametrize(
    ("level", "wanted"), [(0, np.exp(-0.25 / 0.08)), (255, np.exp(-0.25 / 0.08)), (51, np.exp(-0.09 / 0.08)), (127, 1.0)]
)
def test_exposure_of_one_level(level: int, wanted: float):
    assert scores({"kind": "exposure"}, np.full((3, 4), level)) == [pytest.approx(wanted, abs=1e-4)]


def test_exposure_is_the_mean_over_pixels_and_transparent_ones_are_white():
    half = np.zeros((2, 2, 4), np.uint8)
    half[0] = (127, 127, 127, 255)
    assert scores({"kind": "exposure"}, half) == [pytest.approx((1 + np.exp(-0.25 / 0.08)) / 2, abs=1e-4)]


def test_washed_out_and_dark_pictures_are_worse():
    def levels(factor: float, offset: float) -> Image.Image:
        return SCENES[1].point([round(min(max(value * factor + offset, 0), 255)) for value in range(256)] * 3)

    good, dark, bright = scores({"kind": "exposure"}, levels(0.6, 50), levels(0.2, 0), levels(0.2, 204))
    assert good > 2 * max(dark, bright)


@pytest.mark.parametrize("way", ["perceptual", "gradient"])
def test_of_duplicates_the_first_is_none(way: str):
    larger = SCENES[1].resize((300, 300), Image.Resampling.BICUBIC)
    found = scores({"kind": "duplicates", "hash": way}, SCENES[0], SCENES[1], larger, SCENES[0])
    assert found[0] == 0
    assert found[1] < 0.75
    assert found[2] > 0.85
    assert found[3] == 1
    assert not SCORES["duplicates"].higher_is_better


@pytest.mark.parametrize("kind", ["sharpness", "exposure", "duplicates"])
def test_no_pictures_have_no_scores(kind: str):
    assert scores({"kind": kind}) == []
