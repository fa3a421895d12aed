"""How does a run stand while it is carried out? Its plan, what is at work, what failed, and what it comes to a halt with; in memory."""

from __future__ import annotations

from lib_extension.plan.graph import Node, Plan
from lib_extension.runs.course import Course, Lane
from lib_extension.runs.planning import Planned
from lib_extension.runs.records import State
from lib_extension.runs.store import Made
from lib_extension.runs.telling import Telling

_NOTHING = Plan((), (), (), (), (), ())
_BECAUSE = 'It needs "{}", which failed.'


class Standing:
    """Changed by the run's own thread alone; `done` and `left` are for all."""

    def __init__(self, lanes: tuple[Lane, ...], telling: Telling) -> None:
        self.planned = Planned(_NOTHING, frozenset())
        self.course = Course(_NOTHING, lanes, ())
        self.failed: dict[str, str] = {}  # key → why
        self.left_out: dict[str, str] = {}  # key → because of what
        self.open: set[str] = set()  # keys that were handed out, and are neither on the disk nor given back
        self.made: dict[str, Made] = {}  # of those, what is at hand
        self.elsewhere: set[str] = set()  # keys that others have claimed
        self.stale = False  # facts have changed that the plan does not know
        self.stop: State | None = None  # the state that it comes to a halt with
        self._message = ""  # and why
        self._lanes = lanes
        self._telling = telling

    @property
    def done(self) -> int:
        """How many stages have their pictures."""
        nodes = self.planned.plan.by_key
        out = sum(key in nodes for key in (*self.failed, *self.left_out))
        return len(nodes) - len(self.course.left) - out

    def left(self) -> list[Node]:
        """What has yet to be made, as far as it is known."""
        nodes = self.planned.plan.by_key
        return [nodes[key] for key in list(self.course.left) if key in nodes]

    def go_by(self, planned: Planned) -> None:
        """Take a plan in place of the one before; what failed stays so."""
        self.planned = planned
        self.course = Course(planned.plan, self._lanes, planned.done)
        self.left_out = {}
        for key in self.failed:
            node = planned.plan.by_key.get(key)
            self.left_out |= dict.fromkeys(self.course.fail(key), _BECAUSE.format(node.id if node else "a stage"))

    def outdate(self) -> None:
        """Something happened that changes the plan."""
        self.stale = True

    def offer(self, key: str) -> None:
        """The stage can run now, or once more; it fails where no lane can take it."""
        if key not in self.course.left:
            return
        reason = self.course.offer(key)
        if reason:
            self.fail(self.planned.plan.by_key[key], reason)

    def fail(self, node: Node, message: str) -> None:
        """The stage will not be made, nor what needs it."""
        because = _BECAUSE.format(node.id)
        self.failed[node.key] = message
        left_out = self.course.fail(node.key)
        self.left_out |= dict.fromkeys(left_out, because)
        self._telling.failed(node, message, left_out, because)

    def forgive(self, key: str) -> None:
        """Try once more what failed of this stage and of those that it needs; '' for all that failed."""
        nodes = self.planned.plan.by_key
        ways = [key] if key else list(self.failed)
        seen = set(ways)
        while ways:
            one = ways.pop()
            self.failed.pop(one, None)
            needs = [need for need in (nodes[one].needs if one in nodes else ()) if need not in seen]
            seen.update(needs)
            ways += needs
        self.outdate()

    def halt(self, state: State, message: str = "") -> None:
        """Begin nothing more. The first reason stays, but that a cancel goes before a pause."""
        if self.stop is None or (self.stop == "paused" and state != "paused"):
            self.stop, self._message = state, message

    def ending(self) -> tuple[State, str]:
        """The state that the run is left in, and why."""
        if self.stop is not None:
            return self.stop, self._message
        undecided = self.planned.undecided
        if undecided:
            ids = ", ".join(dict.fromkeys(node.id for node in undecided))
            return "waiting", f"{'A choice is' if len(undecided) == 1 else f'{len(undecided)} choices are'} to be made: {ids}"
        if self.failed:
            return "failed", self._what_failed()
        return "done", ""

    def _what_failed(self) -> str:
        key, why = next(iter(self.failed.items()))
        node = self.planned.plan.by_key.get(key)
        one = len(self.failed) == 1
        counts = ("A stage" if one else f"{len(self.failed)} stages") + " failed"
        if self.left_out:
            counts += f", {len(self.left_out)} that need {'it' if one else 'them'} did not run"
        which = f"{'' if one else 'The first, '}{node.place}: " if node else ""
        return f"{counts}. {which}{why}"
