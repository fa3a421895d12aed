"""When is a run to end early, or to wait? On Ctrl-C or SIGTERM, or when a file says so; looked for between two steps."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from trainer.run_folder import RunFolder

_LOOK = 0.2  # seconds between two looks while it waits


class Stop:
    """What somebody wants of what is at work. A second Ctrl-C ends it at once. Without a run's folder it is not made to wait."""

    def __init__(self, run: RunFolder | None = None) -> None:
        self._run = run
        # jobs/leash.py names a file by which the program that started this one tells it to end, also when that program is gone.
        told = os.environ.get("ATELIER_STOP_FILE")
        self._files = (*([run.stop_file] if run is not None else []), *([Path(told)] if told else []))
        self._signalled = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._heed)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def wanted(self) -> bool:
        """Whether it is to end after this step."""
        return self._signalled or any(file.exists() for file in self._files)

    @property
    def pause_wanted(self) -> bool:
        return self._run is not None and self._run.pause_file.exists()

    def wait(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """Until nobody wants a pause any more, or the end."""
        while self.pause_wanted and not self.wanted():
            meanwhile()
            time.sleep(_LOOK)

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self._signalled and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._signalled = True
