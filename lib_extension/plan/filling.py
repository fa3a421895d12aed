"""What does a stage of an item look like, its variables filled in? Read once for all items in which nothing of it differs."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lib_extension import stages
from lib_extension.plan.graph import Facts, Item
from lib_extension.plan.keys import Path, canonical, digest, flat, reference_paths, settings_in_key
from lib_extension.plan.variables import fill, names_in, set_path, texts_in
from lib_extension.spec.errors import BadRequest, near_miss
from lib_extension.spec.recipe import PICTURES, Recipe
from lib_extension.stages.stage import StageType

LABELS = ("stage", "index", "item")  # what a label has besides the item's variables
_UNITS = "controlnet"  # the list of a stage whose elements are left out where their picture is


@dataclass(frozen=True, eq=False)
class Filled:
    """A stage as some items have it."""

    stage: Any
    type: StageType
    takes: tuple[str, ...]
    references: tuple[str, ...]
    passes_on: str  # why the stage makes nothing of its own, '' where it does
    digest: str  # of what of the settings enters keys
    settings: Mapping[str, Any]  # the same, flat
    checkpoint: str | None

    def count(self, taken: int) -> int:
        """How many pictures an instance is expected to give, from so many."""
        return self.type.count(self.stage, taken)


@dataclass(frozen=True)
class _Run:
    """For a stage that is one for all items: the values that they share, and the names of all their variables."""

    values: Mapping[str, Any]
    names: frozenset[str]


class Filler:
    """Fills one stage of a recipe in, for one item after the other."""

    def __init__(self, recipe: Recipe, number: int, items: Collection[Item], facts: Facts) -> None:
        self._raw = recipe.stages[number]
        self.id = str(self._raw["id"])
        self._facts = facts
        self._type = _type_of(self._raw)
        self._before = [name for name, declared in recipe.inputs.items() if declared.type in PICTURES]
        self._before += [str(stage["id"]) for stage in recipe.stages[:number]]
        self._names = sorted(names_in(self._raw) | frozenset().union(*(names_in(value) for value in self._set_values(items))))
        self._named = frozenset(text for _, text in texts_in(self._raw)) & set(self._before)
        self._is_varied = any(self._paths(item) for item in items)
        self._read: dict[str, Filled] = {}
        self._places: dict[str, dict[Path, int]] = {}
        self.is_run_wide = _is_run_wide(self._type, self._raw)
        self._run = self._of_the_run(items) if self.is_run_wide else None

    def fill(self, item: Item, absent: Collection[str]) -> Filled:
        """The stage of the item; `absent` are the stages and inputs that give nothing there."""
        values = item.values if self._run is None else self._run.values
        paths = self._paths(item)
        missing = [name for name in absent if self._is_varied or name in self._named]
        same = json.dumps([{name: values[name] for name in self._names if name in values}, paths, missing])
        if same not in self._read:
            self._read[same] = self._fill(values, paths, missing)
        return self._read[same]

    def _paths(self, item: Item) -> dict[str, Any]:
        """What the item sets in this stage by path."""
        prefix = f"stages.{self.id}."
        return {path: value for path, value in item.paths.items() if path.startswith(prefix)} if item.paths else {}

    def _set_values(self, items: Collection[Item]) -> list[Any]:
        """The texts and lists among the values that items set by path: variables may stand in them."""
        return [value for item in items for value in self._paths(item).values() if isinstance(value, (str, list, dict))]

    def _of_the_run(self, items: Collection[Item]) -> _Run:
        """What is the same for all items, for a stage that is one for all of them."""
        first, *others = items
        for item in others:
            if self._paths(item) != self._paths(first):
                path = next(iter(self._paths(item) | self._paths(first)))
                raise BadRequest(f'Stage "{self.id}" is one for the whole run, so that rows and axes cannot set "{path}" differently.')
        names = set().union(*(item.values for item in items))
        return _Run({name: value for name, value in first.values.items() if _is_common(name, value, others)}, frozenset(names))

    def _fill(self, values: Mapping[str, Any], paths: Mapping[str, Any], absent: Collection[str]) -> Filled:
        data: Mapping[str, Any] = self._raw
        for path, value in paths.items():
            data = set_path(data, path, value)
        data = fill(data, values, kept=self._kept())
        if units := data.get(_UNITS):
            data[_UNITS] = [unit for unit in units if not (isinstance(unit, Mapping) and unit.get("image") in absent)]
        stage = stages.read_stage(data)
        takes = (stage.takes,) if isinstance(stage.takes, str) else tuple(stage.takes)
        references = tuple(dict.fromkeys(self._type.references(stage)))
        self._check_names(takes, references)
        places = self._reference_paths(stage, references, data)
        entered = settings_in_key(self._type, stage, places, self._facts)
        return Filled(
            stage=stage,
            type=self._type,
            takes=takes,
            references=references,
            passes_on=_why_not(stage, references, absent),
            digest=digest(canonical(entered)),
            settings=dict(flat(entered)),
            checkpoint=getattr(stage, "checkpoint", "") or None,
        )

    def _kept(self) -> frozenset[str]:
        """The variables that the stage itself fills in, from its labels."""
        if self._type.takes != "all":
            return frozenset()
        return frozenset(LABELS) | (self._run.names if self._run else frozenset())

    def _check_names(self, takes: tuple[str, ...], references: tuple[str, ...]) -> None:
        for name in (*takes, *references):
            if name not in self._before:
                raise BadRequest(
                    f'Stage "{self.id}" names "{name}", which is no earlier stage and no picture.{near_miss(name, self._before)}'
                )
        if not takes and self._type.takes != "nothing":
            raise BadRequest(f'Stage "{self.id}" takes nothing; name the stages or inputs whose pictures it works on in "takes".')

    def _reference_paths(self, stage: Any, references: tuple[str, ...], data: Mapping[str, Any]) -> dict[Path, int]:
        """As keys.reference_paths; found once for all items whose texts stand at the same places."""
        if not references:
            return {}
        shape = canonical([[path for path, text in texts_in(data) if text in references], references])
        if shape not in self._places:
            self._places[shape] = reference_paths(stage, references, self._type)
        return self._places[shape]


def _type_of(raw: Mapping[str, Any]) -> StageType:
    name = str(raw.get("type", ""))
    if name not in stages.STAGES:
        raise BadRequest(f'Stage "{raw.get("id")}" has the type "{name}", which does not exist.{near_miss(name, stages.STAGES)}')
    return stages.STAGES[name]


def _is_run_wide(type: StageType, raw: Mapping[str, Any]) -> bool:
    return type.takes == "all" and raw.get("scope", getattr(type.settings, "scope", "item")) == "run"


def _is_common(name: str, value: Any, others: Collection[Item]) -> bool:
    return all(name in item.values and item.values[name] == value for item in others)


def _why_not(stage: Any, references: tuple[str, ...], absent: Collection[str]) -> str:
    if not stage.enabled:
        return "it is switched off"
    return next((f'it needs "{name}", which is not there' for name in references if name in absent), "")
