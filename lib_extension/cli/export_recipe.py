"""`export RECIPE FILE`: a recipe and its pictures as one file, to be shared."""

from __future__ import annotations

import argparse
from pathlib import Path

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home, add_recipe, asked_by, opened
from lib_extension.session.recipe_text import save_recipe


def _add_words(parser: argparse.ArgumentParser) -> None:
    add_recipe(parser)
    parser.add_argument("file", type=Path, metavar="FILE", help="ends with .zip; .yaml or .json where the recipe has no pictures")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    with opened(options) as session:
        save_recipe(options.file, asked_by(session, options), session.blobs)
    print(f"The recipe is in {options.file}")
    return exit_codes.DONE


COMMAND = Command("export", "write a recipe with its pictures and values into one file", _add_words, _carry_out)
