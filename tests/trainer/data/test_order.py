from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.data.order import Item, Order

ITEMS = st.lists(
    st.builds(Item, bucket=st.sampled_from(((64, 64), (32, 128), (128, 32))), repeats=st.integers(1, 5)), min_size=1, max_size=30
)
SIZES = st.integers(1, 7)


def epoch(order: Order, number: int) -> list[tuple[int, ...]]:
    first = number * order.steps_per_epoch
    return [tuple(slot.example for slot in order.at(first + step).slots) for step in range(order.steps_per_epoch)]


@given(ITEMS, SIZES, st.integers(0, 2**63))
def test_every_picture_is_seen_as_often_as_its_repeats_say(items: list[Item], size: int, seed: int):
    order = Order(items, size, seed)
    for number in (0, 1, 17):
        seen = Counter(example for batch in epoch(order, number) for example in batch)
        assert seen == {at: item.repeats for at, item in enumerate(items)}
    assert order.pictures_per_epoch == sum(item.repeats for item in items)


@given(ITEMS, SIZES)
def test_buckets_never_mix(items: list[Item], size: int):
    order = Order(items, size, 0)
    for batch in epoch(order, 0):
        assert 1 <= len(batch) <= size
        assert len({items[example].bucket for example in batch}) == 1


@given(ITEMS, SIZES)
def test_only_the_last_batch_of_a_bucket_is_smaller(items: list[Item], size: int):
    per_bucket: Counter[object] = Counter()
    for batch in epoch(Order(items, size, 3), 2):
        per_bucket[items[batch[0]].bucket] += len(batch) < size
    assert all(count <= 1 for count in per_bucket.values())


@given(ITEMS, SIZES, st.randoms(use_true_random=False))
def test_random_access_gives_what_one_gets_in_a_row(items: list[Item], size: int, dice: Random):
    steps = list(range(3 * Order(items, size, 5).steps_per_epoch))
    one_by_one = Order(items, size, 5)
    in_a_row = [one_by_one.at(step) for step in steps]
    dice.shuffle(steps)
    order = Order(items, size, 5)
    assert all(order.at(step) == in_a_row[step] for step in steps)


def test_epochs_and_seeds_differ():
    items = [Item((64, 64)) for _ in range(20)]
    assert epoch(Order(items, 4, 0), 0) != epoch(Order(items, 4, 0), 1)
    assert epoch(Order(items, 4, 0), 0) != epoch(Order(items, 4, 1), 0)


def test_repeats_of_a_picture_are_told_apart():
    order = Order([Item((64, 64), repeats=6)], 2, 0)
    assert sorted(slot.repeat for step in range(3) for slot in order.at(step).slots) == list(range(6))


@given(ITEMS, st.lists(st.sampled_from(((64, 64), (32, 128), (16, 16))), min_size=1, max_size=12), SIZES)
def test_matched_pictures_are_as_many_as_the_others_and_come_in_turn(items: list[Item], pool: list[tuple[int, int]], size: int):
    matched = [Item(bucket, matched=True) for bucket in pool]
    order = Order([*items, *matched], size, 9)
    seen: Counter[int] = Counter()
    for number in range(12):
        batches = epoch(order, number)
        regular = [example for batch in batches for example in batch if example >= len(items)]
        assert len(regular) == sum(item.repeats for item in items)
        assert all(len({[*items, *matched][example].bucket for example in batch}) == 1 for batch in batches)
        seen.update(regular)
    for bucket in set(pool):
        counts = [seen[len(items) + at] for at, own in enumerate(pool) if own == bucket]
        assert max(counts) - min(counts) <= 1


@pytest.mark.parametrize("size", [1, 3])
def test_matched_pictures_are_told_apart_too(size: int):
    order = Order([Item((64, 64), repeats=7), Item((64, 64), matched=True), Item((64, 64), matched=True)], size, 0)
    for number in range(3):
        first = number * order.steps_per_epoch
        slots = [slot for step in range(order.steps_per_epoch) for slot in order.at(first + step).slots]
        assert len(set(slots)) == len(slots)
