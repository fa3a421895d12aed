"""Is this a recipe? From parsed YAML or JSON to a Recipe whose stages are known, complete, and name only what comes before them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lib_extension.masks.source import COMBINATIONS
from lib_extension.spec.errors import BadRequest, TooLarge, near_miss
from lib_extension.spec.recipe import PICTURES, VARIABLE, Recipe
from lib_extension.spec.settings import Unfilled, from_json
from lib_extension.stages.migration import up_to_date
from lib_extension.stages.stage import Stage, StageType, declared_fields
from lib_extension.stages.types import STAGES

MOST_VALUES = 1_000_000  # in a recipe, rows and all; YAML can make a thousand lines into more
DEEPEST = 40  # of objects in objects
STAGES_AT_MOST = 1000

_OWN = frozenset({"id", "type", "title", "enabled", "when", "takes"})  # fields that are never shared
_SIZE = frozenset({"width", "height"})
_CANNOT_BE_OPEN = ("kind", *COMBINATIONS)  # without these a mask or a score has no form


def load_recipe(data: object, where: str = "") -> Recipe:
    """The recipe, in today's form, with the shared settings in every stage that has them.

    Fields that hold variables are left for the plan, which knows their values. Every error is a BadRequest or TooLarge that names the
    stage and the field; it begins with `where`, such as the file's name.
    """
    try:
        return _load(data)
    except (BadRequest, TooLarge) as problem:
        if not where:
            raise
        raise type(problem)(f"{where}: {problem}") from problem


def as_written(data: Mapping[str, Any]) -> Recipe:
    """A recipe that load_recipe takes, in today's form, with the shared settings where they are: for who edits it."""
    return from_json(Recipe, up_to_date(data))


def read_stage(data: Mapping[str, Any]) -> Stage:
    """The stage, as the settings of its type."""
    where = f"stages.{data.get('id', '?')}"
    try:
        return from_json(stage_type(data).settings, {**data, "takes": _names(data.get("takes"))}, where)
    except BadRequest as problem:
        if where in str(problem):
            raise
        raise BadRequest(f"{where}: {problem}") from problem


def stage_type(data: Mapping[str, Any]) -> StageType:
    """The line of STAGES that a stage's JSON means."""
    name = data.get("type")
    if not isinstance(name, str) or name not in STAGES:
        known = ", ".join(STAGES)
        guess = near_miss(name, STAGES) if isinstance(name, str) else ""
        raise BadRequest(f"stages.{data.get('id', '?')}.type is {name!r:.40}; it must be one of {known}.{guess}")
    return STAGES[name]


def _load(data: object) -> Recipe:
    if not isinstance(data, Mapping):
        raise BadRequest("A recipe must be an object with a name and stages.")
    _refuse_other_than_json(data)
    recipe = from_json(Recipe, up_to_date(data))
    if not recipe.stages:
        raise BadRequest('The recipe has no stages, so there is nothing to make. One is enough: {"id": "base", "type": "txt2img"}.')
    if len(recipe.stages) > STAGES_AT_MOST:
        raise TooLarge(f"The recipe has {len(recipe.stages)} stages; {STAGES_AT_MOST} is the most. Use rows and axes to repeat them.")
    _refuse_unknown_shared(recipe.settings)
    merged = tuple(_with_shared(stage, recipe.settings) for stage in recipe.stages)
    _refuse_bad_references(recipe, [_declared(stage) for stage in merged])
    _refuse_impossible_conditions(recipe)
    return dataclasses.replace(recipe, settings={}, stages=merged)


def _refuse_other_than_json(data: object) -> None:
    """What YAML has and JSON has not; and what is so deep, large or endless that walking through it would not end well."""
    waiting: list[tuple[object, str, int]] = [(data, "", 0)]
    count = 0
    while waiting:
        value, path, depth = waiting.pop()
        count += len(value) if isinstance(value, (Mapping, list, tuple)) else 0
        if count > MOST_VALUES or depth > DEEPEST:
            raise TooLarge(f"The recipe holds more than {MOST_VALUES:,} values, or objects more than {DEEPEST} deep.")
        if isinstance(value, Mapping):
            for name in value:
                if not isinstance(name, str):
                    raise BadRequest(f'{path or "The recipe"} has the name {name!r:.40}, which is no text. Write it in "quotes".')
            waiting += [(inner, f"{path}.{name}" if path else name, depth + 1) for name, inner in value.items()]
        elif isinstance(value, (list, tuple)):
            waiting += [(inner, f"{path}[{place}]", depth + 1) for place, inner in enumerate(value)]
        elif not _is_plain(value):
            raise BadRequest(f'{path} is {value!r:.40}, which is no text, number, true, false or null. Write it in "quotes".')


def _is_plain(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, int):
        return abs(value) < 2**63
    return value is None or isinstance(value, str)


def _refuse_unknown_shared(settings: Collection[str]) -> None:
    known = {name for kind in STAGES.values() for name in declared_fields(kind.settings)} - _OWN
    for name in settings:
        if name in _OWN:
            raise BadRequest(f'settings.{name} would be every stage\'s; write "{name}" in the stages themselves.')
        if name not in known:
            raise BadRequest(f"settings.{name} is a field of no stage.{near_miss(name, known)}")


def _with_shared(stage: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """A size is shared by what is drawn from nothing only: elsewhere it follows the picture taken."""
    kind = stage_type(stage)
    fields = declared_fields(kind.settings) - _OWN - (set() if kind.takes == "nothing" else _SIZE)
    return {**{name: value for name, value in shared.items() if name in fields}, **stage, "takes": _names(stage.get("takes"))}


def _names(takes: object) -> object:
    """One name stands for a list of it."""
    if takes is None or takes == "":
        return []
    return [takes] if isinstance(takes, str) else takes


@dataclass(frozen=True)
class _Named:
    """What one stage names."""

    id: str
    type: StageType
    takes: tuple[str, ...]
    references: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return (*self.takes, *self.references)


def _declared(data: Mapping[str, Any]) -> _Named:
    """Reads a stage whose variables are still open, and what it names without them."""
    stage, kind = read_stage(_left_open(data)), stage_type(data)
    known = dataclasses.replace(stage, **{f.name: _without_open(stage, f) for f in dataclasses.fields(stage)})
    references = tuple(name for name in kind.references(known) if not VARIABLE.search(name))
    takes = tuple(name for name in known.takes if not VARIABLE.search(name))
    if kind.takes == "nothing" and stage.takes:
        raise BadRequest(f'stages.{stage.id} takes "{stage.takes[0]}", but {kind.name} takes no pictures. Use img2img, or a control.')
    if kind.takes != "nothing" and not stage.takes:
        raise BadRequest(f'stages.{stage.id} takes nothing; {kind.name} needs "takes", the stages or inputs whose pictures come in.')
    return _Named(stage.id, kind, takes, references)


def _without_open(stage: Stage, declared: dataclasses.Field[Any]) -> Any:
    """A field's value without what is open in it, where it can be without."""
    value = getattr(stage, declared.name)
    if isinstance(value, Unfilled) and declared.default is not dataclasses.MISSING:
        return declared.default
    return tuple(item for item in value if not isinstance(item, Unfilled)) if isinstance(value, tuple) else value


def _left_open(value: Any) -> Any:
    """The same JSON with every text that holds a variable marked as unfilled."""
    if isinstance(value, str):
        return Unfilled(value) if any(not found[1] for found in VARIABLE.finditer(value)) else value
    if isinstance(value, Mapping):
        inner = {name: _left_open(item) for name, item in value.items()}
        opened = (part for name in _CANNOT_BE_OPEN for part in _parts(inner.get(name)) if isinstance(part, Unfilled))
        return next(opened, inner)
    if isinstance(value, (list, tuple)):
        return [_left_open(item) for item in value]
    return value


def _parts(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else (value,)


def _refuse_bad_references(recipe: Recipe, stages: Sequence[_Named]) -> None:
    """Every name must be a picture input or an earlier stage."""
    by_id = {stage.id: stage for stage in stages}
    pictures = {name for name, declared in recipe.inputs.items() if declared.type in PICTURES}
    earlier: list[str] = []
    for stage in stages:
        for name in stage.all:
            if name in pictures or name in earlier:
                continue
            verb = "takes" if name in stage.takes else "names"
            if name in recipe.inputs:
                kind = recipe.inputs[name].type
                raise BadRequest(f'stages.{stage.id} {verb} "{name}", an input of type {kind}; only image and mask inputs have pictures.')
            if name not in by_id:
                guess = near_miss(name, [*pictures, *(by_id.keys() - {stage.id})])
                raise BadRequest(f'stages.{stage.id} {verb} "{name}", which is no stage and no picture input.{guess}')
            if circle := _way(by_id, name, stage.id):
                raise BadRequest(f"Stages need each other in a circle: {' → '.join((stage.id, *circle))}. One of them must do without.")
            raise BadRequest(f'stages.{stage.id} {verb} "{name}", which stands after it. Move "{name}" before "{stage.id}".')
        earlier.append(stage.id)


def _refuse_impossible_conditions(recipe: Recipe) -> None:
    """A stage that waits for a value which its input never has would be left out of every run, without a word."""
    for stage in recipe.stages:
        for name, wanted in stage.get("when", {}).items():
            choices = recipe.inputs[name].choices if name in recipe.inputs else ()
            if choices and wanted not in choices and not VARIABLE.search(wanted):
                told = f'stages.{stage["id"]}.when.{name} is "{wanted}", which the input cannot be; it must be one of {", ".join(choices)}.'
                raise BadRequest(told + near_miss(wanted, choices))


def _way(stages: Mapping[str, _Named], start: str, goal: str) -> tuple[str, ...]:
    """A way from one stage to another along what each names; empty where there is none."""
    ways: list[tuple[str, ...]] = [(start,)]
    seen = {start}
    while ways:
        way = ways.pop()
        if way[-1] == goal:
            return way
        following = [name for name in stages[way[-1]].all if name in stages and name not in seen]
        seen |= {*following}
        ways += [(*way, name) for name in following]
    return ()
