"""Which pictures look alike? Clusters of those whose hashes differ in a few bits only."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trainer.dataset.facts import Facts

_COLOURS = 14.0  # mean difference of 8x8 pixels, of 255: a red mug and a blue one have the same shape, and are two pictures


def clusters(facts: Sequence[Facts], alike: int) -> list[dict[int, int]]:
    """Groups of two or more, by their places in `facts`: each picture with the one that it is like, the first of all with itself.

    `alike`: how many of the 64 bits of each hash may differ. A group is a chain: of what a picture is like, going on from there, one
    comes to the first by as few steps as can be.
    """
    rest = _of(facts)
    groups = []
    while rest.places.size:
        first = int(rest.places[0])
        rest = rest.only(slice(1, None))
        group, waiting = {first: first}, deque([first])
        while waiting and rest.places.size:
            one = waiting.popleft()
            near = rest.near(facts[one], alike)
            if near.any():
                found = [int(place) for place in rest.places[near]]
                group |= dict.fromkeys(found, one)
                waiting += found
                rest = rest.only(~near)
        if len(group) > 1:
            groups.append(group)
    return groups


@dataclass(frozen=True)
class _Rest:
    """Those that are in no group yet."""

    places: np.ndarray  # N
    gradients: np.ndarray  # N
    cosines: np.ndarray  # N
    digests: np.ndarray  # N 192

    def only(self, which: slice | np.ndarray) -> _Rest:
        return _Rest(self.places[which], self.gradients[which], self.cosines[which], self.digests[which])

    def near(self, one: Facts, alike: int) -> np.ndarray:
        """Which of them are like it."""
        near = np.bitwise_count(self.gradients ^ np.uint64(one.gradient_hash)) <= alike
        near &= np.bitwise_count(self.cosines ^ np.uint64(one.cosine_hash)) <= alike
        some = np.flatnonzero(near)
        if some.size:
            digest = np.frombuffer(one.digest, np.uint8).astype(np.int16)
            near[some] = np.abs(self.digests[some] - digest).mean(1) <= _COLOURS
        return near


def _of(facts: Sequence[Facts]) -> _Rest:
    return _Rest(
        np.arange(len(facts)),
        np.array([one.gradient_hash for one in facts], np.uint64),
        np.array([one.cosine_hash for one in facts], np.uint64),
        np.frombuffer(b"".join(one.digest for one in facts), np.uint8).reshape(len(facts), -1 if facts else 0).astype(np.int16),
    )
