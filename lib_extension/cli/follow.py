"""How is a run watched on a screen? A line when a stage is done, how long the rest takes, and Ctrl+C, which pauses it."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from lib_extension.cli.screen import duration, left
from lib_extension.runs.records import Event, Run
from lib_extension.runs.runner import Progress
from lib_extension.session.session import Session

_LOOK = 0.25  # seconds
_QUIET = 20.0  # seconds between two signs of life where lines cannot move


@dataclass(frozen=True)
class Wanted:
    """A run to carry out, and what becomes of its files."""

    run_id: str
    folder: Path
    private: bool


def start_and_follow(session: Session, wanted: Wanted, screen: TextIO | None = None) -> Run:
    """Carry the run out to its end, or to where somebody has to do something. KeyboardInterrupt: stopped at once.

    screen: where to tell how it goes; None for nowhere.
    """
    run_id = wanted.run_id
    events = session.ledger.events.after(run_id, limit=-1)
    watcher = _Watcher(session, run_id, screen, events[-1].id if events else 0)
    with _Stops() as stops:
        session.start(run_id, wanted.folder, wanted.private)
        heeded = 0
        while True:
            run = session.runner.wait(run_id, _LOOK)
            if watcher.look() and run.state != "running":
                break
            if stops.asked > heeded:
                heeded = stops.asked
                _stop(session, run_id, watcher, at_once=heeded > 1)
    if heeded > 1:
        raise KeyboardInterrupt
    return run


def _stop(session: Session, run_id: str, watcher: _Watcher, at_once: bool) -> None:
    if at_once:
        watcher.say("Stopping at once.")
        session.runner.cancel(run_id)
    else:
        watcher.say("Pausing after what is at work; Ctrl+C again stops it at once.")
        session.runner.pause(run_id)


class _Stops:
    """Counts how often somebody pressed Ctrl+C while the block runs; raised as an exception, it could strike amid anything."""

    def __init__(self) -> None:
        self.asked = 0
        self._before: Any = None

    def __enter__(self) -> _Stops:
        self._before = signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *error: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def _note(self, number: int, frame: object) -> None:
        self.asked += 1


class _Watcher:
    def __init__(self, session: Session, run_id: str, screen: TextIO | None, last: int) -> None:
        self._session = session
        self._run_id = run_id
        self._screen = screen
        self._last = last  # id of the latest event that was told
        self._stages = [str(stage["id"]) for stage in session.ledger.runs.get(run_id).recipe["stages"]]
        self._state = ""  # that the latest event told
        self._made: set[str] = set()  # keys, since it is followed
        self._all: Counter[str] = Counter()
        self._done: Counter[str] = Counter()
        self._seconds: Counter[str] = Counter()
        self._told: set[str] = set()
        self._spoke = time.monotonic()

    def look(self) -> bool:
        """Tell what happened since; whether the run has come to an end of some kind."""
        events = self._session.ledger.events.after(self._run_id, self._last)
        for event in events:
            self._last = event.id
            self._tell(event)
            if event.kind == "state":
                self._state = str(event.data["state"])
        ended = self._state not in ("", "running")
        if self._screen is not None and not ended:
            self._show_progress(self._screen)
        return ended

    def say(self, text: str) -> None:
        """A line that stays."""
        if self._screen is not None:
            self._screen.write(f"{self._clear()}{text}\n")
            self._screen.flush()
            self._spoke = time.monotonic()

    def _tell(self, event: Event) -> None:
        data = event.data
        if event.kind == "planned":
            self._count()
        elif event.kind == "finished":
            self._finished(data)
        elif event.kind == "failed":
            more = f" ({data['left_out']} that need it are left out)" if data["left_out"] else ""
            self.say(f"{data['place']} failed: {data['message']}{more}")
        elif event.kind == "retry":
            self.say(f"{data['place']}: {data['message']} Trying again in {duration(data['seconds'])}.")
        elif event.kind == "notice":
            self.say(str(data["message"]))

    def _count(self) -> None:
        """Take the plan's numbers anew; tell of stages that need not run. What was made in the meantime is told when its event comes."""
        coming = {event.data["key"] for event in self._session.ledger.events.after(self._run_id, self._last) if event.kind == "finished"}
        nodes = self._session.ledger.nodes(self._run_id)
        done = [node for node in nodes if node.state == "done" and node.key not in coming]
        self._all = Counter(node.stage for node in nodes)
        self._done = Counter(node.stage for node in done)
        made_here = {node.stage for node in done if node.key in self._made}
        for stage in self._all:
            if self._done[stage] == self._all[stage] and stage not in self._told | made_here:
                self._told.add(stage)
                self.say(f"{self._head(stage)}: {self._all[stage]} of {self._all[stage]} from earlier")
            elif stage in made_here:
                self._tell_complete(stage)

    def _finished(self, data: Mapping[str, Any]) -> None:
        stage = str(data["stage"])
        self._made.add(str(data["key"]))
        self._done[stage] += 1
        self._seconds[stage] += float(data["seconds"])  # pyright: ignore[reportArgumentType] (a Counter counts seconds, too)
        self._tell_complete(stage)

    def _tell_complete(self, stage: str) -> None:
        """Say that all of a stage is made, if it is, and no choice can bring more of it."""
        if stage in self._told or self._done[stage] < self._all[stage]:
            return
        progress = self._session.runner.progress(self._run_id)
        if stage not in progress.later and progress.stages == sum(self._all.values()):  # else another plan will be told of
            self._told.add(stage)
            took = duration(self._seconds[stage])
            self.say(f"{self._head(stage)}: {self._all[stage]} of {self._all[stage]} in {took}; {self._rest(progress)}")

    def _rest(self, progress: Progress) -> str:
        """How long it takes until all is done that is known: what comes after a choice is not."""
        if progress.done + progress.failed + progress.left_out >= progress.stages:
            return left(None) if progress.reviews else "nothing left"
        waiting = [review for review in progress.reviews if self._done[review] < self._all[review]]
        until = f"until {' and '.join(waiting)}, " if waiting else ""
        return until + left(progress.seconds_left)

    def _head(self, stage: str) -> str:
        return f"[{self._stages.index(stage) + 1}/{len(self._stages)}] {stage}"

    def _show_progress(self, screen: TextIO) -> None:
        """A line that moves; where none can, one from time to time."""
        if not self._all or (not screen.isatty() and time.monotonic() - self._spoke < _QUIET):
            return
        progress = self._session.runner.progress(self._run_id)
        at_work = "".join(f", {share:.0%} of the next" for share in list(progress.running.values())[:1])
        line = f"{progress.done} of {progress.stages} done{at_work}; {self._rest(progress)}"
        if not screen.isatty():
            self.say(line)
            return
        screen.write(f"{self._clear()}{line}")
        screen.flush()

    def _clear(self) -> str:
        return f"\r{'':78}\r" if self._screen is not None and self._screen.isatty() else ""
