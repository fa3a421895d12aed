"""What ends a job's program when whoever started it ends, however that ends? This does: it lives between the two.

    python -m lib_extension.jobs.leash STOP_FILE PATIENCE PROGRAM ARGUMENTS…

Its input is a pipe from whoever started it and never says anything; once it is closed, by hand or because that process is gone, the
program is asked to stop by the stop file, and after `PATIENCE` seconds is ended with all that it has started. The status is the program's.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from lib_extension.jobs.apart import apart

_GRACE = 10.0  # seconds between being told to end and being ended


def main(arguments: Sequence[str]) -> int:
    """Run the program; gives its exit status."""
    stop_file, patience, *command = arguments
    environment = {**os.environ, "ATELIER_STOP_FILE": stop_file}
    program = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=environment, **apart())
    threading.Thread(target=_hold, args=(program, Path(stop_file), float(patience)), daemon=True).start()
    status = program.wait()
    return status if status >= 0 else 128 - status


def _hold(program: subprocess.Popen[bytes], stop_file: Path, patience: float) -> None:
    while os.read(0, 1):  # sys.stdin's own lock would be in the way of ending
        pass
    stop_file.touch()
    if patience and _has_ended(program, patience):
        return
    _end(program, gently=True)
    if not _has_ended(program, _GRACE):
        _end(program, gently=False)


def _has_ended(program: subprocess.Popen[bytes], seconds: float) -> bool:
    try:
        program.wait(seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def _end(program: subprocess.Popen[bytes], gently: bool) -> None:
    """The program and what it has started."""
    if sys.platform == "win32":
        # There is no gentle way for a program without a window.
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(program.pid)], capture_output=True, check=False)
        return
    try:
        os.killpg(program.pid, signal.SIGTERM if gently else signal.SIGKILL)
    except ProcessLookupError:
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
