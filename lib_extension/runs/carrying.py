"""How does one run go from its plan to its pictures? A loop hands out stages, hears what became of them, and plans anew where facts change.

Everything here happens in one thread. Backends work in the executor's threads and the disk in its own; they speak to this loop through
its inbox only.
"""

from __future__ import annotations

import logging
import queue
import time
from concurrent.futures import Future

from lib_extension.plan.graph import Node
from lib_extension.runs.aftermath import UNEXPECTED, Aftermath, Inbox
from lib_extension.runs.course import Lane
from lib_extension.runs.planning import Planned, Planning
from lib_extension.runs.records import State
from lib_extension.runs.retries import Retries
from lib_extension.runs.standing import Standing
from lib_extension.runs.storage import StorageError
from lib_extension.runs.store import Made
from lib_extension.runs.telling import Telling, told_of
from lib_extension.runs.workforce import Means, Workforce
from lib_extension.spec.errors import AtelierError

_LOOK = 0.2  # seconds between two looks at what other processes did and wish
_log = logging.getLogger(__name__)


class Carrying:
    """One run, while it is carried out."""

    def __init__(self, run_id: str, means: Means) -> None:
        self.run_id = run_id
        self._ledger = means.ledger
        self._telling = Telling(means.ledger, run_id)
        self._planning = Planning(means.ledger.runs.get(run_id), run_id, means.ledger, means.blobs, means.pool)
        self._inbox: Inbox = queue.SimpleQueue()
        self.workforce = Workforce(run_id, means, cancelled=lambda: self._is_hurried or self.standing.stop in ("cancelled", "failed"))
        self.standing = Standing(self.workforce.lanes, self._telling)
        self._retries = Retries(means.patience)
        self._aftermath = Aftermath(self.standing, means, self._telling, self._retries, self._inbox)
        self._next_look = self._next_plan = 0.0
        self._is_hurried = False

    def halt(self, state: State) -> None:
        """Come to a halt: "paused" when what is at work is done, "cancelled" without it. From any thread."""
        self._inbox.put(lambda: self.standing.halt(state))

    def hurry(self) -> None:
        """Pause without what is at work, which is begun anew when the run goes on. From any thread."""
        self._is_hurried = True
        self.halt("paused")

    def look_again(self) -> None:
        """A choice was made. From any thread."""
        self._inbox.put(self.standing.outdate)

    def forgive(self, key: str) -> None:
        """Try once more what failed of a stage and of those that it needs; '' for all that failed. From any thread."""
        self._inbox.put(lambda: self.standing.forgive(key))

    def has_news(self) -> bool:
        """Whether somebody asked for something since it came to its end."""
        return not self._inbox.empty()

    def carry_out(self) -> None:
        """Go on until there is nothing to do, and leave the run's state in the ledger. StorageError where not even that can be written."""
        try:
            self._ledger.claims.attend(self.run_id)
            self._ledger.runs.wish(self.run_id, "")
            self._telling.state("running")
            self._begin()
            self._go_on()
        except AtelierError as error:
            self._break_off(str(error))
        except Exception as error:
            _log.exception("The run %s broke", self.run_id)
            self._break_off(UNEXPECTED.format(type(error).__name__))
        try:
            self._telling.state(*self.standing.ending())
        finally:
            self._ledger.claims.leave(self.run_id)

    # The loop

    def _begin(self) -> None:
        if self._ledger.notice:
            self._telling.notice(self._ledger.notice)
        self._set_out(self._planning.first())
        for notice in self._planning.notices:
            self._telling.notice(notice)

    def _go_on(self) -> None:
        standing = self.standing
        while True:
            self._look()
            if standing.stop is None:
                idle = self._hand_out()
                if standing.stale and (idle or not standing.open) and time.monotonic() >= self._next_plan:
                    self._plan_again()
                    continue
            if not standing.open and (standing.stop is not None or not self._expects()):
                return
            self._listen()

    def _break_off(self, message: str) -> None:
        """After an error of the run itself: what is at work is stopped, and waited for."""
        self.standing.halt("failed", message)
        while self.standing.open:
            try:
                self._listen()
            except StorageError:
                continue  # the first one is told

    def _plan_again(self) -> None:
        """Not so often that planning takes most of the time: a thousand choices by scores may come one after another."""
        begun = time.monotonic()
        self.standing.stale = False
        self._set_out(self._planning.again())
        self._next_plan = time.monotonic() + 2 * (time.monotonic() - begun)

    def _expects(self) -> bool:
        """Whether something will happen without anybody's doing."""
        standing = self.standing
        if standing.elsewhere or self._retries.waiting or standing.stale:
            return True
        if standing.course.stuck():
            standing.halt("failed", " ".join(lane.lost for lane in self.workforce.lanes if lane.lost))
        return standing.course.ready()

    def _listen(self) -> None:
        next_change = self._next_plan if self.standing.stale else self._next_look
        wait = min(self._retries.next_due(), self._next_look, next_change) - time.monotonic()
        try:
            self._inbox.get(timeout=max(0.0, wait) if self.standing.stop is None else _LOOK)()
            while True:
                self._inbox.get_nowait()()
        except queue.Empty:
            return

    def _look(self) -> None:
        """Notice what changes without a word: time, and other processes' results and wishes."""
        self._retries.forget_past()
        for key in self._retries.due():
            self.standing.offer(key)
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK
        wish = self._ledger.runs.wished(self.run_id)
        if wish:
            self.standing.halt("cancelled" if wish == "cancel" else "paused")
        self._aftermath.look_elsewhere()

    def _set_out(self, planned: Planned) -> None:
        """Begin with a plan, or go on with another."""
        standing = self.standing
        standing.go_by(planned)
        for key in standing.course.free:
            if key not in standing.elsewhere and key not in self._retries.waiting and key not in standing.open:
                standing.offer(key)
        for made in list(standing.made.values()):
            self._aftermath.go_on_from(made)
        self._telling.plan(planned, standing.failed, standing.left_out)

    # Handing out

    def _hand_out(self) -> bool:
        """Give work to every lane that is free; whether a backend is left without."""
        idle = False
        for lane in self.workforce.lanes:
            if lane.at_work or lane.lost or self._retries.is_away(lane.name):
                continue
            while (node := self.standing.course.take(lane)) is not None and not self._claimed(node, lane):
                pass
            if node is not None:
                self._start(lane, node)
            elif not lane.local and not lane.helper:
                idle = True
        return idle

    def _start(self, lane: Lane, node: Node) -> None:
        self.standing.open.add(node.key)
        self.workforce.start(lane, node, lambda future: self._inbox.put(lambda: self._ended(lane, node, future)))

    def _ended(self, lane: Lane, node: Node, future: Future[Made]) -> None:
        self.workforce.free(lane, node)
        self._aftermath.ended(lane, node, future)

    def _claimed(self, node: Node, lane: Lane) -> bool:
        taken = self._ledger.claims.take(node.key, self.run_id, {**told_of(node), "backend": "" if lane.local else lane.name})
        if taken == "done":
            self._aftermath.found(node.key)
        elif taken == "elsewhere":
            self.standing.elsewhere.add(node.key)
        return taken == "mine"
