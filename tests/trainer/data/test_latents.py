from __future__ import annotations

from pathlib import Path

import pytest
import torch

from tests.bench.train_caching import caching_over_bare, sd15_vae
from tests.trainer.data.drawn import picture, settings
from trainer.data.buckets import fit_of
from trainer.data.examples import find_examples
from trainer.data.latents import VaeEncoder, cache_latents, wanted_latents
from trainer.data.prepare import pixels_of
from trainer.data.store import Store

CHANNELS = (32, 32)


class Together(VaeEncoder):
    """As on a GPU: several pictures at once."""

    def __init__(self, at_once: int) -> None:
        super().__init__(sd15_vae(CHANNELS))
        self.sizes: list[tuple[int, ...]] = []
        self._at_once = at_once

    @property
    def at_once(self) -> int:
        return self._at_once

    def encode(self, pixels: torch.Tensor) -> torch.Tensor:
        self.sizes.append(tuple(pixels.shape))
        return super().encode(pixels)


@pytest.mark.parametrize(("at_once", "counts"), [(0, [1] * 7), (64 * 64 * 3, [3, 3, 1]), (64 * 64 * 99, [3, 4])])
def test_pictures_of_one_size_are_encoded_together_as_memory_allows(tmp_path: Path, at_once: int, counts: list[int]):
    for number in range(7):
        picture(tmp_path / "data" / f"{number}.png", *((64, 64) if number % 2 == 0 else (96, 48)), seed=number)
    asked = settings({"folder": str(tmp_path / "data"), "trigger": "x"})
    encoder = Together(at_once)
    wanted = [one for example in find_examples(asked).examples for one in wanted_latents(example, fit_of(asked, example), encoder.key)]
    store = Store(tmp_path / "cache")
    cache_latents(store, [*wanted, *wanted], encoder)
    assert [size[0] for size in encoder.sizes] == counts
    for one in wanted:
        expected = VaeEncoder(sd15_vae(CHANNELS)).encode(pixels_of(one.example, one.cut)[None])[0]
        torch.testing.assert_close(store.need(one.key, "")["latent"], expected, rtol=1e-5, atol=1e-5)


def test_what_another_process_made_meanwhile_is_not_made_again(tmp_path: Path):
    for number in range(12):
        picture(tmp_path / "data" / f"{number}.png", 64, 64, seed=number)
    asked = settings({"folder": str(tmp_path / "data"), "trigger": "x"})
    other = Together(0)

    class Shared(Together):
        def encode(self, pixels: torch.Tensor) -> torch.Tensor:
            if not self.sizes:
                cache_latents(Store(tmp_path / "cache"), wanted, other)
            return super().encode(pixels)

    encoder = Shared(0)
    wanted = [one for example in find_examples(asked).examples for one in wanted_latents(example, fit_of(asked, example), encoder.key)]
    told: list[tuple[int, int]] = []
    cache_latents(Store(tmp_path / "cache"), wanted, encoder, lambda *done: told.append(done))
    assert len(other.sizes) == 12
    assert len(encoder.sizes) <= 3, "what was decoded ahead already"
    assert told == [(done, 12) for done in range(1, 13)]


def test_the_benchmark_runs():
    assert caching_over_bare(pictures=1, rounds=1, channels=CHANNELS) > 0
