"""Where is the work done? Executors are replaceable: threads here, one a backend; another could send the calls to other machines."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Carries out calls: those with the same key one after another, in order, and different keys side by side."""

    def submit(self, key: str, call: Callable[[], T]) -> Future[T]:
        """Carry out `call` as soon as what was submitted with this key before is done."""
        ...

    def close(self) -> None:
        """Carry out what was submitted, and take nothing more."""
        ...


class Threads:
    """A thread for each key. They end with the process: what they were at is claimed by nobody then, and runs again."""

    def __init__(self) -> None:
        self._lanes: dict[str, queue.SimpleQueue[Callable[[], None] | None]] = {}
        self._threads: list[threading.Thread] = []
        self._guard = threading.Lock()

    def submit(self, key: str, call: Callable[[], T]) -> Future[T]:
        """As Executor says."""
        future: Future[T] = Future()
        with self._guard:
            lane = self._lanes.get(key) or self._open(key)
            lane.put(lambda: _fulfil(future, call))
        return future

    def close(self) -> None:
        """As Executor says; returns when all is done."""
        with self._guard:
            for lane in self._lanes.values():
                lane.put(None)
            self._lanes.clear()
            threads, self._threads = self._threads, []
        for thread in threads:
            thread.join()

    def _open(self, key: str) -> queue.SimpleQueue[Callable[[], None] | None]:
        lane = self._lanes[key] = queue.SimpleQueue()
        thread = threading.Thread(target=_work, args=(lane,), name=f"atelier {key}", daemon=True)
        thread.start()
        self._threads.append(thread)
        return lane


def _work(lane: queue.SimpleQueue[Callable[[], None] | None]) -> None:
    while (task := lane.get()) is not None:
        task()


def _fulfil(future: Future[Any], call: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # whoever waits for the future is told, whatever it was
        future.set_exception(error)
