from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.buckets import Sizes, all_buckets, fit

SIDES = st.integers(16, 4000)
SIZES = st.builds(
    lambda resolution, step, upscale: Sizes(resolution, step, resolution // 2, resolution * 2, upscale),
    st.integers(8, 160).map(lambda eighths: eighths * 8),
    st.sampled_from((8, 16, 32, 64)),
    st.booleans(),
)


@pytest.mark.parametrize(
    ("width", "height", "bucket"),
    [
        (512, 512, (512, 512)),
        (1024, 1024, (512, 512)),
        (768, 1024, (576, 448)),
        (1920, 1080, (384, 640)),
        (4000, 1000, (256, 1024)),
        (500, 500, (448, 448)),  # not enlarged
        (2000, 300, (256, 1024)),
    ],
)
def test_a_picture_gets_the_bucket_of_its_shape(width: int, height: int, bucket: tuple[int, int]):
    fitted = fit(width, height, Sizes(512))
    assert fitted is not None
    assert fitted.bucket == bucket


def test_buckets_are_those_of_kohyas_trainer():
    """make_bucket_resolutions((512, 512), 256, 1024, 64), as (height, width)."""
    sides = [(256, 1024), (320, 768), (384, 640), (448, 576), (512, 512)]
    also = [(256, 960), (256, 896), (256, 832), (320, 704)]
    both = {*sides, *also} | {(width, height) for height, width in (*sides, *also)}
    assert set(all_buckets(Sizes(512))) == both


def test_small_pictures_are_enlarged_if_that_is_asked():
    fitted = fit(100, 100, Sizes(512, upscale=True))
    assert fitted is not None
    assert fitted.bucket == fitted.resized == (512, 512)


def test_a_picture_smaller_than_the_step_fits_nowhere():
    assert fit(60, 200, Sizes(512)) is None


def test_without_buckets_all_are_squares():
    fitted = fit(800, 600, Sizes(512, buckets=False))
    assert fitted is not None
    assert fitted.bucket == (512, 512)
    assert fitted.resized == (512, 683)
    assert fitted.crop == (0, 85)
    assert fit(800, 500, Sizes(512, buckets=False)) is None


@given(SIDES, SIDES, SIZES)
def test_whatever_the_picture_its_bucket_holds(width: int, height: int, sizes: Sizes):
    fitted = fit(width, height, sizes)
    if fitted is None:
        assert min(width, height) < 2 * sizes.step or max(width, height) / min(width, height) > 4
        return
    for bucket, resized, crop, side in zip(fitted.bucket, fitted.resized, fitted.crop, (height, width), strict=True):
        assert bucket % sizes.step == 0
        assert bucket <= max(sizes.longest, sizes.step)
        assert 0 <= crop <= resized - bucket
        assert sizes.upscale or resized <= side
    assert fitted.bucket[0] * fitted.bucket[1] <= max(sizes.resolution**2, sizes.step**2)
    assert fitted.resized[0] == fitted.bucket[0] or fitted.resized[1] == fitted.bucket[1]


@given(SIDES, SIDES, SIZES)
def test_a_turned_picture_gets_the_turned_bucket(width: int, height: int, sizes: Sizes):
    fitted, turned = fit(width, height, sizes), fit(height, width, sizes)
    assert (fitted is None) == (turned is None)
    if fitted and turned:
        assert fitted.bucket == turned.bucket[::-1]
