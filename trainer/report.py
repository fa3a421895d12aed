"""How does a command tell what it does? One JSON event a line on its output, and in its run's folder once there is one.

The events are those that lib_extension/jobs/account.py reads: log, progress, point, picture, error.
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path
from typing import Any, TextIO

EVENTS = "events.jsonl"


class Report:
    """Where events go. `out` is None for a process that leaves telling to another (of several that train together)."""

    def __init__(self, out: TextIO | None = sys.stdout) -> None:
        self._out = out
        self._file: TextIO | None = None
        self._has_points = False

    def into(self, folder: Path) -> None:
        """From now on events are kept in the folder's events.jsonl, too."""
        self.close()
        self._file = (folder / EVENTS).open("a", encoding="utf-8")

    def close(self) -> None:
        """Let go of the file, if there is one."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def log(self, text: str) -> None:
        """A line for people."""
        self._tell({"event": "log", "text": text})

    def progress(self, done: int, total: int | None = None, text: str = "", seconds_left: float | None = None) -> None:
        """How far it is."""
        told = {"total": total, "text": text or None, "seconds_left": None if seconds_left is None else round(seconds_left, 1)}
        self._tell({"event": "progress", "done": done} | {name: value for name, value in told.items() if value is not None})

    def point(self, series: str, x: float, y: float) -> None:
        """A point of a plot. One that is no number is left out, as JSON has no word for it."""
        self._has_points = True
        if math.isfinite(y):
            self._tell({"event": "point", "series": series, "x": x, "y": y})

    def point_before(self, series: str, x: float, y: float) -> None:
        """A point that the run's folder has already, for whoever reads the output alone, and has not seen points there."""
        if not self._has_points:
            self._tell({"event": "point", "series": series, "x": x, "y": y}, again=True)

    def picture(self, file: str, title: str = "") -> None:
        """A picture was made; `file` is its path below the run's folder."""
        self._tell({"event": "picture", "file": file, "title": title})

    def error(self, detail: str, kind: str = "Error") -> None:
        """Why it ends with a status that is not 0."""
        self._tell({"event": "error", "error": kind, "detail": detail})

    def value(self, event: str, **told: Any) -> None:
        """An event of a command's own, such as what `estimate` found; readers that do not know it show it as it is."""
        self._tell({"event": event, **told})

    def text(self, text: str) -> None:
        """Plain text for a person who asked for it, such as --help."""
        if self._out is not None:
            self._out.write(text + "\n")

    def _tell(self, event: dict[str, Any], again: bool = False) -> None:
        line = json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n"
        for place in (self._out, None if again else self._file):
            if place is not None:
                place.write(line)
                place.flush()
