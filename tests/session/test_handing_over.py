"""Does each finished picture begin a run of its own, with it as the recipe's picture?"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_extension.pictures.png import encode_png, open_picture, read_text_chunks
from lib_extension.session.handing_over import begin, wanted_runs
from lib_extension.session.home import Home
from lib_extension.session.outlook import PreflightRefused
from lib_extension.session.session import Session
from lib_extension.spec.errors import BadRequest, NotFound
from lib_extension.stages import load_recipe
from tests.backend.asked import backend_over
from tests.backend.misbehaving import Misbehaving

STAGES = [{"id": "vary", "type": "img2img", "takes": "picture", "width": 64, "height": 64, "steps": 1, "sampler_name": "Euler"}]


def test_each_picture_begins_a_run(tmp_path: Path):
    session = Session(Home(tmp_path), [backend_over(Misbehaving())])
    pictures = [Image.new("RGB", (64, 64), colour) for colour in ("red", "blue")]
    try:
        for name, inputs in (("go-on", {"picture": {"type": "image"}}), ("no-picture", {"word": {"type": "text", "default": ""}})):
            stages = STAGES if name == "go-on" else [{"id": "base", "type": "txt2img"}]
            session.recipes.save(name, load_recipe({"version": 1, "name": name, "inputs": inputs, "stages": stages}), lambda _: b"")
        runs = begin(session, wanted_runs(session, "go-on", pictures, ["a cat\nSteps: 1, Sampler: Euler", ""]))
        assert [session.runner.wait(run).state for run in runs] == ["done", "done"]
        given = [session.blobs.get(session.ledger.runs.get(run).pictures["handed-over.png"]) for run in runs]
        assert [open_picture(data, what="It").getpixel((0, 0)) for data in given] == [(255, 0, 0), (0, 0, 255)]
        assert read_text_chunks(open_picture(given[0], what="It"))["parameters"].startswith("a cat")
        with pytest.raises(BadRequest, match="takes no picture"):
            wanted_runs(session, "no-picture", pictures, [])
        with pytest.raises(NotFound, match='no recipe "go-onn"'):
            wanted_runs(session, "go-onn", pictures, [])
    finally:
        session.close()


def test_what_is_refused_late_stands_among_the_runs_and_says_why(tmp_path: Path):
    webui = Misbehaving()
    session = Session(Home(tmp_path), [backend_over(webui)])
    try:
        recipe = load_recipe({"version": 1, "name": "go-on", "inputs": {"picture": {"type": "image"}}, "stages": STAGES})
        session.recipes.save("go-on", recipe, lambda _: b"")
        wanted = wanted_runs(session, "go-on", [Image.new("RGB", (64, 64))], [])
        webui.lists["/sdapi/v1/samplers"]["response"] = [{"name": "Heun", "aliases": [], "options": {}}]
        (run,) = begin(session, wanted)
        told = session.ledger.runs.get(run)
        assert told.state == "failed"
        assert "Euler" in told.message
        with pytest.raises(PreflightRefused, match="Euler"):  # it is known now
            wanted_runs(session, "go-on", [Image.new("RGB", (64, 64))], [])
    finally:
        session.close()


def test_the_picture_stands_in_place_of_rows_that_have_their_own(tmp_path: Path):
    session = Session(Home(tmp_path), [backend_over(Misbehaving())])
    try:
        stages = [{**STAGES[0], "prompt": "{shown} of {word}"}]
        inputs = {"picture": {"type": "image"}, "word": {"type": "text", "default": "it"}}
        rows = [{"picture": "one.png", "shown": "drawing", "word": "a mug"}, {"picture": "two.png", "shown": "photograph"}]
        recipe = load_recipe({"version": 1, "name": "shots", "inputs": inputs, "rows": rows, "stages": stages})
        session.recipes.save("shots", recipe, lambda _: encode_png(Image.new("RGB", (64, 64))))
        (wanted,) = wanted_runs(session, "shots", [Image.new("RGB", (64, 64), "red")], [])
        (node,) = session.outlook(wanted).plan.nodes
        assert node.stage.prompt == "drawing of it"
        (run,) = begin(session, [wanted])
        assert session.runner.wait(run).state == "done"
    finally:
        session.close()
