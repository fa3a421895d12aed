"""`import FILE`: keep a recipe from a file among one's own, by name."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home, again, opened
from lib_extension.plan import load_recipe_file


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help=".zip, .yaml or .json")
    parser.add_argument("--name", metavar="NAME", help="to keep it by (default: the recipe's own)")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened(options) as session:
        file = load_recipe_file(options.file)
        name = options.name or file.recipe.name
        replaces = name in (one.name for one in session.recipes.all())
        session.recipes.save(name, file.as_written, file.read_picture)
    print(f"Kept as {name}{', in place of the earlier one' if replaces else ''}. Run it: {again(options, 'run', name)}")
    return exit_codes.DONE


COMMAND = Command("import", "keep a recipe from a file, by name", _add_words, _carry_out)
