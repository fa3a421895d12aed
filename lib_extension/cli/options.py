"""Which words do several commands share, and what do they open?"""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from lib_extension.backend.backend import Backend
from lib_extension.backend.connection import Auth
from lib_extension.backend.parse import parse_backend
from lib_extension.plan import load_recipe_file
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Run
from lib_extension.session.asked import Asked
from lib_extension.session.home import DEFAULT_HOME, Home
from lib_extension.session.inputs import Words, asked_of, with_words
from lib_extension.session.restoring import PICTURE_SUFFIXES
from lib_extension.session.session import Session
from lib_extension.spec.errors import BadRequest, NotFound

AUTH = "ATELIER_AUTH"  # in the environment: a command line can be read by everybody on the machine
DEFAULT_BACKENDS = ("engine:demo",)
RECIPE_SUFFIXES = (".yaml", ".yml", ".json", ".zip")


def add_home(parser: argparse.ArgumentParser) -> None:
    """Where everything lies, and how it is told."""
    parser.add_argument("--home", type=Path, default=DEFAULT_HOME, metavar="DIR", help="ledger, pictures and runs (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print JSON only")


def add_backends(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """What makes the pictures; `otherwise` says what does where nothing is named."""
    told = f"engine:MODEL, or a WebUI's address; several share the work ({otherwise}). {AUTH}=user:password opens one with --api-auth"
    parser.add_argument("--backend", action="append", default=[], metavar="SPEC", help=told)


def add_recipe(parser: argparse.ArgumentParser) -> None:
    """A recipe and its inputs."""
    parser.add_argument("recipe", metavar="RECIPE", help="a recipe's name or file (.yaml, .json, .zip), or a picture that one made")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="an input's value; for a picture, its file")
    parser.add_argument(
        "--axis",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of the values that everything is made with, in place of the recipe's axis of that name; say it once for each",
    )
    parser.add_argument("--rows", type=Path, metavar="FILE", help="CSV or JSON, in place of the recipe's rows; its pictures lie beside it")
    parser.add_argument("--yes", action="store_true", help="do it even if it makes very many items")


@contextmanager
def opened(options: argparse.Namespace, backends: Sequence[str] = DEFAULT_BACKENDS) -> Iterator[Session]:
    """The session that the words ask for; `backends` where they name none."""
    specs = getattr(options, "backend", None) or backends
    with closing(Session(Home(options.home), _backends(specs), getattr(options, "models", None))) as session:
        if session.ledger.notice:
            print(session.ledger.notice, file=sys.stderr)
        yield session


@contextmanager
def opened_for(options: argparse.Namespace, run_id: str) -> Iterator[tuple[Session, Run]]:
    """The session for a run, with its backends where the words name none, and the run."""
    run = find_run(options.home, run_id)
    with opened(options, run.backends or DEFAULT_BACKENDS) as session:
        yield session, run


def find_run(home: Path, run_id: str) -> Run:
    """The run, or the latest one for "latest". NotFound."""
    with closing(Ledger(Home(home).ledger)) as ledger:
        ledger.settle()
        if run_id != "latest":
            return ledger.runs.get(run_id)
        runs = ledger.runs.all(limit=1)
        if not runs:
            raise NotFound(f"There are no runs in {home.name}. Start one: python -m lib_extension run RECIPE")
        return runs[0]


def asked_by(session: Session, options: argparse.Namespace) -> Asked:
    """The run that RECIPE and its inputs ask for."""
    words = Words(options.set, options.axis, options.rows, options.yes)
    file = Path(options.recipe)
    if file.suffix.lower() in PICTURE_SUFFIXES:
        return with_words(session.restorer.asked(session.restorer.of_file(file).lineage), words)
    if file.suffix.lower() in RECIPE_SUFFIXES:
        return asked_of(load_recipe_file(file), words)
    return asked_of(session.recipes.get(options.recipe), words)


def again(options: argparse.Namespace, *words: str) -> str:
    """The command to type next, with this one's home; names with spaces in them are quoted as the system's shell wants it."""
    home = [] if options.home == DEFAULT_HOME else ["--home", str(options.home)]
    quoted = subprocess.list2cmdline if os.name == "nt" else shlex.join
    return f"python -m lib_extension {quoted([*words, *home])}"


def _backends(specs: Sequence[str]) -> list[Backend]:
    auth = pair_in(AUTH)
    return [parse_backend(spec, auth) for spec in dict.fromkeys(specs)]


def pair_in(variable: str) -> Auth | None:
    """user:password from the environment. BadRequest where it is not of that form."""
    told = os.environ.get(variable, "")
    user, separator, password = told.partition(":")
    if told and not separator:
        raise BadRequest(f"{variable} must be user:password.")
    return (user, password) if told else None
