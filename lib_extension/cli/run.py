"""`run RECIPE`: carry out a recipe."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from lib_extension.cli.command import Command
from lib_extension.cli.ending import end
from lib_extension.cli.findings import say_findings
from lib_extension.cli.follow import Wanted, start_and_follow
from lib_extension.cli.options import add_backends, add_home, add_recipe, asked_by, opened
from lib_extension.runs.storage import disk_errors


def _add_words(parser: argparse.ArgumentParser) -> None:
    add_recipe(parser)
    add_backends(parser, "default: engine:demo")
    add_output(parser)
    add_home(parser)


def add_output(parser: argparse.ArgumentParser) -> None:
    """Where the pictures go, and what they tell."""
    parser.add_argument("--output", type=Path, metavar="DIR", help="where the pictures go (default: outputs/RUN in the home)")
    parser.add_argument("--private", action="store_true", help="let no file say how it was made")


def _made_ready(folder: Path) -> str:
    """The folder's full path. It is made now, so that a place that takes no files is told of before any picture is drawn."""
    with disk_errors("The output folder"):
        folder.mkdir(parents=True, exist_ok=True)
    return str(folder.resolve())


def _carry_out(options: argparse.Namespace) -> int:
    with opened(options) as session:
        asked = asked_by(session, options)
        if not options.json:
            print(
                f"{asked.recipe.title or asked.recipe.name}, with {', '.join(backend.spec for backend in session.pool.backends)}",
                flush=True,
            )
        run_id, outlook = session.add(asked, _made_ready(options.output) if options.output else "")
        if not options.json:
            say_findings(outlook.findings)
            print(f"Run {run_id}; what is made is kept in {session.home.folder}", flush=True)
        folder = session.folder_of(session.ledger.runs.get(run_id))
        run = start_and_follow(session, Wanted(run_id, folder, options.private), None if options.json else sys.stdout)
        return end(session, run, folder, options)


COMMAND = Command("run", "carry out a recipe", _add_words, _carry_out)
