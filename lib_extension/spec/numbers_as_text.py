"""What becomes of a number that a variable brings into a field for text, such as a prompt that is "{year}" alone? It is written out."""

from __future__ import annotations

import types
import typing
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal, Union

from lib_extension.spec.settings import Settings

_UNIONS = (Union, types.UnionType)


def with_texts(cls: type[Settings], data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of `cls` as from_json takes them: numbers, true and false are texts wherever nothing but text can stand."""
    hints = _hints(cls)
    return {name: _fit(hints[name], value) if name in hints else value for name, value in data.items()}


def text_of(value: Any) -> str:
    """A value as it stands within a text: 5 for 5.0, and true as it is written in files."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(int(value)) if isinstance(value, float) and value.is_integer() and abs(value) < 1e15 else str(value)


def _fit(annotation: Any, value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    members = [member for member in _members(annotation) if member is not type(None)]
    if isinstance(value, (bool, int, float)):
        return text_of(value) if members and all(_is_text(member) for member in members) else value
    if isinstance(value, (list, tuple)):
        inner = next((_inner(member) for member in members if typing.get_origin(member) in (list, tuple)), Any)
        return [_fit(inner, element) for element in value]
    if isinstance(value, Mapping):
        return _fit_object(members, value)
    return value


def _fit_object(members: list[Any], value: Mapping[str, Any]) -> Any:
    """By the Settings that have all of its fields, where there are several."""
    for member in members:
        if typing.get_origin(member) is dict:
            return {name: _fit(typing.get_args(member)[1], inner) for name, inner in value.items()}
        if isinstance(member, type) and issubclass(member, Settings) and value.keys() <= _hints(member).keys():
            return with_texts(member, value)
    return value


def _members(annotation: Any) -> tuple[Any, ...]:
    return typing.get_args(annotation) if typing.get_origin(annotation) in _UNIONS else (annotation,)


def _inner(annotation: Any) -> Any:
    """What each element of a list is; Any where the places of a tuple differ."""
    args = typing.get_args(annotation)
    alike = typing.get_origin(annotation) is list or args[-1] is Ellipsis or len(set(args)) == 1
    return args[0] if alike else Any


def _is_text(annotation: Any) -> bool:
    texts = typing.get_args(annotation) if typing.get_origin(annotation) is Literal else ()
    return annotation is str or (bool(texts) and all(isinstance(text, str) for text in texts))


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)
