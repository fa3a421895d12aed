"""Does each finished picture begin a run of its own, with it as the recipe's picture?"""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from lib_extension.pictures.png import open_picture, read_text_chunks
from lib_extension.session.handing_over import begin_with
from lib_extension.session.home import Home
from lib_extension.session.session import Session
from lib_extension.spec.errors import BadRequest
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
        runs = begin_with(session, "go-on", pictures, ["a cat\nSteps: 1, Sampler: Euler", ""])
        assert [session.runner.wait(run).state for run in runs] == ["done", "done"]
        given = [session.blobs.get(session.ledger.runs.get(run).pictures["picture"]) for run in runs]
        assert [open_picture(data, what="It").getpixel((0, 0)) for data in given] == [(255, 0, 0), (0, 0, 255)]
        assert read_text_chunks(open_picture(given[0], what="It"))["parameters"].startswith("a cat")
        with pytest.raises(BadRequest, match="takes no picture"):
            begin_with(session, "no-picture", pictures, [])
    finally:
        session.close()
