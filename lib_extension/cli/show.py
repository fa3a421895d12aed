"""`show PICTURE`: how a picture was made, and its recipe as a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home, again, opened
from lib_extension.cli.screen import say_json, say_table
from lib_extension.runs.lineage import Lineage
from lib_extension.session.recipe_text import save_recipe
from lib_extension.session.restoring import Found
from lib_extension.spec.settings import to_json


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("picture", type=Path, metavar="PICTURE", help="a PNG, JPEG or WEBP file that a run made")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the recipe with its values: .zip with its pictures, .yaml, .json")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened(options) as session:
        found = session.restorer.of_file(options.picture)
        if options.save:
            save_recipe(options.save, session.restorer.asked(found.lineage), session.blobs)
    if options.json:
        say_json(to_json(found.lineage) | {"told_by": found.where})
    else:
        _say(found, options)
    return exit_codes.DONE


def _say(found: Found, options: argparse.Namespace) -> None:
    lineage = found.lineage
    say_table([(name, value) for name, value in _lines(lineage) if value])
    print(f"told by     {found.where}")
    if options.save:
        print(f"The recipe is in {options.save}")
    print(f"Make it again: {again(options, 'run', str(options.picture))}")


def _lines(lineage: Lineage) -> list[tuple[str, str]]:
    values = {**lineage.values, **lineage.item}
    return [
        ("picture", lineage.id),
        ("recipe", str(lineage.recipe.get("title") or lineage.recipe.get("name", ""))),
        ("stage", lineage.stage),
        ("item", str(lineage.items[0] + 1) if lineage.items else ""),
        ("seed", "" if lineage.seed is None else str(lineage.seed)),
        ("values", ", ".join(f"{name}={str(value)[:60]}" for name, value in values.items() if value is not None)),
        ("models", ", ".join(f"{name} {hash}" for name, hash in lineage.models.items())),
        ("backend", lineage.backend),
        ("made from", " → ".join(dict.fromkeys(reversed(lineage.keys)))),
    ]


COMMAND = Command("show", "say how a picture was made, and restore its recipe", _add_words, _carry_out)
