"""Recorded generations, sent to the engine in lenient mode: the same fields, pictures, infotexts and echoes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.engine.replay.recordings import Recording, described, filled, recordings, settled, shape_of, without_length
from tests.engine.running import Running


def with_missing_module(recording: Recording) -> Recording:
    """The recording is of a module whose weights were missing. Here depth has its network; openpose's weights never come along."""
    body, response = (json.loads(json.dumps(part).replace("depth_midas", "openpose")) for part in (recording.body, recording.response))
    return replace(recording, body=body, response=response)


NO_SCRIPTS = {"txt2img-script-prompt-matrix"}
"""The engine has none of the WebUI's selectable scripts, and says so."""

AFTER_PASTING = ("scheduler", "hr_checkpoint_name", "hr_sampler_name", "hr_scheduler")
"""The WebUI's page writes its own "same as above" words into these when it reads an infotext."""

GENERATIONS = [
    with_missing_module(recording) if recording.name == "err-annotator-offline" else recording
    for group in ("post", "errors", "controlnet")
    for recording in recordings(group)
    if recording.status == 200 and recording.path in ("/sdapi/v1/txt2img", "/sdapi/v1/img2img") and recording.name not in NO_SCRIPTS
]


@pytest.mark.parametrize("recording", GENERATIONS, ids=lambda recording: recording.name)
def test_a_recorded_generation_is_answered_as_recorded(recording: Recording, lenient: Running) -> None:
    lenient.json("POST", "/sdapi/v1/options", {"sd_model_checkpoint": "tiny", "CLIP_stop_at_last_layers": 1})
    body = with_our_hash(recording.body, lenient)
    answer = lenient.client.request(recording.method, recording.path, json=body)
    assert answer.status_code == 200, answer.text[:500]
    got, wanted = answer.json(), recording.response
    assert set(got) == set(wanted)
    assert [described(image) for image in got["images"]] == [without_length(image) for image in wanted["images"]]
    echo, wanted_echo = got["parameters"], expected_echo(wanted["parameters"], body)
    if "infotext" in body:
        echo, wanted_echo = ({name: value for name, value in each.items() if name not in AFTER_PASTING} for each in (echo, wanted_echo))
    assert echo == wanted_echo
    check_info(json.loads(got["info"]), wanted["info"], random_seed=body.get("seed", -1) == -1 and "infotext" not in body)


def check_info(got: dict[str, Any], wanted: dict[str, Any], *, random_seed: bool) -> None:
    assert list(got) == list(wanted)
    assert shape_of(got) == shape_of(wanted)
    got, wanted = settled(got), settled(wanted)
    if random_seed:
        for info in (got, wanted):
            seed = str(info.pop("seed"))
            info.pop("all_seeds")
            info["infotexts"] = [text.replace(f"Seed: {seed}", "Seed: …") for text in info["infotexts"]]
    assert got == wanted


def expected_echo(recorded: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """`parameters` repeats what was sent, pictures of ControlNet units too."""
    return {**filled(recorded), "alwayson_scripts": body.get("alwayson_scripts", {})}


def with_our_hash(body: Any, engine: Running) -> Any:
    """The body with our ControlNet's title; the hash in it is another file's."""
    models = engine.json("GET", "/controlnet/model_list")
    assert isinstance(models, dict)
    title = models["model_list"][0]
    return json.loads(json.dumps(body).replace("tiny_cn_canny [40c91a04]", title))
