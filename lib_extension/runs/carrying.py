"""How does one run go from its plan to its pictures? A loop hands out stages, hears what became of them, and plans anew where facts change.

Everything here happens in one thread. Backends work in the executor's threads and the disk in its own; they speak to this loop through
its inbox only.
"""

from __future__ import annotations

import logging
import queue
import time
from collections.abc import Callable
from concurrent.futures import Future

from lib_extension.backend.errors import Failed, Unreachable, WasInterrupted
from lib_extension.plan.graph import Node, Plan, is_review
from lib_extension.runs.blobs import LostBlob
from lib_extension.runs.course import Course, Lane
from lib_extension.runs.node_work import NotHere
from lib_extension.runs.planning import Planned, Planning
from lib_extension.runs.records import State
from lib_extension.runs.retries import Retries
from lib_extension.runs.storage import StorageError
from lib_extension.runs.store import Made
from lib_extension.runs.telling import Telling, told_of
from lib_extension.runs.workforce import Means, Workforce
from lib_extension.spec.errors import AtelierError, Interrupted

_NOTHING = Plan((), (), (), (), (), ())
_LOOK = 0.2  # seconds between two looks at what other processes did and wish
_UNEXPECTED = "An error that should not be ({}); the log tells more."
_log = logging.getLogger(__name__)


class Carrying:
    """One run, while it is carried out."""

    def __init__(self, run_id: str, means: Means) -> None:
        self.run_id = run_id
        self.planned = Planned(_NOTHING, frozenset())
        self.failed: dict[str, str] = {}  # key → why
        self.left_out: dict[str, str] = {}  # key → because of what
        self._ledger = means.ledger
        self._store = means.store
        self._telling = Telling(means.ledger, run_id)
        self._planning = Planning(means.ledger.runs.get(run_id), run_id, means.ledger, means.blobs, means.pool.backends)
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.workforce = Workforce(run_id, means, cancelled=lambda: self._stop in ("cancelled", "failed"))
        self._course = Course(_NOTHING, self.workforce.lanes, ())
        self._retries = Retries(means.patience)
        self._stop: State | None = None  # the state that it comes to a halt with
        self._message = ""
        self._stale = False  # facts have changed that the plan does not know
        self._open: set[str] = set()  # keys that were handed out, and are neither on the disk nor given back
        self._made: dict[str, Made] = {}  # of those, what is at hand
        self._elsewhere: set[str] = set()  # keys that others have claimed
        self._next_look = self._next_plan = 0.0

    def halt(self, state: State) -> None:
        """Come to a halt: "paused" when what is at work is done, "cancelled" without it. From any thread."""
        self._inbox.put(lambda: self._halt(state))

    def look_again(self) -> None:
        """A choice was made. From any thread."""
        self._inbox.put(self._outdate)

    def has_news(self) -> bool:
        """Whether somebody asked for something since it came to its end."""
        return not self._inbox.empty()

    def left(self) -> list[Node]:
        """What has yet to be made, as far as it is known. From any thread."""
        nodes = self.planned.plan.by_key
        return [nodes[key] for key in list(self._course.left) if key in nodes]

    @property
    def done(self) -> int:
        """How many stages have their pictures."""
        nodes = self.planned.plan.by_key
        out = sum(key in nodes for key in (*self.failed, *self.left_out))
        return len(nodes) - len(self._course.left) - out

    def carry_out(self) -> None:
        """Go on until there is nothing to do, and leave the run's state in the ledger. StorageError where not even that can be written."""
        try:
            self._ledger.runs.wish(self.run_id, "")
            self._telling.state("running")
            self._begin()
            self._go_on()
        except AtelierError as error:
            self._break_off(str(error))
        except Exception as error:
            _log.exception("The run %s broke", self.run_id)
            self._break_off(_UNEXPECTED.format(type(error).__name__))
        self._telling.state(*self._ending())

    # The loop

    def _begin(self) -> None:
        if self._ledger.notice:
            self._telling.notice(self._ledger.notice)
        self._set_out(self._planning.first())
        for notice in self._planning.notices:
            self._telling.notice(notice)

    def _go_on(self) -> None:
        while True:
            self._look()
            if self._stop is None:
                idle = self._hand_out()
                if self._stale and (idle or not self._open) and time.monotonic() >= self._next_plan:
                    self._plan_again()
                    continue
            if not self._open and (self._stop is not None or not self._expects()):
                return
            self._listen()

    def _break_off(self, message: str) -> None:
        """After an error of the run itself: what is at work is stopped, and waited for."""
        self._halt("failed", message)
        while self._open:
            try:
                self._listen()
            except StorageError:
                continue  # the first one is told

    def _plan_again(self) -> None:
        """Not so often that planning takes most of the time: a thousand choices by scores may come one after another."""
        begun = time.monotonic()
        self._stale = False
        self._set_out(self._planning.again())
        self._next_plan = time.monotonic() + 2 * (time.monotonic() - begun)

    def _expects(self) -> bool:
        """Whether something will happen without anybody's doing."""
        if self._elsewhere or self._retries.waiting or self._stale:
            return True
        if self._course.stuck():
            self._halt("failed", " ".join(lane.lost for lane in self.workforce.lanes if lane.lost))
        return self._course.ready()

    def _listen(self) -> None:
        wait = min(self._retries.next_due(), self._next_look, self._next_plan if self._stale else self._next_look) - time.monotonic()
        try:
            self._inbox.get(timeout=max(0.0, wait) if self._stop is None else _LOOK)()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def _look(self) -> None:
        """Notice what changes without a word: time, and other processes' results and wishes."""
        self._retries.forget_past()
        for key in self._retries.due():
            self._offer(key)
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK
        wish = self._ledger.runs.wished(self.run_id)
        if wish:
            self._halt("cancelled" if wish == "cancel" else "paused")
        if self._elsewhere:
            there, held = self._ledger.results.blobs(self._elsewhere), self._ledger.claims.living()
            for key in self._elsewhere - (held - there.keys()):
                self._elsewhere.discard(key)
                if key in there:
                    self._found(key)
                else:
                    self._offer(key)

    def _set_out(self, planned: Planned) -> None:
        """Begin with a plan, or go on with another."""
        self.planned = planned
        self._course = Course(planned.plan, self.workforce.lanes, planned.done)
        for key in self.failed:
            self._course.fail(key)
        for key in self._course.free:
            if key not in self._elsewhere and key not in self._retries.waiting and key not in self._open:
                self._offer(key)
        for made in list(self._made.values()):
            self._go_on_from(made)
        self._telling.plan(planned, self.failed, self.left_out)

    # Handing out

    def _hand_out(self) -> bool:
        """Give work to every lane that is free; whether a backend is left without."""
        idle = False
        for lane in self.workforce.lanes:
            if lane.at_work or lane.lost or self._retries.is_away(lane.name):
                continue
            while (node := self._course.take(lane)) is not None and not self._claimed(node, lane):
                pass
            if node is not None:
                self._start(lane, node)
            elif not lane.local and not lane.helper:
                idle = True
        return idle

    def _start(self, lane: Lane, node: Node) -> None:
        self._open.add(node.key)
        self.workforce.start(lane, node, lambda future: self._inbox.put(lambda: self._ended(lane, node, future)))

    def _claimed(self, node: Node, lane: Lane) -> bool:
        taken = self._ledger.claims.take(node.key, self.run_id, {**told_of(node), "backend": "" if lane.local else lane.name})
        if taken == "done":
            self._found(node.key)
        elif taken == "elsewhere":
            self._elsewhere.add(node.key)
        return taken == "mine"

    def _offer(self, key: str) -> None:
        if key not in self._course.left:
            return
        reason = self._course.offer(key)
        if reason:
            self._fail(self.planned.plan.by_key[key], reason)

    # What became of it

    def _ended(self, lane: Lane, node: Node, future: Future[Made]) -> None:
        self.workforce.free(lane, node)
        error = future.exception()
        if error is None:
            self._retries.answered(lane.name)
            made = self._made[node.key] = future.result()
            self._store.keep(made, lambda problem: self._inbox.put(lambda: self._written(made, problem)))
            self._go_on_from(made)
            return
        self._open.discard(node.key)
        self._ledger.claims.release(node.key)
        if self._stop is not None and not isinstance(error, StorageError):
            return
        self._take_in(error, lane, node)

    def _take_in(self, error: BaseException, lane: Lane, node: Node) -> None:
        """Decide what an error means for the stage, the lane and the run."""
        if isinstance(error, NotHere):
            self._course.refuse(lane, node, str(error), error.for_helper)
            self._offer(node.key)
        elif isinstance(error, Unreachable):
            wait = self._retries.silent(lane.name)
            if wait is None:
                lane.lost = str(error)
            self._telling.retry(node, lane.name, error, wait or 0.0)
            self._offer(node.key)
        elif isinstance(error, (Failed, WasInterrupted)) and (wait := self._retries.broke(node.key)) is not None:
            self._telling.retry(node, lane.name, error, wait)
        elif isinstance(error, LostBlob):
            self._outdate()
        elif isinstance(error, StorageError):
            self._halt("failed", str(error))
        elif isinstance(error, Interrupted):
            self._offer(node.key)
        elif isinstance(error, AtelierError):
            self._fail(node, str(error))
        else:
            _log.error("The stage %s broke", node.place, exc_info=error)
            self._fail(node, _UNEXPECTED.format(type(error).__name__))

    def _go_on_from(self, made: Made) -> None:
        """The pictures are at hand: what needs them may begin, unless there are others than planned."""
        free = self._course.made(made.node.key)
        if not made.unusual:
            for key in free:
                self._offer(key)

    def _written(self, made: Made, problem: AtelierError | None) -> None:
        self._open.discard(made.node.key)
        del self._made[made.node.key]
        if problem is not None:
            self._halt("failed", str(problem))
            self._ledger.claims.release(made.node.key)
            return
        if made.unusual or is_review(made.node.type):
            self._outdate()

    def _found(self, key: str) -> None:
        """Somebody else made it."""
        free = self._course.made(key)
        result = self._ledger.results.get(key)
        if result is None or result.unusual or result.type == "review":
            self._outdate()
            return
        for dependant in free:
            self._offer(dependant)

    def _fail(self, node: Node, message: str) -> None:
        because = f'It needs "{node.id}", which failed.'
        self.failed[node.key] = message
        left_out = self._course.fail(node.key)
        self.left_out |= dict.fromkeys(left_out, because)
        self._telling.failed(node, message, left_out, because)

    def _outdate(self) -> None:
        self._stale = True

    # Its state

    def _halt(self, state: State, message: str = "") -> None:
        """The first reason stays, but that a cancel goes before a pause."""
        if self._stop is None or (self._stop == "paused" and state != "paused"):
            self._stop, self._message = state, message

    def _ending(self) -> tuple[State, str]:
        if self._stop is not None:
            return self._stop, self._message
        undecided = self.planned.undecided
        if undecided:
            ids = ", ".join(dict.fromkeys(node.id for node in undecided))
            return "waiting", f"{len(undecided)} choices are to be made: {ids}"
        if self.failed:
            key, why = next(iter(self.failed.items()))
            node = self.planned.plan.by_key.get(key)
            first = f", {node.place}" if node else ""
            return "failed", f"{len(self.failed)} stages failed, {len(self.left_out)} need them. The first{first}: {why}"
        return "done", ""
