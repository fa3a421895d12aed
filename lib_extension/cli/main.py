"""Which commands are there, and how is it said what went wrong?"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lib_extension.backend.errors import BackendError
from lib_extension.cli import (
    choose,
    class_pictures,
    exit_codes,
    export_recipe,
    gc,
    halt,
    import_recipe,
    plan,
    resume,
    run,
    runs,
    schema,
    serve,
    show,
)
from lib_extension.cli.findings import say_findings
from lib_extension.cli.screen import say_json
from lib_extension.runs.storage import StorageError
from lib_extension.session.outlook import PreflightRefused
from lib_extension.session.told import finding_told
from lib_extension.spec.errors import AtelierError

_ABOUT_RUNS = (*(module.COMMAND for module in (run, plan, resume, runs, choose)), halt.PAUSE, halt.CANCEL)
COMMANDS = (*_ABOUT_RUNS, *(module.COMMAND for module in (class_pictures, show, export_recipe, import_recipe, gc, schema, serve)))


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status."""
    options = _parser().parse_args(arguments)
    try:
        return options.carry_out(options)
    except AtelierError as error:
        return _say_error(error, options.json)
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return exit_codes.INTERRUPTED
    except BrokenPipeError:  # whoever read it has left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return exit_codes.DONE


def _say_error(error: AtelierError, as_json: bool) -> int:
    findings = error.findings if isinstance(error, PreflightRefused) else ()
    if as_json:
        told = {"error": type(error).__name__, "detail": str(error)}
        say_json(told | ({"findings": [finding_told(finding) for finding in findings]} if findings else {}))
    elif findings:
        say_findings(findings)
        print("Nothing was started.", file=sys.stderr)
    else:
        print(f"Atelier: {error}", file=sys.stderr)
    if isinstance(error, PreflightRefused):
        return exit_codes.REFUSED
    return exit_codes.FAILED if isinstance(error, (BackendError, StorageError)) else exit_codes.BAD_INPUT


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib_extension",
        description="Recipes: many-stage pictures that are made once, resumed, and remembered.",
        epilog=exit_codes.TOLD,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        words = commands.add_parser(command.name, help=command.about, description=command.about, allow_abbrev=False)
        command.add_words(words)
        words.set_defaults(carry_out=command.carry_out, json=False)
    return parser
