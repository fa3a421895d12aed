"""How rules are carried over plans: items, backends, what waits for a choice, sizes through stages; and how long that takes."""

from __future__ import annotations

import dataclasses

from PIL import Image

from lib_extension.preflight import PictureFacts, check, picture_facts
from tests.preflight.asked import FACTS, INPUTS, INVENTORY, at, base, find, headers, planned, redraw


def test_each_finding_comes_once():
    rows = [{"place": f"place {number}"} for number in range(20)]
    (found,) = find(base(prompt="a watch in {place}", sampler_name="nosuch", n_iter=3), rows=rows)
    assert (found.stage, found.field) == ("base", "sampler_name")


def test_only_the_items_that_err_are_told():
    rows = [{"stages.base.loras": [{"name": "brand", "weight": weight}]} for weight in (0.5, 1.5, 2)]
    assert [found.message.split(".")[0] for found in find(base(), rows=rows)] == [
        'The LoRA "brand" has the weight 1',
        'The LoRA "brand" has the weight 2',
    ]


def test_a_stage_needs_one_backend_only():
    """The first lacks a LoRA, the second a sampler: stages that use one of them find a backend, a stage that uses both does not."""
    without_lora = dataclasses.replace(INVENTORY, loras=())
    without_sampler = dataclasses.replace(INVENTORY, samplers=INVENTORY.samplers[:1])
    both = (without_lora, without_sampler)
    lora, sampler = {"loras": [{"name": "brand"}]}, {"sampler_name": "Euler a"}
    assert find(base(**lora), redraw(**sampler), inventories=both) == ()
    (found,) = find(base(**lora, **sampler), inventories=both)
    assert found.severity == "error"


def test_an_error_in_a_stage_that_a_choice_brought_in_names_the_choice():
    unit = {"image": "drawing", "module": "reference_only"}
    ways = {"reference": {"type": "choice", "choices": ["reference-only", "one canvas"], "default": "reference-only"}}
    stages = [base(), redraw(controlnet=[unit], when={"reference": "reference-only"})]
    (found,) = find(*stages, inputs={**INPUTS, **ways})
    assert found.field == "controlnet[0].module"
    assert found.message.endswith('Or choose otherwise: the stage is there only when "reference" is "reference-only".')
    ways["reference"]["default"] = "one canvas"
    assert find(*stages, inputs={**INPUTS, **ways}) == ()


def test_without_a_backend_nothing_is_known():
    assert find(base(sampler_name="nosuch"), inventories=()) == ()


def test_stages_behind_a_choice_are_looked_at_too():
    review = {"id": "choose", "type": "review", "takes": "base", "keep": 1}
    behind = {**redraw(sampler_name="nosuch", prompt="{place}"), "takes": "choose"}
    stages = base(n_iter=3), review, behind
    (found,) = find(*stages, rows=[{"place": "here"}, {"place": "there"}])
    assert (found.stage, found.field) == ("redraw", "sampler_name")
    plan, _ = planned(stages, rows=[{"place": "here"}])
    assert check(plan, [INVENTORY]) == ()  # without the recipe they are not known


def test_sizes_are_followed_through_stages():
    larger = {**redraw(scale=4, denoising_strength=0.3), "takes": "base"}
    again = {**redraw(denoising_strength=0.6), "takes": "redraw", "id": "again"}
    (found,) = find(base(), larger, again)
    assert (found.stage, found.severity) == ("again", "warning")
    assert "2048×2048" in found.message


def test_a_unit_of_an_absent_input_is_no_finding():
    found = find(
        base(controlnet=[{"image": "pose", "module": "nosuch", "model": "canny15"}]),
        inputs={"pose": {"type": "image", "optional": True}, "drawing": {"type": "image", "default": "drawing.png"}},
    )
    assert found == ()


def test_hashes_and_folders_do_not_hide_a_file():
    inventories = at(loras=(*INVENTORY.loras,), controlnets=("sub/canny15 [11111111]",))
    assert find(base(controlnet=[{"image": "drawing", "model": "sub/canny15"}]), inventories=inventories) == ()


def test_facts_of_pictures():
    half = Image.new("RGBA", (10, 8), (255, 255, 255, 0))
    half.paste((0, 0, 0, 255), (0, 0, 5, 8))
    assert picture_facts(half) == PictureFacts(10, 8, 0.5)
    assert picture_facts(Image.new("L", (4, 4), 255)).coverage == 1
    assert picture_facts(Image.new("RGB", (4, 4), "black")).coverage == 0
    almost = Image.new("L", (2000, 2000), 0)
    almost.putpixel((3, 3), 1)
    assert (picture_facts(almost).coverage or 0) > 0


def test_ten_thousand_stages():
    rows = [{"place": f"place {number}"} for number in range(5000)]
    plan, recipe = planned([base(prompt="a watch in {place}"), {**redraw(), "takes": "base"}], rows=rows)
    assert len(plan.nodes) == 10_000
    assert check(plan, [INVENTORY], recipe, headers, FACTS.get) == ()
