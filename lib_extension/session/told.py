"""How is a run told to programs? The JSON of the command line's --json and of the routes, in one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lib_extension.plan import Explained
from lib_extension.preflight.finding import Finding
from lib_extension.runs.garbage import Collected
from lib_extension.runs.records import Event, NodeRecord, Run
from lib_extension.runs.runner import Progress
from lib_extension.session.outlook import Outlook
from lib_extension.session.reviews import Review

Told = dict[str, Any]


def run_told(run: Run, progress: Progress | None = None) -> Told:
    """A run without its recipe, as lists have it."""
    told: Told = {name: getattr(run, name) for name in ("id", "name", "state", "message", "created", "updated", "pinned", "folder")}
    told["backends"] = list(run.backends)
    if progress is not None:
        told["progress"] = {
            "stages": progress.stages,
            "done": progress.done,
            "failed": progress.failed,
            "left_out": progress.left_out,
            "running": {key: round(share, 3) for key, share in progress.running.items()},
            "seconds_left": None if progress.seconds_left is None else round(progress.seconds_left, 1),
        }
    return told


def node_told(node: NodeRecord) -> Told:
    """A stage instance; `item` and `position` of its place are counted from 0."""
    return {
        "key": node.key,
        "stage": node.stage,
        "place": node.place,
        "state": node.state,
        "message": node.message,
        "pictures": list(node.pictures),
    }


def review_told(review: Review) -> Told:
    """A choice that is waited for; pictures and items are chosen by numbers from 1."""
    return {
        "key": review.key,
        "stage": review.stage,
        "items": _from_1(review.items),
        "keep": review.keep,
        "labels": dict(review.labels),
        "pictures": [
            {"number": number, "hash": one.blob, "seed": one.seed, "facts": dict(one.facts)}
            for number, one in enumerate(review.candidates, 1)
        ],
    }


def explained_told(explained: Explained) -> Told:
    """What happens to a stage instance, and why."""
    node = explained.node
    about = {"key": node.key, "stage": node.id, "type": node.type.name, "place": node.place, "items": _from_1(node.items)}
    return {**about, "state": explained.state, "why": explained.why, "seed": node.seed, "pictures": node.count}


def finding_told(finding: Finding) -> Told:
    """What preflight found."""
    return {"severity": finding.severity, "stage": finding.stage, "field": finding.field, "message": finding.message}


def outlook_told(outlook: Outlook) -> Told:
    """A plan; items are counted from 1."""
    plan = outlook.plan
    return {
        "items": len(plan.items),
        "stages": [explained_told(one) for one in outlook.explained],
        "waiting": [{"stage": one.stage, "items": _from_1(one.items), "reviews": list(one.reviews)} for one in plan.waiting],
        "left_out": [{"stage": one.stage, "items": _from_1(one.items), "reason": one.reason} for one in plan.left_out],
        "findings": [finding_told(finding) for finding in outlook.findings],
    }


def event_told(event: Event) -> Told:
    """An event of a run."""
    return {"id": event.id, "run": event.run, "at": event.at, "kind": event.kind, **event.data}


def collected_told(collected: Collected) -> Told:
    """What garbage collection took, or would take."""
    return {"runs": list(collected.runs), "results": collected.results, "files": collected.files, "bytes": collected.bytes}


def _from_1(items: Sequence[int]) -> list[int]:
    return [item + 1 for item in items]
