"""The engine as a user starts it: a process of its own, asked over HTTP."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
READY = re.compile(r"Atelier engine on (http://\S+) \(model (.*)\)")
START_SECONDS = 300.0
ANSWER_SECONDS = 240.0


@dataclass(frozen=True)
class Running:
    """A started engine. `log` is what it wrote to its error stream."""

    client: httpx.Client
    model: str
    process: subprocess.Popen[str]
    log: Path

    def json(self, method: str, path: str, body: object = None) -> object:
        """The answer's value; anything but 200 fails the test with what the engine said."""
        answer = self.client.request(method, path, json=body) if body is not None else self.client.request(method, path)
        assert answer.status_code == 200, answer.text[:500]
        return answer.json()


@contextmanager
def engine(log: Path, *arguments: str) -> Iterator[Running]:
    """Starts an engine at a free port, and ends it. It must not have died meanwhile."""
    process = start(log, *arguments)
    try:
        url, model = wait_until_ready(process, log)
        with httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False) as client:
            yield Running(client, model, process, log)
        assert process.poll() is None, log.read_text()
    finally:
        process.terminate()
        process.wait(30)
        if process.stdout:
            process.stdout.close()


def start(log: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "lib_extension.engine", "--port", "0", "--device", "cpu", *arguments]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with log.open("w") as errors:
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True)


def wait_until_ready(process: subprocess.Popen[str], log: Path) -> tuple[str, str]:
    """Address and model of the line that the engine prints when it can be asked."""
    assert process.stdout is not None
    stop = threading.Timer(START_SECONDS, process.kill)
    stop.start()
    try:
        line = process.stdout.readline()
    finally:
        stop.cancel()
    found = READY.match(line)
    assert found, f"no ready line but {line!r}\n{log.read_text()}"
    return found[1], found[2]
