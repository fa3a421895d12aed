"""How long will the rest take? Learnt from stages that ran: seconds per megapixel·step, for each class of backend and type of stage."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from lib_extension.plan.graph import Node, Plan
from lib_extension.runs.database import Database
from lib_extension.runs.records import Result
from lib_extension.stages.picture_settings import ASSUMED_PIXELS

_ENOUGH = 0.1  # of a call's steps, to tell its pace by
_FADE = 0.7  # what a stage before counts for against the latest one: a machine's load changes, and three stages show it


@dataclass(frozen=True)
class Timing:
    """Fading sums over the stages of one type that one class of backends made."""

    count: float
    cost: float  # megapixels × steps
    seconds: float

    def estimate(self, cost: float) -> float:
        """Seconds for a stage of this cost; the mean where costs say nothing, as for masks and sheets."""
        if cost > 0 and self.cost > 0:
            return self.seconds / self.cost * cost
        return self.seconds / self.count


@dataclass(frozen=True)
class Left:
    """A stage instance that has yet to run."""

    type: str
    cost: float
    backend: str  # class of the backend that will make it; '' for what is made here


class Costs:
    """Megapixels × steps of a plan's stages. Where a stage draws as large as what it takes, that is looked up in the plan."""

    def __init__(self, plan: Plan) -> None:
        self._nodes = plan.by_key
        self._pixels: dict[str, float] = {}

    def of(self, node: Node) -> float:
        """Of one instance."""
        return cost_of(node, self._taken(node))

    def _taken(self, node: Node) -> float:
        """Pixels of what it takes; 0 where that is not known, as of pictures that come in."""
        maker = self._nodes.get(node.taken[0].key) if node.taken else None
        return 0.0 if maker is None else self._given(maker)

    def _given(self, node: Node) -> float:
        if node.key not in self._pixels:
            own = getattr(node.stage, "width", 0) * getattr(node.stage, "height", 0)
            self._pixels[node.key] = own or self._taken(node) * getattr(node.stage, "scale", 1.0) ** 2
        return self._pixels[node.key]


def cost_of(node: Node, pixels_taken: float) -> float:
    """Megapixels × steps of a stage instance that works on a picture of so many pixels; 0: not known."""
    cost = node.type.cost(node.stage)
    has_own_size = getattr(node.stage, "width", 0) and getattr(node.stage, "height", 0)
    return cost if has_own_size or not pixels_taken else cost * pixels_taken / ASSUMED_PIXELS


class Timings:
    """What the ledger knows of how long stages take."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def known(self) -> dict[tuple[str, str], Timing]:
        """(class of the backend, stage type) → timing."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT backend, type, count, cost, seconds FROM timings").fetchall()
        return {(backend, kind): Timing(count, cost, seconds) for backend, kind, count, cost, seconds in rows}


def learn(connection: sqlite3.Connection, result: Result) -> None:
    """Add a result's time to what is known, inside a transaction.

    The very first of its kind may have loaded the model: where the second is quicker, it alone counts, as if there had been two of it.
    """
    kind = (result.backend, result.type)
    row = connection.execute("SELECT count, cost, seconds FROM timings WHERE backend = ? AND type = ?", kind).fetchone()
    new = Timing(1, result.cost, result.seconds)
    known = Timing(*row) if row is not None else None
    if known is None:
        told = new
    elif known.count == 1 and new.estimate(known.cost) < known.seconds:
        told = Timing(2, 2 * new.cost, 2 * new.seconds)
    else:
        told = Timing(*(_FADE * getattr(known, name) + getattr(new, name) for name in ("count", "cost", "seconds")))
    connection.execute("INSERT OR REPLACE INTO timings (backend, type, count, cost, seconds) VALUES (?, ?, ?, ?, ?)", (*kind, *_row(told)))


class Paces:
    """How quick are the calls at work, by how their steps go on? What came before the first step, such as loading a model, counts not."""

    def __init__(self) -> None:
        self._first: dict[str, tuple[float, float]] = {}  # key → when a share was first told, and which

    def look(self, shares: Mapping[str, float], now: float) -> dict[str, float]:
        """Key → seconds that the whole of it takes, of those of which enough was seen. `shares`: of all calls at work, 0 to 1."""
        self._first = {key: self._first.get(key, (now, share)) for key, share in shares.items() if share > 0}
        seen = {key: (now - at, shares[key] - share) for key, (at, share) in self._first.items()}
        return {key: seconds / share for key, (seconds, share) in seen.items() if share >= _ENOUGH and seconds > 0}


Known = Mapping[tuple[str, str], Timing]  # by the class of the backend and the type of the stage
_NO_PACES: Known = {}


def seconds_left(left: Iterable[Left], known: Known, side_by_side: int = 1, paces: Known = _NO_PACES) -> float | None:
    """Seconds until all of these are done by so many backends; None where nothing that draws was timed yet.

    By what stages of their kinds took, and until there are two of a kind (the first may have loaded the model) by `paces`, how quick those
    are that are at work; then by any other that draws. What draws nothing and was never timed is quick beside it, and left out.
    """
    total, timed, untimed = 0.0, False, False
    for node in left:
        timing = _timing(node, known, paces)
        if timing is not None:
            total, timed = total + timing.estimate(node.cost), timed or bool(node.backend)
        elif node.cost > 0:
            return None
        else:
            untimed = untimed or bool(node.backend)
    return None if untimed and not timed else total / max(1, side_by_side)


def _timing(node: Left, known: Known, paces: Known) -> Timing | None:
    """Of stages like this; what draws nothing may have been made by the engine that helps a WebUI."""
    found = known.get((node.backend, node.type))
    if node.cost > 0:
        is_sure = found is not None and found.count > 1
        return found if is_sure else paces.get((node.backend, node.type)) or _drawing(node, paces) or found or _drawing(node, known)
    return found or next((timing for (_, type), timing in known.items() if type == node.type), None)


def _drawing(node: Left, known: Known) -> Timing | None:
    """Of all that its backend drew: steps cost much the same, whatever they begin with."""
    drew = [timing for (backend, _), timing in known.items() if backend == node.backend and timing.cost > 0]
    return Timing(*(sum(getattr(one, name) for one in drew) for name in ("count", "cost", "seconds"))) if drew else None


def _row(timing: Timing) -> tuple[float, float, float]:
    return timing.count, timing.cost, timing.seconds
