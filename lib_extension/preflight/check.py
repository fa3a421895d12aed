"""What is wrong with a plan before anything runs? All rules over all its stages, at the backend that suits each best."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lib_extension.plan.filling import Filler, Surroundings
from lib_extension.plan.graph import Node, Plan, Source
from lib_extension.plan.keys import NOTHING_KNOWN
from lib_extension.preflight.finding import Finding
from lib_extension.preflight.look import Headers, Look, PictureFacts, Size
from lib_extension.preflight.picture_sizes import result_size
from lib_extension.preflight.rules import RULES
from lib_extension.spec.inventory import Inventory
from lib_extension.spec.recipe import PICTURES, Recipe

Pictures = Callable[[str], PictureFacts | None]  # of the input with that sha256


def check(
    plan: Plan,
    inventories: Sequence[Inventory],
    recipe: Recipe | None = None,
    headers: Headers = lambda kind, name: None,
    pictures: Pictures = lambda sha256: None,
) -> tuple[Finding, ...]:
    """Everything that the rules find, each once, in the order of the plan.

    A stage needs one backend that can make it: of several `inventories`, the one with the fewest errors counts for it. With the `recipe`,
    stages that wait for a choice are looked at too. `headers` and `pictures` say what is known of files and of pictures handed in.
    """
    different: dict[object, _Asked] = {}
    for asked in (*_planned(plan.nodes, pictures), *_waiting(plan, recipe)):
        different.setdefault(asked.same, asked)
    found = (finding for asked in different.values() for finding in _at_the_best(asked, inventories, headers))
    return tuple(dict.fromkeys(found))


class _Asked:
    """A stage instance, whatever the backend."""

    def __init__(self, stage: Any, takes: bool, taken: PictureFacts | None, others: Mapping[str, PictureFacts | None] | None) -> None:
        self.stage = stage
        self.takes = takes
        self.taken = taken
        self.others = others
        # Nodes of one stage share its settings wherever nothing differs; to compare all of them would take longer.
        self.same = (id(stage), takes, taken, None if others is None else tuple(others.items()))


def _at_the_best(asked: _Asked, inventories: Sequence[Inventory], headers: Headers) -> list[Finding]:
    findings = []
    for inventory in inventories:
        look = Look(asked.stage, inventory, headers, asked.taken, asked.takes, asked.others)
        findings.append([finding for rule in RULES for finding in rule(look)])
    best = min(findings, key=lambda found: (sum(each.severity == "error" for each in found), len(found)), default=[])
    return [_with_way_out(finding, asked.stage) for finding in best]


def _with_way_out(finding: Finding, stage: Any) -> Finding:
    """An error in a stage that a choice brought in is mended by another choice, too."""
    if finding.severity != "error" or not stage.when:
        return finding
    chosen = " and ".join(f'"{name}" is "{value}"' for name, value in stage.when.items())
    return dataclasses.replace(finding, message=f"{finding.message} Or choose otherwise: the stage is there only when {chosen}.")


def _planned(nodes: Sequence[Node], pictures: Pictures) -> Iterator[_Asked]:
    sizes: dict[str, Size | None] = {}

    def facts(source: Source) -> PictureFacts | None:
        if source.blob:
            return pictures(source.blob)
        size = sizes.get(source.key)
        return PictureFacts(*size) if size else None

    for node in nodes:
        taken = facts(node.taken[0]) if node.taken else None
        sizes[node.key] = result_size(node.stage, (taken.width, taken.height) if taken else None)
        yield _Asked(node.stage, bool(node.taken), taken, {name: facts(source) for name, source in node.others.items()})


def _waiting(plan: Plan, recipe: Recipe | None) -> Iterator[_Asked]:
    """Stages after an undecided review: their settings are known, their pictures are not."""
    if recipe is None:
        return
    raw = {str(stage["id"]): stage for stage in recipe.stages}
    images = [name for name, declared in recipe.inputs.items() if declared.type in PICTURES]
    for waiting in plan.waiting:
        items = [plan.items[index] for index in waiting.items]
        around = Surroundings((*images, *raw), frozenset(images), NOTHING_KNOWN)
        filler = Filler(raw[waiting.stage], items, around)
        for item in items:
            filled = filler.fill(item, [name for name in images if item.values.get(name) is None])
            if not filled.passes_on:
                yield _Asked(filled.stage, bool(filled.stage.takes), None, None)
