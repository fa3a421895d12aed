"""Do the routes for tags, depth and part masks see what is drawn, in an engine that has no checkpoint at all?"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.png import encode_base64
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import EVERY_OBJECT, Scene, held_out_scene
from tests.engine.running import Running, engine

SCENES = [held_out_scene(i) for i in range(24)]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("bare")
    with engine(folder / "log", "--model", "none", "--models-dir", str(folder)) as running:
        assert running.model == "none"
        yield running
        assert running.json("GET", "/sdapi/v1/sd-models") == []


def ask(bare: Running, path: str, body: dict[str, Any]) -> Any:
    answer = bare.json("POST", path, body)
    assert isinstance(answer, dict)
    return answer


def pixels(text: str) -> np.ndarray:
    image = Image.open(io.BytesIO(base64.b64decode(text)))
    return np.asarray(image.convert("L"), np.float64)


def described(scene: Scene) -> set[str]:
    return {scene.subject.object, scene.subject.colour, scene.subject.place}


@pytest.mark.parametrize(("group", "words"), [("colour", COLOURS), ("object", EVERY_OBJECT), ("place", PLACES)])
def test_tags_name_what_is_drawn(bare: Running, group: str, words: tuple[str, ...]) -> None:
    right = 0
    for scene in SCENES:
        tags = ask(bare, "/atelier-engine/v1/tags", {"image": encode_base64(scene.picture)})["tags"]
        assert all(0 <= score <= 1 for score in tags.values())
        right += max(words, key=lambda word: tags[word]) == getattr(scene.subject, group)
    assert right >= 23


@pytest.mark.parametrize("model", ["clip", "deepdanbooru"])
def test_interrogate_answers_with_the_tags(bare: Running, model: str) -> None:
    captions = [
        ask(bare, "/sdapi/v1/interrogate", {"image": "data:image/png;base64," + encode_base64(scene.picture), "model": model})["caption"]
        for scene in SCENES[:12]
    ]
    assert sum(described(scene) <= set(caption.split(", ")) for scene, caption in zip(SCENES, captions, strict=False)) >= 11


@pytest.mark.parametrize(("part", "wanted"), [("object", 0.9), ("face", 0.8), ("strap", 0.6), ("ground", 0.9)])
def test_part_masks_cover_the_parts(bare: Running, part: str, wanted: float) -> None:
    both = either = 0
    for scene in SCENES:
        mine = pixels(ask(bare, "/atelier-engine/v1/parts", {"image": encode_base64(scene.picture)})["masks"][part]) > 127
        true = np.asarray(scene.masks[part]) > 127
        both, either = both + (mine & true).sum(), either + (mine | true).sum()
    assert both / either > wanted


def by_route(bare: Running, picture: Image.Image) -> np.ndarray:
    return pixels(ask(bare, "/atelier-engine/v1/depth", {"image": encode_base64(picture)})["image"])


def by_module(bare: Running, picture: Image.Image) -> np.ndarray:
    body = {"controlnet_module": "depth_midas", "controlnet_input_images": [encode_base64(picture)], "controlnet_processor_res": 128}
    return pixels(ask(bare, "/controlnet/detect", body)["images"][0])


@pytest.mark.parametrize("depth", [by_route, by_module])
def test_depth_follows_the_drawn_depth(bare: Running, depth: Any) -> None:
    alike = [np.corrcoef(depth(bare, scene.picture).ravel(), np.asarray(scene.depth).ravel())[0, 1] for scene in SCENES[:12]]
    assert min(alike) > 0.9
    assert np.mean(alike) > 0.97


def test_generations_say_that_no_checkpoint_is_chosen(bare: Running) -> None:
    answer = bare.client.post("/sdapi/v1/txt2img", json={"prompt": "a cat", "steps": 1, "width": 64, "height": 64})
    assert answer.status_code == 404
    assert "No checkpoint is chosen" in answer.text
