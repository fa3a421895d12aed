"""`plan RECIPE`: what would run, what would not, and why; nothing is made."""

from __future__ import annotations

import argparse
from collections import Counter

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.findings import say_findings
from lib_extension.cli.options import add_backends, add_home, add_recipe, asked_by, opened
from lib_extension.cli.screen import say_json, say_table
from lib_extension.session.outlook import Outlook
from lib_extension.session.told import outlook_told


def _add_words(parser: argparse.ArgumentParser) -> None:
    add_recipe(parser)
    add_backends(parser, "default: engine:demo")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened(options) as session:
        outlook = session.outlook(asked_by(session, options))
    if options.json:
        say_json(outlook_told(outlook))
    else:
        _say(outlook)
        say_findings(outlook.findings)
    return exit_codes.REFUSED if outlook.errors else exit_codes.DONE


def _say(outlook: Outlook) -> None:
    """A line for each stage instance."""
    say_table(
        [
            (
                one.node.id,
                f"item {one.node.items[0] + 1}" + (f" and {len(one.node.items) - 1} more" if len(one.node.items) > 1 else ""),
                one.state,
                one.why,
            )
            for one in outlook.explained
        ]
    )
    for waiting in outlook.plan.waiting:
        print(f"{waiting.stage}: planned after the choice in {', '.join(waiting.reviews)}")
    for one in outlook.plan.left_out:
        print(f"{one.stage}: left out for {len(one.items)} of {len(outlook.plan.items)} items, as {one.reason}")
    number = Counter(one.state for one in outlook.explained)
    print(f"{len(outlook.plan.items)} items: {number['will run']} to run, {number['cached']} cached, {number['waits']} to choose")


COMMAND = Command("plan", "say what would run and why, and what is wrong with it", _add_words, _carry_out)
