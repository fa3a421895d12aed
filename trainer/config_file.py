"""How is a command's configuration read? JSON, YAML or TOML by the file's ending, then `name=value` arguments, which win.

    python -m trainer train watch.yaml run.steps=800 optimizer.lr=1e-4 data.concepts[0].repeats=5

A value is JSON where it is JSON, and text otherwise. What the names mean is for lib_extension/spec/settings.py to say.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

from lib_extension.spec.errors import BadFile, BadRequest, NotFound, TooLarge

MOST_BYTES = 20_000_000
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_NAME = re.compile(r"[^.\[\]=]+(?:\[\d+\])*(?:\.[^.\[\]=]+(?:\[\d+\])*)*")


def read_config(arguments: Sequence[str]) -> dict[str, Any]:
    """The object that the file and the arguments after it make. NotFound, BadFile or BadRequest says what is wrong with them."""
    if not arguments:
        raise BadRequest("A configuration is missing: a JSON, YAML or TOML file.")
    config = read_file(Path(arguments[0]))
    for argument in arguments[1:]:
        override(config, argument)
    return config


def read_file(path: Path) -> dict[str, Any]:
    """The object in a file."""
    readers: dict[str, Callable[[str, str], Any]] = {".json": _json, ".yaml": _yaml, ".yml": _yaml, ".toml": read_toml}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise BadRequest(f'"{path.name}" ends in none of {", ".join(readers)}, so it cannot be told how to read it.')
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound(f'There is no file "{path.name}" where it was looked for.') from error
    except OSError as error:
        raise BadFile(f'"{path.name}" cannot be read: {error.strerror}.') from error
    if len(data) > MOST_BYTES:
        raise TooLarge(f'"{path.name}" has {len(data):,} bytes; {MOST_BYTES:,} is the most for a configuration.')
    try:
        found = reader(data.decode("utf-8-sig"), path.name)
    except UnicodeDecodeError as error:
        raise BadFile(f'"{path.name}" is not UTF-8 text (byte {error.start} is none). Save it as UTF-8.') from error
    except RecursionError as error:
        raise BadFile(f'"{path.name}" is nested too deep.') from error
    if not isinstance(found, dict):
        raise BadFile(f'"{path.name}" holds no object: it must say names and their values.')
    return found


def override(config: dict[str, Any], argument: str) -> None:
    """Put the value of one `name=value` into its place. What lies on the way is made where it is not there."""
    name, equals, text = argument.partition("=")
    if not equals or not _NAME.fullmatch(name):
        raise BadRequest(f'"{argument:.60}" is no setting; write name=value, such as run.steps=800.')
    parts = [int(number) if number else word for word, number in _PART.findall(name)]
    place: Any = config
    for part, following in pairwise(parts):
        place = _step_into(place, part, name, [] if isinstance(following, int) else {})
    _put(place, parts[-1], _value(text), name)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _step_into(place: Any, part: str | int, name: str, empty: Any) -> Any:
    if isinstance(part, int):
        if not isinstance(place, list) or part > len(place):
            raise BadRequest(f"{name} cannot be set: there is no list with a place {part}.")
        if part == len(place):
            place.append(empty)
        return place[part]
    if not isinstance(place, dict):
        raise BadRequest(f'{name} cannot be set: what "{part}" would belong to is no object.')
    if place.get(part) is None:
        place[part] = empty
    return place[part]


def _put(place: Any, part: str | int, value: Any, name: str) -> None:
    if isinstance(part, int) and isinstance(place, list) and part <= len(place):
        place[part : part + 1] = [value]
    elif isinstance(part, str) and isinstance(place, dict):
        place[part] = value
    else:
        raise BadRequest(f"{name} cannot be set: there is nothing that it could belong to.")


def _json(text: str, name: str) -> Any:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise BadFile(f'"{name}" has "{twice}" twice in one object; only one of them can be meant.')
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except ValueError as error:
        raise BadFile(f'"{name}" is not JSON: {error}.') from error


def _yaml(text: str, name: str) -> Any:
    """By the rules of YAML 1.2: `no` is a text, and 1e-4 a number."""
    import yaml  # here, as only those who write YAML should wait for it

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (PyYAML's name and form)

    forms = {
        "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
        "int": (r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
        "float": (r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?", "-+.0123456789"),
        "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        "merge": (r"<<", "<"),
    }
    for kind, (form, first) in forms.items():
        Loader.add_implicit_resolver(f"tag:yaml.org,2002:{kind}", re.compile(rf"(?:{form})\Z"), list(first))
    try:
        return yaml.load(text, Loader=Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise BadFile(f'"{name}" is not YAML: {getattr(error, "problem", None) or "it cannot be read"}{where}.') from error


def read_toml(text: str, name: str) -> dict[str, Any]:
    """The values of a TOML text; `name` is the file's, for the message."""
    try:
        toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    except ImportError as error:
        raise BadRequest(f'"{name}": this Python is too old to read TOML. Write the same as JSON or YAML.') from error
    try:
        return toml.loads(text)
    except toml.TOMLDecodeError as error:
        raise BadFile(f'"{name}" is not TOML: {error}.') from error
