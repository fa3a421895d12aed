"""What does a plan come to, stage by stage? Short enough to be shown while somebody types, however many items there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from lib_extension.plan.graph import Node
from lib_extension.session.outlook import Outlook
from lib_extension.spec.recipe import Recipe

_REASONS = 5


@dataclass
class StageLine:
    """What becomes of the instances of one stage."""

    stage: str
    type: str
    cached: int = 0
    will_run: int = 0
    waiting: int = 0  # for a choice: its own, or one before it
    left_out: int = 0
    why: Counter[str] = field(default_factory=Counter)  # it runs

    @property
    def reasons(self) -> list[str]:
        """Those that most instances have."""
        return [reason for reason, _ in self.why.most_common(_REASONS)]


def stage_lines(recipe: Recipe, outlook: Outlook) -> list[StageLine]:
    """A line for each stage of the recipe, in its order."""
    lines = {str(stage["id"]): StageLine(str(stage["id"]), str(stage["type"])) for stage in recipe.stages}
    for one in outlook.explained:
        line = lines[one.node.id]
        if one.state == "cached":
            line.cached += 1
        elif one.state == "waits":
            line.waiting += 1
        else:
            line.will_run += 1
            line.why[one.why] += 1
    for waiting in outlook.plan.waiting:
        lines[waiting.stage].waiting += len(waiting.items)
    for left_out in outlook.plan.left_out:
        lines[left_out.stage].left_out += len(left_out.items)
    return list(lines.values())


def nodes_to_run(outlook: Outlook) -> Sequence[Node]:
    """Every instance that will run."""
    return [one.node for one in outlook.explained if one.state == "will run"]


def calls_of(nodes: Sequence[Node]) -> int:
    """How many of them ask a backend."""
    return sum(not node.type.local(node.stage) for node in nodes)
