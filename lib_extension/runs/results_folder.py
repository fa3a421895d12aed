"""What does a run leave behind? Its pictures, a labelled contact sheet, and a manifest that says how each picture was made."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from lib_extension.pictures.grid import Row, contact_sheet
from lib_extension.pictures.png import encode_png
from lib_extension.runs.calls import on_white
from lib_extension.runs.small_recipe import Recipe
from lib_extension.runs.small_runner import Result
from lib_extension.spec.settings import to_json

_PICTURES = ("init_images", "mask", "alwayson_scripts")  # of a body: too long for a manifest, and told by "from" and the recipe


def file_name(result: Result) -> str:
    """The name of a result's file: sorted by name, the files stand in the order of the row, then of the stages."""
    return f"{result.row + 1:02}-{result.stage}-{result.number + 1}.png"


def save_picture(folder: Path, result: Result) -> None:
    """Write one picture, with its infotext inside as the WebUI does it."""
    (folder / file_name(result)).write_bytes(encode_png(result.image, result.infotext))


def save_contact_sheet(folder: Path, recipe: Recipe, inputs: Mapping[str, Image.Image], results: Sequence[Result]) -> Path:
    """Write the sheet: a line for each row, first the inputs that it names or else all, then each picture of each stage."""
    places = list(dict.fromkeys((r.stage, r.number) for stage in recipe.stages for r in results if r.stage == stage.name))
    found = {(r.row, r.stage, r.number): r.image for r in results}
    shown = max(image.height for image in found.values())
    named = [[value for value in row.values() if value in inputs] or list(inputs) for row in recipe.rows]
    across = max(len(names) for names in named)
    rows = []
    for i, (row, names) in enumerate(zip(recipe.rows, named, strict=True)):
        drawings = [_at_most(on_white(inputs[name]), shown) for name in names] + [None] * (across - len(names))
        rows.append(Row(", ".join(map(str, row.values())), [*drawings, *(found.get((i, *place)) for place in places)]))
    columns = ["input"] * across + [f"{stage} {number + 1}" for stage, number in places]
    file = folder / "contact-sheet.png"
    file.write_bytes(encode_png(contact_sheet(rows, columns, title=recipe.title or recipe.name)))
    return file


def save_manifest(folder: Path, recipe: Recipe, checkpoint: str, results: Sequence[Result]) -> Path:
    """Write the manifest: the recipe, the checkpoint, and for each picture its file, hash, seed, settings and source."""
    manifest = {"recipe": to_json(recipe), "checkpoint": checkpoint, "pictures": [_told(folder, result) for result in results]}
    file = folder / "manifest.json"
    file.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")
    return file


def _told(folder: Path, result: Result) -> dict[str, Any]:
    name = file_name(result)
    settings = {name: value for name, value in dataclasses.asdict(result.body).items() if name not in _PICTURES and value is not None}
    return {
        "file": name,
        "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
        "stage": result.stage,
        "row": result.row,
        "from": file_name(result.source) if result.source else None,
        "seed": result.seed,
        "size": list(result.image.size),
        "seconds": round(result.seconds, 2),
        "settings": settings,
        "infotext": result.infotext,
    }


def _at_most(picture: Image.Image, side: int) -> Image.Image:
    smaller = picture.copy()
    smaller.thumbnail((side, side), Image.Resampling.BOX)
    return smaller
