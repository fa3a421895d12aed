"""Programs of jobs for tests: real processes that tell, wait and fail as real ones do.

python -m tests.jobs.programs CONFIG
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from lib_extension.jobs.kinds import JobKind
from lib_extension.spec.settings import Settings, field


@dataclass(frozen=True)
class ProgramSettings(Settings):
    """What the program does."""

    does: str = field(label="What it does")
    steps: int = field(3, minimum=1, maximum=100_000, label="Steps")


def _refuse() -> NoReturn:
    raise TypeError("settings of another time")


KINDS = {
    "program": JobKind(
        settings=ProgramSettings,
        title=lambda settings: f"To {settings.does}",
        command=lambda environment, config: [sys.executable, "-m", "tests.jobs.programs", str(config)],
        patience=5.0,
    ),
    "impatient": JobKind(
        settings=ProgramSettings,
        title=lambda settings: f"To {settings.does}",
        command=lambda environment, config: [sys.executable, "-m", "tests.jobs.programs", str(config)],
        patience=0.0,
    ),
    "odd": JobKind(ProgramSettings, lambda settings: "Odd", lambda environment, config: _refuse()),
    "missing": JobKind(ProgramSettings, lambda settings: "Missing", lambda environment, config: ["/nowhere/at/all"]),
}


def tell(**event: object) -> None:
    """One JSON line."""
    print(json.dumps(event), flush=True)


def main(config: Path) -> int:
    """Carry out the settings in the file."""
    settings = json.loads(config.read_text(encoding="utf-8"))
    return globals()[settings["does"].replace(" ", "_")](config.parent, settings["steps"])


def learn(folder: Path, steps: int) -> int:
    """Tells all that can be told."""
    tell(event="log", text="Beginning")
    print("  10%|#", end="\r", file=sys.stderr)
    print(" 100%|##########", file=sys.stderr)
    for step in range(1, steps + 1):
        tell(event="point", series="loss", x=step, y=1 / step)
        tell(event="progress", done=step, total=steps, text="Learning")
    (folder / "files" / "sample.png").write_bytes(b"\x89PNG")
    tell(event="picture", file="sample.png", title=f"step {steps}")
    print("plain words")
    return 0


def fail(folder: Path, steps: int) -> int:
    """Says why, and ends with a status that is not 0."""
    tell(event="error", error="OutOfMemory", detail="The card's memory is full: choose a smaller batch.")
    return 3


def crash(folder: Path, steps: int) -> int:
    """Ends without a word of its own."""
    raise RuntimeError("deep inside")


def stop_when_asked(folder: Path, steps: int) -> int:
    """Goes on until the stop file is there, and then saves."""
    tell(event="log", text="at work")
    while not Path(os.environ["ATELIER_STOP_FILE"]).exists():
        time.sleep(0.02)
    (folder / "files" / "saved.txt").write_text("saved")
    return 0


def never_stop(folder: Path, steps: int) -> int:
    """Does not look at the stop file, and has a child that does not either."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    tell(event="log", text=f"pids {os.getpid()} {child.pid}")
    time.sleep(600)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
