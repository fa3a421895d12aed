"""What can run now? The plan's stages by what they wait for, and which of them a free backend should take next.

A backend stays with a checkpoint as long as there is work for it; then it takes the checkpoint of the earliest stage, and rather one
that no other backend has at work. Nothing here knows of threads, time or disks.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection
from dataclasses import dataclass, field

from lib_extension.backend.backend import Backend
from lib_extension.plan.graph import Node, Plan


@dataclass(eq=False)
class Lane:
    """One of those that carry out stages: a backend, the helper, or ourselves."""

    name: str
    backend: Backend | None  # None: here
    helper: bool = False  # answers what needs a network, and makes no pictures
    checkpoint: str | None = None  # of the last stage that it took
    at_work: Node | None = None
    lost: str = ""  # why it is out for the rest of the run
    ready: dict[str | None, list[tuple[int, str]]] = field(default_factory=dict)  # checkpoint → heap of (position, key)

    @property
    def local(self) -> bool:
        """Does only what asks no backend."""
        return self.backend is None


class Course:
    """The plan's stages that are not done, and the lanes for them. `free` need nothing more, and are to be offered first."""

    def __init__(self, plan: Plan, lanes: Collection[Lane], done: Collection[str]) -> None:
        self._nodes = plan.by_key
        self._position = {node.key: i for i, node in enumerate(plan.nodes)}
        self._lanes = tuple(lanes)
        self._refused: dict[tuple[str, str], str] = {}  # (lane, digest of settings) → why
        self._for_helper: set[str] = set()  # digests of settings
        self._ready: set[str] = set()
        self._waits: dict[str, int] = {}
        self._dependants: dict[str, list[str]] = {}
        self.left = {node.key for node in plan.nodes if node.key not in done}
        for lane in self._lanes:
            lane.ready.clear()
        for node in plan.nodes:
            if node.key in self.left:
                needs = [key for key in node.needs if key in self.left]
                self._waits[node.key] = len(needs)
                for key in needs:
                    self._dependants.setdefault(key, []).append(node.key)
        self.free = [key for key, count in self._waits.items() if not count]

    def offer(self, key: str) -> str:
        """The stage can run now, or once more. Why no lane can take it, '' where one can."""
        node = self._nodes[key]
        able = [lane for lane in self._lanes if self._suits(lane, node)]
        for lane in able:
            heapq.heappush(lane.ready.setdefault(node.checkpoint, []), (self._position[key], key))
        if able:
            self._ready.add(key)
            return ""
        reasons = (self._refused.get((lane.name, node.entered.digest), "") for lane in self._lanes)
        return " ".join(dict.fromkeys(filter(None, reasons))) or "There is no backend that could make it."

    def refuse(self, lane: Lane, node: Node, reason: str, for_helper: bool) -> None:
        """The lane lacks something that the stage needs, and so lacks it for all stages with the same settings."""
        self._refused[lane.name, node.entered.digest] = reason
        if for_helper:
            self._for_helper.add(node.entered.digest)

    def take(self, lane: Lane) -> Node | None:
        """The stage that the lane should do next; it is not ready any more."""
        heaps = {checkpoint: heap for checkpoint, heap in lane.ready.items() if self._clean(heap)}
        lane.ready = heaps
        if not heaps:
            return None
        elsewhere = {other.checkpoint for other in self._lanes if other is not lane and other.at_work}
        checkpoint = min(heaps, key=lambda name: (name != lane.checkpoint, name in elsewhere, heaps[name][0]))
        _, key = heapq.heappop(heaps[checkpoint])
        self._ready.discard(key)
        return self._nodes[key]

    def made(self, key: str) -> list[str]:
        """The stage's pictures are there; the keys of those that can run by that."""
        if key not in self.left:
            return []
        self.left.discard(key)
        self._ready.discard(key)
        free = []
        for dependant in self._dependants.get(key, ()):
            self._waits[dependant] -= 1
            if not self._waits[dependant] and dependant in self.left:
                free.append(dependant)
        return free

    def fail(self, key: str) -> list[str]:
        """The stage will not be made: the keys of those that need it, and so will not be either."""
        self.left.discard(key)
        self._ready.discard(key)
        out: dict[str, None] = {}
        ways = list(self._dependants.get(key, ()))
        while ways:
            dependant = ways.pop()
            if dependant in self.left:
                self.left.discard(dependant)
                out[dependant] = None
                ways += self._dependants.get(dependant, ())
        return list(out)

    def ready(self) -> bool:
        """Whether anything could run now, if its lanes were free and well."""
        return bool(self._ready)

    def stuck(self) -> bool:
        """Whether all that could run now could only run on lanes that are lost."""
        return self.ready() and not any(self._clean(heap) for lane in self._lanes if not lane.lost for heap in lane.ready.values())

    def _suits(self, lane: Lane, node: Node) -> bool:
        if lane.local or node.type.local(node.stage):
            return lane.local and node.type.local(node.stage)
        if lane.helper and node.entered.digest not in self._for_helper:
            return False
        return (lane.name, node.entered.digest) not in self._refused

    def _clean(self, heap: list[tuple[int, str]]) -> bool:
        """Whether the heap holds anything, after what another lane took is out of its way."""
        while heap and heap[0][1] not in self._ready:
            heapq.heappop(heap)
        return bool(heap)
