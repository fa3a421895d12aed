"""The worker's environment made, updated or removed as a job: settings from a JSON file, JSON lines out.

python -m lib_extension.setup.job SETTINGS.json FOLDER
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

from lib_extension.setup.environment import Environment
from lib_extension.setup.installer import InstallError
from lib_extension.setup.standing import GROUPS, index_of, is_in_use
from lib_extension.spec.errors import AtelierError

# What pip and uv print for each package of a lock, while it is got or when it is there.
_PACKAGE = re.compile(r"^\s*(?:Collecting|Requirement already satisfied:|Downloading|Building|\+) ?([A-Za-z0-9][A-Za-z0-9._-]*)")


def main(arguments: list[str]) -> int:
    """Do it; gives the exit status."""
    settings = json.loads(Path(arguments[0]).read_text(encoding="utf-8"))
    environment = Environment(folder=Path(arguments[1]))
    report = Report(packages=sum(_packages(environment.lock(group)) for group in GROUPS))
    try:
        carry_out(replace(environment, say=report.step, detail=report.line), settings["action"], index_of(settings.get("torch", "")))
    except AtelierError as error:
        tell("error", error=type(error).__name__, detail=str(error))
        return 1
    tell("done")
    return 0


def carry_out(environment: Environment, action: str, torch_index: str) -> None:
    """InstallError with a message for the user."""
    if is_in_use(environment):
        raise InstallError("Atelier itself runs in this environment. End it, then type: python3 install.py worker --update (or --remove)")
    index = torch_index or environment.installed_torch_index()
    if action in ("update", "remove"):
        environment.say("Removing what is there")
        environment.remove()
    if action != "remove":
        environment.ensure(*GROUPS, torch_index=index)


class Report:
    """What is told of installing: each step, each line that a tool prints, and how many of the packages there are."""

    def __init__(self, packages: int) -> None:
        self._total = packages
        self._seen: set[str] = set()

    def step(self, line: str) -> None:
        """A step begins."""
        tell("log", text=line)
        tell("progress", done=len(self._seen), total=self._total, text=line)

    def line(self, line: str) -> None:
        """A tool printed something."""
        tell("log", text=line)
        found = _PACKAGE.match(line)
        if found and found[1].lower() not in self._seen:
            self._seen.add(found[1].lower())
            tell("progress", done=min(len(self._seen), self._total), total=self._total, text=found[1])


def tell(event: str, **data: object) -> None:
    """One line."""
    sys.stdout.write(json.dumps({"event": event, **data}) + "\n")
    sys.stdout.flush()


def _packages(lock: Path) -> int:
    return sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
