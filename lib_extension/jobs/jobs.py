"""Who starts, watches and stops the programs of jobs? One thread of one process, one job after the other, the oldest first; and a second
one those of kinds that take a moment, so that a training can be looked at while another is at work.

Any process may add, cancel and read jobs of the same folder. When the one that carries them out ends, its job's program ends too; the
job is interrupted, and those that wait are carried out by whoever opens the folder next.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lib_extension.formats.lock import Lock
from lib_extension.jobs.account import Account
from lib_extension.jobs.apart import apart
from lib_extension.jobs.kind import Around, JobKind
from lib_extension.jobs.kinds import KINDS
from lib_extension.jobs.record import ENDED, Job, Records
from lib_extension.setup.environment import ROOT, Environment
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.settings import from_json, to_json

if TYPE_CHECKING:
    from lib_extension.jobs.room import Room  # every program that is started imports this package: without what speaks to backends

_log = logging.getLogger("atelier")

_LOOK = 0.2  # seconds between two looks at the program, and at what other processes want
_LOOK_FOR_LOCK = 2.0
_CLOSING = 20.0  # seconds that a program has to end in good order when the server does
STOPPED = "It was stopped; everything is saved, and it can go on."
_ACCOUNTS = 8  # kept, of those that were read last

_open: dict[Path, Jobs] = {}
_opening = threading.Lock()


def jobs_at(folder: Path) -> Jobs:
    """The process's one Jobs of a folder: a user interface that is loaded anew finds the job that is at work."""
    with _opening:
        key = folder.resolve()
        if key not in _open or _open[key].is_closed:
            _open[key] = Jobs(folder)
        return _open[key]


class Jobs:
    """The jobs of one folder."""

    def __init__(self, folder: Path, environment: Environment | None = None, kinds: dict[str, JobKind] = KINDS) -> None:
        self._environment = environment
        self.is_closed = False
        self.kinds = kinds
        self._records = Records(folder)
        self.around = Around(folder.parent.absolute())
        self.room: Room | None = None
        self.has_models: Callable[[], None] | None = None  # called, and soon done, when a job has made some
        self._lock = Lock(folder / "lock")
        self._news = {False: threading.Event(), True: threading.Event()}  # for each of the two threads
        self._guard = threading.Lock()  # of the next two
        self._thread: threading.Thread | None = None
        self._accounts: dict[str, Account] = {}
        if any(job.standing.state not in ENDED for job in self._records.all()):
            self._begin()

    @property
    def environment(self) -> Environment:
        """The worker's, wherever it is now: a WebUI's settings can move it."""
        return self._environment or Environment()

    def add(self, kind: str, config: dict[str, Any], around: Around | None = None) -> Job:
        """Put a job at the end of the queue. BadRequest names the setting that is wrong."""
        known = self.kind(kind)
        settings = from_json(known.settings, config)
        own = known.fill(settings, around or self.around)
        job = self._records.add(kind, known.title(settings), to_json(own), to_json(settings))
        self._begin()
        self._wake()
        return job

    def kind(self, name: str) -> JobKind:
        """BadRequest where there is none of that name."""
        if name not in self.kinds:
            raise BadRequest(f'There is no kind of job "{name:.40}".{near_miss(name, self.kinds)} Known: {", ".join(self.kinds)}.')
        return self.kinds[name]

    def all(self) -> list[Job]:
        """The oldest first."""
        return self._records.all()

    def get(self, id: str) -> Job:
        """NotFound."""
        return self._records.get(id)

    def cancel(self, id: str) -> None:
        """End it, or take it out of the queue. One that has ended stays as it is."""
        if self._records.get(id).standing.state in ENDED:
            return
        (self._records.path(id) / "cancel").touch()
        self._begin()
        self._wake()

    def stop(self, id: str) -> None:
        """End it in good order, with what it has saved, however long that takes; what cannot be ended so is cancelled."""
        job = self._records.get(id)
        if job.standing.state == "running" and self._run_folder(job) is not None:
            (self._records.path(id) / "halt").touch()  # the thread at work tells the program, as soon as it listens
        else:
            self.cancel(id)

    def pause(self, id: str, paused: bool = True) -> None:
        """Have its program wait, or go on. BadRequest where it cannot."""
        job = self._records.get(id)
        folder = self._run_folder(job)
        if job.standing.state != "running" or folder is None:
            raise BadRequest("Only a training that is at work can be paused.")
        if not paused:
            (folder / "pause").unlink(missing_ok=True)
        elif (folder / "config.json").is_file():
            (folder / "pause").touch()
        else:
            raise BadRequest("The training has not begun yet; try again in a moment.")

    def is_paused(self, job: Job) -> bool | None:
        """Whether its program waits; None where it cannot be made to."""
        folder = self._run_folder(job)
        return None if folder is None else job.standing.state == "running" and (folder / "pause").exists()

    def remove(self, id: str) -> None:
        """Forget a job that is not at work, with all that lies in its folder."""
        with self._guard:
            self._records.remove(id)
            self._accounts.pop(id, None)

    def account(self, id: str) -> Account:
        """What its program has told until now; a copy."""
        folder = self.folder(id)
        with self._guard:
            account = self._accounts.pop(id, None) or Account()
            while account.read(folder):
                pass
            self._accounts[id] = account
            if len(self._accounts) > _ACCOUNTS:
                del self._accounts[next(iter(self._accounts))]
            points = {name: list(series) for name, series in account.points.items()}
            return replace(
                account, lines=account.lines.copy(), pictures=account.pictures.copy(), points=points, findings=account.findings.copy()
            )

    def folder(self, id: str) -> Path:
        """Where all of it lies. NotFound."""
        return self._records.path(self._records.get(id).id)

    def file(self, id: str, name: str) -> Path:
        """A file that it made. NotFound."""
        return self._records.file(id, name, self._run_folder(self._records.get(id)))

    def close(self) -> None:
        """End what is at work, and wait for that."""
        self.is_closed = True
        self._wake()
        if self._thread is not None:
            self._thread.join(_CLOSING + 15)

    def _begin(self) -> None:
        with self._guard:
            if self._thread is None and not self.is_closed:
                self._thread = threading.Thread(target=self._work, name="atelier-jobs", daemon=True)
                self._thread.start()

    def _work(self) -> None:
        while not self._lock.take():
            if self.is_closed:
                return
            self._news[False].wait(_LOOK_FOR_LOCK)
            self._news[False].clear()
        try:
            self._settle()
            aside = threading.Thread(target=self._take_turns, args=(True,), name="atelier-jobs aside", daemon=True)
            aside.start()
            self._take_turns(False)
            aside.join()
        finally:
            self._lock.release()

    def _take_turns(self, aside: bool) -> None:
        """Carry out one after the other of the kinds that are, or are not, `aside`."""
        news = self._news[aside]
        while not self.is_closed:
            news.clear()
            try:
                was_one = self._take_turn(aside)
            except Exception:  # such as a full disk: whatever it was, those that wait must not wait for good
                _log.exception("A turn of the jobs failed; the queue goes on.")
                was_one = False
            if not was_one:
                news.wait(_LOOK_FOR_LOCK)  # other processes add jobs, too

    def _take_turn(self, aside: bool) -> bool:
        """Whether there was one to carry out."""
        if self.room is not None and not aside:
            self.room.mend()
        waiting = (job for job in self._records.all() if job.standing.state == "queued")
        job = next((job for job in waiting if self._is_aside(job) == aside), None)
        if job is not None:
            self._carry_out(job)
        return job is not None

    def _is_aside(self, job: Job) -> bool:
        return job.kind in self.kinds and self.kinds[job.kind].is_aside

    def _run_folder(self, job: Job) -> Path | None:
        """Where what it makes lies when it is forgotten; None where nothing does."""
        kind, config = self.kinds.get(job.kind), self._records.config(job.id)
        return kind.run_folder(config) if kind is not None and kind.run_folder is not None and config else None

    def _wake(self) -> None:
        for news in self._news.values():
            news.set()

    def _settle(self) -> None:
        """What was at work when its process ended is not any more."""
        for job in self._records.all():
            if job.standing.state == "running":
                message = "Atelier ended while this was at work."
                self._records.set(job.id, replace(job.standing, state="interrupted", ended=time.time(), problem=message))

    def _carry_out(self, job: Job) -> None:
        folder = self._records.path(job.id)
        if (folder / "cancel").exists():
            self._records.set(job.id, replace(job.standing, state="cancelled", ended=time.time()))
            return
        running = replace(job.standing, state="running", started=time.time())
        self._records.set(job.id, running)
        try:
            kind = self.kinds[job.kind]
            with ExitStack() as made:
                if kind.needs is not None and self.room is not None:
                    made.enter_context(
                        self.room.made(kind.needs(self._records.config(job.id)), lambda: self.is_closed or (folder / "cancel").exists())
                    )
                status = self._run(job, folder)
        except Exception as error:
            self._records.set(job.id, replace(running, state="failed", ended=time.time(), problem=f"It could not be started: {error}"))
            return
        if (folder / "cancel").exists():
            ended = replace(running, state="cancelled")
        elif status == 0:
            ended = replace(running, state="done")
        elif status == self.kinds[job.kind].stopped:
            ended = replace(running, state="interrupted", problem=STOPPED)
        elif self.is_closed:
            ended = replace(running, state="interrupted", problem="Atelier was ended while this was at work.")
        else:
            ended = replace(running, state="failed", problem=self._reason(job.id, status))
        self._records.set(job.id, replace(ended, ended=time.time()))
        if ended.state == "done" and kind.makes_models and self.has_models is not None:
            self.has_models()

    def _run(self, job: Job, folder: Path) -> int:
        """Carry out its program to the end; gives the status."""
        kind = self.kinds[job.kind]
        run_folder = self._run_folder(job)
        if run_folder is not None:
            (run_folder / "pause").unlink(missing_ok=True)  # of an earlier job that ended while it waited
        (folder / "stop").unlink(missing_ok=True)
        patience = min(kind.patience, _CLOSING)
        leash = [sys.executable, "-m", "lib_extension.jobs.leash", str(folder / "stop"), str(patience)]
        command = [*leash, *kind.command(self.environment, folder / "config.json")]
        variables = {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}
        with (folder / "events.jsonl").open("ab") as events, (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, env=variables, stdin=subprocess.PIPE, stdout=events, stderr=log, **apart())
        assert process.stdin is not None
        while True:
            try:
                return process.wait(_LOOK)
            except subprocess.TimeoutExpired:
                if run_folder is not None and (folder / "halt").exists() and (run_folder / "config.json").is_file():
                    (run_folder / "stop").touch()  # again and again: a program that begins takes an old one away
                if self.is_closed or (folder / "cancel").exists():
                    process.stdin.close()  # the leash ends it
                    return process.wait()
            finally:
                if process.returncode is not None:
                    process.stdin.close()

    def _reason(self, id: str, status: int) -> str:
        account = self.account(id)
        if account.problem:
            return account.problem
        last = account.lines[-1] if account.lines else "it said nothing"
        return f"Its program ended with status {status}: {last}"
