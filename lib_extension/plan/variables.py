"""How do variables get into a stage's settings? {name} in any text, and paths of fields, on the stage's JSON before it is read.

A text that is one variable alone takes its value with its type; elsewhere the value is written into the text. {{name}} stays as {name}.
Where only text can stand, `spec.numbers_as_text` writes out what such a variable brings.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.numbers_as_text import text_of
from lib_extension.spec.recipe import VARIABLE

Path = tuple[str | int, ...]  # of names in objects and places in lists

_NOTHING = object()  # stands where a variable alone has no value: the field is left out
_LEFT_OUT_WHOLE = ("controlnet", "loras")  # lists of which an element that names an input without a value is left out


def names_in(value: Any) -> frozenset[str]:
    """Every variable that a JSON value's texts name."""
    return frozenset(found[2] for _, text in texts_in(value) if "{" in text for found in VARIABLE.finditer(text) if not found[1])


def is_filled(value: Any) -> bool:
    """Whether `fill` makes something else of a JSON value: it has {name} in it, or {{name}}."""
    return any(VARIABLE.search(text) for _, text in texts_in(value) if "{" in text)


def texts_in(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """(path, text) of every text in a JSON value; the names in objects are no texts."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from texts_in(inner, (*path, name))
    elif isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            yield from texts_in(inner, (*path, index))


def fill(fields: Mapping[str, Any], values: Mapping[str, Any], stage: str = "") -> dict[str, Any]:
    """A stage's fields with every variable filled in; `stage` is named in messages.

    A field whose text is one variable without a value is left out, a ControlNet unit or LoRA with such a field as a whole.
    """
    filled = {}
    for name, value in fields.items():
        if name in _LEFT_OUT_WHOLE and isinstance(value, (list, tuple)):
            value = [element for element in value if not _names_nothing(element, values)]
        inner = _fill(value, values, stage)
        if inner is not _NOTHING:
            filled[name] = inner
    return filled


def unknown_variable(stage: str, name: str, known: Iterable[str]) -> BadRequest:
    """For a variable that nothing gives a value."""
    return BadRequest(f'Stage "{stage}" uses {{{name}}}, which is no input, row or axis.{near_miss(name, known)}')


def set_path(fields: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A stage's fields with that at `path` ("stages.refine.controlnet.0.weight") set; what is handed in stays as it is."""
    _, _, *steps = path.split(".")
    if steps[0] in ("id", "type", "scope"):
        raise BadRequest(f'"{path}" cannot be varied: a stage keeps its {steps[0]}. Write two stages and vary their "enabled".')
    return _set(dict(fields), steps, value, path)


def _fill(value: Any, values: Mapping[str, Any], stage: str) -> Any:
    if isinstance(value, str):
        return _fill_text(value, values, stage) if "{" in value else value
    if isinstance(value, dict):
        pairs = ((name, _fill(inner, values, stage)) for name, inner in value.items())
        return {name: inner for name, inner in pairs if inner is not _NOTHING}
    if isinstance(value, (list, tuple)):
        return [inner for inner in (_fill(element, values, stage) for element in value) if inner is not _NOTHING]
    return value


def _fill_text(text: str, values: Mapping[str, Any], stage: str) -> Any:
    alone = VARIABLE.fullmatch(text)
    if alone and not alone[1] and alone[2] in values:
        value = values[alone[2]]
        return _NOTHING if value is None else value

    def written(found: re.Match[str]) -> str:
        name = found[2]
        if found[1]:
            return found[0][1:-1]
        if isinstance(values.get(name), (list, dict)):
            raise BadRequest(f'Stage "{stage}" writes {{{name}}} into a text, but it is a list or an object, which can only stand alone.')
        if name in values:
            return "" if values[name] is None else text_of(values[name])
        raise unknown_variable(stage, name, values)

    return VARIABLE.sub(written, text)


def _names_nothing(element: Any, values: Mapping[str, Any]) -> bool:
    """Whether a text of the element is one variable alone that has no value."""
    for _, text in texts_in(element):
        alone = VARIABLE.fullmatch(text)
        if alone and not alone[1] and values.get(alone[2], text) is None:
            return True
    return False


def _set(inside: Any, steps: Sequence[str], value: Any, path: str) -> Any:
    if not steps:
        return value
    name, *rest = steps
    if isinstance(inside, dict):
        return {**inside, name: _set(inside.get(name, {} if rest else None), rest, value, path)}
    if isinstance(inside, (list, tuple)):
        if not name.isascii() or not name.isdigit() or int(name) >= len(inside):
            raise BadRequest(f'"{path}": "{name}" is no element of a list of {len(inside)}; count from 0.')
        return [_set(element, rest, value, path) if index == int(name) else element for index, element in enumerate(inside)]
    raise BadRequest(f'"{path}" leads nowhere: {inside!r} has no "{name}".')
