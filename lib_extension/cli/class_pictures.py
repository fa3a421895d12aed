"""`class-pictures FOLDER INTO`: draw what a folder's captions say without the trigger word, for a training that is to keep it."""

from __future__ import annotations

import argparse
import sys

from lib_extension.cli.command import Command
from lib_extension.cli.ending import end
from lib_extension.cli.findings import say_findings
from lib_extension.cli.follow import Wanted, start_and_follow
from lib_extension.cli.options import add_backends, add_home, opened
from lib_extension.session.class_pictures import add_class_pictures
from lib_extension.spec.class_pictures import ClassPicturesSettings
from lib_extension.spec.settings import from_json, json_schema

_PLACES = ("folder", "into")
_TYPES = {"integer": int, "number": float, "string": str}


def _add_words(parser: argparse.ArgumentParser) -> None:
    schema = json_schema(ClassPicturesSettings)["properties"]
    for name in _PLACES:
        parser.add_argument(name, metavar=name.upper(), help=_told(schema[name]))
    for name, about in schema.items():
        if name in _PLACES:
            continue
        word = f"--{name.replace('_', '-')}"
        if about.get("type") == "boolean":
            parser.add_argument(word, action=argparse.BooleanOptionalAction, default=about["default"], help=_told(about))
        else:
            shown = "" if about["default"] == "" else " (default: %(default)s)"
            parser.add_argument(
                word, type=_TYPES[about.get("type", "string")], default=about["default"], metavar="X", help=f"{_told(about)}{shown}"
            )
    add_backends(parser, "default: engine:demo")
    parser.add_argument("--private", action="store_true", help="let no file say how it was made")
    add_home(parser)


def _told(about: dict[str, str]) -> str:
    return f"{about['title']}. {about.get('description', '')}".strip().replace("%", "%%")


def _carry_out(options: argparse.Namespace) -> int:
    given = {name: getattr(options, name) for name in json_schema(ClassPicturesSettings)["properties"]}
    settings = from_json(ClassPicturesSettings, given)
    with opened(options) as session:
        run_id, outlook = add_class_pictures(session, settings)
        if not options.json:
            say_findings(outlook.findings)
            print(f"Run {run_id}; what is made is kept in {session.home.folder}", flush=True)
        folder = session.folder_of(session.ledger.runs.get(run_id))
        run = start_and_follow(session, Wanted(run_id, folder, options.private), None if options.json else sys.stdout)
        return end(session, run, folder, options)


COMMAND = Command(
    "class-pictures", "draw what captions say without the trigger word, for a training that is to keep it", _add_words, _carry_out
)
