"""`plan RECIPE`: what would run, what would not, and why; nothing is made."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.findings import say_findings
from lib_extension.cli.options import add_backends, add_home, add_recipe, asked_by, opened
from lib_extension.cli.screen import duration, say_json, say_table
from lib_extension.plan.graph import Node
from lib_extension.session.outlook import Outlook
from lib_extension.session.plan_summary import nodes_to_run
from lib_extension.session.told import outlook_told


def _add_words(parser: argparse.ArgumentParser) -> None:
    add_recipe(parser)
    add_backends(parser, "default: engine:demo")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened(options) as session:
        asked = asked_by(session, options)
        outlook = session.outlook(asked)
        seconds = session.runner.seconds_left(outlook.plan, nodes_to_run(outlook))
    if options.json:
        say_json(outlook_told(outlook))
    else:
        print(f"{asked.recipe.title or asked.recipe.name}: {_counted(len(outlook.plan.items), 'item')}")
        _say(outlook, seconds)
        say_findings(outlook.findings)
    return exit_codes.REFUSED if outlook.errors else exit_codes.DONE


def _say(outlook: Outlook, seconds: float | None) -> None:
    """A line for the instances of a stage that have the same to be said of them."""
    alike: dict[tuple[str, str, str], list[Node]] = {}
    for one in outlook.explained:
        alike.setdefault((one.node.id, one.state, one.why), []).append(one.node)
    lines = [(id, _items_of(nodes, len(outlook.plan.items)), state, why) for (id, state, why), nodes in alike.items()]
    for waiting in outlook.plan.waiting:
        lines.append((waiting.stage, _items(waiting.items), "later", f"planned after the choice in {', '.join(waiting.reviews)}"))
    for one in outlook.plan.left_out:
        lines.append((one.stage, _items(one.items), "left out", one.reason))
    say_table(lines)
    number = Counter(one.state for one in outlook.explained)
    takes = f", which takes {duration(seconds)} or so" if seconds is not None and seconds >= 1 else ""
    print(f"{number['will run']} to run{takes}; {number['cached']} cached; {number['waits']} to choose")


def _items_of(nodes: list[Node], all_items: int) -> str:
    """Of which items these instances of one stage are, and how many they are where that is another number."""
    items = sorted({item for node in nodes for item in node.items})
    if len(nodes) == 1 and len(items) == all_items > 1:
        return "all items"
    return ("" if len(nodes) == len(items) else f"{len(nodes)} of ") + _items(items)


def _items(items: Sequence[int]) -> str:
    """Items, counted from 0, as "items 1-3, 7"."""
    spans: list[list[int]] = []
    for item in items:
        if spans and item == spans[-1][-1] + 1:
            spans[-1][1:] = [item]
        else:
            spans.append([item])
    return f"item{'' if len(items) == 1 else 's'} " + ", ".join("-".join(str(item + 1) for item in span) for span in spans)


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


COMMAND = Command("plan", "say what would run and why, and what is wrong with it", _add_words, _carry_out)
