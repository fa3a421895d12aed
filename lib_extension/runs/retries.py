"""When is what failed tried again? Back-off for stages that a backend broke at, and for backends that do not answer."""

from __future__ import annotations

import heapq
import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Patience:
    """How long is a backend that fails waited for?"""

    first: float = 1.0  # seconds; doubled from try to try
    longest: float = 30.0
    tries: int = 10  # of a backend that does not answer: two and a half minutes, in which a WebUI with many extensions restarts
    stage_tries: int = 3  # of a stage that backends break at

    def wait(self, tried: int) -> float:
        """Seconds until the next try, after so many."""
        return min(self.longest, self.first * 2.0 ** (tried - 1))


class Retries:
    """What waits for another try, in one run."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._later: list[tuple[float, str]] = []  # heap of (when, key)
        self._tried: dict[str, int] = {}  # key → tries that a backend broke
        self._silent: dict[str, int] = {}  # lane → tries without an answer since its last one
        self._away: dict[str, float] = {}  # lane → when it is tried again

    def broke(self, key: str) -> float | None:
        """A backend broke at the stage: the seconds until it is tried again, None if it has been tried enough."""
        tried = self._tried[key] = self._tried.get(key, 0) + 1
        if tried >= self._patience.stage_tries:
            return None
        wait = self._patience.wait(tried)
        heapq.heappush(self._later, (time.monotonic() + wait, key))
        return wait

    def silent(self, lane: str) -> float | None:
        """A backend did not answer: the seconds until it is tried again, None if it has been tried enough."""
        tried = self._silent[lane] = self._silent.get(lane, 0) + 1
        if tried >= self._patience.tries:
            return None
        wait = self._patience.wait(tried)
        self._away[lane] = time.monotonic() + wait
        return wait

    def answered(self, lane: str) -> None:
        """The backend is well."""
        self._silent.pop(lane, None)

    def is_away(self, lane: str) -> bool:
        """Whether the backend is not tried yet."""
        return self._away.get(lane, 0.0) > time.monotonic()

    def due(self) -> list[str]:
        """The stages that are tried again now."""
        keys = []
        while self._later and self._later[0][0] <= time.monotonic():
            keys.append(heapq.heappop(self._later)[1])
        return keys

    @property
    def waiting(self) -> set[str]:
        """The stages that wait for their next try."""
        return {key for _, key in self._later}

    def next_due(self) -> float:
        """When (time.monotonic) something is tried again; infinite for never."""
        return min([*(when for when, _ in self._later[:1]), *self._away.values()], default=float("inf"))

    def forget_past(self) -> None:
        """Drop the lanes whose time has come."""
        now = time.monotonic()
        self._away = {lane: when for lane, when in self._away.items() if when > now}
