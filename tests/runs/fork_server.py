"""Processes that carry out a run, for tests that kill them: forked from one that has imported everything, so that each costs little.

A line of JSON in, {"folder": …, "url": …, "run": …}, and the child's process id is printed; "wait" waits for all and prints their exit
codes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.runs.workshop import workshop

ROOT = Path(__file__).parents[2]


def main() -> None:
    children: list[int] = []
    for line in sys.stdin:
        if line.strip() == "wait":
            codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
            children.clear()
            print(json.dumps(codes), flush=True)
            continue
        child = os.fork()
        if child == 0:
            os._exit(carry_out(**json.loads(line)))
        children.append(child)
        print(child, flush=True)


def carry_out(folder: str, url: str, run: str) -> int:
    """0 when the run is done."""
    with workshop(Path(folder), url) as shop:
        return 0 if shop.resume(run).state == "done" else 1


class ForkServer:
    """The parent of such processes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, folder: Path, url: str, run: str) -> int:
        """Carry out a run in a process of its own; its id."""
        return int(self._ask(json.dumps({"folder": str(folder), "url": url, "run": run})))

    def wait(self) -> list[int]:
        """The exit codes of all that were started, when they have ended."""
        return json.loads(self._ask("wait"))

    def _ask(self, line: str) -> str:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@contextmanager
def fork_server() -> Iterator[ForkServer]:
    """Runs while the block does."""
    command = [sys.executable, "-m", "tests.runs.fork_server"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield ForkServer(process)
        finally:
            process.kill()


if __name__ == "__main__":
    main()
