"""How is a YAML or JSON file read that somebody else may have written? As plain values only, within limits, and nothing twice.

YAML is read by the rules of YAML 1.2, where `no` and `on` are texts and 16:9 is not 969; tags, dates and bytes are refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

import yaml

from lib_extension.spec.errors import BadFile, TooLarge

MOST_YAML = 256_000  # bytes; it is read slowly
MOST_JSON = 20_000_000
MOST_VALUES = 100_000  # of a YAML file, aliases written out
DEEPEST = 32

_TAG = "tag:yaml.org,2002:"
_INT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]{1,4})?")
_RESOLVERS = {
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    "int": (_INT, "-0123456789"),
    "float": (_FLOAT, "-+.0123456789"),
    "null": (re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""]),
    "merge": (re.compile(r"<<"), "<"),
}


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012 (PyYAML's name and form)


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers: dict[Any, Any] = {}  # noqa: RUF012


for _kind, (_form, _first) in _RESOLVERS.items():
    _whole = re.compile(rf"(?:{_form.pattern})\Z")
    _Loader.add_implicit_resolver(_TAG + _kind, _whole, list(_first))
    _Dumper.add_implicit_resolver(_TAG + _kind, _whole, list(_first))


def decode(data: bytes, what: str) -> str:
    """The text of a file: UTF-8, or UTF-16 with its mark, as spreadsheets write it."""
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadFile(f"{what} is not UTF-8 text (byte {error.start} is none). Save it as UTF-8.") from error
    if "\0" in text:
        raise BadFile(f"{what} has NUL characters in it: it is no text file.")
    return text


def read_yaml(data: bytes, what: str) -> Any:
    """The values in a YAML file. BadFile or TooLarge says what is wrong, and in which line."""
    if len(data) > MOST_YAML:
        raise TooLarge(f"{what} has {len(data):,} bytes; {MOST_YAML:,} is the most for YAML. Move rows to a CSV or JSON file.")
    try:
        node = yaml.compose(decode(data, what), Loader=_Loader)
    except yaml.YAMLError as error:
        raise BadFile(f"{what} is not YAML: {_told(error)}") from error
    except RecursionError as error:
        raise BadFile(f"{what} is nested too deep; {DEEPEST} levels is the most.") from error
    if node is None:
        return None
    _measure(node, what, 1, {})
    return _value(node, what)


def read_json(data: bytes, what: str) -> Any:
    """The values in a JSON file. BadFile or TooLarge says what is wrong, and in which line."""
    if len(data) > MOST_JSON:
        raise TooLarge(f"{what} has {len(data):,} bytes; {MOST_JSON:,} is the most.")

    def refuse(text: str) -> Any:
        raise BadFile(f"{what}: {text[:40]} is no number that can be used.")

    try:
        value = json.loads(
            decode(data, what),
            object_pairs_hook=lambda pairs: _object(pairs, what),
            parse_constant=refuse,
            parse_float=lambda text: float(text) if math.isfinite(float(text)) else refuse(text),
            parse_int=lambda text: int(text) if len(text) < 20 else refuse(text),
        )
        return _no_deeper(value, what)
    except json.JSONDecodeError as error:
        raise BadFile(f"{what} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        raise BadFile(f"{what} is nested too deep; {DEEPEST} levels is the most.") from error


def write_yaml(value: Any) -> str:
    """A YAML file that read_yaml reads back to the same values, in the same order."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _told(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "it cannot be read"
    return f"{problem}, line {mark.line + 1}, column {mark.column + 1}." if mark else f"{problem}."


def _object(pairs: list[tuple[str, Any]], what: str) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadFile(f'{what} has "{twice}" twice in one object; only one of them can be meant.')
    return found


def _no_deeper(value: Any, what: str) -> Any:
    layer = [value]
    for _ in range(DEEPEST):
        layer = [
            inner for outer in layer if isinstance(outer, (dict, list)) for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
        if not layer:
            return value
    raise BadFile(f"{what} is nested too deep; {DEEPEST} levels is the most.")


def _measure(node: yaml.Node, what: str, depth: int, known: dict[int, tuple[int, int]]) -> tuple[int, int]:
    """How many values the node holds with its aliases written out, and how deep it is; each node is looked at once."""
    if id(node) in known:
        size, height = known[id(node)]
    else:
        if depth > DEEPEST:
            raise BadFile(f"{what} is nested too deep, or holds itself; {DEEPEST} levels is the most. Line {node.start_mark.line + 1}.")
        inner = [_measure(child, what, depth + 1, known) for child in _children(node)]
        size, height = 1 + sum(size for size, _ in inner), 1 + max((height for _, height in inner), default=0)
        known[id(node)] = size, height
    if depth + height > DEEPEST + 2:
        raise BadFile(f"{what} is nested too deep; {DEEPEST} levels is the most. Line {node.start_mark.line + 1}.")
    if size > MOST_VALUES:
        raise TooLarge(f"{what} has more than {MOST_VALUES:,} values, its aliases written out. Line {node.start_mark.line + 1}.")
    return size, height


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [child for pair in node.value for child in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _value(node: yaml.Node, what: str) -> Any:
    kind = node.tag.removeprefix(_TAG)
    if isinstance(node, yaml.MappingNode) and kind == "map":
        return _mapping(node, what)
    if isinstance(node, yaml.SequenceNode) and kind == "seq":
        return [_value(child, what) for child in node.value]
    if isinstance(node, yaml.ScalarNode) and kind in _SCALARS:
        try:
            return _SCALARS[kind](node.value)
        except ValueError as error:
            raise BadFile(f"{what}: {node.value[:40]!r} in line {node.start_mark.line + 1} is no {kind} that can be used.") from error
    raise BadFile(f'{what} has the tag "{node.tag[:60]}" in line {node.start_mark.line + 1}; only plain values are read.')


def _mapping(node: yaml.MappingNode, what: str) -> dict[str, Any]:
    """An object; what `<<` brings comes first, so that its own fields hold."""
    own: list[tuple[str, Any]] = []
    merged: dict[str, Any] = {}
    for key, child in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise BadFile(f"{what}: a name in line {line} is no text.")
        value = _value(child, what)
        if key.tag != _TAG + "merge":
            own.append((key.value, value))
            continue
        for brought in reversed(value if isinstance(value, list) else [value]):
            if not isinstance(brought, dict):
                raise BadFile(f"{what}: << in line {line} needs an object, or a list of them.")
            merged |= brought
    return merged | _object(own, what)


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError
    return text.lower() == "true"


def _float(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError
    return number


def _int(text: str) -> int:
    if not _INT.fullmatch(text):
        raise ValueError
    return int(text)


_SCALARS: dict[str, Callable[[str], Any]] = {"str": str, "bool": _bool, "int": _int, "float": _float, "null": lambda text: None}
