"""`gc`: delete what no run needs any more."""

from __future__ import annotations

import argparse
import re
from contextlib import closing

from lib_extension.cli import exit_codes
from lib_extension.cli.command import Command
from lib_extension.cli.options import add_home
from lib_extension.cli.screen import say_json, size
from lib_extension.runs.blobs import Blobs
from lib_extension.runs.garbage import collect
from lib_extension.runs.ledger import Ledger
from lib_extension.session.draft import pictures_of, read_draft
from lib_extension.session.home import Home
from lib_extension.session.told import collected_told

_DAY = 86400.0
_HASH = re.compile(r"[0-9a-f]{64}")


def _add_words(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="only say what would go")
    parser.add_argument("--older-than", type=float, metavar="DAYS", help="also forget runs that did not change for so long")
    parser.add_argument("--pin", action="append", default=[], metavar="RUN|HASH", help="keep a run with all it made, or a picture, and end")
    parser.add_argument("--unpin", action="append", default=[], metavar="RUN|HASH", help="keep it no longer, and end")
    add_home(parser)


def _carry_out(options: argparse.Namespace) -> int:
    home = Home(options.home)
    with closing(Ledger(home.ledger)) as ledger:
        for pinned, names in ((True, options.pin), (False, options.unpin)):
            for name in names:
                (ledger.pins.set if _HASH.fullmatch(name) else ledger.runs.pin)(name, pinned)
        if options.pin or options.unpin:
            return exit_codes.DONE
        older_than = None if options.older_than is None else options.older_than * _DAY
        kept = pictures_of(read_draft(home.draft))
        collected = collect(ledger, Blobs(home.blobs), older_than, options.dry_run, kept=kept)
    if options.json:
        say_json(collected_told(collected) | {"dry_run": options.dry_run})
    else:
        verb = "would go" if options.dry_run else "are gone"
        print(f"{len(collected.runs)} runs, {collected.results} results and {collected.files} files ({size(collected.bytes)}) {verb}.")
    return exit_codes.DONE


COMMAND = Command("gc", "delete what no run needs any more", _add_words, _carry_out)
