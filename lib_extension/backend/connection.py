"""Where is a backend, and how is it reached? An address, an embedded engine that is started on demand, or the WebUI's own process."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from lib_extension.backend.engine_process import running_engine

Auth = tuple[str, str]


def _nothing() -> None:
    """Most connections leave nothing behind."""


@dataclass(frozen=True)
class Connection:
    """A backend that can be called now."""

    url: str
    transport: httpx.BaseTransport
    auth: Auth | None = None
    name: str = ""  # as messages name it; by its address where there is none
    version: str = ""  # where it is known without asking
    close: Callable[[], None] = _nothing  # ends what was started for it


Connect = Callable[[], Connection]
"""Makes the connection when it is first needed, and again when it was lost. Raises BackendError."""


def to_url(url: str, auth: Auth | None = None) -> Connect:
    """A server that somebody else runs."""
    return lambda: Connection(url, httpx.HTTPTransport(limits=httpx.Limits(keepalive_expiry=5)), auth)


def to_engine(model: str) -> Connect:
    """An embedded engine with `model`, started for this process and stopped when the connection is closed."""

    def start() -> Connection:
        folder = Path(tempfile.mkdtemp(prefix="atelier-engine-"))  # stays where the engine does not start: the error names the log in it
        with ExitStack() as opened:
            url = opened.enter_context(running_engine(model, folder / "engine.log"))
            ended = ExitStack()
            ended.callback(shutil.rmtree, folder, ignore_errors=True)
            ended.push(opened.pop_all())  # the engine first: it has the log open
            return Connection(url, httpx.HTTPTransport(), name=f"the engine ({model})", close=ended.close)

    return start
