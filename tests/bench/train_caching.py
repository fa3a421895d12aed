"""How much longer does caching latents take than the bare VAE encode of the same pixels? CPU seconds of the process, one thread, A B A B.

    python -m tests.bench.train_caching [--json]

`caching_over_bare`: reading, checking, resizing, encoding and writing over encoding alone, with a random VAE of SD1.5's size at 256 px.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

os.environ["OMP_NUM_THREADS"] = "1"  # Before torch is imported.

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from lib_extension.models.weights import made
from tests.trainer.data.drawn import picture, settings
from trainer.data.buckets import fit_of
from trainer.data.examples import find_examples
from trainer.data.latents import VaeEncoder, Wanted, cache_latents, wanted_latents
from trainer.data.prepare import pixels_of
from trainer.data.store import Store

WANTED = 1.1
_SIDE = 256
_SOURCE = (768, 512)  # pixels of the files, which are JPEGs


def caching_over_bare(pictures: int = 4, rounds: int = 5, channels: tuple[int, ...] = (128, 256, 512, 512)) -> float:
    """The median over rounds."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        vae = VaeEncoder(sd15_vae(channels))
        wanted = _wanted(Path(folder) / "data", pictures, vae)
        pixels = [pixels_of(one.example, one.cut)[None] for one in wanted]
        bare_seconds(vae, pixels)
        ratios = [cached_seconds(vae, wanted, Path(folder) / f"{turn}") / bare_seconds(vae, pixels) for turn in range(rounds)]
    return median(ratios)


def sd15_vae(channels: tuple[int, ...]) -> AutoencoderKL:
    """Random weights."""
    torch.manual_seed(0)
    sizes: dict[str, object] = {
        "down_block_types": ("DownEncoderBlock2D",) * len(channels),
        "up_block_types": ("UpDecoderBlock2D",) * len(channels),
        "block_out_channels": channels,
        "layers_per_block": 2,
        "latent_channels": 4,
        "sample_size": 512,
    }
    return made(AutoencoderKL, sizes).eval().requires_grad_(False)


def cached_seconds(vae: VaeEncoder, wanted: Sequence[Wanted], folder: Path) -> float:
    """CPU seconds with an empty cache."""
    before = time.process_time()
    cache_latents(Store(folder), wanted, vae)
    return time.process_time() - before


def bare_seconds(vae: VaeEncoder, pixels: Sequence[Tensor]) -> float:
    """CPU seconds of the encoder alone."""
    before = time.process_time()
    for one in pixels:
        vae.encode(one)
    return time.process_time() - before


def _wanted(folder: Path, pictures: int, vae: VaeEncoder) -> list[Wanted]:
    for number in range(pictures):
        picture(folder / f"{number}.jpg", *_SOURCE, seed=number, quality=90)
    asked = settings({"folder": str(folder), "trigger": "x"}, resolution=_SIDE, bucket_step=64)
    examples = find_examples(asked).examples
    return [one for example in examples for one in wanted_latents(example, fit_of(asked, example), vae.key)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one line of JSON instead of a sentence")
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    ratio = round(caching_over_bare(rounds=chosen.rounds), 3)
    print(json.dumps({"caching_over_bare": ratio}) if chosen.json else f"caching_over_bare  {ratio}   wanted <= {WANTED}")


if __name__ == "__main__":
    main()
