"""Whole recipes on the real engine with the demo model: every mask that a network finds, scores, and each way of redrawing a part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw
from safetensors.torch import save_file

from lib_extension.pictures.png import encode_png, open_picture
from lib_extension.runs.records import Run, StoredPicture
from lib_extension.session.asked import Asked
from lib_extension.session.outlook import PreflightRefused
from lib_extension.session.session import Session
from tests.engine.running import Running, engine
from tests.models.masks.clipseg_files import told_by_clipseg, write_clipseg
from tests.models.masks.yolo_files import write_detector
from tests.runs.workshop import recipe
from tests.session.rooms import carry_out, room

PHOTO = Image.open(Path(__file__).parents[2] / "lib_extension" / "recipes" / "inputs" / "watch-photo.jpg").convert("RGB")
SQUARE = (16, 24, 40, 48)  # where the odd picture has what the detector looks for


@dataclass(frozen=True)
class Place:
    """A running engine, and the folder that holds its `models` and `embeddings`."""

    running: Running
    folder: Path

    @property
    def url(self) -> str:
        return str(self.running.client.base_url)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("engine")
    write_detector(folder / "models/detectors/squares.onnx")
    write_clipseg(folder / "models/clipseg")
    with engine(folder / "log", "--model", "demo", "--models-dir", str(folder / "models")) as running:
        yield Place(running, folder)


@pytest.fixture
def session(place: Place, tmp_path: Path) -> Iterator[Session]:
    with room(tmp_path / "home", place.url) as opened:
        yield opened


def odd_picture() -> Image.Image:
    """101 × 75: a red square on a slope of blue, noisy enough that no pixel could stay by chance."""
    rows, columns = np.mgrid[0:75, 0:101]
    noise = np.random.default_rng(3).integers(0, 40, (75, 101))
    picture = Image.fromarray(np.stack([noise, rows + noise, columns + 60 + noise], axis=2).astype(np.uint8))
    ImageDraw.Draw(picture).rectangle((SQUARE[0], SQUARE[1], SQUARE[2] - 1, SQUARE[3] - 1), "#ff0000")
    return picture


def photo(width: int = 128, height: int = 128) -> Image.Image:
    """The watch on its table."""
    return PHOTO.resize((width, height), Image.Resampling.LANCZOS)


@dataclass
class Made:
    """What a run made."""

    session: Session
    run: Run

    def stored(self, stage: str) -> list[StoredPicture]:
        nodes = [node for node in self.session.runner.plan(self.run.id).plan.nodes if node.id == stage]
        results = [self.session.ledger.results.get(node.key) for node in nodes]
        return [picture for result in results if result for picture in result.pictures]

    def images(self, stage: str) -> list[Image.Image]:
        return [open_picture(self.session.blobs.get(one.blob), what=stage) for one in self.stored(stage)]

    def pixels(self, stage: str) -> np.ndarray[Any, np.dtype[np.int16]]:
        (image,) = self.images(stage)
        return np.asarray(image).astype(np.int16)

    def reasons(self) -> dict[str, str]:
        """Of the stage instances that failed: what was said."""
        return {node.stage: node.message for node in self.session.ledger.nodes(self.run.id) if node.state == "failed"}


def make(session: Session, *stages: Mapping[str, Any], picture: Image.Image | None = None, ends: str = "done", **more: Any) -> Made:
    """Carry out a recipe over the input `photo`."""
    shared = {"steps": 3, "prompt": "a red watch on a table", "sampler_name": "Euler", "scheduler": "Automatic", "cfg_scale": 4, "seed": 7}
    wanted = recipe(*stages, **{"settings": shared, "inputs": {"photo": {"type": "image", "default": "photo.png"}}, **more})
    run = carry_out(session, Asked(recipe=wanted, pictures={"photo.png": encode_png(picture or photo())}))
    assert run.state == ends, (run.message, [(node.place, node.message) for node in session.ledger.nodes(run.id)])
    return Made(session, run)


def mask(kind: str, id: str = "", **settings: Any) -> dict[str, Any]:
    return mask_stage(id or kind, {"kind": kind, **settings})


def mask_stage(id: str, source: Mapping[str, Any], when_empty: str = "fail") -> dict[str, Any]:
    return {"id": id, "type": "mask", "takes": "photo", "mask": source, "when_empty": when_empty}


def test_every_network_finds_its_mask(session: Session, place: Place):
    sure = told_by_clipseg(place.folder / "models/clipseg", "a watch", odd_picture())
    made = make(
        session,
        mask("detector", model="squares", classes=["red"], confidence=0.7),
        mask("text", text="a watch", threshold=round(float(np.median(sure)), 4)),
        mask("background", border=0.1),
        picture=odd_picture(),
    )
    found = made.pixels("detector")
    assert found.shape == (75, 101)
    left, top, right, bottom = (int(side) for side in made.stored("detector")[0].facts["box"])
    assert max(abs(np.subtract((left, top, right, bottom), SQUARE))) <= 13  # the detector's cells are 12.6 px wide there
    for name in ("text", "background"):
        (one,) = made.stored(name)
        assert 0.05 < one.facts["coverage"] < 0.95, name
        assert made.pixels(name).shape == (75, 101)


def test_the_demo_network_finds_parts_and_masks_combine(session: Session):
    parts = {"minus": [{"kind": "parts", "parts": ["object"]}, {"kind": "parts", "parts": ["face"]}], "then": [{"grow": 2}]}
    made = make(session, mask("parts", "face", parts=["face"]), mask("parts", "all", parts=["object"]), mask_stage("parts", parts))
    face, whole, rest = (made.pixels(name) > 127 for name in ("face", "all", "parts"))
    assert 0.01 < face.mean() < whole.mean() < 0.8
    assert rest.any()
    assert not (rest & face).all()
    assert (whole[face]).mean() > 0.9


def test_scores_of_networks_choose(session: Session):
    base = {"id": "base", "type": "txt2img", "width": 128, "height": 128, "batch_size": 3, "steps": 8}
    scores = [{"kind": "tags", "words": "watch, red", "threshold": 0.2}, {"kind": "consistency"}, {"kind": "sharpness", "weight": 0.5}]
    made = make(
        session,
        base,
        {"id": "pick", "type": "review", "takes": "base", "scores": scores, "auto": "top 2"},
        {"id": "sheet", "type": "sheet", "takes": "pick"},
    )
    told = [one.facts for one in made.stored("pick")]
    assert len(told) == 3
    assert all(set(facts["scores"]) == {"tags", "consistency", "sharpness"} for facts in told)
    assert all(0 <= score <= 1 for facts in told for score in facts["scores"].values())
    assert max(facts["scores"]["tags"] for facts in told) > 0
    assert len({facts["scores"]["consistency"] for facts in told}) > 1
    (sheet,) = made.stored("sheet")
    assert len(sheet.facts["cells"]) == 2


def test_a_composite_brings_back_what_a_network_found_in_the_pictures_light(session: Session):
    face = mask("parts", "face", parts=["face"])
    drawn = {"id": "drawn", "type": "img2img", "takes": "photo", "denoising_strength": 0.7}
    pasted = {"type": "composite", "takes": "drawn", "over": "photo", "mask": "face"}
    made = make(session, face, drawn, {**pasted, "id": "plain"}, {**pasted, "id": "matched", "match_colour": True, "match_width": 6})
    chosen = made.pixels("face")
    original = np.asarray(photo()).astype(np.int16)
    inside, outside = chosen == 255, chosen == 0
    assert abs(made.pixels("plain") - original)[inside].max() == 0
    assert abs(made.pixels("plain") - made.pixels("drawn"))[outside].max() == 0
    assert abs(made.pixels("matched") - made.pixels("drawn"))[outside].max() == 0
    assert 0 < abs(made.pixels("matched") - original)[inside].mean() < 60


def test_a_control_map_guides_like_the_preprocessor_that_made_it(session: Session):
    unit = {"model": "demo", "weight": 1}
    base = {"type": "txt2img", "width": 128, "height": 128}
    made = make(
        session,
        {"id": "edges", "type": "control", "takes": "photo", "module": "canny"},
        {**base, "id": "by_map", "controlnet": [{**unit, "image": "edges", "module": "none"}]},
        {**base, "id": "by_module", "controlnet": [{**unit, "image": "photo", "module": "canny"}]},
        {**base, "id": "free"},
    )
    assert np.unique(made.pixels("edges")).tolist() == [0, 255]
    assert abs(made.pixels("by_map") - made.pixels("by_module")).max() == 0
    assert abs(made.pixels("by_map") - made.pixels("free")).mean() > 3


@pytest.mark.parametrize("order", ["linear", "chess"])
def test_tiles_cover_an_odd_picture(session: Session, order: str):
    tiled = {"type": "upscale", "takes": "photo", "method": "tiled", "scale": 1.7, "tile": 96, "overlap": 16, "order": order}
    plain = {"id": "plain", "type": "upscale", "takes": "photo", "scale": 1.7}
    made = make(session, plain, {**tiled, "id": "tiled", "denoising_strength": 0.4, "prompt": "", "cfg_scale": 1}, picture=odd_picture())
    assert made.pixels("tiled").shape == made.pixels("plain").shape == (round(75 * 1.7), round(101 * 1.7), 3)
    changed = abs(made.pixels("tiled") - made.pixels("plain")).mean(axis=2)
    assert min(part.mean() for half in np.array_split(changed, 3) for part in np.array_split(half, 3, axis=1)) > 0.5
    assert changed.mean() < 40


def test_hires_within_the_drawing_and_of_a_picture(session: Session):
    base = {"type": "txt2img", "width": 64, "height": 72, "controlnet": [{"image": "photo", "module": "canny", "model": "demo"}]}
    again = {"type": "upscale", "takes": "photo", "method": "hires", "denoising_strength": 0.5}
    made = make(
        session,
        {**base, "id": "latent", "hires": {"hr_scale": 1.55, "hr_second_pass_steps": 2}},
        {
            **base,
            "id": "pixels",
            "hires": {"hr_upscaler": "Lanczos", "hr_resize_x": 128, "denoising_strength": 0.5, "hr_sampler_name": "Euler a"},
        },
        {**again, "id": "stretched", "upscaler": "Latent", "scale": 1.25},
        {**again, "id": "enlarged", "width": 140},
        picture=odd_picture(),
    )
    assert [made.images(name)[0].size for name in ("latent", "pixels")] == [(99, 112), (128, 144)]
    assert [made.images(name)[0].size for name in ("stretched", "enlarged")] == [(126, 94), (140, 104)]
    told = made.stored("pixels")[0].infotext
    assert all(text in told for text in ("Hires upscaler: Lanczos", "Hires sampler: Euler a", "Hires resize: 128x144"))
    wide = odd_picture().resize((126, 94), Image.Resampling.BICUBIC)
    assert abs(made.pixels("stretched") - np.asarray(wide).astype(np.int16)).mean() < 70  # still the same picture


@pytest.mark.parametrize("only_masked", [False, True])
@pytest.mark.parametrize("size", [(101, 75), (128, 96)])
def test_outside_the_mask_to_paste_back_the_saved_file_is_the_picture(
    session: Session, tmp_path: Path, size: tuple[int, int], only_masked: bool
):
    picture = odd_picture().resize(size)
    box = {"kind": "geometry", "rectangles": [[20, 20, 60, 50]]}
    redrawn = {"mask": {**box, "then": [{"grow": 6}]}, "paste_back": box, "inpaint_full_res": only_masked, "width": 64, "height": 64}
    if not only_masked:
        redrawn |= {"width": 0, "height": 0}
    inpaint = {"id": "inpaint", "type": "inpaint", "takes": "photo", "denoising_strength": 0.9, "mask_blur": 6, **redrawn}
    made = make(session, inpaint, picture=picture)
    (file,) = [name for name in session.write_outputs(made.run, tmp_path / "out") if name.endswith(".png")]
    saved = np.asarray(open_picture((tmp_path / "out" / file).read_bytes(), what=file).convert("RGB")).astype(np.int16)
    difference = abs(saved - np.asarray(picture).astype(np.int16)).max(axis=2)
    inside = np.zeros(difference.shape, bool)
    inside[20:50, 20:60] = True
    assert difference[~inside].max() == 0
    assert (difference[inside] > 0).mean() > 0.9


def test_nothing_found_is_as_the_recipe_says(session: Session):
    """No pixel of the photo is sure to be red."""
    nothing = {"kind": "detector", "model": "squares", "classes": ["red"], "confidence": 1.0}
    inpaint = {"type": "inpaint", "denoising_strength": 0.6, "takes": "photo"}
    made = make(
        session,
        mask_stage("skips", nothing, "skip"),
        {**inpaint, "id": "skipped", "mask": "skips"},
        {"id": "after", "type": "upscale", "takes": "skipped"},
        mask_stage("all", nothing, "whole"),
        {**inpaint, "id": "whole", "mask": "all"},
        {**inpaint, "id": "kept", "mask": nothing, "when_empty": "keep"},
        {**inpaint, "id": "missing", "mask": nothing, "when_empty": "skip"},
    )
    assert not made.images("skipped") + made.images("after") + made.images("missing")
    assert made.pixels("all").min() == 255
    difference = abs(made.pixels("whole") - np.asarray(photo()).astype(np.int16)).max(axis=2)
    assert (difference > 0).mean() > 0.9
    assert abs(made.pixels("kept") - np.asarray(photo())).max() == 0
    left_out = {one.stage: one.reason for one in session.runner.plan(made.run.id).plan.left_out}
    assert left_out == dict.fromkeys(("skips", "missing"), "found nothing") | dict.fromkeys(
        ("skipped", "after"), "nothing was found for it earlier"
    )
    failed = make(session, mask_stage("strict", nothing), {**inpaint, "id": "never", "mask": "strict"}, ends="failed")
    assert "found nothing to choose" in failed.reasons()["strict"]
    assert not failed.images("never")


def test_a_detector_that_is_missing_is_said_before_and_an_overwritten_one_runs_anew(session: Session, place: Place):
    wanted = mask_stage("found", {"kind": "detector", "model": "later", "confidence": 0.7})
    with pytest.raises(PreflightRefused, match="detectors/ in the models folder"):
        make(session, wanted, picture=odd_picture())
    file = place.folder / "models/detectors/later.onnx"
    coverage = []
    for box in (8, 16, 8):
        write_detector(file, box=box)
        coverage.append(make(session, wanted, picture=odd_picture()).stored("found")[0].facts["coverage"])
    assert coverage[0] == coverage[2] < coverage[1]
    assert len(list(session.ledger.results.all())) == 2


def test_an_overwritten_embedding_is_read_and_runs_anew(session: Session, place: Place):
    def write(value: float) -> None:
        (place.folder / "embeddings").mkdir(exist_ok=True)
        save_file({"emb_params": torch.full((2, 64), value)}, place.folder / "embeddings/brass.safetensors")

    stages = [
        {"id": "with_it", "type": "txt2img", "prompt": "a brass watch", "width": 64, "height": 64},
        {"id": "without", "type": "txt2img", "prompt": "a red watch", "width": 64, "height": 64},
    ]
    blobs = []
    for value in (0.5, -0.5, 0.5):
        write(value)
        made = make(session, *stages)
        blobs.append((made.stored("with_it")[0].blob, made.stored("without")[0].blob))
    assert blobs[0] == blobs[2] != blobs[1]
    assert blobs[0][1] == blobs[1][1]
    assert len(list(session.ledger.results.all())) == 3
