"""Who starts, watches and stops the programs of jobs? One thread of one process, one job after the other, the oldest first.

Any process may add, cancel and read jobs of the same folder. When the one that carries them out ends, its job's program ends too; the
job is interrupted, and those that wait are carried out by whoever opens the folder next.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib_extension.jobs.account import Account
from lib_extension.jobs.apart import apart
from lib_extension.jobs.kinds import KINDS, JobKind
from lib_extension.jobs.lock import Lock
from lib_extension.jobs.record import ENDED, Job, Records
from lib_extension.setup.environment import ROOT, Environment
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.settings import from_json, to_json

_LOOK = 0.2  # seconds between two looks at the program, and at what other processes want
_LOOK_FOR_LOCK = 2.0
_CLOSING = 20.0  # seconds that a program has to end in good order when the server does
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
        self._lock = Lock(folder / "lock")
        self._news = threading.Event()
        self._guard = threading.Lock()  # of the next two
        self._thread: threading.Thread | None = None
        self._accounts: dict[str, Account] = {}
        if any(job.standing.state not in ENDED for job in self._records.all()):
            self._begin()

    @property
    def environment(self) -> Environment:
        """The worker's, wherever it is now: a WebUI's settings can move it."""
        return self._environment or Environment()

    def add(self, kind: str, config: dict[str, Any]) -> Job:
        """Put a job at the end of the queue. BadRequest names the setting that is wrong."""
        known = self.kinds.get(kind)
        if known is None:
            raise BadRequest(f'There is no kind of job "{kind:.40}".{near_miss(kind, self.kinds)} Known: {", ".join(self.kinds)}.')
        settings = from_json(known.settings, config)
        job = self._records.add(kind, known.title(settings), to_json(settings))
        self._begin()
        self._news.set()
        return job

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
        self._news.set()

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
            return replace(account, lines=account.lines.copy(), pictures=account.pictures.copy(), points=points)

    def folder(self, id: str) -> Path:
        """Where all of it lies. NotFound."""
        return self._records.path(self._records.get(id).id)

    def file(self, id: str, name: str) -> Path:
        """A file that it made. NotFound."""
        return self._records.file(id, name)

    def close(self) -> None:
        """End what is at work, and wait for that."""
        self.is_closed = True
        self._news.set()
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
            self._news.wait(_LOOK_FOR_LOCK)
            self._news.clear()
        try:
            self._settle()
            while not self.is_closed:
                self._news.clear()
                job = next((job for job in self._records.all() if job.standing.state == "queued"), None)
                if job is None:
                    self._news.wait(_LOOK_FOR_LOCK)  # other processes add jobs, too
                else:
                    self._carry_out(job)
        finally:
            self._lock.release()

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
            status = self._run(job, folder)
        except (OSError, KeyError) as error:
            self._records.set(job.id, replace(running, state="failed", ended=time.time(), problem=f"It could not be started: {error}"))
            return
        if (folder / "cancel").exists():
            ended = replace(running, state="cancelled")
        elif status == 0:
            ended = replace(running, state="done")
        elif self.is_closed:
            ended = replace(running, state="interrupted", problem="Atelier was ended while this was at work.")
        else:
            ended = replace(running, state="failed", problem=self._reason(job.id, status))
        self._records.set(job.id, replace(ended, ended=time.time()))

    def _run(self, job: Job, folder: Path) -> int:
        """Carry out its program to the end; gives the status."""
        kind = self.kinds[job.kind]
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
