"""Pictures that look alike have like hashes, and others have not."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from lib_extension.pictures.hashes import apart, gradient_hash, perceptual_hash
from tests.demo_model.scenes import held_out_scene

SCENES = [held_out_scene(place).picture for place in range(8)]


def jpeg(image: Image.Image) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=60)
    return Image.open(file).convert("RGB")


CHANGES: list[Callable[[Image.Image], Image.Image]] = [
    lambda image: image.resize((image.width * 3, image.height * 2), Image.Resampling.BICUBIC),
    lambda image: ImageEnhance.Brightness(image).enhance(0.85),
    lambda image: ImageEnhance.Contrast(image).enhance(0.8),
    jpeg,
]


@pytest.mark.parametrize("make", [perceptual_hash, gradient_hash])
@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_near(make: Callable[[Image.Image], int], change: Callable[[Image.Image], Image.Image]):
    assert max(apart(make(image), make(change(image))) for image in SCENES) <= 8


@pytest.mark.parametrize("make", [perceptual_hash, gradient_hash])
def test_other_pictures_are_far(make: Callable[[Image.Image], int]):
    rng = np.random.default_rng(0)
    noise = [make(Image.fromarray(rng.integers(0, 255, (12, 12), np.uint8)).resize((96, 96))) for _ in range(12)]
    distances = [apart(a, b) for place, a in enumerate(noise) for b in noise[:place]]
    assert min(distances) > 12
    assert 28 < np.mean(distances) < 36


def test_a_ramp_by_gradient():
    ramp = Image.fromarray(np.tile(np.arange(0, 252, 7), (8, 1)).astype(np.uint8))
    assert gradient_hash(ramp) == 2**64 - 1
    assert gradient_hash(ramp.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) == 0


def test_flat_pictures_are_one():
    """Rounding noise decides nothing."""
    assert len({perceptual_hash(Image.new("L", (64, 48), level)) for level in (1, 77, 128, 255)}) == 1
    assert gradient_hash(Image.new("RGB", (5, 5), (9, 9, 9))) == 0


def test_bits_are_counted():
    assert apart(0b1011, 0b0010) == 2
    assert apart(2**64 - 1, 0) == 64
