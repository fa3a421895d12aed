"""What is the batch of step n? Any step can be asked for at any time, so a run that goes on sees what it would have seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import torch
from torch import Tensor

from lib_extension.spec.training.data import DataSettings
from trainer.data.ahead import Ahead
from trainer.data.batch import Batch
from trainer.data.buckets import Fit, fit_of
from trainer.data.caches import Caches, Encoders, Process, Told
from trainer.data.captions import caption_at, plain_caption
from trainer.data.chance import Turn
from trainer.data.example import Example
from trainer.data.examples import Found
from trainer.data.order import Item, Order, Slot
from trainer.data.prepare import Cut, cut_at, pixels_of


@dataclass(frozen=True)
class _Seen:
    """An example as it is seen once; without a turn, as it is."""

    example: Example
    cut: Cut
    caption: str
    turn: Turn | None = None


class Batches:
    """All batches of a training. Making it encodes what is to be cached and is not yet; afterwards no encoder is asked any more."""

    def __init__(
        self,
        found: Found,
        settings: DataSettings,
        encoders: Encoders,
        *,
        seed: int,
        cache_folder: Path,
        process: Process | None = None,
        told: Told | None = None,
    ) -> None:
        found.refuse_if_bad()
        self.examples, self.fits = found.examples, {one.name: fit_of(settings, one) for one in (*found.examples, *found.validation)}
        self._settings, self._seed, self._process = settings, seed, process or Process()
        self._order = Order([self._item(one) for one in found.examples], settings.batch_size * self._process.count, seed)
        self._caches = Caches(settings, cache_folder)
        self._caches.fill((*found.examples, *found.validation), self.fits, encoders, seed, self._process, told)
        self.validation: Sequence[Batch] = _Validation(self, found.validation, settings.batch_size)
        self._ahead = Ahead(self._make)

    @property
    def steps_per_epoch(self) -> int:
        """Batches of an epoch, each shared by all processes."""
        return self._order.steps_per_epoch

    @property
    def pictures_per_epoch(self) -> int:
        """How many pictures are seen in an epoch, repeats counted."""
        return self._order.pictures_per_epoch

    def at(self, step: int) -> Batch:
        """This process's part of the batch of a step, counted from 0 over all epochs; the next ones are made meanwhile."""
        return self._ahead.at(step)

    def close(self) -> None:
        """Ends the thread that makes batches ahead."""
        self._ahead.close()

    def __enter__(self) -> Batches:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def for_validation(self, examples: Sequence[Example]) -> Batch:
        """Pictures of one bucket as they are, under their whole captions."""
        fits = [self.fits[one.name] for one in examples]
        seen = [_Seen(one, Cut(fit, fit.crop), plain_caption(one)) for one, fit in zip(examples, fits, strict=True)]
        return self._batch(seen, first=0, whole=len(seen))

    def _item(self, example: Example) -> Item:
        matched = example.prior and self._settings.match_regularisation
        return Item(self.fits[example.name].bucket, example.concept.repeats, matched)

    def _make(self, number: int) -> Batch:
        step = self._order.at(number)
        first = self._process.index * self._settings.batch_size
        mine = step.slots[first : first + self._settings.batch_size]
        seen = [self._seen(slot, step.epoch) for slot in mine or step.slots[:1]]
        return self._batch(seen, first=first, whole=len(step.slots), counts=bool(mine))

    def _seen(self, slot: Slot, epoch: int) -> _Seen:
        example = self.examples[slot.example]
        turn = Turn(self._seed, epoch, example.name, slot.repeat)
        return _Seen(example, cut_at(example, self.fits[example.name], turn), caption_at(example, turn), turn)

    def _batch(self, seen: Sequence[_Seen], *, first: int, whole: int, counts: bool = True) -> Batch:
        examples, cuts, captions = [one.example for one in seen], [one.cut for one in seen], [one.caption for one in seen]
        return Batch(
            latents=self._caches.latents(examples, cuts),
            pixels=None if self._caches.has_latents else _pixels(seen),
            text=self._caches.text(captions),
            captions=tuple(captions),
            original_sizes=torch.tensor([(one.height, one.width) for one in examples]),  # B 2
            crops=torch.tensor([cut.crop_seen for cut in cuts]),  # B 2
            target_sizes=torch.tensor([cut.fit.bucket for cut in cuts]),  # B 2
            loss_mask=self._caches.loss_mask(examples, cuts),
            weights=torch.tensor([self._weight(one) if counts else 0.0 for one in examples]),  # B
            prior=torch.tensor([one.prior for one in examples]),  # B
            names=tuple(one.name for one in examples),
            first=first,
            whole=whole,
        )

    def _weight(self, example: Example) -> float:
        return example.concept.weight * (self._settings.prior_weight if example.prior else 1.0)


class _Validation(Sequence[Batch]):
    """Batches of one bucket each, in the same order in every run, made when they are asked for."""

    def __init__(self, batches: Batches, examples: Sequence[Example], batch_size: int) -> None:
        self._batches = batches
        self._groups = list(_in_buckets(examples, batches.fits, batch_size))

    def __len__(self) -> int:
        return len(self._groups)

    def __getitem__(self, index: int) -> Batch:  # pyright: ignore[reportIncompatibleMethodOverride] - nobody wants a slice
        return self._batches.for_validation(self._groups[index])


def _in_buckets(examples: Sequence[Example], fits: dict[str, Fit], batch_size: int) -> Iterator[list[Example]]:
    ordered = sorted(examples, key=lambda one: (fits[one.name].bucket, one.sha256, one.name))
    for _, group in groupby(ordered, key=lambda one: fits[one.name].bucket):
        members = list(group)
        yield from (members[start : start + batch_size] for start in range(0, len(members), batch_size))


def _pixels(seen: Sequence[_Seen]) -> Tensor:
    return torch.stack([pixels_of(one.example, one.cut, one.turn) for one in seen])  # B 3 H W
