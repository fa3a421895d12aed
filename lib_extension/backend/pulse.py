"""Do backends answer now? Asked aside and not too often, so that who wants to know never waits long for a machine that is switched off."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from lib_extension.backend.backend import Backend

_FRESH = 10.0  # seconds that an answer counts


@dataclass(frozen=True)
class _Look:
    begun: float
    problem: Future[str]


class Pulse:
    """Of some backends. Safe for many threads."""

    def __init__(self, backends: Sequence[Backend]) -> None:
        self._backends = tuple(backends)
        self._threads = ThreadPoolExecutor(max(1, len(self._backends)), "atelier pulse")
        self._looks: dict[str, _Look] = {}  # the latest of each that has ended, or the first
        self._next: dict[str, _Look] = {}  # those on their way

    def problems(self, patience: float = 1.0) -> dict[str, str | None]:
        """Why each does not answer, '' where it does; None where that is not known within so many seconds."""
        for backend in self._backends:
            self._look_again(backend)
        wait([look.problem for look in self._looks.values()], timeout=patience)
        return {spec: look.problem.result() if look.problem.done() else None for spec, look in self._looks.items()}

    def close(self) -> None:
        """Ask no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _look_again(self, backend: Backend) -> None:
        under_way = self._next.get(backend.spec)
        if under_way is not None and under_way.problem.done():
            self._looks[backend.spec] = under_way
            del self._next[backend.spec]
            under_way = None
        known = self._looks.get(backend.spec)
        if under_way is None and (known is None or (known.problem.done() and time.monotonic() - known.begun > _FRESH)):
            look = _Look(time.monotonic(), self._threads.submit(backend.ping))
            if known is None:
                self._looks[backend.spec] = look
            else:
                self._next[backend.spec] = look
