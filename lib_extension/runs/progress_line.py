"""How far is a run, and how long will it take? One line a stage: on a terminal it moves, elsewhere it is printed when the stage ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from lib_extension.backend.client import BackendError
from lib_extension.runs.small_recipe import Stage

EVERY = 0.5  # seconds between two looks at the backend


class ProgressLine:
    """A runner's watcher. `fraction` asks the backend how much of its call is done, 0 to 1."""

    def __init__(self, stages: int, output: TextIO, fraction: Callable[[], float]) -> None:
        self._stages = stages
        self._output = output
        self._fraction = fraction
        self._calls = self._done = 0
        self._started = time.monotonic()

    @contextmanager
    def stage(self, number: int, stage: Stage, calls: int) -> Iterator[None]:
        """Shows the stage's line while the block runs."""
        self._calls, self._done, self._started = calls, 0, time.monotonic()
        head = f"[{number + 1}/{self._stages}] {stage.name}"
        ended = threading.Event()
        mover = threading.Thread(target=self._move, args=(head, ended), daemon=True)
        if self._output.isatty():
            mover.start()
        try:
            yield
        finally:
            ended.set()
            if mover.is_alive():
                mover.join()
        self._output.write(f"{self._clear()}{head}: {calls} calls in {_time(time.monotonic() - self._started)}\n")
        self._output.flush()

    def called(self) -> None:
        """One more call of the stage is done; where lines do not move, say so after the first, when the rest can be estimated."""
        self._done += 1
        if self._done == 1 < self._calls and not self._output.isatty():
            left = (time.monotonic() - self._started) * (self._calls - 1)
            self._output.write(f"  1 of {self._calls} calls done, {_time(left)} left in this stage\n")
            self._output.flush()

    def _move(self, head: str, ended: threading.Event) -> None:
        while not ended.wait(EVERY):
            try:
                done = self._done + min(1.0, self._fraction())
            except BackendError:
                continue  # the call itself will say what is wrong
            share = min(1.0, done / self._calls)
            self._output.write(f"{self._clear()}{head}: {share:4.0%}, {estimate(share, time.monotonic() - self._started)}")
            self._output.flush()

    def _clear(self) -> str:
        return f"\r{'':78}\r" if self._output.isatty() else ""


def estimate(share: float, elapsed: float) -> str:
    """The time left after `elapsed` seconds, when `share` of the work is done, in words."""
    if share < 0.02:
        return "time left not known yet"
    return f"{_time(elapsed * (1 - share) / share)} left"


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02} s"
