"""What would a merge do, and what is strange about it? Asked of the command itself, which only looks, before a job is added."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib_extension.jobs.apart import apart
from lib_extension.jobs.jobs import Jobs
from lib_extension.jobs.merging import checking
from lib_extension.setup.environment import ROOT
from lib_extension.spec.errors import AtelierError, BadRequest
from lib_extension.spec.merging import COMMANDS
from lib_extension.spec.settings import from_json, to_json

_PATIENCE = 120.0  # seconds: large LoRAs on a slow disk are read for their values
_at_work = threading.Lock()  # each takes a process with torch in it


@dataclass(frozen=True)
class Checked:
    """What was found."""

    problem: str = ""  # why it would fail
    warnings: tuple[dict[str, Any], ...] = ()  # {"text", "said", "values"}, as Warned tells them
    name: str = ""  # of the result
    family: str = ""  # such as sd1


def check_merging(jobs: Jobs, kind: str, config: dict[str, Any]) -> Checked:
    """Of a config as a job of the kind gets it. BadRequest for what cannot be checked at all."""
    if kind not in COMMANDS or kind == "inspect":
        raise BadRequest(f'"{kind:.40}" cannot be checked; merge, bake, extract, resize and convert can.')
    try:
        settings = jobs.kind(kind).fill(from_json(COMMANDS[kind], config), jobs.around)
    except AtelierError as error:
        return Checked(problem=str(error))
    with _at_work, tempfile.TemporaryDirectory(prefix="atelier-check-") as folder:
        file = Path(folder, "config.json")
        file.write_text(json.dumps(to_json(settings)), encoding="utf-8")
        command = checking(jobs.environment, kind, file)
        variables = {**os.environ, "PYTHONIOENCODING": "utf-8"}  # of itself, Windows writes a code page, which has not all names
        how: dict[str, Any] = {"cwd": ROOT, "env": variables, "encoding": "utf-8", "errors": "replace", **apart()}
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PATIENCE, **how)
        except (OSError, subprocess.TimeoutExpired):
            return Checked(problem="It could not be looked at beforehand.")
    return _read(done.stdout, done.returncode)


def _read(output: str, status: int) -> Checked:
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    problem = next((str(event.get("detail", "")) for event in events if event["event"] == "error"), "")
    plan = next((event for event in events if event["event"] == "plan"), {})
    warnings = tuple({name: event[name] for name in ("text", "said", "values")} for event in events if event["event"] == "warning")
    if status and not problem:
        problem = "It could not be looked at beforehand."
    return Checked(problem, warnings, str(plan.get("name", "")), str(plan.get("family", "")))
