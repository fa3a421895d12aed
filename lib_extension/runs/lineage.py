"""Where did a picture come from? Everything that makes it again, as JSON: in PNG files, beside others, and found by a short id.

The id stands in the infotext too ("Atelier: 3f0c…-1"), which survives where other texts do not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lib_extension.formats.infotext import parse_infotext
from lib_extension.pictures.file_texts import PARAMETERS, kind_of, png_texts, with_infotext, with_png_texts
from lib_extension.pictures.png import open_picture, read_text_chunks
from lib_extension.plan.graph import Node, Plan, is_review
from lib_extension.runs.records import Result, Run
from lib_extension.spec.errors import BadFile, BadRequest
from lib_extension.spec.settings import Settings, field, from_json, to_json
from lib_extension.stages import export

CHUNK = "atelier"
FIELD = "Atelier"  # of the infotext
_FORM = 1
_ID_DIGITS = 16  # of a key's 64: enough to find it
_MOST_ANCESTORS = 200  # told by their keys; a sheet of thousands has its recipe, from which they follow


@dataclass(frozen=True, kw_only=True)
class Lineage(Settings):
    """Of one picture. A recipe, its values and pictures make it again; the rest says what it is among all that they make."""

    form: int = field(_FORM, minimum=1)
    id: str = field("")
    stage: str = field("")
    items: list[int] = field([])  # of which it is, counted from 0
    item: dict[str, Any] = field({})  # the variables of the first of them, and the paths that it sets
    key: str = field("")
    index: int = field(0)
    seed: int | None = field(None)
    keys: dict[str, list[str]] = field({})  # stage → keys of the instances that it came from
    models: dict[str, str] = field({})  # "checkpoint:demo" → hash, of this stage and those that it came from
    backend: str = field("")  # software, version, device, precision
    recipe: dict[str, Any] = field()  # with every seed drawn
    values: dict[str, Any] = field({})  # of its inputs
    pictures: dict[str, str] = field({})  # input or file name → sha256
    choices: dict[str, list[int]] = field({})  # key of a review → which of its pictures went on


def picture_id(key: str, index: int) -> str:
    """The short id of a stage instance's picture, which is counted from 1 in it."""
    return f"{key[:_ID_DIGITS]}-{index + 1}"


def lineage_of(run: Run, plan: Plan, node: Node, result: Result, index: int, choices: Mapping[str, tuple[int, ...]]) -> Lineage:
    """The lineage of one of the pictures that a run's node gave."""
    ancestors = _ancestors(plan, node)
    keys: dict[str, list[str]] = {}
    for each in ancestors if len(ancestors) <= _MOST_ANCESTORS else ():
        keys.setdefault(each.id, []).append(each.key)
    items = _items_of(plan, node, index)
    files = {path: value for each in ancestors for path, value in each.settings.items() if path.startswith("files.")}
    return Lineage(
        id=picture_id(node.key, index),
        stage=node.id,
        items=list(items[:_MOST_ANCESTORS]),
        item={**plan.items[items[0]].values, **plan.items[items[0]].paths},
        key=node.key,
        index=index,
        seed=result.pictures[index].seed if index < len(result.pictures) else None,
        keys=keys,
        models={path.removeprefix("files."): str(value) for path, value in files.items() if value},
        backend=result.backend,
        recipe=dict(run.recipe),
        values=dict(run.values),
        pictures=dict(run.pictures),
        choices={each.key: list(choices[each.key]) for each in plan.nodes if is_review(each.type) and each.key in choices},
    )


def with_lineage(data: bytes, lineage: Lineage) -> bytes:
    """The picture file that also tells its lineage: whole in PNG, by the infotext's id in JPEG and WEBP. Others stay as they are."""
    kind = kind_of(data)
    if kind == "PNG":
        infotext = png_texts(data).get(PARAMETERS, "")
        texts = {CHUNK: lineage_text(lineage)} | ({PARAMETERS: _with_id(infotext, lineage.id)} if infotext else {})
        return with_png_texts(data, texts)
    if kind:
        infotext = read_text_chunks(open_picture(data, what="An exported picture")).get(PARAMETERS, "")
        return with_infotext(data, _with_id(infotext, lineage.id)) if infotext else data
    return data


def lineage_text(lineage: Lineage) -> str:
    """As it stands in a file, in ASCII."""
    return json.dumps(to_json(lineage), separators=(",", ":"))


def read_lineage(text: str, what: str) -> Lineage:
    """From a PNG's text or a sidecar. BadFile where it is damaged, or written by a newer version."""
    try:
        told = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadFile(f"What {what} tells of its recipe is damaged.") from error
    if isinstance(told, dict) and isinstance(told.get("form"), int) and told["form"] > _FORM:
        raise BadFile(f"What {what} tells of its recipe was written by a newer version (form {told['form']}; this one knows {_FORM}).")
    try:
        return from_json(Lineage, told)
    except BadRequest as error:
        raise BadFile(f"What {what} tells of its recipe is damaged: {error}") from error


def lineage_in(data: bytes, what: str) -> Lineage | None:
    """What a PNG file tells of itself; None where it tells nothing, and for other kinds of files."""
    if kind_of(data) != "PNG":
        return None
    text = png_texts(data).get(CHUNK)
    return read_lineage(text, what) if text is not None else None


def id_in(data: bytes, what: str) -> str:
    """The id in a picture's infotext, '' where it has none."""
    infotext = read_text_chunks(open_picture(data, what=what)).get(PARAMETERS, "")
    return parse_infotext(infotext).get(FIELD, "")


def _with_id(infotext: str, id: str) -> str:
    """The id at the end of the settings line; a text without one is a prompt only, and gets no line of its own."""
    return f"{infotext}, {FIELD}: {id}" if "Steps" in parse_infotext(infotext) else infotext


def _items_of(plan: Plan, node: Node, index: int) -> tuple[int, ...]:
    """The items that a picture is of: where a stage hands on those of a whole run, each has its own."""
    if node.type is not export.TYPE or index >= len(node.taken):
        return node.items
    source = plan.by_key.get(node.taken[index].key)
    return tuple(item for item in source.items if item in node.items) or node.items if source else node.items


def _ancestors(plan: Plan, node: Node) -> list[Node]:
    """The node and all that it came from, each once; later ones first."""
    found = {node.key: node}
    waiting = [node]
    while waiting:
        for key in waiting.pop().needs:
            if key not in found:
                found[key] = plan.by_key[key]
                waiting.append(found[key])
    return list(found.values())
