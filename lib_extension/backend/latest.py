"""What did somebody slow say last? Asked aside and not too often, so that who wants to know never waits for a machine that is off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TimeIsUp
from typing import Generic, TypeVar

T = TypeVar("T")

_KEPT = 64  # answers


class Latest(Generic[T]):
    """The latest answers to some questions, by their names. Safe for many threads."""

    def __init__(self, ask: Callable[[str], T], fresh: float, threads: int = 4) -> None:
        """`ask` is called in threads of its own; its answer counts for `fresh` seconds."""
        self._ask = ask
        self._fresh = fresh
        self._threads = ThreadPoolExecutor(threads, "atelier latest")
        self._guard = threading.Lock()  # of the two below; never held while anything is asked
        self._known: dict[str, tuple[float, T]] = {}  # name → when it was answered, and what
        self._asking: dict[str, Future[T]] = {}

    def get(self, name: str, patience: float) -> T | None:
        """The latest answer, waiting for a first or a newer one no longer than so many seconds; None where there is none yet.

        What `ask` raises is raised.
        """
        with self._guard:
            known = self._known.get(name)
            if known is not None and time.monotonic() - known[0] < self._fresh:
                return known[1]
            asking = self._asking.get(name) or self._begin(name)
        try:
            return asking.result(patience)
        except TimeIsUp:
            return known[1] if known is not None else None

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _begin(self, name: str) -> Future[T]:
        """With the guard held: the answer is kept after what follows here, however quickly it comes."""
        asking = self._asking[name] = self._threads.submit(self._answer, name)
        return asking

    def _answer(self, name: str) -> T:
        try:
            answer = self._ask(name)
        except BaseException:
            with self._guard:
                self._asking.pop(name, None)
            raise
        with self._guard:
            self._asking.pop(name, None)
            self._known.pop(name, None)
            self._known[name] = (time.monotonic(), answer)
            while len(self._known) > _KEPT:
                del self._known[next(iter(self._known))]
        return answer
