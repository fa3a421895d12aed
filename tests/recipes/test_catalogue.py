"""The built-in recipe `catalogue`: what is made once, and on the demo engine, that the product stays the product and files are as told."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.mask_algebra import shrink
from lib_extension.plan import Facts, Plan, RecipeFile, freeze, load_recipe_file, make_plan
from lib_extension.runs.records import Run
from lib_extension.session.asked import Asked
from lib_extension.session.recipes import BUILT_IN
from lib_extension.session.session import Session
from tests.session.rooms import room

MATCHED = 4  # px at the product's edge that take on the light of the place


def catalogue() -> RecipeFile:
    return load_recipe_file(BUILT_IN / "catalogue.yaml")


def planned(**values: Any) -> Plan:
    file = catalogue()
    names = [str(row[name]) for row in file.recipe.rows for name in ("render", "depth") if row[name]]
    pictures = {name: hashlib.sha256(file.read_picture(name)).hexdigest() for name in names}
    return make_plan(freeze(file.recipe, Random(1)), values, pictures, Facts())


def test_what_does_not_depend_on_the_place_is_made_once_for_each_product():
    counts = Counter(node.id for node in planned().nodes)
    assert counts == {"outline": 3, "found_depth": 2, "styled": 3, "scene": 12, "drawn": 24, "protected": 24, "pick": 12}
    more = Counter(node.id for node in planned(candidates=4).nodes)
    assert more == counts | {"drawn": 48, "protected": 48}


def test_depth_comes_from_the_rows_picture_where_it_has_one():
    styled = {node.labels[0]["product"] if node.labels else node.place: node for node in planned().nodes if node.id == "styled"}
    guides = [[(unit.image, unit.module) for unit in node.stage.controlnet] for node in styled.values()]
    found, given = [("render", "canny"), ("found_depth", "none")], [("render", "canny"), ("depth", "none")]
    assert guides == [found, found, given]
    assert all([lora.tag for lora in node.stage.loras] == ["<lora:atelier:1>"] for node in styled.values())


def test_a_brand_lora_goes_into_everything_that_is_drawn():
    nodes = planned(brand_lora="house style", brand_weight=0.6).nodes
    for node in nodes:
        if hasattr(node.stage, "loras"):
            assert [lora.tag for lora in node.stage.loras] == ["<lora:house style:0.6>"], node.id


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("catalogue")


@pytest.fixture(scope="module")
def session(folder: Path) -> Iterator[Session]:
    with room(folder / "home", "engine:demo") as session:
        yield session


def carried_out(session: Session, **values: Any) -> tuple[Run, Path]:
    """A mug and a bottle on a beach in a few steps, and the folder of what is made."""
    file = catalogue()
    rows = file.recipe.rows[1:]
    quick = {"stages.styled.steps": [4], "stages.scene.steps": [4], "stages.drawn.steps": [10]}
    names = [str(row[name]) for row in rows for name in ("render", "depth") if row[name]]
    asked = Asked(
        recipe=file.recipe,
        rows=rows,
        axes={"place": ["on a beach"], **quick},
        values={"candidates": 1, **values},
        pictures={name: file.read_picture(name) for name in names},
    )
    run_id, outlook = session.add(asked)
    assert outlook.findings == ()
    session.start(run_id)
    session.delivered(run_id)
    run = session.ledger.runs.get(run_id)
    assert run.state == "done", run.message
    return run, session.folder_of(run)


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"), np.int16)


def test_on_the_demo_engine_the_product_stays_as_rendered_and_the_files_are_as_told(session: Session):
    run, folder = carried_out(session)
    for item, name in (("001", "mug"), ("002", "bottle")):
        render = Image.open(BUILT_IN / f"inputs/render-{name}.png")
        alpha = render.getchannel("A")
        drawn, protected = pixels(folder / f"05-drawn/{item}-1.png"), pixels(folder / f"06-protected/{item}-1.png")
        inside = np.asarray(shrink(alpha.point(lambda value: 255 * (value == 255)), MATCHED)) == 255
        assert inside.mean() > 0.05
        assert np.abs(protected - np.asarray(render.convert("RGB"), np.int16))[inside].max() == 0
        assert np.abs(protected - drawn)[np.asarray(alpha) == 0].max() == 0
        assert np.abs(protected - drawn)[inside].max() > 0
    _check_export(run, folder / "08-shop", {"page": (240, 240), "list": (96, 96)}, "WEBP")
    _check_export(run, folder / "09-print", {"": (256, 256)}, "PNG")
    again = drawn_as_it_is(session)
    assert again == ["protected", "pick", "shop", "print"]


def drawn_as_it_is(session: Session) -> list[str]:
    """The stages that a run makes anew when the product need not stay as it was rendered."""
    before = {node.key for run in session.ledger.runs.all() for node in session.ledger.nodes(run.id)}
    run, folder = carried_out(session, pixels="drawn")
    assert np.abs(pixels(folder / "06-protected/001-1.png") - pixels(folder / "05-drawn/001-1.png")).max() == 0
    return list(dict.fromkeys(node.stage for node in session.ledger.nodes(run.id) if node.key not in before))


def _check_export(run: Run, folder: Path, sizes: dict[str, tuple[int, int]], kind: str) -> None:
    told = json.loads((folder / "manifest.json").read_text())["files"]
    pictures = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.suffix in (".png", ".webp")}
    assert {entry["file"] for entry in told} == pictures
    assert len(told) == 2 * len(sizes)
    for entry in told:
        data = (folder / entry["file"]).read_bytes()
        image = Image.open(io.BytesIO(data))
        size = next(size for name, size in sizes.items() if name in entry["file"])
        assert hashlib.sha256(data).hexdigest() == entry["sha256"]
        assert (image.format, image.size, (entry["width"], entry["height"])) == (kind, size, size)
        assert entry["seed"] == run.recipe["stages"][4]["seed"] == 7
        assert "Seed: 7," in entry["infotext"]
        assert entry["variables"]["place"] == "on a beach"
        source = folder.parent / f"06-protected/{entry['variables']['item'] + 1:03}-1.png"
        assert np.array_equal(pixels(source), np.asarray(image.convert("RGB"))) or kind == "WEBP"
