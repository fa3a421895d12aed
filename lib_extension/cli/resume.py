"""`resume RUN`: go on with a run that was paused, killed, cancelled or failed, or whose choice was made."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lib_extension.cli.command import Command
from lib_extension.cli.ending import end
from lib_extension.cli.follow import Wanted, start_and_follow
from lib_extension.cli.options import add_backends, add_home, opened_for
from lib_extension.cli.run import add_output


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", default="latest", help="its id (default: the latest run)")
    add_backends(parser, "default: the run's own")
    add_output(parser)
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened_for(options, options.run) as (session, earlier):
        if not options.json:
            print(f"Going on with {earlier.id} ({earlier.name})", flush=True)
        folder = Path(options.output).resolve() if options.output else session.folder_of(earlier)
        run = start_and_follow(session, Wanted(earlier.id, folder, options.private), None if options.json else sys.stdout)
        return end(session, run, folder, options)


COMMAND = Command("resume", "go on with a run", _add_words, _carry_out)
