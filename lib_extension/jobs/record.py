"""What is written down of a job? Its folder holds all of it, so that it outlives every process:

job.json       what it is, written once         config.json    its settings, for its program
state.json     how it stands                    cancel         is there when somebody cancelled it
events.jsonl   what its program printed         stop           is there when the program is to end
log.txt        what it complained of            files/         pictures and the like that it made
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from lib_extension.formats.flushing import replace
from lib_extension.spec.errors import BadRequest, NotFound

State = Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
ENDED: tuple[State, ...] = ("done", "failed", "cancelled", "interrupted")
_ID = re.compile(r"[0-9]{8}-[0-9]{6}-[0-9a-f]{6}")


@dataclass(frozen=True)
class Standing:
    """How a job stands. Times are seconds since 1970; 0: not yet."""

    state: State = "queued"
    started: float = 0.0
    ended: float = 0.0
    problem: str = ""  # why it failed, or was interrupted


@dataclass(frozen=True)
class Job:
    """A job and how it stands."""

    id: str
    kind: str
    title: str
    config: dict[str, Any]  # as it was asked for, names of models among it
    created: float
    standing: Standing


class Records:
    """The jobs in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def add(self, kind: str, title: str, config: dict[str, Any], asked: dict[str, Any]) -> Job:
        """Write down a job that waits for its turn. `config` is for its program; `asked` what it was made from, as it is told."""
        id = f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"
        folder = self.folder / id
        (folder / "files").mkdir(parents=True)
        created = time.time()
        _write(folder / "config.json", config)
        _write(folder / "job.json", {"kind": kind, "title": title, "created": created, "asked": asked})
        return Job(id, kind, title, asked, created, Standing())

    def get(self, id: str) -> Job:
        """NotFound."""
        folder = self.path(id)
        state = _read(folder / "state.json")  # first: if the job is removed meanwhile, it must not look like one that waits
        told = _read(folder / "job.json")
        if told is None:
            raise NotFound(f'There is no job "{id:.40}".')
        standing = Standing(**(state or {}))
        asked = told["asked"] if "asked" in told else _read(folder / "config.json") or {}
        return Job(id, told["kind"], told["title"], asked, told["created"], standing)

    def config(self, id: str) -> dict[str, Any]:
        """What its program is told."""
        return _read(self.path(id) / "config.json") or {}

    def all(self) -> list[Job]:
        """The oldest first."""
        if not self.folder.is_dir():
            return []
        ids = [entry.name for entry in os.scandir(self.folder) if _ID.fullmatch(entry.name)]
        jobs: list[Job] = []
        for id in ids:
            with suppress(NotFound):  # one that is just being written, or was removed meanwhile
                jobs.append(self.get(id))
        return sorted(jobs, key=lambda job: (job.created, job.id))

    def set(self, id: str, standing: Standing) -> None:
        """How it stands now."""
        _write(self.path(id) / "state.json", asdict(standing))

    def remove(self, id: str) -> None:
        """Forget a job and all that is in its folder."""
        job = self.get(id)
        if job.standing.state == "running":
            raise BadRequest("The job is at work; cancel it first.")
        doomed = self.folder / f"removed-{id}"
        replace(self.folder / id, doomed)  # in one step: nobody finds half of it
        shutil.rmtree(doomed, ignore_errors=True)

    def path(self, id: str) -> Path:
        """A job's folder. NotFound for what is no job's id."""
        if not _ID.fullmatch(id):
            raise NotFound(f'There is no job "{id:.40}".')
        return self.folder / id

    def file(self, id: str, name: str, folder: Path | None = None) -> Path:
        """One of the files that it made, in `folder` if that is named. NotFound, also for whatever leads elsewhere."""
        files = folder or self.path(id) / "files"
        try:
            file = (files / name).resolve(strict=True)
            if file.is_relative_to(files.resolve(strict=True)) and file.is_file():
                return file
        except (OSError, RuntimeError, ValueError):  # not there, too long a name, links in a circle
            pass
        raise NotFound(f'The job has no file "{name:.80}".')


def _write(file: Path, value: dict[str, Any]) -> None:
    aside = file.with_suffix(".tmp")
    aside.write_text(json.dumps(value), encoding="utf-8")
    replace(aside, file)


def _read(file: Path) -> dict[str, Any] | None:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
