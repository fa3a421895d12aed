"""Keys: the same for the same work, another one for any change of it, and no names in them."""

from __future__ import annotations

import copy
import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lib_extension.plan import Facts, make_plan
from lib_extension.plan.keys import canonical, digest, files_of, node_key, reference_paths
from lib_extension.spec.settings import to_json
from lib_extension.stages import STAGES, read_stage
from tests.plan.recipes import PICTURES, base, of, plan, recipe, redraw

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
json_values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3))

STAGE: dict[str, Any] = {
    "prompt": "a watch <lora:brass:0.5>",
    "controlnet": [{"image": "drawing", "module": "canny", "model": "demo"}],
    "loras": [{"name": "brand", "weight": 0.8}],
    "checkpoint": "demo",
    "vae": "soft",
    "alwayson": {"other": {"args": [1, {"a": True}]}},
    "override_settings": {"eta_noise_seed_delta": 31337},
}


def shuffled(value: Any, data: st.DataObject) -> Any:
    if isinstance(value, dict):
        return {name: shuffled(value[name], data) for name in data.draw(st.permutations(list(value)))}
    return [shuffled(inner, data) for inner in value] if isinstance(value, list) else value


def key(stage: dict[str, Any], facts: Facts | None = None) -> str:
    return plan([base(**stage)], facts).nodes[0].key


@given(json_values, st.data())
def test_the_order_of_names_does_not_matter(value: Any, data: st.DataObject):
    assert canonical(shuffled(value, data)) == canonical(value)


@given(json_values, json_values)
def test_other_values_have_another_text(one: Any, other: Any):
    assert (canonical(one) == canonical(other)) == (repr_of(one) == repr_of(other))


def repr_of(value: Any) -> str:
    """Tells 1 from 1.0 and True, which are equal."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{name!r}:{repr_of(value[name])}" for name in sorted(value)) + "}"
    return "[" + ",".join(map(repr_of, value)) + "]" if isinstance(value, list) else repr(value)


@settings(max_examples=20)
@given(st.data())
def test_a_recipe_written_in_another_order_has_the_same_key(data: st.DataObject):
    assert key(shuffled(STAGE, data)) == key(STAGE)


def test_defaults_written_out_and_whole_numbers_as_floats_have_the_same_key():
    assert key({**STAGE, "steps": 20.0, "cfg_scale": 7, "tiling": False}) == key({**STAGE, "cfg_scale": 7.0, "steps": 20})
    assert key({**STAGE, "title": "Title", "seed_policy": "per candidate"}) == key(STAGE)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prompt", "a watch"),
        ("negative_prompt", "blurred"),
        ("styles", ["a"]),
        ("sampler_name", "Euler a"),
        ("scheduler", "Automatic"),
        ("steps", 21),
        ("cfg_scale", 7.5),
        ("width", 136),
        ("batch_size", 2),
        ("seed", 8),
        ("clip_skip", 2),
        ("checkpoint", "other"),
        ("vae", "other"),
        ("refiner_checkpoint", "other"),
        ("tiling", True),
        ("loras.0.name", "other"),
        ("loras.0.weight", 0.7),
        ("loras.0.te_weight", 0.8),
        ("controlnet.0.module", "depth"),
        ("controlnet.0.model", "other"),
        ("controlnet.0.weight", 0.5),
        ("controlnet.0.guidance_end", 0.5),
        ("controlnet.0.image", "second"),
        ("alwayson.other.args.1.a", False),
        ("alwayson.other.args.1.a", 1),
        ("override_settings.eta_noise_seed_delta", 0),
    ],
)
def test_any_change_has_another_key(path: str, value: Any):
    inputs = {"drawing": {"type": "image", "default": "watch.png"}, "second": {"type": "image", "default": "vase.png"}}
    made = plan([base(**STAGE)], inputs=inputs, axes={f"stages.base.{path}": [_now(path), value]})
    assert len(made.nodes) == 2
    assert made.nodes[0].key == key(STAGE)


def _now(path: str) -> Any:
    found: Any = to_json(read_stage({"id": "base", "type": "txt2img", "seed": 7, "width": 128, "height": 128, **STAGE}))
    for name in path.split("."):
        found = found[int(name)] if isinstance(found, list) else found[name]
    return found


def test_files_backends_and_pictures_are_in_the_key():
    def identity(kind: str, name: str) -> str:
        return f"hash of {kind} {name}"

    facts = Facts(identities=identity, backend="engine 1 cpu float32")
    asked = plan([base(**STAGE)], facts).nodes[0].settings
    assert {path: value for path, value in asked.items() if path.startswith("files.")} == {
        "files.checkpoint:demo": "hash of checkpoint demo",
        "files.controlnet:demo": "hash of controlnet demo",
        "files.lora:brand": "hash of lora brand",
        "files.lora:brass": "hash of lora brass",
        "files.vae:soft": "hash of vae soft",
    }
    one = key(STAGE, facts)
    for name in ("demo", "brand", "brass", "soft"):
        assert one != key(
            STAGE, Facts(identities=lambda k, n, name=name: identity(k, n) + ("!" if n == name else ""), backend=facts.backend)
        )
    assert one != key(STAGE, Facts(identities=identity, backend="engine 1 cuda float16"))
    assert one != make_plan(recipe([base(**STAGE)]), {"drawing": "vase.png"}, PICTURES, facts).nodes[0].key
    assert key({}, facts) != key({}, Facts(identities=lambda kind, name: "another in use", backend=facts.backend))


def test_embeddings_that_a_prompt_may_name_and_styles_are_in_the_key():
    def named(prompt: str) -> tuple[str, ...]:
        return tuple(name for name in ("brass", "blurry") if name in prompt)

    stage = {"prompt": "brass", "negative_prompt": "blurry", "styles": ["noir"], "hires": {"hr_upscaler": "4x", "hr_prompt": "blurry"}}
    facts = Facts(identities=lambda kind, name: f"hash of {kind} {name}", embeddings=named, backend="b")
    files = [path for path in plan([base(**stage)], facts).nodes[0].settings if path.startswith("files.")]
    assert files == ["files.checkpoint:", "files.embedding:blurry", "files.embedding:brass", "files.style:noir", "files.upscaler:4x"]
    assert key(stage, facts) != key(stage, dataclasses.replace(facts, identities=lambda kind, name: f"another {kind} {name}"))
    names_more = dataclasses.replace(facts, identities=lambda kind, name: "in brass <lora:shine:1> / " if kind == "style" else "")
    more = plan([base(styles=["noir"])], names_more).nodes[0].settings
    assert {"files.embedding:brass", "files.lora:shine", "files.style:noir"} <= {*more}
    hidden = plan([{"id": "mask", "type": "mask", "takes": "drawing", "mask": {"kind": "alpha"}}], facts)
    assert not [path for path in hidden.nodes[0].settings if path.startswith("files.")]


def test_networks_that_judge_pictures_are_in_the_key():
    scores = [{"kind": "sharpness"}, {"kind": "consistency"}, {"kind": "tags", "words": "consistency"}]
    facts = Facts(identities=lambda kind, name: f"hash of {kind} {name}", backend="b")
    settings = plan([base(), {"id": "pick", "type": "review", "takes": "base", "scores": scores}], facts).nodes[1].settings
    assert {path: value for path, value in settings.items() if path.startswith("files.")} == {
        f"files.network:{name}": f"hash of network {name}" for name in ("embedding/embedding", "tags/tags")
    }


def test_networks_that_find_masks_are_in_the_key():
    source = {"union": [{"kind": "detector", "model": "face.onnx"}, {"kind": "background", "engine": "rembg"}, {"kind": "background"}]}
    stage = {"id": "mask", "type": "mask", "takes": "drawing", "mask": {"minus": [source, {"kind": "text", "text": "detector"}]}}
    facts = Facts(identities=lambda kind, name: f"hash of {kind} {name}", backend="b")
    files = {path: value for path, value in plan([stage], facts).nodes[0].settings.items() if path.startswith("files.")}
    named = ("background/u2net", "detector/face", "text/clipseg")
    assert files == {f"files.network:{name}": f"hash of network {name}" for name in named}


def test_local_stages_do_not_depend_on_the_backend():
    stages = [
        {"id": "mask", "type": "mask", "takes": "drawing", "mask": {"kind": "alpha"}},
        {"id": "sheet", "type": "sheet", "takes": "mask"},
    ]
    keys = [[node.key for node in plan(stages, Facts(backend=backend)).nodes] for backend in ("engine", "a1111")]
    assert keys[0] == keys[1]
    tagged = [{**stages[0], "mask": {"kind": "text", "text": "watch"}}]
    assert plan(tagged, Facts(backend="engine")).nodes[0].key != plan(tagged, Facts(backend="a1111")).nodes[0].key


def test_a_prompt_that_says_a_sources_name_is_no_reference():
    stage = read_stage(
        {"id": "p", "type": "composite", "takes": ["vary"], "over": "watch", "title": "watch", "mask": {"kind": "text", "text": "watch"}}
    )
    assert reference_paths(stage, ("watch",), STAGES["composite"]) == {("over",): 0}
    stages = [
        base(),
        {"id": "paste", "type": "composite", "takes": "base", "over": "drawing", "mask": {"kind": "text", "text": "drawing"}},
    ]
    renamed = copy.deepcopy(stages)
    renamed[1]["over"], renamed[1]["mask"]["text"] = "sketch", "sketch"
    inputs = {"sketch": {"type": "image", "default": "watch.png"}}
    assert of(plan(stages), "paste")[0].key != of(plan(renamed, inputs=inputs), "paste")[0].key
    renamed[1]["mask"]["text"] = "drawing"
    assert of(plan(stages), "paste")[0].key == of(plan(renamed, inputs=inputs), "paste")[0].key


def test_two_references_exchanged_have_another_key():
    inputs = {name: {"type": "image", "default": f"{file}.png"} for name, file in (("a", "watch"), ("b", "vase"))}
    units = [{"image": "a", "module": "canny", "model": "x"}, {"image": "b", "module": "depth", "model": "y"}]
    exchanged = [{**units[0], "image": "b"}, {**units[1], "image": "a"}]
    assert plan([base(controlnet=units)], inputs=inputs).nodes[0].key != plan([base(controlnet=exchanged)], inputs=inputs).nodes[0].key


def test_parts_tell_all_that_the_key_holds():
    made = plan(
        [base(), redraw("vary", "base", controlnet=[{"image": "drawing", "module": "canny", "model": "demo"}])], Facts(backend="engine")
    )
    parts = of(made, "vary")[0].parts
    assert parts["type"] == "img2img"
    assert parts["settings.denoising_strength"] == 0.4
    assert parts["settings.controlnet.0.image.source"] == 0
    assert parts["takes.0"] == f"{of(made, 'base')[0].key}#0"
    assert parts["uses.drawing"] == f"blob:{PICTURES['watch.png']}#0"
    assert (parts["seed"], parts["backend"]) == (7, "engine")
    assert not {"settings.id", "settings.takes", "settings.title", "settings.seed"} & parts.keys()


@given(st.lists(st.text(max_size=3), max_size=3), st.lists(st.text(max_size=3), max_size=3))
def test_sources_are_not_confused_with_each_other(taken: list[str], others: list[str]):
    if others or taken:
        assert node_key("d", 1, taken, others, ()) != node_key("d", 1, [*taken, *others], [*others, *taken], ())
    assert digest("\ud800") != digest("\ud801")


def test_files_are_found_wherever_they_are_named():
    found = files_of(
        {
            "checkpoint": "",
            "refiner_checkpoint": "",
            "vae": "Automatic",
            "upscaler": "4x",
            "controlnet": [{"model": "None"}, {"model": "canny"}],
            "loras": [{"name": "a"}],
            "negative_prompt": "x <lyco:b:1> <lora:c>",
            "override_settings": {"sd_vae": "d"},
        }
    )
    assert sorted(found) == [
        *[("checkpoint", ""), ("controlnet", "canny"), ("lora", "a"), ("lora", "b"), ("lora", "c"), ("upscaler", "4x"), ("vae", "d")]
    ]
