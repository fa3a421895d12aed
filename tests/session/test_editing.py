"""What somebody gets to see and edit of a recipe: a picture that shows it, its pictures by ids."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lib_extension.plan import load_recipe_file
from lib_extension.runs.blobs import Blobs
from lib_extension.session.editing import Editing
from lib_extension.session.recipes import Listed, Recipes
from tests.session.rooms import DRAWING

RECIPE = """
name: drawn
inputs: {drawing: {type: image, default: drawing.png}}
stages: [{id: a, type: img2img, takes: drawing, prompt: x}]
"""


def editing_in(folder: Path) -> tuple[Editing, Blobs, Path]:
    built_in = folder / "built-in"
    built_in.mkdir()
    (built_in / "drawn.yaml").write_text(RECIPE)
    (built_in / "drawing.png").write_bytes(DRAWING)
    blobs = Blobs(folder / "blobs")
    return Editing(Recipes(folder / "own", built_in), blobs), blobs, built_in / "drawn.yaml"


def test_a_recipe_is_shown_by_the_picture_beside_it(tmp_path: Path):
    editing, blobs, file = editing_in(tmp_path)
    beside = DRAWING + b"\0"
    file.with_suffix(".png").write_bytes(beside)
    assert blobs.get(editing.cover(Listed("drawn", True, file), load_recipe_file(file))) == beside


def test_a_recipe_without_one_is_shown_by_the_first_picture_that_goes_in(tmp_path: Path):
    editing, _, file = editing_in(tmp_path)
    drawing = hashlib.sha256(DRAWING).hexdigest()
    assert editing.cover(Listed("drawn", True, file), load_recipe_file(file)) == drawing
    assert editing.of_file(load_recipe_file(file))["inputs"]["drawing"]["default"] == drawing


def test_a_recipe_without_pictures_is_shown_by_none(tmp_path: Path):
    editing, _, file = editing_in(tmp_path)
    file.write_text("name: plain\nstages: [{id: a, type: txt2img, prompt: x}]")
    assert editing.cover(Listed("drawn", True, file), load_recipe_file(file)) == ""
