"""Who is next? One thread does all work that needs the checkpoint, first in, first out; a client that leaves stops nothing."""

from __future__ import annotations

import secrets
import string
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Literal

from lib_extension.spec.errors import Busy

MOST_WAITING = 256
REMEMBERED = 64

State = Literal["active", "queued", "completed", "unknown"]


@dataclass(eq=False)
class Task:
    """One call that waits for its turn, or has it."""

    id: str
    call: Callable[[], Any]
    shown: bool = True
    future: Future[Any] = field(default_factory=Future)


def task_id(kind: str) -> str:
    """An id of the WebUI's form for a call that brought none: task(txt2img-K3W9Z0Q)."""
    letters = string.ascii_uppercase + string.digits
    return f"task({kind}-{''.join(secrets.choice(letters) for _ in range(7))})"


class Queue:
    """The waiting line. Every method is safe to call from any thread, and none waits for work.

    `failed_stays_active` does what the WebUI does: a task that failed is never completed, and counts as active until another
    one starts.
    """

    def __init__(self, *, failed_stays_active: bool = False) -> None:
        self._failed_stays_active = failed_stays_active
        self._waiting: deque[Task] = deque()
        self._current: Task | None = None
        self._last_failed: str | None = None
        self._completed: deque[str] = deque(maxlen=REMEMBERED)
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="engine-worker", daemon=True)
        self._thread.start()

    def submit(self, id: str, call: Callable[[], Any], *, shown: bool = True) -> Future[Any]:
        """Puts a call at the end of the line. Its result or its exception comes through the future.

        A call that is not `shown` keeps its turn but is no task that a client could ask about.
        """
        task = Task(id, call, shown)
        with self._changed:
            if self._closed:
                raise Busy("The engine is stopping. Start it again and repeat the call.")
            if len(self._waiting) >= MOST_WAITING:
                raise Busy(f"{MOST_WAITING} calls are waiting already. Try again when some are done.")
            self._waiting.append(task)
            self._changed.notify_all()
        return task.future

    def state_of(self, id: str) -> State:
        with self._changed:
            if (self._current and self._current.id == id) or id == self._last_failed:
                return "active"
            if any(task.id == id for task in self._waiting):
                return "queued"
            return "completed" if id in self._completed else "unknown"

    def waiting(self) -> list[str]:
        """Ids of the tasks that wait, in the order in which they will run."""
        with self._changed:
            return [task.id for task in self._waiting if task.shown]

    def idle(self) -> bool:
        with self._changed:
            return self._current is None and not self._waiting

    def close(self) -> None:
        """Takes no more, and tells those who wait. The running call is left to end, or to be interrupted by the caller."""
        with self._changed:
            self._closed = True
            left, self._waiting = list(self._waiting), deque()
            self._changed.notify_all()
        for task in left:
            if task.future.set_running_or_notify_cancel():
                task.future.set_exception(Busy("The engine was stopped before this call had its turn."))

    def _work(self) -> None:
        while (task := self._next()) is not None:
            try:
                result = task.call()
            except BaseException as error:
                self._ended(task, failed=True)
                task.future.set_exception(error)
            else:
                self._ended(task, failed=False)
                task.future.set_result(result)
                del result  # Pictures of a call that nobody waits for any more must not live until the next call.
            del task

    def _next(self) -> Task | None:
        with self._changed:
            while True:
                while not self._waiting and not self._closed:
                    self._changed.wait()
                if not self._waiting:
                    return None
                task = self._waiting.popleft()
                if task.future.set_running_or_notify_cancel():
                    break
            self._current = task
            if task.shown:
                self._last_failed = None
            return task

    def _ended(self, task: Task, *, failed: bool) -> None:
        with self._changed:
            self._current = None
            if not task.shown:
                return
            if failed and self._failed_stays_active:
                self._last_failed = task.id
            else:
                self._completed.append(task.id)
