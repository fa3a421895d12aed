"""Which pictures look alike? Clusters of those whose hashes differ in a few bits only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from trainer.dataset.facts import Facts

_BLOCK = 1024
_COLOURS = 14.0  # mean difference of 8x8 pixels, of 255: a red mug and a blue one have the same shape, and are two pictures


def clusters(facts: Sequence[Facts], alike: int) -> list[list[int]]:
    """Groups of two or more, by their places in `facts`; each group in order, the groups by their first.

    `alike`: how many of the 64 bits of each hash may differ. A group is a chain: each of its pictures is like one other of it.
    """
    parents = list(range(len(facts)))

    def root(place: int) -> int:
        while parents[place] != place:
            parents[place] = parents[parents[place]]
            place = parents[place]
        return place

    for one, other in _pairs(facts, alike):
        first, second = sorted((root(one), root(other)))
        parents[second] = first
    groups: dict[int, list[int]] = {}
    for place in range(len(facts)):
        groups.setdefault(root(place), []).append(place)
    return [group for group in groups.values() if len(group) > 1]


def _pairs(facts: Sequence[Facts], alike: int) -> Iterator[tuple[int, int]]:
    if not facts:
        return
    gradients = np.array([one.gradient_hash for one in facts], np.uint64)  # N
    cosines = np.array([one.cosine_hash for one in facts], np.uint64)  # N
    digests = np.frombuffer(b"".join(one.digest for one in facts), np.uint8).reshape(len(facts), -1).astype(np.int16)  # N 192
    for start in range(0, len(facts), _BLOCK):
        rows = slice(start, start + _BLOCK)
        near = np.bitwise_count(gradients[rows, None] ^ gradients[None, start:]) <= alike
        near &= np.bitwise_count(cosines[rows, None] ^ cosines[None, start:]) <= alike
        for row, column in np.argwhere(near):
            one, other = start + int(row), start + int(column)
            if one < other and np.abs(digests[one] - digests[other]).mean() <= _COLOURS:
                yield one, other
