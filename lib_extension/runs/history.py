"""Which seeds and scores stand behind a picture? Of all stages that it came from, told with the files that are handed on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from lib_extension.plan.graph import Node, Plan, Source, is_review
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Result

_MOST = 200  # pictures behind one; a sheet of thousands has its recipe, from which they follow
_JUDGED = ("scores", "overall", "networks")  # of what a review says of a picture


class History:
    """Of the pictures of one plan."""

    def __init__(self, plan: Plan, ledger: Ledger) -> None:
        self._nodes = plan.by_key
        self._ledger = ledger
        self._results: dict[str, Result | None] = {}

    def of(self, source: Source) -> dict[str, Any]:
        """`seeds`: stage → seeds of the pictures behind this one, itself included; `scores`: review → what it said of them."""
        seeds: dict[str, list[int]] = {}
        scores: dict[str, list[dict[str, Any]]] = {}
        for one, node in self._behind(source):
            seed = self._seed(one, node)
            if seed is not None and seed not in seeds.setdefault(node.id, []):
                seeds[node.id].append(seed)
            for review, said in self._judgements.get(one, ()):
                scores.setdefault(review, []).append(said)
        return {"seeds": seeds, "scores": scores}

    def _behind(self, source: Source) -> Iterator[tuple[Source, Node]]:
        """Each once, the nearest first."""
        seen = {source}
        waiting = [source]
        for one in waiting:  # which grows meanwhile
            node = self._nodes.get(one.key)
            if node is None:
                continue  # a picture that was handed in
            yield one, node
            for further in (*node.taken, *node.others.values()):
                if further not in seen and len(seen) < _MOST:
                    seen.add(further)
                    waiting.append(further)

    def _seed(self, source: Source, node: Node) -> int | None:
        """As the backend told it: of several pictures at once each has its own."""
        if not node.type.seeded or not node.type.cost(node.stage):
            return None  # an upscaler draws nothing: its picture only hands on a seed
        result = self._result(source.key)
        told = result.pictures[source.index].seed if result and source.index < len(result.pictures) else None
        return node.seed if told is None else told

    @cached_property
    def _judgements(self) -> dict[Source, list[tuple[str, dict[str, Any]]]]:
        """(review, what it said) of each picture that one has looked at."""
        found: dict[Source, list[tuple[str, dict[str, Any]]]] = {}
        for node in self._nodes.values():
            result = self._result(node.key) if is_review(node.type) else None
            for source, picture in zip(node.taken, result.pictures, strict=False) if result else ():
                said = {name: picture.facts[name] for name in _JUDGED if name in picture.facts}
                if said:
                    found.setdefault(source, []).append((node.id, said))
        return found

    def _result(self, key: str) -> Result | None:
        if key not in self._results:
            self._results[key] = self._ledger.results.get(key)
        return self._results[key]
