"""How do pictures become latents, once, so that the VAE is not needed while training?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import torch
from diffusers import AutoencoderKL
from torch import Tensor

from lib_extension.spec.errors import BadFile
from trainer.data.ahead import made_ahead
from trainer.data.buckets import Fit
from trainer.data.example import Example
from trainer.data.prepare import Cut, pixels_of
from trainer.data.store import Store, key_of
from trainer.data.weights_key import weights_key

_VERSION = "latents 1"  # of how pictures are prepared
AT_ONCE = 1024 * 1024  # pixels that a GPU encodes together: one picture of SDXL takes 2.7 GB for it, and is work enough

Told = Callable[[int, int], None]


class LatentEncoder(Protocol):
    """What makes latents. `key` names all that they depend on besides the pixels."""

    @property
    def key(self) -> str: ...

    @property
    def at_once(self) -> int: ...  # pixels worth encoding together; 0: one picture at a time

    def encode(self, pixels: Tensor) -> Tensor: ...  # (B, 3, H, W) in -1..1 → (B, C, H/8, W/8), fp32


class VaeEncoder:
    """A checkpoint's VAE, wherever and in whatever precision it is."""

    def __init__(self, vae: AutoencoderKL) -> None:
        self._vae = vae
        self._key = ""

    @property
    def key(self) -> str:
        """Of the weights that encode, so that checkpoints with one VAE share what is cached."""
        if not self._key:
            parts = [part for part in (self._vae.encoder, self._vae.quant_conv) if part is not None]
            self._key = key_of(weights_key(parts), self._vae.config["scaling_factor"])
        return self._key

    @property
    def at_once(self) -> int:
        """A processor gains nothing by more."""
        return 0 if self._vae.device.type == "cpu" else AT_ONCE

    @torch.no_grad()
    def encode(self, pixels: Tensor) -> Tensor:
        """(B, 3, H, W) in -1..1 → (B, C, H/8, W/8), fp32, on the VAE's device: the middle of the encoder's distribution."""
        values = pixels.to(self._vae.device, self._vae.dtype)
        latents = self._vae.encode(values, return_dict=False)[0].mode()  # B C H/8 W/8
        return latents.float() * self._vae.config["scaling_factor"]


@dataclass(frozen=True)
class Wanted:
    """A latent that is to be there."""

    key: str
    example: Example
    cut: Cut


def wanted_latents(example: Example, fit: Fit, encoder_key: str) -> Iterator[Wanted]:
    """The example's, and that of its mirror image where it is flipped."""
    for flip in (False, True) if example.concept.augmentation.flip else (False,):
        cut = Cut(fit, fit.crop, flip)
        yield Wanted(latent_key(example, cut, encoder_key), example, cut)


def latent_key(example: Example, cut: Cut, encoder_key: str) -> str:
    """Everything that the latent depends on."""
    return key_of(_VERSION, example.sha256, encoder_key, cut.fit.resized, cut.fit.bucket, cut.crop, cut.flip)


def cache_latents(store: Store, wanted: Sequence[Wanted], encoder: LatentEncoder, told: Told | None = None) -> None:
    """Encodes those that the store lacks. Pictures are decoded while others are encoded.

    Looked at again group by group: processes that train together make some for each other meanwhile.
    """

    def prepared(group: list[Wanted]) -> tuple[list[Wanted], Tensor | None]:
        lacking = [one for one in group if store.get(one.key) is None]
        return lacking, torch.stack([pixels_of(one.example, one.cut) for one in lacking]) if lacking else None

    missing = [one for one in {one.key: one for one in wanted}.values() if store.get(one.key) is None]
    done = 0
    for group, (lacking, pixels) in made_ahead(prepared, _groups(missing, encoder.at_once)):
        for one, latent in zip(lacking, () if pixels is None else encoder.encode(pixels), strict=True):
            if not latent.isfinite().all():
                raise BadFile(
                    f'The VAE made no finite numbers of "{one.example.name}". Half precision is too narrow for it: '
                    "use fp32 or bf16, or another VAE."
                )
            store.put(one.key, {"latent": latent})
        done += len(group)
        if told:
            told(done, len(missing))


def _groups(wanted: Sequence[Wanted], at_once: int) -> Iterator[list[Wanted]]:
    """Of one size each."""
    by_size = sorted(wanted, key=lambda one: one.cut.fit.bucket)  # stable: the order of the folder within
    for (height, width), group in groupby(by_size, key=lambda one: one.cut.fit.bucket):
        members = list(group)
        count = max(1, at_once // (height * width))
        yield from (members[start : start + count] for start in range(0, len(members), count))
