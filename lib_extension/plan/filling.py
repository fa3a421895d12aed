"""What does a stage of an item look like, its variables filled in? Read once for all items in which nothing of it differs.

Where something does, only the fields that hold variables are read and hashed again: of thousands of items, most of each is alike.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lib_extension.plan.graph import Item
from lib_extension.plan.keys import Entered, KeyField, Known, canonical, enter, key_field, key_fields, reference_paths
from lib_extension.plan.variables import Path, fill, is_filled, names_in, set_path, texts_in, unknown_variable
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.numbers_as_text import with_texts
from lib_extension.spec.settings import to_json, with_fields
from lib_extension.stages import read_stage
from lib_extension.stages.patterns import PATTERN_NAMES, names_in_pattern
from lib_extension.stages.recipe_form import stage_type
from lib_extension.stages.stage import StageType

_UNITS = "controlnet"  # the list of a stage whose elements are left out where their picture is


@dataclass(frozen=True, eq=False)
class Filled:
    """A stage as some items have it."""

    stage: Any
    type: StageType
    references: tuple[str, ...]
    left_out: str  # why the stage gives nothing at all, '' where it does
    passes_on: str  # why the stage makes nothing of its own, '' where it does
    entered: Entered

    def count(self, taken: int) -> int:
        """How many pictures an instance is expected to give, from so many."""
        return self.type.count(self.stage, taken)


@dataclass(frozen=True)
class Surroundings:
    """What filling a stage needs to know of its recipe and backends."""

    before: tuple[str, ...]  # picture inputs and stages that it may name
    absent: frozenset[str]  # those of them that give nothing, of some items
    known: Known


class Filler:
    """Fills one stage of a recipe in, for one item after the other."""

    def __init__(self, raw: Mapping[str, Any], items: Collection[Item], around: Surroundings) -> None:
        self.id = str(raw["id"])
        self.type = stage_type(raw)
        self.names: set[str] = set()  # of all stages and inputs that the stage takes or names, for any item
        self.is_run_wide = self.type.takes == "all" and raw.get("scope", getattr(self.type.settings, "scope", "item")) == "run"
        self._raw = raw
        self._around = around
        self._paths = _paths_of(self.id, items)
        self._common = _common_values(self.id, items, self._paths) if self.is_run_wide else None
        self._filled_in = {name: value for name, value in raw.items() if name not in self.type.patterns}
        set_texts = [item.paths[path] for path in self._paths for item in items if path in item.paths]
        self._variables = sorted(names_in([self._filled_in, set_texts]) | raw.get("when", {}).keys())
        self._refuse_unknown(items)
        self._could_name = frozenset(text for _, text in texts_in([raw, set_texts])) & frozenset(around.before)
        self._varied = _varied_fields(self._filled_in, self._paths, self._could_name & around.absent)
        self._filled: dict[str, Filled] = {}
        self._first: Any = None  # the stage as it was read for the first item
        self._alike: dict[str, tuple[dict[Path, int], dict[str, KeyField]]] = {}

    def fill(self, item: Item, absent: Collection[str]) -> Filled:
        """The stage of the item; `absent` are the stages and inputs that give nothing there."""
        values = item.values if self._common is None else self._common
        paths = {path: item.paths[path] for path in self._paths if path in item.paths}
        missing = [name for name in absent if name in self._could_name]
        same = canonical([{name: values[name] for name in self._variables if name in values}, paths, missing])
        if same not in self._filled:
            self._filled[same] = self._fill(values, paths, missing)
        return self._filled[same]

    def _fill(self, values: Mapping[str, Any], paths: Mapping[str, Any], absent: Collection[str]) -> Filled:
        varied: Mapping[str, Any] = {name: self._raw[name] for name in self._varied if name in self._raw}
        for path, value in paths.items():
            varied = set_path(varied, path, value)
        patterns = {name: value for name, value in varied.items() if name in self.type.patterns}
        varied = {**fill({name: value for name, value in varied.items() if name not in patterns}, values, self.id), **patterns}
        varied = with_texts(self.type.settings, varied)
        if absent and _UNITS in varied:
            varied[_UNITS] = [unit for unit in varied[_UNITS] if not (isinstance(unit, dict) and unit.get("image") in absent)]
        stage = self._read(varied)
        references = tuple(dict.fromkeys(self.type.references(stage)))
        self._check(stage, references)
        fields = self._key_fields(stage, references, varied)
        entered = enter(self.type, fields, None if self.type.local(stage) else self._around.known)
        return Filled(stage, self.type, references, _condition_not_met(stage, values), _why_not(stage, references, absent), entered)

    def _read(self, varied: Mapping[str, Any]) -> Any:
        """The stage with these fields; all others are as they are for the first item."""
        if self._first is not None and "takes" not in varied and all(name in varied for name in self._varied):
            try:
                return with_fields(self._first, varied)
            except BadRequest:
                pass  # reading all of it tells where
        stage = read_stage({**{name: value for name, value in self._raw.items() if name not in self._varied}, **varied})
        self._first = stage if self._first is None else self._first
        return stage

    def _key_fields(self, stage: Any, references: tuple[str, ...], varied: Mapping[str, Any]) -> Mapping[str, KeyField]:
        """As keys.key_fields; only what varies is made anew for each item."""
        shape = canonical([references, [path for path, text in texts_in(varied) if text in references]])
        if shape not in self._alike:
            places = reference_paths(stage, references, self.type) if references else {}
            self._alike[shape] = places, key_fields(stage, places)
        places, fields = self._alike[shape]
        anew = {name: key_field(name, to_json(getattr(stage, name)), places) for name in self._varied if name in fields}
        return {**fields, **anew}

    def _refuse_unknown(self, items: Collection[Item]) -> None:
        """What a pattern may name is known before the stage fills it in; and what is one for all items cannot differ between them."""
        known = frozenset[str]().union(*(item.values for item in items))
        told = {*known, *PATTERN_NAMES, *(path for item in items for path in item.paths)}
        for _, pattern in texts_in([self._raw.get(field) for field in self.type.patterns]):
            for name in names_in_pattern(pattern):
                if name not in told:
                    raise unknown_variable(self.id, name, told)
        for name in self._raw.get("when", {}):
            if name not in known:
                raise unknown_variable(self.id, name, known)
        differing = frozenset() if self._common is None else known - self._common.keys()
        for name in self._variables:
            if name in differing:
                where = f", or in {' and '.join(self.type.patterns)}" if self.type.patterns else ""
                raise BadRequest(f'Stage "{self.id}" is one for the whole run, where {{{name}}} differs. Use it with scope "item"{where}.')

    def _check(self, stage: Any, references: tuple[str, ...]) -> None:
        """Refuse what variables can still have brought in after the recipe was checked."""
        if (getattr(stage, "scope", "item") == "run") != self.is_run_wide:
            raise BadRequest(f'The scope of "{self.id}" cannot be a variable: write "item" or "run".')
        if not stage.takes and self.type.takes != "nothing":
            raise BadRequest(f'Stage "{self.id}" takes nothing; name the stages or inputs whose pictures it works on in "takes".')
        for name in (*stage.takes, *references):
            if name not in self._around.before:
                guess = near_miss(name, self._around.before)
                raise BadRequest(f'Stage "{self.id}" names "{name}", which is no earlier stage and no picture.{guess}')
        self.names.update(stage.takes, references)


def _paths_of(id: str, items: Collection[Item]) -> tuple[str, ...]:
    """The paths by which rows or axes set fields of the stage."""
    return tuple(dict.fromkeys(path for item in items for path in item.paths if path.startswith(f"stages.{id}.")))


def _varied_fields(raw: Mapping[str, Any], paths: Collection[str], lacked: Collection[str]) -> tuple[str, ...]:
    """The stage's fields that can be others for other items, and those that stand otherwise in the recipe than in the stage: {{name}}."""
    units = [_UNITS] if lacked and _UNITS in raw else []
    filled = (name for name, value in raw.items() if is_filled(value))
    return tuple(dict.fromkeys([*filled, *(path.split(".")[2] for path in paths), *units]))


def _common_values(id: str, items: Collection[Item], paths: Collection[str]) -> dict[str, Any]:
    """For a stage that is one for all items, the values that they share; BadRequest where they set different fields of it."""
    first, *others = items
    for path in paths:
        if any(item.paths.get(path) != first.paths.get(path) for item in others):
            raise BadRequest(f'Stage "{id}" is one for the whole run, so that rows and axes cannot set "{path}" differently.')
    return {name: value for name, value in first.values.items() if all(item.values.get(name, _ABSENT) == value for item in others)}


def _condition_not_met(stage: Any, values: Mapping[str, Any]) -> str:
    is_other = ((name, wanted) for name, wanted in stage.when.items() if _as_text(values.get(name)) != wanted)
    return next((f'it is there only when "{name}" is "{wanted}"' for name, wanted in is_other), "")


def _as_text(value: Any) -> str:
    return "" if value is None else str(value)


def _why_not(stage: Any, references: tuple[str, ...], absent: Collection[str]) -> str:
    if not stage.enabled:
        return "it is switched off"
    return next((f'it needs "{name}", which is not there' for name in references if name in absent), "")


_ABSENT = object()
