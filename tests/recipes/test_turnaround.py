"""The built-in recipe `turnaround`: its two ways to one character, and on the demo engine that the sheet shows it from three sides."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.models.tagger import Tagger
from lib_extension.pictures.png import open_picture
from lib_extension.plan import Facts, Node, Plan, RecipeFile, freeze, load_recipe_file, make_plan
from lib_extension.preflight import check
from lib_extension.session.asked import Asked
from lib_extension.session.outlook import PreflightRefused
from lib_extension.session.recipes import BUILT_IN
from lib_extension.session.session import Session
from lib_extension.spec.inventory import Host
from lib_extension.stages import STAGES
from lib_extension.stages.stage import Given, Picture
from tests.backend.asked import backend_over
from tests.backend.misbehaving import Misbehaving
from tests.session.rooms import room

DEMO = Path(__file__).resolve().parents[2] / "lib_extension" / "models" / "demo"
VIEWS = ("front", "side", "back")
POSES = [f"inputs/pose-{view}.png" for view in VIEWS]
CANVAS = ["canvas", "poses", "canvas_with_side", "canvas_with_back", "side_from_canvas", "back_from_canvas"]
REFERENCE = ["side_by_reference", "back_by_reference"]
BEFORE, AFTER = ["candidates_front", "chosen"], ["front", "side", "back", "sheet", "seams", "turnaround", "files"]
POSE_MODEL: dict[Host, str] = {"a1111": "tiny_cn_canny", "forge": "mid_cn_canny", "reforge": "mid_cn_canny"}


def turnaround() -> RecipeFile:
    return load_recipe_file(BUILT_IN / "turnaround.yaml")


def planned(**values: Any) -> Plan:
    """With the choice made that the scores would make."""
    file = turnaround()
    recipe = freeze(file.recipe, Random(1))
    pictures = {name: hashlib.sha256(file.read_picture(name)).hexdigest() for name in POSES}
    (review,) = make_plan(recipe, values, pictures, Facts()).pending
    return make_plan(recipe, values, pictures, Facts(choices={review.key: (0,)}))


def by_stage(plan: Plan) -> dict[str, list[Node]]:
    found: dict[str, list[Node]] = {}
    for node in plan.nodes:
        found.setdefault(node.id, []).append(node)
    return found


def test_each_way_has_its_own_stages_and_the_rest_is_the_same():
    canvas, reference = by_stage(planned()), by_stage(planned(reference="reference-only"))
    assert set(canvas) == {*BEFORE, *CANVAS, "face_by_parts", *AFTER}
    assert set(reference) == {*BEFORE, *REFERENCE, "face_by_parts", *AFTER}
    assert {stage: len(nodes) for stage, nodes in canvas.items() if len(nodes) > 1} == {"face_by_parts": 3}
    assert canvas["candidates_front"][0].key == reference["candidates_front"][0].key
    assert canvas["sheet"][0].key != reference["sheet"][0].key
    assert [label["stage"] for label in canvas["sheet"][0].labels] == [label["stage"] for label in reference["sheet"][0].labels]


@pytest.mark.parametrize("way", ["one canvas", "reference-only"])
def test_each_view_has_its_own_words_pose_and_face_and_all_have_one_seed(way: str):
    stages = by_stage(planned(reference=way))
    masks = {node.taken[0]: node.key for node in stages["face_by_parts"]}
    for view in VIEWS:
        (node,) = stages[view]
        assert f"{view} view" in node.stage.prompt
        assert node.stage.controlnet[0].image == f"pose_{view}"
        assert node.others["face_by_parts"].key == masks[node.taken[0]]
    drawn = [node for nodes in stages.values() for node in nodes if node.type.seeded]
    assert len(drawn) == 7
    assert len({node.seed for node in drawn}) == 1


def test_the_front_is_the_reference_and_what_side_and_back_begin_from():
    front = by_stage(planned())["candidates_front"][0]
    assert {source.key for source in by_stage(planned())["canvas"][0].taken} == {front.key}
    for stage in REFERENCE:
        (node,) = by_stage(planned(reference="reference-only"))[stage]
        pose, reference = node.stage.controlnet
        assert (pose.model, reference.module, reference.model) == ("demo", "reference_only", "None")
        assert node.others["chosen"].key == front.key


def test_a_style_goes_into_everything_that_is_drawn():
    for node in planned(style_lora="ink", style_weight=0.6).nodes:
        assert [lora.tag for lora in getattr(node.stage, "loras", ())] == (["<lora:ink:0.6>"] if node.type.seeded else []), node.id


def test_faces_are_found_by_a_detector_where_that_is_chosen():
    stages = by_stage(planned(faces="detector", detector="anime_face.onnx"))
    assert "face_by_parts" not in stages
    assert {node.stage.mask.model for node in stages["face_by_detector"]} == {"anime_face.onnx"}
    assert "face_by_detector" in stages["front"][0].others


@pytest.mark.parametrize("host", POSE_MODEL)
def test_every_webui_with_controlnet_takes_the_reference(host: Host):
    backend = backend_over(Misbehaving(host))
    plan = planned(reference="reference-only", pose_model=POSE_MODEL[host], size=512, style_lora="", style_words="")
    findings = check(plan, [backend.inventory()], turnaround().recipe)
    assert [found for found in findings if "reference" in found.message or "controlnet" in found.field] == []
    (node,) = by_stage(plan)["side_by_reference"]
    pose = Picture((BUILT_IN / POSES[1]).read_bytes())
    call = next(STAGES["txt2img"].work(Given(node.stage, (), {"pose_side": pose, "chosen": pose}, node.seed)))
    assert len(backend.call(call, "one", lambda: False).pictures) == 1


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with room(tmp_path_factory.mktemp("turnaround"), "engine:demo") as session:
        yield session


def asked(**values: Any) -> Asked:
    """A short run: fewer steps and candidates."""
    file = turnaround()
    drawn = [stage["id"] for stage in file.recipe.stages if STAGES[stage["type"]].seeded and stage["id"] not in REFERENCE]
    quick: dict[str, list[Any]] = {f"stages.{stage}.steps": [8] for stage in drawn}
    return Asked(
        recipe=file.recipe,
        axes=quick,
        values={"candidates": 1, **values},
        pictures={name: file.read_picture(name) for name in POSES},
    )


def test_a_backend_without_the_module_says_so_and_which_choice_does_without(session: Session):
    with pytest.raises(PreflightRefused) as refused:
        session.add(asked(reference="reference-only"))
    errors = [found for found in refused.value.findings if found.severity == "error"]
    assert [(found.stage, found.field) for found in errors] == [(stage, "controlnet[1].module") for stage in REFERENCE]
    assert all('no preprocessor "reference_only"' in found.message and "Or choose otherwise" in found.message for found in errors)


def test_on_the_demo_engine_the_sheet_shows_one_character_from_three_sides(session: Session):
    run_id, outlook = session.add(asked())
    assert outlook.findings == ()
    session.start(run_id)
    session.delivered(run_id)
    run = session.ledger.runs.get(run_id)
    assert run.state == "done", run.message
    pictures = {node.stage: node.pictures for node in session.ledger.nodes(run_id)}
    found = {
        stage: open_picture(session.blobs.get(pictures[stage][0]), what=stage).convert("RGB") for stage in (*VIEWS, "sheet", "turnaround")
    }
    assert {image.size for stage, image in found.items() if stage in VIEWS} == {(128, 128)}
    _check_sheet(found)
    tagger = Tagger(DEMO / "tagger")
    for view in VIEWS:
        tags = tagger.tags(found[view])
        assert tags["character"] > 0.5, (view, tags)
        red, green, blue = np.asarray(found[view], np.int16)[40:80].reshape(-1, 3).T
        assert np.mean((green > red + 30) & (green > blue + 30)) > 0.05, view
        assert max(VIEWS, key=lambda word: tags[f"{word} view"]) == view, tags
    assert sorted(file.name for file in session.folder_of(run).rglob("*files*/*.png")) == sorted(
        f"{name}.png" for name in (*VIEWS, "turnaround")
    )


def _check_sheet(found: dict[str, Image.Image]) -> None:
    """Three cells with a label each; drawn over where they meet, and nowhere else."""
    before, after = (np.asarray(found[stage], np.int16) for stage in ("sheet", "turnaround"))
    cells = [[left, 0, left + 128, 128] for left in (0, 128, 256)]
    for (left, top, right, bottom), view in zip(cells, VIEWS, strict=True):
        assert np.array_equal(before[top:bottom, left:right], np.asarray(found[view], np.int16))
        assert before[bottom:, left:right].min() < 100  # ink
    seams = np.zeros(before.shape[:2], bool)
    seams[:128, 116:140] = seams[:128, 244:268] = True
    difference = np.abs(after - before).max(axis=2)
    assert difference[~seams].max() == 0
    assert difference[seams].max() > 0
