"""Where does each picture of a run stand in its folder? <nn>-<stage>/<item>-<candidate>.png, by the plan alone.

So a picture has its name before any other is made, and keeps it when another fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from lib_extension.plan.graph import Node, Plan, is_review
from lib_extension.runs.records import Result

_ALL = "all"  # in place of an item's number, for what is one for the whole run


@dataclass(frozen=True)
class Place:
    """Where one picture of a run stands."""

    file: str  # its path in the output folder
    index: int  # among its node's pictures
    blob: str


class Layout:
    """Of one plan."""

    def __init__(self, recipe: Mapping[str, Any], plan: Plan) -> None:
        self._stages = [str(stage["id"]) for stage in recipe["stages"]]
        self._digits = max(3, len(str(len(plan.items))))
        self._first: dict[str, int] = {}  # key → how many pictures of the same stage and item stand before its own
        counts: dict[tuple[str, str], int] = {}
        for node in plan.nodes:
            slot = node.id, self._item(node)
            self._first[node.key] = counts.get(slot, 0)
            counts[slot] = self._first[node.key] + node.count

    def folder(self, stage: str) -> str:
        """Sorted by name, the folders stand in the order of the stages."""
        return f"{self._stages.index(stage) + 1:02}-{stage}"

    def export_folder(self, node: Node) -> str:
        """Where an export's files go. One of each item has a folder of its own: only within one export do all names differ."""
        folder, item = self.folder(node.id), self._item(node)
        return folder if item == _ALL else f"{folder}/{item}"

    def start(self, node: Node) -> str:
        """What the names of the node's pictures begin with and count from: the same as long as they stand where they stood."""
        return f"{self.folder(node.id)}/{self._item(node)}-{self._first[node.key] + 1}"

    def places(self, node: Node, result: Result) -> Iterator[Place]:
        """The files of a node's pictures. None for a review and an export: theirs are those of other stages."""
        if result.files or is_review(node.type):
            return
        for index, picture in enumerate(result.pictures):
            yield Place(self.file(node, index), index, picture.blob)

    def file(self, node: Node, index: int) -> str:
        """Of one of a node's pictures."""
        return f"{self.folder(node.id)}/{self._item(node)}-{self._first[node.key] + index + 1}.png"

    def _item(self, node: Node) -> str:
        is_run_wide = getattr(node.stage, "scope", "item") == "run"
        return _ALL if is_run_wide else f"{node.items[0] + 1:0{self._digits}}"
