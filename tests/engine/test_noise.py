"""Is a picture's noise its own, and the WebUI's?"""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.engine.noise import PictureNoise, Seeds, slerp

SHAPE = (4, 8, 6)


def plain(*seeds: int) -> Seeds:
    return Seeds(seeds, tuple(0 for _ in seeds))


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 2**32), min_size=1, max_size=4))
def test_a_picture_has_the_same_noise_in_any_batch(seeds: list[int]) -> None:
    batch = PictureNoise(SHAPE, plain(*seeds))
    first, second = batch.first(), batch.next()
    for i, seed in enumerate(seeds):
        alone = PictureNoise(SHAPE, plain(seed))
        assert torch.equal(alone.first()[0], first[i])
        assert torch.equal(alone.next()[0], second[i])


def test_the_first_noise_is_torchs_after_seeding() -> None:
    assert torch.equal(PictureNoise(SHAPE, plain(5)).first()[0], torch.randn(SHAPE, generator=torch.Generator().manual_seed(5)))


def test_a_subseed_of_strength_one_is_another_seed() -> None:
    mixed = PictureNoise(SHAPE, Seeds((1,), (2,), 1.0)).first()
    assert torch.allclose(mixed, PictureNoise(SHAPE, plain(2)).first(), atol=1e-5)
    half = PictureNoise(SHAPE, Seeds((1,), (2,), 0.5)).first()
    assert 0.8 < float(half.std()) < 1.2  # On the sphere, so noise keeps its size.


def test_slerp_stays_on_the_circle() -> None:
    low, high = torch.zeros(1, 2, 1), torch.zeros(1, 2, 1)
    low[0, 0], high[0, 1] = 1, 1
    assert torch.allclose(slerp(0.5, low, high), torch.full((1, 2, 1), 0.5**0.5))


def test_seed_resize_keeps_the_middle() -> None:
    small = PictureNoise((4, 4, 4), plain(3)).first()[0]
    large = PictureNoise((4, 8, 8), Seeds((3,), (0,), resize_from=(32, 32))).first()[0]
    assert torch.equal(large[:, 2:6, 2:6], small)
    cut = PictureNoise((4, 4, 4), Seeds((3,), (0,), resize_from=(64, 64))).first()[0]
    assert torch.equal(cut, PictureNoise((4, 8, 8), plain(3)).first()[0][:, 2:6, 2:6])


def test_an_offset_changes_only_later_noise() -> None:
    without, shifted = PictureNoise(SHAPE, plain(9)), PictureNoise(SHAPE, Seeds((9,), (0,), later_offset=31337))
    assert torch.equal(without.first(), shifted.first())
    assert torch.equal(shifted.next()[0], torch.randn(SHAPE, generator=torch.Generator().manual_seed(9 + 31337)))
