"""What do the routes share? The session, the guard, what is known of the host, and a few threads of their own for what takes time."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar

from lib_extension.api.forms import is_hash
from lib_extension.api.guard import Guard, Login
from lib_extension.jobs.jobs import jobs_at
from lib_extension.jobs.kind import Around
from lib_extension.jobs.room import Room
from lib_extension.session.session import Session
from lib_extension.session.supplies import supplies
from lib_extension.spec.errors import NotFound

T = TypeVar("T")

FOLDERS = "ATELIER_FOLDERS"  # names folders of pictures that clients of other machines may use, too, as PATH does
_THREADS = 8
_PATIENT = 4  # for what may wait for a backend, so that it never keeps the others waiting
_DRAWING = 2  # for pictures: each may take hundreds of megabytes


@dataclass(frozen=True)
class HostFacts:
    """Where the tab is, as its host says when the routes are made."""

    kind: Literal["standalone", "a1111", "forge", "reforge"] = "standalone"
    language: str = ""  # such as "de_DE", where the host has one chosen; '': as the browser has it
    features: Mapping[str, bool] = field(default_factory=dict)  # what the host's page can be asked for, such as send_to
    folders: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)  # further ones of "loras" and "checkpoints"


_STANDALONE = HostFacts()


class Desk:
    """One for a router. A host's own threads are never used: in a WebUI, calls that wait for the GPU fill them all."""

    def __init__(
        self, session: Session, credentials: Iterable[str] = (), host: HostFacts = _STANDALONE, login: Login | None = None
    ) -> None:
        """`credentials`: the host's "user:password" texts; `login`: its page's own; neither: only this machine is served."""
        self.session = session
        self.guard = Guard(tuple(credentials), login)
        self.host = host
        self.jobs = jobs_at(session.home.jobs)
        self.jobs.around = Around(session.home.folder.absolute(), session.models, self._roots(), host.folders)
        self.jobs.room = Room(session.pool.backends, session.home.jobs / "away.txt")
        self.jobs.has_models = self._look_for_new
        self._threads = ThreadPoolExecutor(_THREADS, "atelier-api")
        self._patient = ThreadPoolExecutor(_PATIENT, "atelier-api patient")
        self._drawing = ThreadPoolExecutor(_DRAWING, "atelier-api pictures")

    def _look_for_new(self) -> None:
        """Has the backends look for models that came, whichever page is open. It waits for what they draw, so nobody waits for it."""
        at_work = [backend for backend in self.session.pool.backends if backend.is_at_work]
        with suppress(RuntimeError):  # we are at an end
            self._patient.submit(lambda: supplies(at_work, self.session.ledger, fresh=True))

    def _roots(self) -> tuple[Path, ...] | None:
        """Folders that clients may name: any where only this machine is served, else those that the settings name, and our own."""
        if self.guard == Guard():
            return None
        named = [Path(text) for text in os.environ.get(FOLDERS, "").split(os.pathsep) if text]
        models = [self.session.models] if self.session.models else []
        return (
            *named,
            self.session.home.folder.absolute(),
            *models,
            *(folder for folders in self.host.folders.values() for folder in folders),
        )

    async def aside(self, call: Callable[[], T]) -> T:
        """The call's result, while the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    async def patiently(self, call: Callable[[], T]) -> T:
        """As aside, for what may wait for a backend, or for an engine to start."""
        return await asyncio.get_running_loop().run_in_executor(self._patient, call)

    async def drawing(self, call: Callable[[], T]) -> T:
        """As aside, for what decodes or encodes pictures."""
        return await asyncio.get_running_loop().run_in_executor(self._drawing, call)

    def picture(self, id: str) -> bytes:
        """The file of a picture by its id. NotFound."""
        if not is_hash(id):
            raise NotFound(f"{id!r:.80} is no picture's id.")
        if not self.session.blobs.path(id).is_file():
            raise NotFound(f"There is no picture {id[:12]}….")
        return self.session.blobs.get(id)

    def close(self) -> None:
        """Take no more work."""
        for threads in (self._threads, self._patient, self._drawing):
            threads.shutdown(wait=False, cancel_futures=True)
