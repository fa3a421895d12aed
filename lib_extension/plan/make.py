"""How does a recipe become a plan? Stage by stage, item by item; what is equal for several items is one node.

Nothing is computed and no picture is read: a key needs only the keys before it. A review that nobody has decided ends what is known.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from lib_extension.plan.filling import Filled, Filler, Surroundings
from lib_extension.plan.graph import BLOB, Facts, Final, Item, LeftOut, Node, Plan, Source, Waiting, is_review
from lib_extension.plan.keys import Known
from lib_extension.plan.lineage import Given, Slot, Trail, common_trail, find
from lib_extension.plan.nodes import Nodes
from lib_extension.plan.rows import make_items
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.spec.recipe import PICTURES, Recipe

_NO_FACTS = Facts()
_NOT_TAKING = Slot("", 0, None, {})  # stands for the one instance of a stage that takes nothing


def make_plan(
    recipe: Recipe,
    values: Mapping[str, Any],
    pictures: Mapping[str, str],
    facts: Facts = _NO_FACTS,
    confirm: bool = False,
) -> Plan:
    """The plan of a frozen recipe. Raises AtelierError whose message names the stage, the row or the input.

    values: the inputs, by name; what is missing has its default. pictures: sha256 of each picture, by the file name that an input's
    value, a row or an axis gives it, or by the input's own name. confirm: plan even if it is more than is likely meant.
    """
    handed_in = {name: BLOB + pictures[name] for name, declared in recipe.inputs.items() if declared.type in PICTURES and name in pictures}
    items = make_items(recipe, {**handed_in, **{name: value for name, value in values.items() if value is not None}}, confirm)
    return _Planner(recipe, items, pictures, facts, confirm).plan()


class _Planner:
    def __init__(self, recipe: Recipe, items: tuple[Item, ...], pictures: Mapping[str, str], facts: Facts, confirm: bool) -> None:
        self._recipe = recipe
        self._items = items
        self._facts = facts
        self._given = [_inputs(recipe, item, pictures) for item in items]  # of each item: what each input and stage gives
        self._nodes = Nodes(facts, confirm)
        self._pending: dict[str, None] = {}
        self._waiting: dict[tuple[str, frozenset[str]], list[int]] = {}
        self._left_out: dict[tuple[str, str], dict[int, None]] = {}
        self._used: set[str] = set()  # stages and inputs that a later stage takes or names

    def plan(self) -> Plan:
        known = Known(cache(self._facts.identities), cache(self._facts.embeddings), self._facts.backend)
        for raw in self._recipe.stages:
            absent = frozenset(name for given in self._given for name, one in given.items() if one.absent)
            filler = Filler(raw, self._items, Surroundings(tuple(self._given[0]), absent, known))
            if filler.is_run_wide:
                self._plan_for_all(filler)
            else:
                for item, given in zip(self._items, self._given, strict=True):
                    given[filler.id] = self._plan_for_one(filler, item, given)
            self._used |= filler.names
        nodes = self._nodes.done()
        return Plan(
            items=self._items,
            nodes=tuple(nodes.values()),
            pending=tuple(nodes[key] for key in self._pending),
            waiting=tuple(Waiting(stage, tuple(items), tuple(sorted(reviews))) for (stage, reviews), items in self._waiting.items()),
            left_out=tuple(LeftOut(stage, tuple(items), reason) for (stage, reason), items in self._left_out.items()),
            finals=self._finals(),
        )

    def _plan_for_one(self, filler: Filler, item: Item, given: Mapping[str, Given]) -> Given:
        """What the stage gives of one item, once its nodes are planned."""
        filled = filler.fill(item, [name for name, one in given.items() if one.absent])
        if filled.left_out:
            self._leave_out(filler.id, (item,), filled.left_out)
            return Given(absent=filled.left_out)
        taken = self._take(filled, given)
        if taken.waits:
            return self._wait(filler.id, (item,), taken.waits)
        if filled.passes_on or taken.absent:
            return self._pass_on(filled, item, taken)
        if filled.type.takes == "all":
            live = [(item, slot) for slot in taken.slots if slot.source]
            return self._plan_all(filled, (item,), live, given)
        slots = (_NOT_TAKING,) if filled.type.takes == "nothing" else taken.slots
        self._nodes.reserve(filler.id, len(slots), filled.count(1))
        made: list[Slot] = []
        for position, slot in enumerate(slots):
            made += self._plan_each(filled, item, position, slot, given, len(made))
        return Given(tuple(made))

    def _plan_for_all(self, filler: Filler) -> None:
        """As _plan_for_one, for a stage that is one for all items; a picture that several items share is taken once."""
        filled = filler.fill(self._items[0], [name for name in self._given[0] if all(given[name].absent for given in self._given)])
        taken = [self._take(filled, given) for given in self._given]
        waits = frozenset[str]().union(*(one.waits for one in taken))
        if filled.left_out:
            self._leave_out(filler.id, self._items, filled.left_out)
            given = [Given(absent=filled.left_out)] * len(self._items)
        elif waits:
            given = [self._wait(filler.id, self._items, waits)] * len(self._items)
        elif filled.passes_on or all(one.absent for one in taken):
            given = [self._pass_on(filled, item, one) for item, one in zip(self._items, taken, strict=True)]
        else:
            places: dict[Source, tuple[Item, Slot]] = {}
            for item, one in zip(self._items, taken, strict=True):
                for slot in one.slots:
                    if slot.source:
                        places.setdefault(slot.source, (item, slot))
            named = {name: Given(tuple(slot for one in self._given for slot in one[name].slots)) for name in filled.references}
            result = self._plan_all(filled, self._items, list(places.values()), named)
            given = [_of_item(result, one) if is_review(filled.type) else result for one in taken]
        for one, result in zip(self._given, given, strict=True):
            one[filler.id] = result

    def _plan_each(self, filled: Filled, item: Item, position: int, slot: Slot, given: Mapping[str, Given], first: int) -> Iterable[Slot]:
        """The places of what one instance of the stage gives, the first of them being `first` in the item."""
        others = self._find_others(filled, slot.trail, given) if slot.source or slot is _NOT_TAKING else None
        if others is None:
            self._leave_out(filled.stage.id, (item,), "nothing was found for it earlier")
            return _empty(filled, slot.trail, first)
        node = self._nodes.add(filled, (item,), [(item, slot)] if slot.source else [], others, position)
        return self._results(filled, node, (item,), slot.trail, first)

    def _plan_all(self, filled: Filled, items: Sequence[Item], taken: Sequence[tuple[Item, Slot]], given: Mapping[str, Given]) -> Given:
        """What the one instance of the stage gives that takes all of these pictures."""
        id, slots = filled.stage.id, [slot for _, slot in taken]
        trail = common_trail(slots)
        others = self._find_others(filled, trail, given) if taken else None
        if others is None:
            self._leave_out(id, items, "nothing was found for it earlier")
            return Given(tuple(_empty(filled, trail, 0)))
        self._nodes.reserve(id, 1, filled.count(len(taken)))
        node = self._nodes.add(filled, items, taken, others)
        if not is_review(filled.type):
            return Given(tuple(self._results(filled, node, items, trail, 0)))
        if node.key not in self._facts.choices:
            self._pending[node.key] = None
            return Given(waits=frozenset((id,)))
        return Given(tuple(_passed(id, slot) for slot in _chosen(node, slots, self._facts.choices[node.key])))

    def _results(self, filled: Filled, node: Node, items: Sequence[Item], trail: Trail, first: int) -> Iterable[Slot]:
        id = filled.stage.id
        if node.count == 0 and filled.count(len(node.taken)):
            self._leave_out(id, items, "found nothing")
            return _empty(filled, trail, first)
        sources = [Source(node.key, index) for index in range(node.count)]
        return [Slot(id, first + index, source, {**trail, id: source}) for index, source in enumerate(sources)]

    def _take(self, filled: Filled, given: Mapping[str, Given]) -> Given:
        """What the stages and inputs that it takes give together, and what it waits for."""
        taken = [given[name] for name in filled.stage.takes if not given[name].absent]
        waits = frozenset[str]().union(*(one.waits for one in taken), *(given[name].waits for name in filled.references))
        if not taken and filled.stage.takes:
            return Given(waits=waits, absent=f'"{filled.stage.takes[0]}" gives nothing: {given[filled.stage.takes[0]].absent}')
        if len(taken) == 1 and not waits:
            return taken[0]
        return Given(tuple(slot for one in taken for slot in one.slots), waits)

    def _find_others(self, filled: Filled, trail: Trail, given: Mapping[str, Given]) -> dict[str, Source] | None:
        """The pictures that the settings name; None where one of them was not found."""
        others = {}
        for name in filled.references:
            found = find(given[name], trail, filled.stage.id, name)
            if found is None:
                return None
            others[name] = found
        return others

    def _wait(self, id: str, items: Sequence[Item], reviews: frozenset[str]) -> Given:
        self._waiting.setdefault((id, reviews), []).extend(item.index for item in items)
        return Given(waits=reviews)

    def _pass_on(self, filled: Filled, item: Item, taken: Given) -> Given:
        """For a stage that makes nothing of its own: what it takes is what it gives."""
        reason = filled.passes_on or taken.absent
        self._leave_out(filled.stage.id, (item,), reason)
        if taken.absent or not filled.stage.takes:
            return Given(absent=reason)
        return Given(tuple(_passed(filled.stage.id, slot) for slot in taken.slots))

    def _leave_out(self, id: str, items: Sequence[Item], reason: str) -> None:
        self._left_out.setdefault((id, reason), {}).update((item.index, None) for item in items)

    def _finals(self) -> tuple[Final, ...]:
        shared: dict[tuple[str, Source], list[int]] = {}
        for stage in self._recipe.stages:
            if stage["id"] not in self._used:
                for item, given in zip(self._items, self._given, strict=True):
                    for source in {slot.source: None for slot in given[stage["id"]].slots if slot.source}:
                        shared.setdefault((stage["id"], source), []).append(item.index)
        return tuple(Final(stage, tuple(items), source) for (stage, source), items in shared.items())


def _inputs(recipe: Recipe, item: Item, pictures: Mapping[str, str]) -> dict[str, Given]:
    """What each picture input gives of an item."""
    given = {}
    for name, declared in recipe.inputs.items():
        value = item.values.get(name)
        if declared.type not in PICTURES:
            continue
        if value is None:
            given[name] = Given(absent=f'the input "{name}" has no value')
            continue
        if not value.startswith(BLOB) and value not in pictures:
            raise NotFound(f'The picture "{value}" of the input "{name}" is not there.')
        source = Source(value if value.startswith(BLOB) else BLOB + pictures[value])
        given[name] = Given((Slot(name, 0, source, {name: source}),))
    return given


def _empty(filled: Filled, trail: Trail, first: int) -> Iterable[Slot]:
    """The places of pictures that will not come."""
    return [Slot(filled.stage.id, first + index, None, trail) for index in range(filled.count(1))]


def _passed(id: str, slot: Slot) -> Slot:
    """A picture that a stage passes on as it is."""
    return Slot(slot.stage, slot.position, slot.source, {**slot.trail, id: slot.source} if slot.source else slot.trail)


def _chosen(node: Node, slots: Sequence[Slot], choice: Sequence[int]) -> Iterable[Slot]:
    for index in choice:
        if not 0 <= index < len(slots):
            raise BadRequest(f'The choice of "{node.id}" names picture {index}; it has {len(slots)}, counted from 0.')
    return [slots[index] for index in choice]


def _of_item(chosen: Given, taken: Given) -> Given:
    """Of what a review of the whole run chose, that which the item had handed in, with its own lineage there."""
    own = {slot.source for slot in taken.slots}
    return Given(tuple(slot for slot in chosen.slots if slot.source in own), chosen.waits)
