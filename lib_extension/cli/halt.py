"""`pause RUN` and `cancel RUN`: stop a run, whichever program carries it out, and wait until it has stopped."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home, again, opened_for
from lib_extension.cli.screen import say_json
from lib_extension.runs.records import Run
from lib_extension.session.session import Session
from lib_extension.session.told import run_told

_LOOK = 0.2  # seconds

Ask = Callable[[Session, str], None]


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", default="latest", help="its id (default: the latest run)")
    add_home(parser)


def _pause(options: argparse.Namespace) -> int:
    return _halt(options, lambda session, run_id: session.runner.pause(run_id), "Pausing after what is at work")


def _cancel(options: argparse.Namespace) -> int:
    return _halt(options, lambda session, run_id: session.runner.cancel(run_id), "Stopping what is at work")


def _halt(options: argparse.Namespace, ask: Ask, saying: str) -> int:
    with opened_for(options, options.run) as (session, earlier):
        ask(session, earlier.id)
        if earlier.state == "running" and not options.json:
            print(f"{saying} …", file=sys.stderr, flush=True)
        run = _stopped(session, earlier.id)
        done = sum(node.state == "done" for node in session.ledger.nodes(run.id))
    if options.json:
        say_json(run_told(run))
    else:
        print(_told(run, earlier, done, options))
    return exit_codes.DONE


def _stopped(session: Session, run_id: str) -> Run:
    """The run when it is at work no more."""
    while True:
        session.ledger.settle()
        run = session.ledger.runs.get(run_id)
        if run.state != "running":
            return run
        time.sleep(_LOOK)


def _told(run: Run, earlier: Run, done: int, options: argparse.Namespace) -> str:
    if run.state == earlier.state:
        return f"Nothing of the run {run.id} is at work: it is {run.state}{f': {run.message}' if run.message else ''}."
    if run.state not in ("paused", "cancelled"):
        return f"The run {run.id} came to its end before: it is {run.state}."
    kept = f"; {done} stages are done" if done else ""
    return f"The run {run.id} is {run.state}{kept}. Go on with it: {again(options, 'resume', run.id)}"


PAUSE = Command("pause", "stop a run after what is at work", _add_words, _pause)
CANCEL = Command("cancel", "stop a run at once", _add_words, _cancel)
