"""What becomes of a stage instance that has ended? Kept, tried again, or failed; and what that sets free."""

from __future__ import annotations

import logging
import queue
from collections.abc import Callable
from concurrent.futures import Future

from lib_extension.backend.errors import Failed, Unreachable, WasInterrupted
from lib_extension.plan.graph import Node, is_review
from lib_extension.runs.blobs import LostBlob
from lib_extension.runs.course import Lane
from lib_extension.runs.node_work import NotHere
from lib_extension.runs.retries import Retries
from lib_extension.runs.standing import Standing
from lib_extension.runs.storage import StorageError
from lib_extension.runs.store import Made
from lib_extension.runs.telling import Telling
from lib_extension.runs.workforce import Means
from lib_extension.spec.errors import AtelierError, Interrupted

UNEXPECTED = "An error that should not be ({}); the log tells more."
_log = logging.getLogger(__name__)

Inbox = queue.SimpleQueue[Callable[[], None]]  # what the run's thread is to do next


class Aftermath:
    """Of one run; in the run's own thread."""

    def __init__(self, standing: Standing, means: Means, telling: Telling, retries: Retries, inbox: Inbox) -> None:
        self._standing = standing
        self._ledger = means.ledger
        self._store = means.store
        self._telling = telling
        self._retries = retries
        self._inbox = inbox

    def ended(self, lane: Lane, node: Node, future: Future[Made]) -> None:
        """A lane has come to an end with a stage, one way or the other."""
        error = future.exception()
        if error is None:
            self._retries.answered(lane.name)
            made = self._standing.made[node.key] = future.result()
            self._store.keep(made, lambda problem: self._inbox.put(lambda: self._written(made, problem)))
            self.go_on_from(made)
            return
        self._standing.open.discard(node.key)
        self._ledger.claims.release(node.key)
        if self._standing.stop is None or isinstance(error, StorageError):
            self._take_in(error, lane, node)

    def go_on_from(self, made: Made) -> None:
        """The pictures are at hand: what needs them may begin, unless there are others than planned."""
        free = self._standing.course.made(made.node.key)
        if not made.unusual:
            for key in free:
                self._standing.offer(key)

    def found(self, key: str) -> None:
        """Somebody else made it."""
        free = self._standing.course.made(key)
        result = self._ledger.results.get(key)
        if result is None or result.unusual or result.type == "review":
            self._standing.outdate()
            return
        for dependant in free:
            self._standing.offer(dependant)

    def look_elsewhere(self) -> None:
        """See what became of the stages that others have claimed: made, still at work, or given back."""
        elsewhere = self._standing.elsewhere
        if not elsewhere:
            return
        there, held = self._ledger.results.blobs(elsewhere), self._ledger.claims.living()
        for key in elsewhere - (held - there.keys()):
            elsewhere.discard(key)
            if key in there:
                self.found(key)
            else:
                self._standing.offer(key)

    def _take_in(self, error: BaseException, lane: Lane, node: Node) -> None:
        """Decide what an error means for the stage, the lane and the run."""
        if isinstance(error, NotHere):
            self._standing.course.refuse(lane, node, str(error), error.for_helper)
            self._standing.offer(node.key)
        elif isinstance(error, Unreachable):
            wait = self._retries.silent(lane.name)
            if wait is None:
                lane.lost = str(error)
                self._telling.notice(f"{error} It was tried often enough, and is left out of this run from here on.")
            else:
                self._telling.retry(node, lane.name, error, wait)
            self._standing.offer(node.key)
        elif isinstance(error, (Failed, WasInterrupted)) and (wait := self._retries.broke(node.key)) is not None:
            self._telling.retry(node, lane.name, error, wait)
        elif isinstance(error, LostBlob):
            self._standing.outdate()
        elif isinstance(error, StorageError):
            self._standing.halt("failed", str(error))
        elif isinstance(error, Interrupted):
            self._standing.offer(node.key)
        elif isinstance(error, AtelierError):
            self._standing.fail(node, str(error))
        else:
            _log.error("The stage %s broke", node.place, exc_info=error)
            self._standing.fail(node, UNEXPECTED.format(type(error).__name__))

    def _written(self, made: Made, problem: AtelierError | None) -> None:
        self._standing.open.discard(made.node.key)
        del self._standing.made[made.node.key]
        if problem is not None:
            self._standing.halt("failed", str(problem))
            self._ledger.claims.release(made.node.key)
            return
        if made.unusual or is_review(made.node.type):
            self._standing.outdate()
