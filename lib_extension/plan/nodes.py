"""Which nodes does a plan have so far? Equal ones are one, shared by their items; more than is likely meant is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from lib_extension.plan.filling import Filled
from lib_extension.plan.graph import BLOB, Facts, Item, Node, Source, labels_in_key
from lib_extension.plan.keys import node_key
from lib_extension.plan.lineage import Slot
from lib_extension.plan.seeds import node_seed
from lib_extension.spec.errors import TooLarge

UNCONFIRMED_NODES = 100_000
UNCONFIRMED_PICTURES = 500_000
MOST_PICTURES = 5_000_000  # confirmed or not; of all items, shared ones counted for each: their places are held in memory


class Nodes:
    """Collects nodes in the order in which they are added."""

    def __init__(self, facts: Facts, confirm: bool) -> None:
        self._facts = facts
        self._confirm = confirm
        self._nodes: dict[str, Node] = {}
        self._sharing: dict[str, dict[int, None]] = {}  # of nodes that several items need: their indexes
        self._pictures = 0

    def add(
        self, filled: Filled, items: Sequence[Item], taken: Sequence[tuple[Item, Slot]], others: Mapping[str, Source], position: int = 0
    ) -> Node:
        """The node for this work, the one that is there already where another item needs the same. `taken`: with whose labels."""
        stage, type = filled.stage, filled.type
        seed = node_seed(stage, items[0].index, position) if type.seeded else 0
        sources = tuple(slot.source for _, slot in taken if slot.source)
        labels = tuple(label(item, slot) for item, slot in taken)
        texts, other_texts = [source.text for source in sources], [source.text for source in others.values()]
        key = node_key(filled.entered.digest, seed, texts, other_texts, labels_in_key(type, labels))
        indexes = tuple(item.index for item in items)
        if key not in self._nodes:
            count = self._facts.counts.get(key, filled.count(len(taken)))
            self._nodes[key] = Node(
                key=key,
                stage=stage,
                type=type,
                items=indexes,
                taken=sources,
                others=others,
                labels=labels,
                seed=seed,
                count=count,
                checkpoint=getattr(stage, "checkpoint", "") or None,
                position=position,
                entered=filled.entered,
            )
        elif indexes != self._nodes[key].items:
            self._sharing.setdefault(key, dict.fromkeys(self._nodes[key].items)).update(dict.fromkeys(indexes))
        return self._nodes[key]

    def reserve(self, stage: str, instances: int, count: int) -> None:
        """Refuse, before they are made, more instances (each giving `count` pictures) than is likely meant or can be held."""
        nodes = len(self._nodes) + instances
        self._pictures += instances * count
        told = f'With "{stage}" the recipe comes to {nodes:,} stage instances and {self._pictures:,} pictures or more'
        if self._pictures > MOST_PICTURES:
            raise TooLarge(f"{told}; {MOST_PICTURES:,} pictures are the most in one run. Make fewer items or pictures.")
        if (nodes > UNCONFIRMED_NODES or self._pictures > UNCONFIRMED_PICTURES) and not self._confirm:
            raise TooLarge(
                f"{told}. More than {UNCONFIRMED_NODES:,} instances or {UNCONFIRMED_PICTURES:,} pictures must be confirmed: "
                "say so with confirm (on the command line --yes), or make fewer items or pictures."
            )

    def done(self) -> dict[str, Node]:
        """Every node with the items that share it, by key."""
        shared = {key: dataclasses.replace(self._nodes[key], items=tuple(items)) for key, items in self._sharing.items()}
        return self._nodes | shared


def label(item: Item, slot: Slot) -> dict[str, Any]:
    """What is known of a taken picture by name: its item's variables and paths, its stage and its place there."""
    told = {name: None if isinstance(value, str) and value.startswith(BLOB) else value for name, value in item.values.items()}
    return {**told, **item.paths, "stage": slot.stage, "index": slot.position, "item": item.index}
