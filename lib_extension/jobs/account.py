"""What does a job's program tell? JSON lines, read into an account that stays small however long the job is.

    {"event": "log", "text": "…"}
    {"event": "progress", "done": 3, "total": 10, "text": "…", "seconds_left": 20}    all but `done` may be missing
    {"event": "point", "series": "loss", "x": 120, "y": 0.13}                          of a plot
    {"event": "picture", "file": "sample-1.png", "title": "…"}                         in its folder `files`
    {"event": "found", …}, {"event": "estimate", …}, {"event": "mistake", "text": "…"}  what a look at a training finds
    {"event": "error", "error": "…", "detail": "…"}                                    before it ends with a status that is not 0
    {"event": "warning", "text": "…"}                                                  any other event is a finding

Any other line, and what comes on its error output, is shown as it is.
"""

from __future__ import annotations

import json
import math
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

MOST_LINES = 400
MOST_POINTS = 400  # of each series, spread evenly; twice as many before they are made fewer
MOST_PICTURES = 100
_LARGEST_FINDING = 4000  # characters
MOST_FINDINGS = 100
_FINDINGS = ("found", "estimate", "mistake")
_LASTING = ("file", "evaluation")  # what it is all for: other findings go first, however many come
_LONGEST = 2000  # characters of a line
_AT_ONCE = 2**20  # bytes

Told = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """How far the two files have been read, in bytes."""

    events: int = 0
    log: int = 0

    def __str__(self) -> str:
        return f"{self.events}-{self.log}"


@dataclass
class Account:
    """What is known from what was read so far."""

    place: Place = Place()
    lines: deque[str] = field(default_factory=lambda: deque(maxlen=MOST_LINES))
    progress: Told | None = None
    points: dict[str, list[list[float]]] = field(default_factory=dict)
    pictures: deque[Told] = field(default_factory=lambda: deque(maxlen=MOST_PICTURES))
    findings: list[Told] = field(default_factory=list)
    problem: str = ""

    def read(self, folder: Path) -> bool:
        """Take in what came since; whether there was any."""
        before = self.place
        events, at_events = _new_lines(folder / "events.jsonl", before.events)
        complaints, at_log = _new_lines(folder / "log.txt", before.log)
        for line in events:
            self._take(line)
        self.lines.extend(line[:_LONGEST] for line in complaints)
        self.place = Place(at_events, at_log)
        return self.place != before

    def told(self) -> Told:
        """As routes say it."""
        return {
            "lines": list(self.lines),
            "progress": self.progress,
            "points": self.points,
            "pictures": list(self.pictures),
            "findings": self.findings,
            "problem": self.problem,
        }

    def _take(self, line: str) -> None:
        try:
            event = json.loads(line) if line.startswith("{") else None
        except ValueError:
            event = None
        if not isinstance(event, dict) or "event" not in event:
            self.lines.append(line[:_LONGEST])
            return
        kind = event["event"]
        if kind == "log":
            self.lines.extend(str(event.get("text", ""))[:_LONGEST].splitlines())
        elif kind == "progress":
            self.progress = {name: event[name] for name in ("done", "total", "text", "seconds_left") if name in event}
        elif kind == "point":
            self._plot(event)
        elif kind == "picture":
            self.pictures.append({"file": str(event.get("file", "")), "title": str(event.get("title", ""))})
        elif kind in _FINDINGS:
            self._find(event)
        elif kind == "error":
            self.problem = str(event.get("detail", ""))[:_LONGEST]
        elif len(line) <= _LARGEST_FINDING:
            self._find(_without_folders(event))

    def _find(self, event: Told) -> None:
        self.findings.append(event)
        if len(self.findings) > MOST_FINDINGS:
            del self.findings[next((place for place, one in enumerate(self.findings) if one["event"] not in _LASTING), 0)]

    def _plot(self, event: Told) -> None:
        x, y = event.get("x"), event.get("y")
        if not all(isinstance(value, (int, float)) and math.isfinite(value) for value in (x, y)):
            return  # a loss that is no number is told by the program's words
        series = self.points.setdefault(str(event.get("series", "loss")), [])
        series.append([float(x), float(y)])  # pyright: ignore[reportArgumentType]
        if len(series) > 2 * MOST_POINTS:
            series[:] = thinned(series)


def thinned(points: list[list[float]]) -> list[list[float]]:
    """At most MOST_POINTS + 2 of them, spread evenly over x; the first and the last stay."""
    left, right = points[0][0], points[-1][0]
    width = (right - left) / MOST_POINTS
    if width <= 0:  # it begins again
        return points[:-1:2] + points[-1:]
    places = [int((x - left) / width) for x, _ in points]
    few = [point for before, place, point in zip([-1, *places], places, points, strict=False) if place != before]
    return few if few[-1] is points[-1] else [*few, points[-1]]


def _without_folders(event: Told) -> Told:
    """The file that it names by its name alone: where it lies is nobody's business on a page."""
    return {**event, "file": PurePath(event["file"]).name} if isinstance(event.get("file"), str) else event


def _new_lines(file: Path, start: int) -> tuple[list[str], int]:
    """The complete lines after `start`, and where the next begins."""
    try:
        with file.open("rb") as opened:
            opened.seek(start)
            data = opened.read(_AT_ONCE)
    except OSError:
        return [], start
    end = data.rfind(b"\n") + 1
    if not end and len(data) == _AT_ONCE:
        end = len(data)  # one endless line: shown in pieces
    text = data[:end].decode("utf-8", "replace")
    # A progress bar draws itself again and again on one line; its last state is what a terminal would show.
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    return [line for line in lines if line.strip()], start + end
