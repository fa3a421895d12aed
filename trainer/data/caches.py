"""What is cached of a training's data, and how is it given to a batch? What is not cached is made when it is asked for."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.data import DataSettings
from trainer.data.buckets import Fit
from trainer.data.captions import plain_caption, possible_captions
from trainer.data.example import Example
from trainer.data.latents import LatentEncoder, cache_latents, latent_key, wanted_latents
from trainer.data.prepare import Cut, mask_of, mask_values
from trainer.data.store import Store, key_of
from trainer.data.texts import TextEncoder, cache_texts, cached_texts
from trainer.families.family import TextStates
from trainer.written import DiskFull

Told = Callable[[str, int, int], None]
"""What is made ("latents", "captions"), how many are done, of how many."""

Fits = Mapping[str, Fit]  # by the example's name
Thing = TypeVar("Thing")

_MASK_VERSION = "mask 1"
_FULL = (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC))


@dataclass(frozen=True)
class Encoders:
    """What makes what is cached. Of what is not cached none is needed, and after filling none is held."""

    latents: LatentEncoder | None = None
    text: TextEncoder | None = None


@dataclass(frozen=True)
class Process:
    """One of several that train together."""

    index: int = 0
    count: int = 1

    def own_first(self, things: Iterable[Thing]) -> list[Thing]:
        """Its own share of what all of them must have made, then the others', which the others make meanwhile."""
        listed = list(things)
        own = listed[self.index :: self.count]
        return own + [thing for number, thing in enumerate(listed) if number % self.count != self.index][::-1]


class Caches:
    """Stores in a folder, for what the settings want cached."""

    def __init__(self, settings: DataSettings, folder: Path) -> None:
        self._unmasked = settings.unmasked_weight
        self._latents = Store(folder / "latents") if settings.cache_latents else None
        self._masks = Store(folder / "masks") if settings.cache_latents else None
        self._texts = Store(folder / "texts") if settings.cache_text else None
        self._latents_key = self._texts_key = ""

    @property
    def has_latents(self) -> bool:
        return self._latents is not None

    def fill(self, examples: Sequence[Example], fits: Fits, encoders: Encoders, seed: int, process: Process, told: Told | None) -> None:
        """Makes what is missing. DiskFull where there is no room for it."""
        with _room():
            if self._latents is not None and self._masks is not None:
                if encoders.latents is None:
                    raise BadRequest("data.cache_latents is set, but there is no VAE to encode pictures.")
                self._latents_key = encoders.latents.key
                wanted = [one for example in examples for one in wanted_latents(example, fits[example.name], self._latents_key)]
                cache_latents(self._latents, process.own_first(wanted), encoders.latents, told and partial(told, "latents"))
                for example in process.own_first(one for one in examples if one.masked):
                    self._mask(example, Cut(fits[example.name], fits[example.name].crop))
            if self._texts is not None:
                if encoders.text is None:
                    raise BadRequest("data.cache_text is set, but there is no text encoder to encode captions.")
                self._texts_key = encoders.text.key
                captions = process.own_first(dict.fromkeys(_captions(examples, seed)))
                cache_texts(self._texts, captions, encoders.text, told and partial(told, "captions"))

    def latents(self, examples: Sequence[Example], cuts: Sequence[Cut]) -> Tensor | None:
        """(B, C, H/8, W/8)."""
        if self._latents is None:
            return None
        keys = [latent_key(example, cut, self._latents_key) for example, cut in zip(examples, cuts, strict=True)]
        found = [self._latents.need(key, f'"{example.name}"')["latent"] for key, example in zip(keys, examples, strict=True)]
        return torch.stack(found)

    def text(self, captions: Sequence[str]) -> TextStates | None:
        """The captions' states."""
        return None if self._texts is None else cached_texts(self._texts, captions, self._texts_key)

    def loss_mask(self, examples: Sequence[Example], cuts: Sequence[Cut]) -> Tensor | None:
        """(B, 1, H/8, W/8): 1 where it is learnt, the settings' `unmasked_weight` where masks are black. None if nothing has a mask."""
        if not any(one.masked for one in examples):
            return None
        masks = [self._mask(example, cut) if example.masked else _everything(cut) for example, cut in zip(examples, cuts, strict=True)]
        return self._unmasked + (1 - self._unmasked) * torch.stack(masks)

    def _mask(self, example: Example, cut: Cut) -> Tensor:
        """(1, H/8, W/8); that of a mirrored picture is mirrored."""
        straight = Cut(cut.fit, cut.crop)
        key = key_of(_MASK_VERSION, example.mask_sha256 or example.sha256, example.alpha_mask, cut.fit.resized, cut.fit.bucket, cut.crop)
        held = self._masks.get(key) if self._masks is not None else None
        values = held["mask"] if held is not None else mask_values(mask_of(example, straight))
        if held is None and self._masks is not None:
            self._masks.put(key, {"mask": values})
        return values.flip(-1) if cut.flip else values


def _captions(examples: Iterable[Example], seed: int) -> Iterator[str]:
    for example in examples:
        yield from possible_captions(example, seed)
        yield plain_caption(example)


def _everything(cut: Cut) -> Tensor:
    height, width = cut.fit.bucket
    return torch.ones(1, height // 8, width // 8)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DiskFull(
            f"The cache folder is full: {error.strerror}. Make room there, or name another with data.cache_folder; "
            "what was cached so far stays."
        ) from error
