"""What does `install.py demo` show? The recipe product-shots by the embedded engine, with the sheet to look at first in plain sight."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from lib_extension.cli import exit_codes
from lib_extension.cli.main import main as carry_out
from lib_extension.runs.output_folder import files_told
from lib_extension.runs.storage import StorageError, disk_errors

RECIPE = "product-shots"
SHEET_STAGE = "contact_sheet"
SHEET = "contact-sheet.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; gives the exit status of `run`. What was made before, the ledger knows: it is not made again."""
    options, rest = _parser().parse_known_args(arguments)
    status = carry_out(["run", RECIPE, "--output", str(options.output), *rest])
    if status != exit_codes.DONE:
        return status
    try:
        sheet = put_forward(options.output)
    except StorageError as error:
        print(f"Atelier: {error}", file=sys.stderr)
        return exit_codes.FAILED
    print(f"Look at {sheet} first")
    print(f"Then open Atelier itself: {python_told()} -m lib_extension serve --open")
    return exit_codes.DONE


def put_forward(folder: Path) -> Path:
    """Copy the contact sheet, which lies in its stage's folder, to where nobody has to look for it."""
    (made,) = [name for name, _ in files_told(folder) if Path(name).parent.name.endswith(f"-{SHEET_STAGE}")]
    with disk_errors("The demo's folder"):
        return Path(shutil.copyfile(folder / made, folder / SHEET))


def python_told() -> str:
    """This Python, as it can be typed here."""
    python, here = Path(sys.executable), Path.cwd()
    return str(python.relative_to(here) if python.is_relative_to(here) else python)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="install.py demo",
        description=f"Make the pictures of the recipe {RECIPE}.",
        epilog="Everything else that is said goes to `python -m lib_extension run`, such as --set size=96.",
        allow_abbrev=False,
    )
    parser.add_argument("--output", type=Path, default=Path("demo-output"), help="where the pictures go (default: %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
