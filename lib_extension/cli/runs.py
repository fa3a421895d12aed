"""`runs [RUN]`: which runs there are, or how far one is."""

from __future__ import annotations

import argparse
from contextlib import closing

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home, find_run
from lib_extension.cli.screen import moment, say_json, say_table
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Run
from lib_extension.session.home import Home
from lib_extension.session.told import node_told, run_told


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", metavar="RUN", nargs="?", help="its id, or latest")
    parser.add_argument("--remove", action="store_true", help="forget the run; what it made goes with the next gc")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    run = find_run(options.home, options.run) if options.run else None
    with closing(Ledger(Home(options.home).ledger)) as ledger:
        if run is None:
            ledger.settle()
            _say_all(ledger, options.json)
        elif options.remove:
            ledger.runs.remove(run.id)
            print(f"The run {run.id} is forgotten.")
        else:
            _say_one(ledger, run, options.json)
    return exit_codes.DONE


def _say_all(ledger: Ledger, as_json: bool) -> None:
    runs = ledger.runs.all()
    if as_json:
        say_json([run_told(run) for run in runs])
    elif runs:
        say_table([(run.id, moment(run.created), run.state + (" (pinned)" if run.pinned else ""), run.name, run.message) for run in runs])
    else:
        print("There are no runs yet. Start one: python -m lib_extension run RECIPE")


def _say_one(ledger: Ledger, run: Run, as_json: bool) -> None:
    nodes = ledger.nodes(run.id)
    if as_json:
        say_json(run_told(run) | {"stages": [node_told(node) for node in nodes]})
        return
    print(f"{run.id}: {run.name}, {run.state}{f': {run.message}' if run.message else ''}")
    if nodes:
        say_table([(node.place, node.state, node.message or ", ".join(blob[:12] for blob in node.pictures)) for node in nodes])


COMMAND = Command("runs", "list runs, or the stages of one", _add_words, _carry_out)
