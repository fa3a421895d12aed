"""What does the ledger tell? Runs, results and events, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

State = Literal["new", "running", "paused", "waiting", "done", "failed", "cancelled"]
STATES: tuple[State, ...] = get_args(State)
ENDED: tuple[State, ...] = ("done", "failed", "cancelled")  # without a resume, nothing more happens


@dataclass(frozen=True, kw_only=True)
class NewRun:
    """What a run is asked to do."""

    recipe: Mapping[str, Any]  # as JSON, frozen: no seed is left to be drawn
    values: Mapping[str, Any] = field(default_factory=dict)  # of the recipe's inputs, without pictures
    pictures: Mapping[str, str] = field(default_factory=dict)  # input or file name → sha256
    backends: tuple[str, ...] = ()  # as the user named them; never with a password
    folder: str = ""  # where the final pictures go; '' for nowhere
    confirmed: bool = False  # that it may be larger than is likely meant


@dataclass(frozen=True, kw_only=True)
class Run(NewRun):
    """A run as the ledger knows it."""

    id: str
    state: State
    message: str  # why it failed, or what it waits for
    created: float  # seconds since 1970
    updated: float
    pinned: bool = False

    @property
    def name(self) -> str:
        """The recipe's name."""
        return str(self.recipe.get("name", ""))


@dataclass(frozen=True, kw_only=True)
class StoredPicture:
    """A picture whose bytes lie among the blobs."""

    blob: str  # sha256 of the PNG file
    size: int  # bytes
    infotext: str = ""
    seed: int | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StoredFile:
    """A file that an export made."""

    blob: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a stage instance gave, for ever under its key."""

    key: str
    type: str
    pictures: tuple[StoredPicture, ...]
    reason: str = ""  # why there are no pictures
    files: Mapping[str, StoredFile] = field(default_factory=dict)  # path under the output folder → file
    parts: Mapping[str, Any] = field(default_factory=dict)  # what entered the key
    backend: str = ""  # class of the backend that made it; '' for what is made here
    seconds: float = 0.0
    cost: float = 0.0  # megapixels × steps
    unusual: bool = False  # gave another number of pictures than planned
    made: float = 0.0  # seconds since 1970

    def blobs(self) -> dict[str, int]:
        """Every blob that the result needs, with its size in bytes."""
        return {stored.blob: stored.size for stored in (*self.pictures, *self.files.values())}


NodeState = Literal["planned", "running", "done", "failed", "left out"]


@dataclass(frozen=True, kw_only=True)
class NodeRecord:
    """A stage instance of a run, as last planned."""

    key: str
    stage: str  # the id in the recipe
    place: str  # which of the stage's instances: the same after an edit, so that two runs can be compared
    state: NodeState = "planned"
    message: str = ""
    pictures: tuple[str, ...] = ()  # blobs


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened in a run; ids grow."""

    id: int
    run: str
    at: float
    kind: str  # see events.KINDS
    data: Mapping[str, Any]
