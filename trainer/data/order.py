"""Which pictures are in the batch of a step? Pure, and for any step without those before it.

In an epoch every picture is seen as often as its repeats say. Batches hold pictures of one bucket only; what is left of a bucket makes a
smaller batch. Regularisation pictures that are matched are as many in every epoch as the others, taken in turn.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Item:
    """What must be known of an example: its place in the list is its number."""

    bucket: Hashable
    repeats: int = 1
    matched: bool = False  # a regularisation picture that is taken in turn


@dataclass(frozen=True)
class Slot:
    """One example in a batch; `repeat` tells apart the times that it is seen in an epoch."""

    example: int
    repeat: int


@dataclass(frozen=True)
class Step:
    """The whole batch of a step."""

    epoch: int
    slots: tuple[Slot, ...]


class Order:
    """The batches of all epochs, for a batch size of all processes together."""

    def __init__(self, items: Sequence[Item], batch_size: int, seed: int) -> None:
        assert items
        assert batch_size > 0
        self._batch_size, self._seed = batch_size, seed
        self._own: dict[Hashable, list[Slot]] = defaultdict(list)
        self._matched: dict[Hashable, list[Slot]] = defaultdict(list)
        for number, item in enumerate(items):
            if item.matched:
                self._matched[item.bucket].append(Slot(number, 0))
            else:
                self._own[item.bucket] += [Slot(number, repeat) for repeat in range(item.repeats)]
        own = sum(map(len, self._own.values()))
        self._quota = _shared_out(own, {bucket: len(slots) for bucket, slots in self._matched.items()})
        self._buckets = sorted({*self._own, *self._matched}, key=repr)
        sizes = [len(self._own.get(bucket, ())) + self._quota.get(bucket, 0) for bucket in self._buckets]
        self.steps_per_epoch = sum(-(-size // batch_size) for size in sizes)
        self.pictures_per_epoch = sum(sizes)
        self._epoch = lru_cache(3)(self._make_epoch)

    def at(self, step: int) -> Step:
        """The batch of the step, counted from 0 over all epochs."""
        epoch, place = divmod(step, self.steps_per_epoch)
        return Step(epoch, self._epoch(epoch)[place])

    def _make_epoch(self, epoch: int) -> list[tuple[Slot, ...]]:
        batches: list[tuple[Slot, ...]] = []
        for bucket in self._buckets:
            slots = [*self._own.get(bucket, ()), *self._in_turn(bucket, epoch)]
            self._dice(f"{epoch}/{bucket!r}").shuffle(slots)
            batches += [tuple(slots[start : start + self._batch_size]) for start in range(0, len(slots), self._batch_size)]
        self._dice(f"{epoch}").shuffle(batches)
        return batches

    def _in_turn(self, bucket: Hashable, epoch: int) -> list[Slot]:
        """The epoch's piece of an endless row of the bucket's matched pictures, each time through in another order."""
        quota = self._quota.get(bucket, 0)
        if not quota:
            return []
        pool = self._matched[bucket]
        start, end = epoch * quota, (epoch + 1) * quota
        row: list[int] = []
        for through in range(start // len(pool), -(-end // len(pool))):
            again = [slot.example for slot in pool]
            self._dice(f"matched {through}/{bucket!r}").shuffle(again)
            row += again
        skipped = start % len(pool)
        return [Slot(example, repeat) for repeat, example in enumerate(row[skipped : skipped + quota])]

    def _dice(self, what: str) -> random.Random:
        return random.Random(f"order/{self._seed}/{what}")


def _shared_out(total: int, sizes: dict[Hashable, int]) -> dict[Hashable, int]:
    """`total` in whole parts that are as the sizes (largest remainders)."""
    whole = sum(sizes.values())
    if not whole:
        return {}
    shares = {bucket: divmod(total * size, whole) for bucket, size in sizes.items()}
    left = total - sum(count for count, _ in shares.values())
    by_rest = sorted(shares, key=lambda bucket: (-shares[bucket][1], repr(bucket)))
    return {bucket: shares[bucket][0] + (bucket in by_rest[:left]) for bucket in by_rest}
