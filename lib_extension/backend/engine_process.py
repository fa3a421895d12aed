"""How is the embedded engine started and stopped? As a process of its own, with a Python that has the packages for it."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lib_extension.backend.client import Unreachable
from lib_extension.backend.engine_python import engine_python

# Ctrl+C in a terminal goes to all programs of its group. The engine is left out: who asked finishes, or cancels, what it is at.
_APART = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # as Windows says it
_READY = re.compile(r"^Atelier engine on (http://\S+)", re.MULTILINE)


@contextmanager
def running_engine(model: str, log: Path, patience: float = 300) -> Iterator[str]:
    """Start the engine with `model` and give its address; it is stopped when the block ends, however it ends.

    What it prints goes to `log`. `patience` is how many seconds it may take to start.
    """
    python = engine_python()
    with log.open("wb") as output:
        # It ends with this process, even where that is killed.
        command = [python.executable, "-m", "lib_extension.engine", "--model", model, "--port", "0", "--parent-pid", str(os.getpid())]
        process = subprocess.Popen(
            command,
            env=python.variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            creationflags=_APART,
        )
    try:
        yield _wait_until_ready(process, log, patience)
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], log: Path, patience: float) -> str:
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        ended = process.poll() is not None  # asked before the log is read, so that its last words are in it
        printed = log.read_text(encoding="utf-8", errors="replace")
        ready = _READY.search(printed)
        if ready:
            return ready[1]
        if ended:
            last = printed.strip().splitlines()[-1:] or ["it printed nothing"]
            raise Unreachable(f"The engine ended while it started: {last[0]} (all it printed is in {log})")
        time.sleep(0.1)
    raise Unreachable(f"The engine did not start in {patience:g} seconds (what it printed is in {log}).")
