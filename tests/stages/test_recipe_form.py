"""What load_recipe takes, makes of it, and says of what it refuses."""

from __future__ import annotations

import datetime
import json
from contextlib import suppress
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.spec.errors import AtelierError, BadRequest, TooLarge
from lib_extension.spec.settings import to_json
from lib_extension.stages import STAGES, load_recipe, read_stage

EVERY_STAGE = """
version: 1
name: all
inputs:
  drawing: {type: image, default: inputs/watch.png}
  spot: {type: mask, optional: true}
  brand: {type: lora, optional: true}
  strength: {type: number, default: 0.4, minimum: 0, maximum: 1}
settings: {prompt: "a watch {place}", steps: 12, width: 128, height: 96, denoising_strength: 0.5}
rows: [{place: beach}, {place: forest}]
axes: {stages.refine.cfg_scale: [4, 7]}
stages:
  - {id: base, type: txt2img, controlnet: [{image: drawing, module: canny, model: demo}], loras: [{name: "{brand}", weight: "{strength}"}]}
  - {id: choice, type: review, takes: base, scores: [{kind: sharpness}], auto: top 1}
  - {id: refine, type: img2img, takes: choice, denoising_strength: "{strength}", scale: 2}
  - {id: edges, type: control, takes: refine, module: canny}
  - {id: product, type: mask, takes: [refine], mask: {union: [{kind: alpha, of: drawing}, {kind: upload, of: spot}], then: [{grow: 2}]}}
  - {id: background, type: inpaint, takes: refine, mask: product, paste_back: [{kind: alpha, of: drawing}]}
  - {id: larger, type: upscale, takes: background, method: tiled}
  - {id: real, type: composite, takes: larger, over: drawing}
  - {id: sheet, type: sheet, takes: [base, real], labels: "{place}"}
  - {id: one, type: cut, takes: sheet, which: [0]}
  - {id: files, type: export, takes: real, name: "{place}/{index}", sizes: [{width: 640}]}
"""


def recipe(*stages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": "r", "stages": [{"id": "base", "type": "txt2img"}, *stages], **more}


def stages_of(data: Any) -> dict[str, dict[str, Any]]:
    return {stage["id"]: stage for stage in load_recipe(data).stages}


def test_a_recipe_with_every_type_of_stage():
    data = yaml.safe_load(EVERY_STAGE)
    assert {stage["type"] for stage in data["stages"]} == set(STAGES)
    loaded = load_recipe(data)
    assert loaded.stages[3]["takes"] == ["refine"]
    assert loaded.settings == {}
    again = load_recipe(json.loads(json.dumps(to_json(loaded))))
    assert again == loaded


def test_shared_settings_go_to_the_stages_that_have_them():
    found = stages_of(yaml.safe_load(EVERY_STAGE))
    assert (found["base"]["steps"], found["larger"]["steps"], "steps" in found["edges"]) == (12, 12, False)
    assert found["refine"]["denoising_strength"] == "{strength}"  # its own comes before the shared one
    assert found["background"]["denoising_strength"] == 0.5
    assert "denoising_strength" not in found["base"]


def test_a_shared_size_is_for_what_is_drawn_from_nothing():
    found = stages_of(yaml.safe_load(EVERY_STAGE))
    assert (found["base"]["width"], found["base"]["height"]) == (128, 96)
    assert not any("width" in stage for name, stage in found.items() if name != "base")


def test_what_was_given_is_not_changed():
    data = yaml.safe_load(EVERY_STAGE)
    before = json.dumps(data)
    load_recipe(data)
    assert json.dumps(data) == before


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (recipe(stags=[]), 'stags is not known. Did you mean "stages"?'),
        (recipe(settings={"stepps": 3}), 'settings.stepps is a field of no stage. Did you mean "steps"?'),
        (recipe(settings={"takes": "base"}), 'write "takes" in the stages themselves'),
        (recipe({"id": "a", "type": "img2image", "takes": "base"}), r"stages.a.type is 'img2image'; .* Did you mean \"img2img\"?"),
        (recipe({"id": "a", "takes": "base"}), "stages.a.type is None; it must be one of txt2img, img2img"),
        (recipe({"id": "a", "type": "img2img", "takes": "base", "denoising": 1}), "stages.a.denoising is not known"),
        (recipe({"id": "a", "type": "img2img", "takes": "base", "steps": 0}), "stages.a.steps is 0; it must be between 1 and 1000"),
        (recipe({"id": "a", "type": "upscale", "takes": "base", "tile": 100}), "stages.a: tile is 100; it must be a multiple of 8"),
        (
            recipe({"id": "a", "type": "img2img", "takes": "base", "controlnet": [{"modell": "x"}]}),
            r'stages.a.controlnet\[0\].modell is not known. Did you mean "model"?',
        ),
        (
            recipe({"id": "a", "type": "mask", "takes": "base", "mask": {"kind": "alfa"}}),
            r"stages.a.mask.kind is 'alfa'; .*Did you mean \"alpha\"?",
        ),
        (recipe({"id": "a", "type": "img2img"}), 'stages.a takes nothing; img2img needs "takes"'),
        (recipe({"id": "a", "type": "txt2img", "takes": "base"}), 'stages.a takes "base", but txt2img takes no pictures'),
        (
            recipe({"id": "a", "type": "img2img", "takes": "bas"}),
            'takes "bas", which is no stage and no picture input. Did you mean "base"?',
        ),
        (
            recipe({"id": "bass", "type": "img2img", "takes": "larg"}, {"id": "large", "type": "upscale", "takes": "base"}),
            'stages.bass takes "larg", which is no stage and no picture input. Did you mean "large"?',
        ),
        (recipe({"id": "a", "type": "img2img", "takes": "a"}), "in a circle: a → a"),
        (
            recipe({"id": "a", "type": "img2img", "takes": "b"}, {"id": "b", "type": "inpaint", "takes": "base", "mask": "a"}),
            "Stages need each other in a circle: a → b → a",
        ),
        (
            recipe({"id": "a", "type": "img2img", "takes": "b"}, {"id": "b", "type": "img2img", "takes": "base"}),
            'stages.a takes "b", which stands after it. Move "b" before "a".',
        ),
        (
            recipe({"id": "a", "type": "composite", "takes": "base", "over": "t"}, inputs={"t": {"type": "text"}}),
            'stages.a names "t", an input of type text; only image and mask inputs have pictures',
        ),
        (recipe({"id": "a", "type": "review", "takes": "base", "scores": [{"kind": "edges", "of": "x"}]}), 'names "x", which is no stage'),
        (recipe({"id": "base", "type": "txt2img"}), '"base" is the name of a stage and of a stage'),
        (recipe({"type": "txt2img"}), 'The stage "" needs a name'),
        ({"name": "r", "stages": []}, "The recipe has no stages, so there is nothing to make"),
        ([], "A recipe must be an object"),
        (recipe(rows=[{"when": datetime.date(2024, 1, 1)}]), r"rows\[0\].when is datetime.date.*is no text, number"),
        (recipe(rows=[{1: "x"}]), r"rows\[0\] has the name 1, which is no text"),
        (recipe(rows=[{"x": float("nan")}]), r"rows\[0\].x is nan"),
        (recipe(rows=[{"x": 10**400}]), r"rows\[0\].x is 1000"),
    ],
)
def test_what_is_said(data: Any, message: str | None):
    if message is None:
        load_recipe(data)
        return
    with pytest.raises(BadRequest, match=message):
        load_recipe(data)


def test_the_file_is_named():
    with pytest.raises(BadRequest, match=r"^shots.yaml: stages.a.steps is 0"):
        load_recipe(recipe({"id": "a", "type": "txt2img", "steps": 0}), "shots.yaml")


@pytest.mark.parametrize(
    "stage",
    [
        {"type": "img2img", "takes": "{which}", "steps": "{n}"},
        {"type": "img2img", "takes": ["base", "{which}"], "controlnet": "{units}"},
        {
            "type": "img2img",
            "takes": "base",
            "controlnet": ["{unit}", {"image": "{which}", "model": "{m}", "weight": "{w}", "enabled": "{on}"}],
        },
        {
            "type": "img2img",
            "takes": "{which}",
            "loras": [{"name": "{lora}"}],
            "override_settings": "{options}",
            "alwayson": {"x": ["{a}"]},
        },
        {"type": "inpaint", "takes": "base", "mask": "{mask}", "inpainting_fill": "{fill}"},
        {"type": "inpaint", "takes": "base", "mask": {"kind": "{kind}", "x": 1}},
        {"type": "inpaint", "takes": "base", "mask": {"union": ["{a}", "{b}"]}},
        {"type": "inpaint", "takes": "base", "mask": {"first": ["{a}", {"kind": "parts", "of": "{which}"}]}},
        {"type": "inpaint", "takes": "base", "mask": {"kind": "geometry", "rectangles": "{boxes}", "then": [{"grow": "{n}"}]}},
        {"type": "inpaint", "takes": "base", "mask": ["{a}", {"kind": "alpha", "of": "{which}"}]},
        {"type": "upscale", "takes": "base", "tile": "{tile}", "overlap": 400},
        {"type": "review", "takes": "base", "scores": ["{score}", {"kind": "{kind}"}], "auto": "top {n}"},
        {"type": "composite", "takes": "base", "over": "{over}"},
        {"type": "export", "takes": "base", "sizes": ["{size}", {"width": "{w}"}], "background": "{colour}"},
    ],
)
def test_variables_stand_in_any_field(stage: dict[str, Any]):
    assert load_recipe(recipe({"id": "a", **stage})).stages[1]["id"] == "a"


def test_beside_a_variable_other_fields_are_checked():
    with pytest.raises(BadRequest, match=r"stages.a.steps is 'x'"):
        load_recipe(recipe({"id": "a", "type": "txt2img", "width": "{w}", "steps": "x"}))
    with pytest.raises(BadRequest, match='names "nobody"'):
        load_recipe(recipe({"id": "a", "type": "inpaint", "takes": "{which}", "steps": "{n}", "mask": {"kind": "alpha", "of": "nobody"}}))


def test_doubled_braces_are_no_variable():
    with pytest.raises(BadRequest, match=r"stages.a.steps"):
        load_recipe(recipe({"id": "a", "type": "txt2img", "steps": "{{n}}"}))


def test_a_stage_alone():
    stage = read_stage({"id": "a", "type": "sheet", "takes": "base"})
    assert (stage.takes, stage.type) == (("base",), "sheet")
    with pytest.raises(BadRequest, match=r"^stages.a: auto is"):
        read_stage({"id": "a", "type": "review", "takes": [], "auto": "best"})


class TestHostile:
    def test_a_thousand_lines_that_mean_a_billion(self):
        bomb: Any = "x"
        for _ in range(12):
            bomb = [bomb] * 10
        with pytest.raises(TooLarge, match="more than 1,000,000 values"):
            load_recipe(recipe(rows=[{"x": bomb}]))

    def test_itself_inside(self):
        endless: dict[str, Any] = {}
        endless["x"] = endless
        with pytest.raises(TooLarge, match="more than 40 deep"):
            load_recipe(recipe(rows=[endless]))

    def test_a_long_list_of_long_lists(self):
        long = ["x"] * 200_000
        with pytest.raises(TooLarge):
            load_recipe(recipe(rows=[{"x": [long] * 200_000}]))

    def test_too_many_stages(self):
        with pytest.raises(TooLarge, match="1201 stages; 1000 is the most"):
            load_recipe(recipe(*({"id": f"s{n}", "type": "txt2img"} for n in range(1200))))

    def test_a_long_way_round(self):
        """Each names the next, and the last the first: looking for circles must not take long."""
        ring = [{"id": f"s{n}", "type": "sheet", "takes": [f"s{(n + k) % 900}" for k in range(1, 30)]} for n in range(900)]
        with pytest.raises(BadRequest, match="in a circle"):
            load_recipe({"name": "r", "stages": ring})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["base", "{x}", "alpha", "txt2img"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6) | st.sampled_from(["kind", "of", "image"]), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = sorted({name for kind in STAGES.values() for name in kind.settings.__dataclass_fields__})


@settings(max_examples=300, deadline=None)
@given(
    type=st.sampled_from(sorted(STAGES)),
    fields=st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON, max_size=4),
    more=st.dictionaries(st.sampled_from(["rows", "axes", "inputs", "settings", "name", "version", "stages"]), JSON, max_size=2),
)
def test_whatever_comes_it_is_read_or_refused(type: str, fields: dict[str, Any], more: dict[str, Any]):
    with suppress(AtelierError):
        load_recipe({**recipe({"type": type, "id": "a", "takes": "base", **fields}), **more})


@settings(max_examples=200, deadline=None)
@given(JSON)
def test_whatever_comes_as_a_recipe(data: object):
    with pytest.raises(AtelierError):
        load_recipe(data)
