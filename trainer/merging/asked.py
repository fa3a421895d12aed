"""How do a command's arguments, a configuration or flags, become its settings?

    python -m trainer merge merge.yaml output.name=both
    python -m trainer merge watch.safetensors:0.8 style.safetensors:0.4 --method svd --method.ranks.rank 32 --output.name both

`--name value` and `name=value` mean the same; what is neither, or is there as a file, is a file. --check tells what would be done, and
does nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, declared_of, from_json
from trainer.config_file import override, read_file

S = TypeVar("S", bound=Settings)
_CONFIGS = (".json", ".yaml", ".yml", ".toml")
_SETTING = re.compile(r"[A-Za-z_][\w.\[\]]*=.*", re.DOTALL)
_WEIGHTED = re.compile(r"(?P<file>.+?)(?::(?P<weight>-?\d+(?:\.\d+)?))?", re.DOTALL)


@dataclass(frozen=True)
class Asked(Generic[S]):
    """What was asked for, and whether only to say what would be done."""

    settings: S
    only_check: bool


def read_arguments(cls: type[S], arguments: Sequence[str], take_files: Callable[[dict[str, Any], list[str]], None]) -> Asked[S]:
    """`take_files` puts the files that stand alone into their places. Raises BadRequest for what is not understood."""
    config: dict[str, Any] = {}
    files: list[str] = []
    settings: list[str] = []
    only_check = False
    rest = list(arguments)
    if rest and rest[0].lower().endswith(_CONFIGS):
        config = read_file(Path(rest.pop(0)))
    while rest:
        word = rest.pop(0)
        if word == "--check":
            only_check = True
        elif word.startswith("--"):
            name, equals, value = word[2:].partition("=")
            if not equals and not rest:
                raise BadRequest(f"{word} needs a value after it.")
            settings.append(f"{name.replace('-', '_')}={value if equals else rest.pop(0)}")
        elif _SETTING.fullmatch(word) and not _is_there(weighted(word)["file"]):
            settings.append(word)
        else:
            files.append(word)
    if files:
        take_files(config, files)
    for setting in settings:
        override(config, setting)
        if isinstance(config.get("method"), str):  # short for its kind alone
            config["method"] = {"kind": config["method"]}
    return Asked(from_json(cls, config), only_check)


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except (OSError, ValueError):  # too long for a path, or with a character that none has
        return False


def weighted(file: str) -> dict[str, Any]:
    """A LoRA named as FILE or FILE:WEIGHT."""
    found = _WEIGHTED.fullmatch(file)
    assert found
    return {"file": found["file"], **({"weight": float(found["weight"])} if found["weight"] else {})}


def one_file(name: str) -> Callable[[dict[str, Any], list[str]], None]:
    """The one file of a command goes into the setting `name`."""

    def take(config: dict[str, Any], files: list[str]) -> None:
        if len(files) != 1:
            raise BadRequest(f"Name one file; there are {len(files)}: {', '.join(files)}.")
        config[name] = files[0]

    return take


def help_of(cls: type[Settings], usage: str) -> str:
    """What stands under --help."""
    lines = [usage, ""]
    for spec in dataclasses.fields(cls):  # pyright: ignore[reportArgumentType] - every Settings class is a dataclass
        declared = declared_of(spec)
        lines.append(f"  --{spec.name}  {declared.label}{': ' + declared.help if declared.help else ''}")
    return "\n".join(lines)
