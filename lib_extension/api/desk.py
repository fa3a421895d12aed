"""What do the routes share? The session, the guard, and a few threads of their own for what takes time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from lib_extension.api.forms import is_hash
from lib_extension.api.guard import Guard
from lib_extension.session.session import Session
from lib_extension.spec.errors import NotFound

T = TypeVar("T")

_THREADS = 8


class Desk:
    """One for a router. A host's own threads are never used: in a WebUI, calls that wait for the GPU fill them all."""

    def __init__(self, session: Session, credentials: Iterable[str] = ()) -> None:
        """`credentials`: the host's "user:password" texts; none: only this machine is served."""
        self.session = session
        self.guard = Guard(tuple(credentials))
        self._threads = ThreadPoolExecutor(_THREADS, "atelier-api")

    async def aside(self, call: Callable[[], T]) -> T:
        """The call's result, while the event loop goes on."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, call)

    def picture(self, id: str) -> bytes:
        """The file of a picture by its id. NotFound."""
        if not is_hash(id):
            raise NotFound(f"{id!r:.80} is no picture's id.")
        if not self.session.blobs.path(id).is_file():
            raise NotFound(f"There is no picture {id[:12]}….")
        return self.session.blobs.get(id)

    def close(self) -> None:
        """Take no more work."""
        self._threads.shutdown(wait=False, cancel_futures=True)
