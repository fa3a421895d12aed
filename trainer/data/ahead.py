"""How is the next thing made while the last one is used? On a thread, a few at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")

_DEPTH = 2


def made_ahead(make: Callable[[Item], Made], items: Iterable[Item], depth: int = _DEPTH) -> Iterator[tuple[Item, Made]]:
    """(item, make(item)) in order, with up to `depth` made before they are asked for."""
    with ThreadPoolExecutor(1, "data") as pool:
        waiting: deque[tuple[Item, Future[Made]]] = deque()
        try:
            for item in items:
                waiting.append((item, pool.submit(make, item)))
                if len(waiting) > depth:
                    first, made = waiting.popleft()
                    yield first, made.result()
            while waiting:
                first, made = waiting.popleft()
                yield first, made.result()
        finally:
            for _, made in waiting:
                made.cancel()


class Ahead(Generic[Made]):
    """Makes things by their number; whoever asks for n is likely to ask for n + 1."""

    def __init__(self, make: Callable[[int], Made], depth: int = _DEPTH) -> None:
        self._make, self._depth = make, depth
        self._pool = ThreadPoolExecutor(1, "data")
        self._coming: dict[int, Future[Made]] = {}

    def at(self, number: int) -> Made:
        """Number n, and begins with those after it."""
        made = self._coming.pop(number, None) or self._pool.submit(self._make, number)
        for other in [other for other in self._coming if not number < other <= number + self._depth]:
            self._coming.pop(other).cancel()
        for following in range(number + 1, number + 1 + self._depth):
            if following not in self._coming:
                self._coming[following] = self._pool.submit(self._make, following)
        return made.result()

    def close(self) -> None:
        """Ends the thread."""
        self._pool.shutdown(cancel_futures=True)
