"""How a setting is declared once, and how its JSON and its JSON Schema follow from that.

    @dataclass(frozen=True)
    class Blur(Settings):
        radius: float = field(4.0, label="Radius", minimum=0, maximum=64, help="Standard deviation in pixels.")

    from_json(Blur, {"radius": 8}); to_json(Blur()); json_schema(Blur)

Types: bool, int, float, str, Literal, X | Y, X | None, list[X], tuple[X, ...], tuple[X, Y], dict[str, X], Any, Settings in Settings.
A range or a list of choices holds for the values inside a list, tuple or dict. Of several Settings in a union, a field that has one
choice and no default, such as `kind: Literal["blur"]`, tells which is meant.
"""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass
from functools import cache
from typing import Any, Literal, TypeVar, Union

from lib_extension.spec.errors import BadRequest, near_miss

S = TypeVar("S", bound="Settings")


@dataclass(frozen=True)
class Declared:
    """What a field's declaration says beyond type and default."""

    label: str = ""
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[Any, ...] | None = None
    help: str = ""
    hints: tuple[tuple[str, Any], ...] = ()  # x- words of the schema, for forms


Names = Literal[
    "checkpoints",
    "samplers",
    "schedulers",
    "upscalers",
    "vaes",
    "loras",
    "controlnet_models",
    "controlnet_modules",
    "styles",
    "scripts",
]
SourceKind = Literal["picture", "mask", "stage"]


def field(
    default: Any = MISSING,
    *,
    label: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    step: float | None = None,
    choices: Sequence[Any] | None = None,
    help: str = "",
    names: Names | None = None,
    source: SourceKind | None = None,
    multiline: bool = False,
    prompt: bool = False,
    advanced: bool = False,
) -> Any:
    """A dataclass field with what a form needs to show it; without a default it must be given. A list or dict as default is copied.

    names: which of a backend's lists to suggest from. source: the value names a stage or an input that gives such. multiline: a long text.
    prompt: a text that a model draws from. advanced: folded away until somebody looks for it.
    """
    told = {"x-names": names, "x-source": source, "x-multiline": multiline, "x-prompt": prompt, "x-advanced": advanced}
    hints = tuple((word, value) for word, value in told.items() if value)
    declared = Declared(label, minimum, maximum, step, None if choices is None else tuple(choices), help, hints)
    metadata = {"declared": declared}
    if isinstance(default, (list, dict)):
        return dataclasses.field(default_factory=default.copy, metadata=metadata)
    return dataclasses.field(default=default, metadata=metadata)


class Unfilled(str):
    """A text with a variable in it, where the value is not known yet: it stands in any field, whatever the field's type.

    Settings that hold one are read, so that every other field is checked, but not checked as a whole.
    """


class Settings:
    """Base of every frozen dataclass whose fields are settings."""

    exactly_one = False  # no setting: whether one field alone may be set, so that forms ask which

    def check(self) -> None:
        """Raises BadRequest where fields contradict each other. Called by from_json when each field alone is right."""


def from_json(cls: type[S], data: object, where: str = "") -> S:
    """An instance from parsed JSON. Every error is a BadRequest that names the field by its path, starting with `where`."""
    if not isinstance(data, Mapping):
        raise BadRequest(f"{where or cls.__name__} is {_shown(data)}; it must be an object.")
    known = _fields_of(cls)
    for name in data:
        if name not in known:
            raise BadRequest(f"{_path(where, str(name))} is not known.{near_miss(str(name), known)}")
    values = {}
    for name, spec in known.items():
        if name in data:
            values[name] = _read(_hints(cls)[name], data[name], _path(where, name), declared_of(spec))
        elif spec.default is MISSING and spec.default_factory is MISSING:
            raise BadRequest(f"{_path(where, name)} is missing.")
    settings = cls(**values)
    if not _holds_unfilled(data):
        settings.check()
    return settings


def read_value(annotation: Any, data: object, where: str = "") -> Any:
    """As from_json, for any of the types above: a union of Settings, a list of them."""
    return _read(annotation, data, where, Declared())


def with_fields(settings: S, data: Mapping[str, Any], where: str = "") -> S:
    """A copy in which the fields that `data` has are read anew; errors as from_json's. Made for thousands of nearly equal settings."""
    cls = type(settings)
    known = _fields_of(cls)
    for name in data:
        if name not in known:
            raise BadRequest(f"{_path(where, name)} is not known.{near_miss(name, known)}")
    copy = object.__new__(cls)  # dataclasses.replace would set every field again
    copy.__dict__.update(settings.__dict__)
    copy.__dict__.update(
        (name, _read(_hints(cls)[name], value, _path(where, name), declared_of(known[name]))) for name, value in data.items()
    )
    copy.check()
    return copy


def to_json(value: Any) -> Any:
    """The JSON value that from_json reads back to an equal instance."""
    if isinstance(value, Settings):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(_as_dataclass(type(value)))}
    if isinstance(value, Mapping):
        return {name: to_json(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(inner) for inner in value]
    return value


def json_schema(cls: type[Settings]) -> dict[str, Any]:
    """JSON Schema 2020-12 of what from_json takes. `step` stands beside the standard's words, for sliders."""
    defs: dict[str, Any] = {}
    schema = _object_schema(cls, defs)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, **({"$defs": defs} if defs else {})}


def value_schema(annotation: Any, defs: dict[str, Any]) -> dict[str, Any]:
    """The schema of what read_value takes. Settings in it go to `defs`, which belongs into the whole schema's "$defs"."""
    return _type_schema(annotation, Declared(), defs)


def declared_of(spec: dataclasses.Field[Any]) -> Declared:
    """The declaration of a field, an empty one for a field made without `field`."""
    return spec.metadata.get("declared", Declared())


def _as_dataclass(cls: type[Any]) -> Any:
    assert dataclasses.is_dataclass(cls), f"{cls.__name__} lacks @dataclass(frozen=True)"
    return cls


@cache
def _fields_of(cls: type[Any]) -> dict[str, dataclasses.Field[Any]]:
    return {f.name: f for f in dataclasses.fields(_as_dataclass(cls))}


@cache
def _hints(cls: type[Any]) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def _holds_unfilled(data: object) -> bool:
    if isinstance(data, Mapping):
        return any(_holds_unfilled(inner) for inner in data.values())
    return isinstance(data, Unfilled) or (isinstance(data, (list, tuple)) and any(_holds_unfilled(inner) for inner in data))


def _path(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _read(annotation: Any, value: Any, where: str, declared: Declared) -> Any:
    """`value` as `annotation` says, checked, or BadRequest."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any or isinstance(value, Unfilled):
        return value
    if origin in (Union, types.UnionType):
        return _read_union(args, value, where, declared)
    if origin in (list, tuple):
        return _read_sequence(origin, args, value, where, declared)
    if origin is dict:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise BadRequest(f"{where} is {_shown(value)}; it must be an object.")
        return {name: _read(args[1], inner, _path(where, name), declared) for name, inner in value.items()}
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return from_json(annotation, value, where)
    return _read_plain(annotation, value, where, declared)


def _read_union(members: tuple[Any, ...], value: Any, where: str, declared: Declared) -> Any:
    if value is None and type(None) in members:
        return None
    members = _of_its_form(tuple(m for m in members if m is not type(None)), value)
    if isinstance(value, Mapping):
        members = _meant(members, value, where)
    problems = []
    for member in members:
        try:
            return _read(member, value, where, declared)
        except BadRequest as problem:
            problems.append(str(problem))
    problems = list(dict.fromkeys(problems))
    raise BadRequest(problems[0] if len(problems) == 1 else f"{where} fits no form: " + " Or: ".join(problems))


def _of_its_form(members: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """The members that are objects for an object, lists for a list, plain for what is plain: only those have something to say of it."""

    def form(member: Any) -> str:
        kind = typing.get_origin(member) or member
        is_object = kind is dict or (isinstance(kind, type) and issubclass(kind, Settings))
        return "object" if is_object else "list" if kind in (list, tuple) else "any" if member is Any else "plain"

    wanted = "object" if isinstance(value, Mapping) else "list" if isinstance(value, (list, tuple)) else "plain"
    return tuple(m for m in members if form(m) in (wanted, "any")) or members


def _meant(members: tuple[Any, ...], value: Mapping[Any, Any], where: str) -> tuple[Any, ...]:
    """Of Settings with tags, the one whose tag the object has; those without a tag when it has none. BadRequest for an unknown tag."""
    tags = {member: tag for member in members if isinstance(member, type) and (tag := tag_of(member))}
    chosen = tuple(member for member, (name, choice) in tags.items() if value.get(name) == choice)
    if chosen:
        return chosen
    for name in dict.fromkeys(name for name, _ in tags.values()):
        if name in value:
            choices = tuple(choice for known, choice in tags.values() if known == name)
            _read_plain(str, value[name], _path(where, name), Declared(choices=choices))
    return tuple(member for member in members if member not in tags) or members


@cache
def tag_of(cls: type[Any]) -> tuple[str, str] | None:
    """The field of Settings that tells them apart from others, and what stands in it: the first with one choice and no default."""
    for spec in dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ():
        args = typing.get_args(_hints(cls)[spec.name]) if typing.get_origin(_hints(cls)[spec.name]) is Literal else ()
        if len(args) == 1 and isinstance(args[0], str) and spec.default is MISSING and spec.default_factory is MISSING:
            return spec.name, args[0]
    return None


def _read_sequence(kind: type, args: tuple[Any, ...], value: Any, where: str, declared: Declared) -> Any:
    if not isinstance(value, (list, tuple)):
        raise BadRequest(f"{where} is {_shown(value)}; it must be a list.")
    if kind is list or args[-1] is Ellipsis:
        inner_types = (args[0],) * len(value)
    elif len(args) == len(value):
        inner_types = args
    else:
        raise BadRequest(f"{where} has {len(value)} values; it must have {len(args)}.")
    return kind(_read(t, inner, f"{where}[{i}]", declared) for i, (t, inner) in enumerate(zip(inner_types, value, strict=True)))


_PLAIN = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}


def _read_plain(annotation: Any, value: Any, where: str, declared: Declared) -> Any:
    choices = typing.get_args(annotation) if typing.get_origin(annotation) is Literal else declared.choices
    if annotation is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    elif annotation is int and isinstance(value, float) and value.is_integer():
        value = int(value)  # JavaScript has no other number
    if annotation in _PLAIN and (type(value) is not annotation or (annotation is float and not math.isfinite(value))):
        raise BadRequest(f"{where} is {_shown(value)}; it must be {_PLAIN[annotation]}.")
    if choices is not None and not any(value == c and type(value) is type(c) for c in choices):
        guess = near_miss(value, [c for c in choices if isinstance(c, str)]) if isinstance(value, str) else ""
        raise BadRequest(f"{where} is {_shown(value)}; it must be one of {', '.join(map(repr, choices))}.{guess}")
    if annotation in (int, float):
        _check_range(value, where, declared)
    return value


def _check_range(value: float, where: str, declared: Declared) -> None:
    low, high = declared.minimum, declared.maximum
    if (low is None or value >= low) and (high is None or value <= high):
        return
    if low is None or high is None:
        bound = f"at least {low:g}" if high is None else f"at most {high:g}"
    else:
        bound = f"between {low:g} and {high:g}"
    raise BadRequest(f"{where} is {value:g}; it must be {bound}.")


def _object_schema(cls: type[Settings], defs: dict[str, Any]) -> dict[str, Any]:
    properties, required = {}, []
    for spec in dataclasses.fields(_as_dataclass(cls)):
        declared = declared_of(spec)
        properties[spec.name] = _type_schema(_hints(cls)[spec.name], declared, defs) | _told(declared)
        if spec.default is not MISSING:
            properties[spec.name]["default"] = to_json(spec.default)
        elif spec.default_factory is not MISSING:
            properties[spec.name]["default"] = to_json(spec.default_factory())
        else:
            required.append(spec.name)
    about: dict[str, Any] = {"description": cls.__doc__.strip().split("\n")[0]} if cls.__doc__ else {}
    about |= {"x-exactly-one": True} if cls.exactly_one else {}
    schema = {"title": cls.__name__, **about, "type": "object", "properties": properties, "additionalProperties": False}
    return schema | ({"required": required} if required else {})


def _told(declared: Declared) -> dict[str, Any]:
    told = (("title", declared.label), ("description", declared.help), ("step", declared.step), *declared.hints)
    return {word: text for word, text in told if text}


_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


def _type_schema(annotation: Any, declared: Declared, defs: dict[str, Any]) -> dict[str, Any]:
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        return {}
    if origin is Literal:
        return {"enum": list(args)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [_type_schema(member, declared, defs) for member in args]}
    if origin is dict:
        return {"type": "object", "additionalProperties": _type_schema(args[1], declared, defs)}
    if origin is list or (origin is tuple and args[-1] is Ellipsis):
        return {"type": "array", "items": _type_schema(args[0], declared, defs)}
    if origin is tuple:
        inner = [_type_schema(member, declared, defs) for member in args]
        return {"type": "array", "prefixItems": inner, "minItems": len(inner), "maxItems": len(inner)}
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        if annotation.__name__ not in defs:
            defs[annotation.__name__] = {}  # stands for itself where it holds itself
            defs[annotation.__name__] = _object_schema(annotation, defs)
        return {"$ref": f"#/$defs/{annotation.__name__}"}
    return _plain_schema(annotation, declared)


def _plain_schema(annotation: Any, declared: Declared) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": _JSON_TYPES[annotation]}
    if declared.choices is not None and annotation is not type(None):
        schema["enum"] = list(declared.choices)
    if annotation in (int, float):
        bounds = (("minimum", declared.minimum), ("maximum", declared.maximum))
        schema |= {word: bound for word, bound in bounds if bound is not None}
    return schema
