"""What do the routes share? The engine, the line before it, the options, and a few threads for what needs no checkpoint."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request

from lib_extension.engine.engine import Engine
from lib_extension.engine.judges import Judges
from lib_extension.engine.options import Options
from lib_extension.engine.queue import Queue, task_id
from lib_extension.models.library import Library

T = TypeVar("T")

SIDE_THREADS = 3


@dataclass(frozen=True)
class Serving:
    """How the server was started."""

    lenient: bool = False
    host: str = "127.0.0.1"
    port: int = 7860
    credentials: tuple[str, ...] = ()
    outputs_dir: Path = Path("outputs")
    flags: dict[str, Any] = field(default_factory=dict)


@dataclass
class Server:
    """One for a process. Only the queue's thread touches the engine's models; everything else may be used from any thread."""

    engine: Engine
    options: Options
    library: Library
    judges: Judges
    serving: Serving
    queue: Queue
    side: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(SIDE_THREADS, "engine-side"))

    @property
    def lenient(self) -> bool:
        return self.serving.lenient

    async def in_turn(self, id: str, call: Callable[[], T], *, shown: bool = True) -> T:
        """Waits for the call's turn and result. A client that leaves does not take the call out of the line."""
        return await asyncio.shield(asyncio.wrap_future(self.queue.submit(id, call, shown=shown)))

    async def in_turn_unseen(self, kind: str, call: Callable[[], T]) -> T:
        """As `in_turn`, for work that is nobody's task: loading, unloading, refreshing."""
        return await self.in_turn(task_id(kind), call, shown=False)

    async def aside(self, call: Callable[[], T]) -> T:
        """Runs what takes time but no checkpoint, while the line goes on."""
        return await asyncio.get_running_loop().run_in_executor(self.side, call)

    def close(self) -> None:
        """Ends the running call within a step, and tells those who wait."""
        self.queue.close()
        self.engine.progress.interrupt()
        self.side.shutdown(wait=False, cancel_futures=True)


async def server_of(request: Request) -> Server:
    return request.app.state.server


Here = Annotated[Server, Depends(server_of)]
