"""How does a job get memory on the GPU that a WebUI fills? Its checkpoint leaves the GPU by its own API, and comes back, come what may."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from lib_extension.backend.backend import Backend
from lib_extension.backend.errors import BackendError

_LOOK = 0.5  # seconds between two looks at whether a WebUI still draws
_HERE = ("127.0.0.1", "localhost", "::1")


class Room:
    """What the backends of this machine can give."""

    def __init__(self, backends: Sequence[Backend] = (), note: Path | None = None, patience: float = 600.0) -> None:
        """note: a file that names whose checkpoint is away, for when this process does not live to bring it back.

        patience: seconds that a picture that is being drawn may take; its checkpoint is never taken away from it.
        """
        self._note = note
        self._backends = [backend for backend in backends if is_here(backend.spec)]
        self._patience = patience

    @contextmanager
    def made(self, needed: int, is_cancelled: Callable[[], bool] = lambda: False) -> Iterator[None]:
        """For as long as the job is at work. Where no GPU is short of `needed` bytes, nothing is touched."""
        emptied: list[Backend] = []
        try:
            for backend in self._backends if needed else ():
                if self._is_short(backend, needed) and self._is_idle(backend, is_cancelled):
                    emptied.append(backend)  # first, so that one that fails halfway is given back, too
                    self._write([one.spec for one in emptied])
                    _tried(backend.unload)
            yield
        finally:
            for backend in emptied:
                _tried(backend.reload)
            if emptied:
                self._write([])

    def mend(self) -> None:
        """Bring back what an earlier process left away. A WebUI around that process ended with it, as its engines did."""
        if self._note is None or not self._note.is_file():
            return
        specs = self._note.read_text(encoding="utf-8").splitlines()
        for backend in self._backends:
            if backend.spec in specs and not (backend.spec == "webui" or backend.spec.startswith("engine:")):
                _tried(backend.reload)
        self._write([])

    def _write(self, specs: Sequence[str]) -> None:
        if self._note is not None and specs:
            self._note.write_text("\n".join(specs), encoding="utf-8")
        elif self._note is not None:
            self._note.unlink(missing_ok=True)

    def _is_short(self, backend: Backend, needed: int) -> bool:
        try:
            free = backend.free_memory()
        except BackendError:
            return False  # it does not answer, so it cannot be asked for room either
        return free is not None and free < needed

    def _is_idle(self, backend: Backend, is_cancelled: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + self._patience
        try:
            while backend.is_drawing():
                if is_cancelled() or time.monotonic() > deadline:
                    return False
                time.sleep(_LOOK)
        except BackendError:
            return False
        return True


def is_here(spec: str) -> bool:
    """Whether a backend shares this machine's GPU: the WebUI around the tab, our engine, or an address of this machine."""
    return spec == "webui" or spec.startswith("engine:") or urlsplit(spec).hostname in _HERE


def _tried(act: Callable[[], None]) -> None:
    try:
        act()
    except BackendError:
        pass  # a WebUI that has ended holds no memory, and loads its checkpoint when it starts
