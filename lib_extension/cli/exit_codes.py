"""What does the exit status say? Scripts go by it; `--help` tells it."""

from __future__ import annotations

from lib_extension.runs.records import Run

DONE = 0
FAILED = 1
BAD_INPUT = 2
WAITING = 3
REFUSED = 4
STOPPED = 5
INTERRUPTED = 130

TOLD = f"""exit status:
  {DONE}    done
  {FAILED}    failed: stages, a backend, or the disk
  {BAD_INPUT}    what was typed, or a file that was named, is wrong
  {WAITING}    the run waits for a choice
  {REFUSED}    preflight found errors; nothing was started
  {STOPPED}    paused or cancelled by somebody
  {INTERRUPTED}  stopped at once, by a second Ctrl+C"""


def of_run(run: Run) -> int:
    """The status that a run's state ends the command with."""
    return {"done": DONE, "waiting": WAITING, "paused": STOPPED, "cancelled": STOPPED}.get(run.state, FAILED)
