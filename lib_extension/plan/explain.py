"""Why does a stage run, or not? Compares what enters its key with what did when the recipe was run before."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from lib_extension.plan.graph import BLOB, Node, Plan

State = Literal["cached", "will run", "waits"]

_TOLD = 3  # differences; who changed more than that knows it
_LONGEST = 40  # characters of a value
_GONE = object()


@dataclass(frozen=True)
class Explained:
    """What happens to a node, and why, as a person would say it."""

    node: Node
    state: State  # "waits": a review that nobody has decided
    why: str


def explain(plan: Plan, done: Container[str], earlier: Mapping[str, Mapping[str, Any]]) -> tuple[Explained, ...]:
    """For each node of the plan, in its order.

    done: keys that have a result. earlier: Node.parts of an earlier run of the recipe, by Node.place.
    """
    pending = {node.key for node in plan.pending}
    told = {}
    for node in plan.nodes:
        if node.key in done and node.key not in pending:
            told[node.key] = Explained(node, "cached", "nothing it depends on has changed")
        elif node.key in pending:
            told[node.key] = Explained(node, "waits", _choice(node))
        else:
            told[node.key] = Explained(node, "will run", _why(node, earlier.get(node.place), told))
    return tuple(told.values())


def _choice(node: Node) -> str:
    count = len(node.taken)
    return f"its scores choose {min(node.stage.top, count)} of {count}" if node.stage.top else f"{count} to choose from"


def _why(node: Node, before: Mapping[str, Any] | None, told: Mapping[str, Explained]) -> str:
    if before is None:
        return "new"
    reasons = list(dict.fromkeys(_differences(node, before, told)))
    more = [f"and {len(reasons) - _TOLD} more"] if len(reasons) > _TOLD else []
    return ", ".join([*reasons[:_TOLD], *more]) or "its result is not there any more"


def _differences(node: Node, before: Mapping[str, Any], told: Mapping[str, Explained]) -> Iterator[str]:
    """What is told of each part that is another one than before; the node's own settings first."""
    now = node.parts
    for path in sorted(now.keys() | before.keys(), key=lambda path: (not path.startswith("settings."), path)):
        old, new = before.get(path, _GONE), now.get(path, _GONE)
        if old == new and type(old) is type(new):
            continue
        kind, _, rest = path.partition(".")
        if kind in ("takes", "uses"):
            yield _source(kind, rest, new, told)
        elif kind == "files":
            if _GONE not in (old, new):  # else its name has changed, which is told as a setting
                file, _, name = rest.partition(":")
                yield f'the {file} "{name}" is another file' if name else f"the {file} in use is another one"
        elif kind == "version":
            yield f"{node.type.name} stages work otherwise now"
        elif kind == "labels":
            yield f"the label {rest.partition('.')[2]} changed"
        else:
            yield f"{rest or kind} {_change(old, new)}"


def _source(kind: str, name: str, source: Any, told: Mapping[str, Explained]) -> str:
    """Of a taken picture (`name` is its number) or of one that the settings name."""
    if source is _GONE:
        return f"{kind} one picture fewer"
    key, _, index = str(source).rpartition("#")
    if key.startswith(BLOB):
        return f"another picture is given for {name}" if kind == "uses" else "another picture is given"
    maker = told[key]
    if maker.state == "will run":
        return f"{kind} {maker.node.id}, which runs anew"
    return f"{kind} another picture of {maker.node.id}: {int(index) + 1} of {maker.node.count}"


def _change(old: Any, new: Any) -> str:
    if old is _GONE:
        return f"is {_shown(new)} now"
    if new is _GONE:
        return f"is not {_shown(old)} any more"
    if isinstance(old, float) and isinstance(new, float):
        places = max(len(repr(value).partition(".")[2]) for value in (old, new))
        if places <= 6:
            return f"{old:.{places}f} → {new:.{places}f}"  # 0.40 → 0.35
    return f"{_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    text = f'"{value}"' if isinstance(value, str) else "none" if value is None else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
