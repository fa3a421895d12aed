"""Is it pointed out where a tagger sees otherwise than the captions say, and nothing else?"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lib_extension.captions import contradictions
from lib_extension.captions.contradictions import Contradiction
from lib_extension.captions.files import read_folder
from lib_extension.spec.captioning import CaptioningSettings
from lib_extension.spec.settings import from_json
from tests.demo_model.scenes import tagger_scene
from trainer.__main__ import main
from trainer.captioners.compare import contradiction

SEEN = {"red": 0.97, "blue": 0.01, "mug": 0.9, "beach": 0.85, "night": 0.5, "saber (fate)": 0.02, "long hair": 0.99, "hair": 0.95}


@pytest.mark.parametrize(
    ("caption", "more", "unseen", "unsaid"),
    [
        ("red, mug, beach, long hair, hair", {}, [], []),
        ("blue, mug, beach, long hair, hair", {}, ["blue"], ["red"]),
        ("sks, unknown words, red, mug, beach, long_hair", {}, [], []),
        (r"Saber_\(fate\), Red, mug, beach, long hair", {}, [r"Saber_\(fate\)"], []),
        ("a red mug on a beach, long hair", {}, [], []),
        ("a bored mug on a beach, long hair", {}, [], ["red"]),
        ("red, mug, beach", {"implied": {"long hair": ["hair"]}}, [], ["long hair"]),
        ("red, mug, beach", {"undesired": ["long hair, hair"]}, [], []),
        ("crimson, mug, beach, hair, long hair", {"aliases": {"red": "crimson"}}, [], []),
        ("mug, beach, hair, long hair", {"aliases": {"red": "crimson"}}, [], ["crimson"]),
        ("night, red, mug, beach, long hair", {"contradict_below": 0.6}, ["night"], []),
        ("mug, beach, long hair", {"contradict_above": 0.98}, [], []),
    ],
)
def test_contradiction(caption: str, more: dict[str, object], unseen: list[str], unsaid: list[str]) -> None:
    found = contradiction(caption, SEEN, from_json(CaptioningSettings, {"folder": "x", **more}))
    assert ([tag for tag, _ in found.unseen], [tag for tag, _ in found.unsaid]) == (unseen, unsaid)


def compare(folder: Path, capfd: pytest.CaptureFixture[str], status: int = 0, **more: object) -> list[dict[str, Any]]:
    config = folder.parent / "config.json"
    config.write_text(
        json.dumps({"folder": str(folder), "journal": str(folder.parent / "journal"), "existing": "compare", **more}), "utf-8"
    )
    assert main(["caption", str(config)]) == status
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def test_a_wrong_colour_in_one_of_many_captions_is_pointed_out(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    scenes = [tagger_scene(i) for i in range(8)]
    for i, scene in enumerate(scenes):
        scene.picture.save(folder / f"{i}.png")
    compare(folder, capfd, existing="skip", trigger="sks")
    colour = scenes[3].subject.colour
    wrong = "green" if colour != "green" else "blue"
    caption = (folder / "3.txt").read_text("utf-8")
    (folder / "3.txt").write_text(caption.replace(colour, wrong), "utf-8")
    (folder / "4.txt").unlink()
    (folder / "5.png").write_bytes(b"no picture")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    events = compare(folder, capfd)
    (told,) = [event for event in events if event["event"] == "contradiction"]
    assert told["name"] == "3.png"
    assert [tag for tag, _ in told["unseen"]] == [wrong]
    assert [tag for tag, _ in told["unsaid"]] == [colour]
    assert told["unseen"][0][1] < 0.1
    assert events[-1] == {"event": "compared", "pictures": 6, "contradicted": 1, "failed": 1}
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    kept = contradictions.of_captions(read_folder(folder), contradictions.read(tmp_path / "journal"))
    assert kept == {"3.png": Contradiction(tuple(map(tuple, told["unseen"])), tuple(map(tuple, told["unsaid"])))}
    (folder / "3.txt").write_text("by hand", "utf-8")
    assert contradictions.of_captions(read_folder(folder), contradictions.read(tmp_path / "journal")) == {}


def test_without_a_tagger_or_a_caption_it_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    tagger_scene(0).picture.save(folder / "0.png")
    assert "no captions to compare" in compare(folder, capfd, status=2)[-1]["detail"]
    (folder / "0.txt").write_text("red", "utf-8")
    assert "needs a tagger" in compare(folder, capfd, status=2, captioners=[{"kind": "endpoint", "model": "m"}])[-1]["detail"]
    (folder / "0.png").write_bytes(b"no")
    assert "None of the 1 pictures" in compare(folder, capfd, status=2)[-1]["detail"]
