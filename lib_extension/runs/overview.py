"""How do runs look from afar? Counts, a cover and pages of pictures, by a few questions to the ledger, however many stages a run has."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import ENDED, Run, State
from lib_extension.stages.types import STAGES

_GUIDES = tuple(type.name for type in STAGES.values() if type.guides)
_COUNTED = 500  # ended runs whose counts are remembered: nothing changes them any more


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which runs somebody wants to see."""

    search: str = ""  # in the id, the recipe and its inputs
    recipe: str = ""
    states: tuple[State, ...] = ()
    before: str = ""  # id of a run: only those that are older
    limit: int = 50


@dataclass(frozen=True)
class Counts:
    """Of the stage instances of a run, or of one of its stages."""

    total: int = 0
    done: int = 0
    failed: int = 0
    left_out: int = 0  # they need what failed
    running: int = 0
    seconds: float = 0.0  # that those took which were made since the run began

    @property
    def left(self) -> int:
        """What has yet to be made."""
        return self.total - self.done - self.failed - self.left_out - self.running


@dataclass(frozen=True)
class Seen:
    """A run among others."""

    run: Run
    counts: Counts
    cover: str  # a picture, '' where it has none yet


@dataclass(frozen=True)
class Shown:
    """A picture of a run."""

    blob: str
    key: str
    stage: str
    place: str
    index: int  # among the pictures of its key
    seed: int | None

    @property
    def first_item(self) -> int:
        """From 0."""
        return _item_of(self.place)


@dataclass(frozen=True)
class Undecided:
    """A review whose pictures are there, and that nobody has decided."""

    key: str
    stage: str
    place: str

    @property
    def first_item(self) -> int:
        """From 0."""
        return _item_of(self.place)


class Overview:
    """Of one ledger. Safe for many threads."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database
        self._known: dict[tuple[str, float], tuple[Counts, str]] = {}  # (run, when it changed) → counts and cover

    def runs(self, asked: Asked) -> list[Seen]:
        """The newest first."""
        found = self._ledger.runs.search(asked.search, asked.recipe, asked.states, asked.before, asked.limit)
        return [Seen(run, *self._counts_and_cover(run)) for run in found]

    def stages(self, run: Run) -> dict[str, Counts]:
        """By the ids of those stages that are planned."""
        living = self._ledger.claims.living()
        with self._database.read() as connection:
            return dict(_counted(connection, run, living))

    def undecided(self, run: Run, stages: Collection[str]) -> list[Undecided]:
        """Of the review stages with these ids, in the order of the plan."""
        if not stages:
            return []
        marks = ",".join("?" * len(stages))
        question = (
            "SELECT nodes.key, stage, place FROM nodes JOIN results ON results.key = nodes.key"
            f" WHERE run = ? AND stage IN ({marks}) ORDER BY position"
        )
        with self._database.read() as connection:
            decided = {key for (key,) in connection.execute("SELECT DISTINCT key FROM choices")}
            return [Undecided(*row) for row in connection.execute(question, (run.id, *stages)) if row["key"] not in decided]

    def pictures(self, run: Run, stages: Sequence[str], after: int, limit: int) -> list[Shown]:
        """Of these stages, in the order in which they were made, without the first `after`."""
        marks = ",".join("?" * len(stages))
        question = (
            "SELECT blob, nodes.key, stage, place, number, seed FROM nodes JOIN results ON results.key = nodes.key"
            f" JOIN pictures ON pictures.key = nodes.key WHERE run = ? AND stage IN ({marks})"
            " ORDER BY made, position, number LIMIT ? OFFSET ?"
        )
        with self._database.read() as connection:
            return [Shown(*row) for row in connection.execute(question, (run.id, *stages, limit, after))]

    def _counts_and_cover(self, run: Run) -> tuple[Counts, str]:
        known = self._known.get((run.id, run.updated))
        if known is not None:
            return known
        living = self._ledger.claims.living() if run.state not in ENDED else set[str]()
        with self._database.read() as connection:
            counts = _sum(counts for _, counts in _counted(connection, run, living))
            cover = _cover(connection, run.id)
        if run.state in ENDED:
            kept = list(self._known.items())[1 - _COUNTED :]
            self._known = {**dict(kept), (run.id, run.updated): (counts, cover)}
        return counts, cover


def _counted(connection: sqlite3.Connection, run: Run, living: Collection[str]) -> Iterable[tuple[str, Counts]]:
    question = (
        "SELECT stage, state, results.key IS NOT NULL AS done, count(*) AS count,"
        " sum(CASE WHEN made >= ? THEN seconds ELSE 0 END) AS seconds FROM nodes LEFT JOIN results ON results.key = nodes.key"
        " WHERE run = ? GROUP BY stage, state, results.key IS NOT NULL"
    )
    found: dict[str, Counter[str]] = {}
    seconds: Counter[str] = Counter()
    for row in connection.execute(question, (run.created, run.id)):
        counter = found.setdefault(row["stage"], Counter())
        counter["total"] += row["count"]
        counter["done" if row["done"] else row["state"]] += row["count"]
        seconds[row["stage"]] += row["seconds"] or 0
    for key in living:
        question = "SELECT stage, state FROM nodes WHERE run = ? AND key = ? AND key NOT IN (SELECT key FROM results)"
        for stage, state in connection.execute(question, (run.id, key)):
            found[stage]["running"] += 1
            found[stage][state] -= 1
    for stage, counter in found.items():
        numbers = (counter["total"], counter["done"], counter["failed"], counter["left out"], counter["running"])
        yield stage, Counts(*numbers, float(seconds[stage]))


def _sum(each: Iterable[Counts]) -> Counts:
    listed = [(one.total, one.done, one.failed, one.left_out, one.running, one.seconds) for one in each]
    return Counts(*(sum(numbers) for numbers in zip(*listed, strict=True)))


def _cover(connection: sqlite3.Connection, run_id: str) -> str:
    """The first picture of the last stage instance that has one; a mask or a map only where there is nothing else."""
    question = (
        "SELECT blob FROM nodes JOIN results ON results.key = nodes.key JOIN pictures ON pictures.key = nodes.key WHERE run = ?"
        f" ORDER BY results.type IN ({','.join('?' * len(_GUIDES))}), position DESC, number LIMIT 1"
    )
    row = connection.execute(question, (run_id, *_GUIDES)).fetchone()
    return row["blob"] if row else ""


def _item_of(place: str) -> int:
    """Of a node's place, such as "refine/3/0"."""
    return int(place.split("/")[1])
