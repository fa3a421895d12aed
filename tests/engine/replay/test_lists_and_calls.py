"""The recorded lists and short calls: every field that the WebUI answers, of the same kind, and the same values where they are fixed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.engine.replay.recordings import Recording, described, recordings, shape_of, without_length
from tests.engine.running import Running

SAME_VALUES = {
    "face-restorers",
    "get-settings",
    "get-version",
    "hypernetworks",
    "internal-pending-tasks",
    "internal-ping",
    "interrupt-idle",
    "latent-upscale-modes",
    "prompt-styles",
    "refresh-checkpoints",
    "refresh-embeddings",
    "refresh-loras",
    "refresh-vae",
    "reload-checkpoint",
    "schedulers",
    "skip-idle",
    "txt2img-no-body",
    "unload-checkpoint",
    "upscalers",
    "options-set-checkpoint",
    "png-info",
    "png-info-none",
    "extra-single-image",
    "extra-batch-images",
    "detect-canny",
    "detect-none",
    "scripts",
    "sd-vae",
}
"""Answered with the very values that the WebUI answered; of the others the kinds are compared."""

NOT_FIXED = {
    "embeddings",  # Its keys are names of files.
    "get-control_types",
    "get-model_list",
    "get-module_list",
}

CALLS = [
    recording
    for group in ("get", "post", "controlnet")
    for recording in recordings(group)
    if recording.status == 200 and recording.path not in ("/sdapi/v1/txt2img", "/sdapi/v1/img2img") and recording.name not in NOT_FIXED
]


@pytest.mark.parametrize("recording", CALLS, ids=lambda recording: recording.name)
def test_a_recorded_call_is_answered_as_recorded(recording: Recording, lenient: Running) -> None:
    body = {"json": recording.body} if recording.body is not None else {}
    answer = lenient.client.request(recording.method, recording.path, **body)
    assert answer.status_code == 200, answer.text[:500]
    got, wanted = pictures_told(answer.json()), pictures_told(recording.response)
    if recording.name in SAME_VALUES:
        assert got == wanted
    else:
        assert_same_kinds(shape_of(got), shape_of(wanted), recording.name)


def test_every_option_has_the_kind_that_the_webui_gives_it(lenient: Running) -> None:
    recorded = next(recording for recording in recordings("get") if recording.name == "options").response
    got = lenient.json("GET", "/sdapi/v1/options")
    assert isinstance(got, dict)
    assert set(got) == set(recorded)
    different = {name for name in recorded if shape_of(got[name]) != shape_of(recorded[name])}
    assert different == set()


def test_every_sampler_is_told_as_the_webui_tells_it(lenient: Running) -> None:
    recorded = {item["name"]: item for item in next(each for each in recordings("get") if each.name == "samplers").response}
    got = lenient.json("GET", "/sdapi/v1/samplers")
    assert isinstance(got, list)
    assert [item for item in got if item != recorded.get(item["name"])] == []
    assert len(got) >= 19


def test_modules_and_their_sliders_are_those_of_the_extension(lenient: Running) -> None:
    recorded = next(each for each in recordings("controlnet") if each.name == "get-module_list").response
    got = lenient.json("GET", "/controlnet/module_list")
    assert isinstance(got, dict)
    assert set(recorded["module_list"]) <= set(got["module_list"])
    assert {name: got["module_detail"][name] for name in recorded["module_detail"]} == recorded["module_detail"]
    labels = lenient.json("GET", "/controlnet/module_list?alias_names=true")
    assert isinstance(labels, dict)
    assert "depth_midas" in labels["module_list"]


def test_control_types_offer_modules_and_fitting_models(lenient: Running) -> None:
    recorded = next(each for each in recordings("controlnet") if each.name == "get-control_types").response["control_types"]
    answer = lenient.json("GET", "/controlnet/control_types")
    assert isinstance(answer, dict)
    got = answer["control_types"]
    for name, wanted in recorded.items():
        assert set(wanted["module_list"]) <= set(got[name]["module_list"]), name
        assert got[name]["default_option"] == wanted["default_option"]
        assert [model.split(" [")[0] for model in got[name]["model_list"]] == [model.split(" [")[0] for model in wanted["model_list"]]
        assert got[name]["default_model"].split(" [")[0] == wanted["default_model"].split(" [")[0]


def pictures_told(value: Any) -> Any:
    """The value with its pictures described, and the descriptions of a recording without lengths."""
    if isinstance(value, dict):
        return {name: pictures_told(item) for name, item in value.items()}
    if isinstance(value, list):
        return [pictures_told(item) for item in value]
    if isinstance(value, str) and value.startswith("iVBOR"):
        return described(value)
    if isinstance(value, str) and value.startswith("<base64"):
        return without_length(value)
    return value


def assert_same_kinds(got: Any, wanted: Any, where: str) -> None:
    """A null on either side is of any kind: the WebUI's lists have some, and so does the engine's memory."""
    if "NoneType" in (got, wanted):
        return
    if isinstance(wanted, dict):
        assert isinstance(got, dict), where
        if where != "metadata":
            assert set(got) == set(wanted), where
            for name in wanted:
                assert_same_kinds(got[name], wanted[name], name)
    elif isinstance(wanted, list):
        assert isinstance(got, list), where
        for mine, theirs in zip(got, wanted, strict=False):
            assert_same_kinds(mine, theirs, where)
    else:
        assert got == wanted, where
