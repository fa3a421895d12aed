"""How is a run that does a hundred things a second told to a page without flooding it? What happened often is told as numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from lib_extension.runs.records import Event
from lib_extension.session.told import event_told

RATE = 16_000  # bytes a second
PLAIN = 4_000  # bytes: what is no more than that is told event by event

_ALWAYS = ("state", "chosen")
_LAST_ONE = "planned"
_SOME = {"failed": 5, "notice": 5, "retry": 2, "review": 3}  # of each kind; the rest are counted
_LATEST = 4  # pictures that are shown of those that were made


def written(event: Event) -> str:
    """As it is sent."""
    return f"id: {event.id}\nevent: {event.kind}\ndata: {json.dumps(event_told(event), ensure_ascii=True)}\n\n"


def coalesced(events: Sequence[Event]) -> list[Event]:
    """The events, or where they are many, those that matter and one of the kind "progress" in place of the others; ids still grow.

    Its data tells, by stage and kind, how many there were, and the latest pictures: {"stages": {"base": {"finished": 12}}, "pictures": […]}
    """
    size = 0
    for event in events:
        size += len(written(event))
        if size > PLAIN:
            return _merged(events)
    return list(events)


def _merged(events: Sequence[Event]) -> list[Event]:
    last_plan = next((event for event in reversed(events) if event.kind == _LAST_ONE), None)
    left = dict(_SOME)
    kept: list[Event] = []
    merged: list[Event] = []
    for event in events:
        left[event.kind] = left.get(event.kind, 0) - 1
        if event.kind in _ALWAYS or event is last_plan or left[event.kind] >= 0:
            kept.append(event)
        elif event.kind != _LAST_ONE:
            merged.append(event)
    if merged:
        kept.append(_progress(merged))
    return sorted(kept, key=lambda event: event.id)


def _progress(events: Sequence[Event]) -> Event:
    stages: dict[str, dict[str, int]] = {}
    for event in events:
        counts = stages.setdefault(str(event.data.get("stage", "")), {})
        counts[event.kind] = counts.get(event.kind, 0) + 1
    data = {"stages": stages, "pictures": _latest(events)}
    return Event(id=events[-1].id, run=events[-1].run, at=events[-1].at, kind="progress", data=data)


def _latest(events: Iterable[Event]) -> list[Any]:
    pictures = [picture for event in events if event.kind == "finished" for picture in event.data["pictures"]]
    return pictures[-_LATEST:]
