"""From drawn pictures to pictures by their LoRA, command by command, with nothing from outside: the demo model does it all."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import Subject, draw_scene
from tests.engine.running import Running, engine
from tests.trainer.agreement import agreement
from tests.trainer.runs import Told, carried_out

PICTURES, THING, TRIGGER = 20, "mushroom", "sks"
SUBJECTS = [Subject(THING, tuple(COLOURS)[i % len(COLOURS)], tuple(PLACES)[i // 2 % len(PLACES)]) for i in range(PICTURES)]


class Desk:
    """A folder to work in, and the trainer's commands with their settings in files, as users have them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.drawn, self.prepared, self.loras = folder / "drawn", folder / "prepared", folder / "Lora"

    def told(self, command: str, **settings: object) -> Told:
        file = self.folder / f"{command}.json"
        journal = {"journal": str(self.folder / "journal")} if command.startswith("caption") else {}
        file.write_text(json.dumps(settings | journal), "utf-8")
        told = carried_out(command, file)
        assert told.status == 0, (told.error, told.logged)
        return told

    def captions(self) -> dict[str, list[str]]:
        return {file.stem: file.read_text("utf-8").strip().split(", ") for file in sorted(self.prepared.glob("*.txt"))}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """With the drawings, and one of them twice."""
    desk = Desk(tmp_path_factory.mktemp("loop"))
    desk.drawn.mkdir()
    for i, subject in enumerate(SUBJECTS):
        draw_scene(subject, Random(f"loop {i}")).picture.save(desk.drawn / f"{i:02}.png")
    (desk.drawn / "again.png").write_bytes((desk.drawn / "07.png").read_bytes())
    return desk


def test_the_loop(desk: Desk) -> None:
    left_out = looked_at(desk)
    told = desk.told("prepare", folder=str(desk.drawn), into=str(desk.prepared), leave_out=left_out, processes=1)
    assert told.events[-1]["made"] == PICTURES
    tagged(desk)
    edited(desk)
    trained(desk)
    drawn_with_it(desk)


def looked_at(desk: Desk) -> list[str]:
    """What the check proposes to leave out."""
    limits = {"smallest": 64, "blurred": 0, "clipped": 1}
    told = desk.told("prepare", folder=str(desk.drawn), report=str(desk.folder / "report"), resolution=128, limits=limits)
    assert told.events[-1]["pictures"] == PICTURES + 1
    report = json.loads((desk.folder / "report" / "report.json").read_text("utf-8"))
    twins = [finding for finding in report["findings"] if finding["kind"] == "twin"]
    assert {frozenset((twin["name"], *twin["with_it"])) for twin in twins} == {frozenset({"07.png", "again.png"})}
    assert {finding["kind"] for finding in report["findings"]} <= {"twin", "alike", "dark", "bright"}
    return ["again.png"]


def tagged(desk: Desk) -> None:
    told = desk.told("caption", folder=str(desk.prepared), captioners=[{"kind": "tagger", "threshold": 0.5}], trigger=TRIGGER)
    assert told.events[-1] == {"event": "captioned", "written": PICTURES, "skipped": 0, "failed": 0}
    captions = desk.captions()
    assert list(captions) == [f"{i:02}" for i in range(PICTURES)]
    assert {tags[0] for tags in captions.values()} == {TRIGGER}
    assert agreement(zip(SUBJECTS, captions.values(), strict=True)) >= 0.98


def edited(desk: Desk) -> None:
    """What the trigger is to stand for goes from the captions."""
    before = desk.captions()
    rule = {"filter": {"has": [TRIGGER]}, "edits": [{"kind": "remove", "tags": [THING]}, {"kind": "sort", "keep": 1}], "trigger": TRIGGER}
    shown = desk.told("captions", folder=str(desk.prepared), preview=True, **rule)
    assert [THING, 1.0] in shown.events[-1]["fused"]
    assert desk.captions() == before
    told = desk.told("captions", folder=str(desk.prepared), **rule)
    assert told.events[-1]["fused"] == []
    wanted = {name: [TRIGGER, *sorted(tag for tag in tags if tag not in (TRIGGER, THING))] for name, tags in before.items()}
    assert desk.captions() == wanted


def trained(desk: Desk) -> None:
    told = desk.told(
        "train",
        name="loop",
        model={"checkpoint": "demo"},
        data={"concepts": [{"folder": str(desk.prepared)}], "resolution": 128, "batch_size": 2},
        network={"rank": 4, "alpha": 4.0, "targets": "attention"},
        optimizer={"optimizer": "AdamW", "learning_rate": 2e-3},
        memory={"gradient_checkpointing": False, "device": "cpu", "precision": "fp32"},
        run={"steps": 8, "save_every": 0, "plot": False},
        output={"folder": str(desk.folder / "runs"), "lora_folder": str(desk.loras)},
        evaluation={"on": False},
    )
    losses = told.points()
    assert len(losses) == 8
    assert all(0 < loss < 5 for loss in losses.values())
    assert [file.name for file in desk.loras.glob("*.safetensors")] == ["loop.safetensors"]


def drawn_with_it(desk: Desk) -> None:
    with engine(desk.folder / "log", "--model", "demo", "--lora-dir", str(desk.loras)) as running:
        listed: Any = running.json("GET", "/sdapi/v1/loras")
        assert "loop" in [one["name"] for one in listed]
        without, with_it, with_nothing = (drawing(running, more) for more in ("", " <lora:loop:1>", " <lora:loop:0>"))
    assert np.array_equal(with_nothing, without)
    assert np.abs(with_it.astype(int) - without.astype(int)).mean() > 1


def drawing(running: Running, more: str) -> np.ndarray:
    """Its pixels (128, 128, 3)."""
    asked = {"prompt": f"{TRIGGER}, red, beach{more}", "steps": 4, "width": 128, "height": 128, "seed": 3, "sampler_name": "Euler"}
    answer: Any = running.json("POST", "/sdapi/v1/txt2img", asked)
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(answer["images"][0]))))
