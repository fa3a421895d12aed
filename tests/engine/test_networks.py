"""Do the routes for tags, depth, embeddings and masks see what is drawn, in an engine that has no checkpoint at all?"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lib_extension.pictures.png import encode_base64
from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import EVERY_OBJECT, Scene, Subject, draw_scene, held_out_scene
from tests.engine.running import Running, engine
from tests.models.masks.yolo_files import write_detector

SCENES = [held_out_scene(i) for i in range(24)]


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("bare")
    write_detector(folder / "detectors" / "squares.onnx")
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


def test_the_same_thing_elsewhere_is_more_alike_than_another_there(bare: Running) -> None:
    subjects = [Subject(thing, colour, place) for thing in ("watch", "mug", "star") for colour in ("red", "blue") for place in PLACES]
    pictures = [encode_base64(draw_scene(subject, Random(i)).picture) for i, subject in enumerate(subjects)]
    vectors = np.array(ask(bare, "/atelier-engine/v1/embedding", {"images": pictures})["embeddings"])
    assert vectors.shape == (36, 128)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-5)
    alike = vectors @ vectors.T
    for i, subject in enumerate(subjects):
        same = [alike[i, j] for j, s in enumerate(subjects) if (s.object, s.colour) == (subject.object, subject.colour) and j != i]
        others = [alike[i, j] for j, s in enumerate(subjects) if s.object != subject.object and s.colour != subject.colour]
        assert np.mean(same) > max(others)


def test_one_picture_has_one_embedding(bare: Running) -> None:
    picture = encode_base64(SCENES[0].picture)
    one = ask(bare, "/atelier-engine/v1/embedding", {"image": picture})
    assert one == ask(bare, "/atelier-engine/v1/embedding", {"images": [picture]})


def mask_of(bare: Running, scene: Scene, kind: str, **settings: Any) -> dict[str, Any]:
    return ask(bare, "/atelier-engine/v1/mask", {"image": encode_base64(scene.picture), "kind": kind, "settings": settings})


def test_masks_of_parts_cover_them(bare: Running) -> None:
    scene = next(scene for scene in SCENES if scene.subject.object == "watch")
    answer = mask_of(bare, scene, "parts", parts=["object", "face"])
    assert answer["found"] == 2
    assert {box[5] for box in answer["boxes"]} == {"object", "face"}
    mine, true = pixels(answer["mask"]) > 127, np.asarray(scene.masks["object"]) > 127
    assert (mine & true).sum() / (mine | true).sum() > 0.9
    left, top, right, bottom = next(box[:4] for box in answer["boxes"] if box[5] == "object")
    rows, columns = np.nonzero(true)
    assert [left, top, right, bottom] == pytest.approx([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], abs=4)


def test_the_background_is_cut_away(bare: Running) -> None:
    scene = draw_scene(Subject("circle", "red", "studio"), Random(1))
    answer = mask_of(bare, scene, "background", border=0.05)
    mine, true = pixels(answer["mask"]) > 127, np.asarray(scene.masks["object"]) > 127
    assert (answer["found"], answer["boxes"][0][5]) == (1, "subject")
    assert (mine & true).sum() / (mine | true).sum() > 0.9


def test_a_detector_of_the_models_folder_is_asked(bare: Running) -> None:
    picture = Image.new("RGB", (64, 64))
    picture.paste((255, 0, 0), (8, 16, 16, 24))
    body = {"image": encode_base64(picture), "kind": "detector", "settings": {"model": "squares"}}
    answer = ask(bare, "/atelier-engine/v1/mask", body)
    assert (answer["found"], answer["boxes"]) == (1, [[8, 16, 16, 24, 1, "red"]])
    assert (pixels(answer["mask"]) > 0).sum() == 64
    body["image"] = encode_base64(Image.new("RGB", (64, 64)))
    assert ask(bare, "/atelier-engine/v1/mask", body) == {"mask": None, "found": 0, "boxes": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("mask", {"kind": "part"}, 422, 'Did you mean \\"parts\\"'),
        ("mask", {"kind": "parts", "settings": {"threshhold": 1}}, 422, 'Did you mean \\"threshold\\"'),
        ("mask", {"kind": "detector", "settings": {"model": "squres"}}, 404, 'Did you mean \\"squares\\"'),
        ("mask", {"kind": "text", "settings": {"text": "a watch"}}, 404, "into clipseg/ in the models folder"),
        ("mask", {"image": "no picture", "kind": "parts"}, 422, "image is not base64"),
        ("embedding", {"image": None}, 422, "There is no picture"),
        ("embedding", {"images": ["", "x"]}, 422, "image"),
    ],
)
def test_what_cannot_be_answered_is_said(bare: Running, path: str, body: dict[str, Any], status: int, words: str) -> None:
    answer = bare.client.post(f"/atelier-engine/v1/{path}", json={"image": encode_base64(SCENES[0].picture), **body})
    assert (answer.status_code, words in answer.text) == (status, True), answer.text
    assert "/tmp" not in answer.text


def test_a_detector_without_its_weights_says_where_they_belong(bare: Running) -> None:
    body = {"controlnet_module": "lineart", "controlnet_input_images": [encode_base64(SCENES[0].picture)]}
    answer = bare.client.post("/controlnet/detect", json=body)
    assert answer.status_code == 404
    assert "annotators/ in the models folder" in answer.text or "controlnet-aux, which is not installed" in answer.text


def test_generations_say_that_no_checkpoint_is_chosen(bare: Running) -> None:
    answer = bare.client.post("/sdapi/v1/txt2img", json={"prompt": "a cat", "steps": 1, "width": 64, "height": 64})
    assert answer.status_code == 404
    assert "No checkpoint is chosen" in answer.text
