"""How are LoRAs and checkpoints merged, baked, extracted, made smaller, rewritten and looked into as jobs?

These programs need torch and safetensors only, which every WebUI's own Python has: where the worker's environment was never made, that
one carries them out.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lib_extension.jobs.kind import Around, JobKind
from lib_extension.jobs.model_places import ModelPlaces, located
from lib_extension.setup.environment import Environment
from lib_extension.spec.merging import COMMANDS

PLOT, CONTENTS = "blocks.png", "contents.json"
_TITLES = {
    "merge": "Merge LoRAs",
    "bake": "Bake into a checkpoint",
    "extract": "Extract a LoRA",
    "resize": "Resize a LoRA",
    "convert": "Convert a LoRA",
    "inspect": "Look into a file",
}


def tensor_python(environment: Environment) -> str:
    """A Python with torch and safetensors."""
    made = environment.read_stamp() is not None and environment.python.is_file()
    return str(environment.python) if made else sys.executable


def places_in(around: Around) -> ModelPlaces:
    """The WebUI's folders, or those that an engine which is started here finds."""
    return ModelPlaces(around.models or Path("models").absolute(), around.further)


def checking(environment: Environment, command: str, config: Path) -> list[str]:
    """The program that only says what would be done, and what is strange about it."""
    return [tensor_python(environment), "-m", "trainer", command, str(config), "--check"]


def _filled(settings: Any, around: Around) -> Any:
    return located(settings, places_in(around))


def _kind(name: str) -> JobKind:
    def command(environment: Environment, config: Path) -> Sequence[str]:
        files = config.parent / "files"
        beside = [f"plot={files / PLOT}", f"contents={files / CONTENTS}"] if name == "inspect" else []
        return [tensor_python(environment), "-m", "trainer", name, str(config), *beside]

    return JobKind(COMMANDS[name], lambda _: _TITLES[name], command, fill=_filled, makes_models=name != "inspect")


MERGING: dict[str, JobKind] = {name: _kind(name) for name in COMMANDS}
