"""What is a plan? Every instance of every stage as a node with its key, and what cannot be planned yet and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from lib_extension.plan.keys import Entered
from lib_extension.stages.stage import StageType

BLOB = "blob:"  # begins the key of a picture that comes in; its sha256 follows


@dataclass(frozen=True)
class Source:
    """One picture: the key of the node that gives it and its index there, or "blob:<sha256>" for one that comes in."""

    key: str
    index: int = 0

    @property
    def text(self) -> str:
        """As it stands in keys."""
        return f"{self.key}#{self.index}"

    @property
    def blob(self) -> str:
        """The sha256 of a picture that comes in, '' for one that a node gives."""
        return self.key[len(BLOB) :] if self.key.startswith(BLOB) else ""


@dataclass(frozen=True, eq=False)
class Node:
    """One instance of a stage. Items that need the same one share it."""

    key: str
    stage: Any  # the type's settings, variables filled in
    type: StageType
    items: tuple[int, ...]  # indexes into Plan.items
    taken: tuple[Source, ...]
    others: Mapping[str, Source]  # pictures that the settings name, by that name, in the order of StageType.references
    labels: tuple[Mapping[str, Any], ...]  # as stages.stage.Given says
    seed: int  # 0 for a type without one
    count: int  # pictures that it gives: as found when it is done (Facts.counts), else as its type expects
    checkpoint: str | None  # that the stage names; None: the one that the backend has loaded
    position: int  # of the taken picture among those that the stage takes of the item; 0 for a node that takes all or none
    entered: Entered  # what of its type, settings, files and backend is in the key; nodes share it

    @property
    def id(self) -> str:
        """The stage's id in the recipe."""
        return self.stage.id

    @property
    def settings(self) -> Mapping[str, Any]:
        """What entered the key but the seed and the sources: flat path → JSON value."""
        return self.entered.flat

    @property
    def place(self) -> str:
        """Where in the recipe the node stands, "refine/3/0": stage, first item, position. An edited node keeps its place."""
        return f"{self.stage.id}/{self.items[0]}/{self.position}"

    @property
    def needs(self) -> tuple[str, ...]:
        """Keys of the nodes that must be done first, each once."""
        return tuple(dict.fromkeys(source.key for source in (*self.taken, *self.others.values()) if not source.blob))

    @property
    def parts(self) -> dict[str, Any]:
        """All that entered the key, as flat path → JSON value: what the ledger keeps, and explain compares."""
        parts = {**self.settings, "seed": self.seed}
        parts |= {f"takes.{i}": source.text for i, source in enumerate(self.taken)}
        parts |= {f"uses.{name}": source.text for name, source in self.others.items()}
        if labels := labels_in_key(self.type, self.labels):
            parts |= {f"labels.{i}.{name}": value for i, label in enumerate(labels) for name, value in label.items()}
        return parts


def labels_in_key(type: StageType, labels: tuple[Mapping[str, Any], ...]) -> tuple[Mapping[str, Any], ...]:
    """A sheet or an export shows the labels; a stage that works on each picture by itself, and a choice, do not depend on them."""
    return labels if type.takes == "all" and not is_review(type) else ()


def is_review(type: StageType) -> bool:
    """A review passes on what it takes, as it is: it is the one type that the plan must know."""
    return type.name == "review"


@dataclass(frozen=True)
class Item:
    """One pass through the recipe: a row together with one value of each axis."""

    index: int
    values: Mapping[str, Any]  # variable → value, inputs' included
    paths: Mapping[str, Any]  # stages.<id>.<field>… → value that the row and the axes set there


@dataclass(frozen=True)
class Waiting:
    """A stage of some items that cannot be planned before choices are made."""

    stage: str
    items: tuple[int, ...]
    reviews: tuple[str, ...]  # ids of the undecided review stages


@dataclass(frozen=True)
class LeftOut:
    """A stage of some items that makes nothing, and why."""

    stage: str
    items: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class Final:
    """A picture that no other stage takes: what the recipe is for."""

    stage: str
    items: tuple[int, ...]
    source: Source


@dataclass(frozen=True)
class Facts:
    """What is known from the ledger and from the backend when a plan is made."""

    counts: Mapping[str, int] = field(default_factory=dict)  # key of a finished node → how many pictures it gave
    choices: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # key of a review → indexes into what it takes, in this order
    # (kind, name) → hash or other identity of the file; kinds: checkpoint (name '': the one in use), vae, lora, controlnet, upscaler,
    # embedding, style, network (that finds masks).
    identities: Callable[[str, str], str] = lambda kind, name: ""
    embeddings: Callable[[str], tuple[str, ...]] = lambda prompt: ()  # names of the textual inversions that a prompt may mean
    backend: str = ""  # class of the backend: software and version, kind of device, precision


@dataclass(frozen=True, eq=False)
class Plan:
    """Every node that is known, in an order in which each comes after those that it needs."""

    items: tuple[Item, ...]
    nodes: tuple[Node, ...]
    pending: tuple[Node, ...]  # reviews among the nodes that nobody has decided
    waiting: tuple[Waiting, ...]  # what comes after them
    left_out: tuple[LeftOut, ...]
    finals: tuple[Final, ...]  # in the order of the stages, then of the items

    @cached_property
    def by_key(self) -> Mapping[str, Node]:
        """The nodes, by key."""
        return {node.key: node for node in self.nodes}
