"""`schema`: the JSON Schema of recipes, for editors."""

from __future__ import annotations

import argparse

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.screen import say_json
from lib_extension.stages import recipe_schema


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as always here")


def _carry_out(options: argparse.Namespace) -> int:
    say_json(recipe_schema())
    return exit_codes.DONE


COMMAND = Command("schema", "print the JSON Schema of recipes", _add_words, _carry_out)
