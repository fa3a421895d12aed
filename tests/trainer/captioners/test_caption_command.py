"""Does captioning a folder write what the pictures show, go on where it was, and can it be taken back?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import TAGGED_OBJECTS, Subject, held_out_tagger_scene, tagger_scene
from trainer.__main__ import main
from trainer.captioners import caption_command
from trainer.captioners.described import Described


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(6):
        tagger_scene(i).picture.save(folder / f"{i}.png")
    return folder


def told(command: str, folder: Path, capfd: pytest.CaptureFixture[str], status: int = 0, **more: object) -> list[dict[str, object]]:
    config = folder.parent / "config.json"
    config.write_text(json.dumps({"folder": str(folder), "journal": str(folder.parent / "journal"), **more}), "utf-8")
    assert main([command, str(config)]) == status
    return [json.loads(line) for line in capfd.readouterr().out.splitlines()]


def captions_in(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text("utf-8").strip() for path in sorted(folder.glob("*.txt"))}


def test_tag_agreement_on_drawn_pictures(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    subjects: list[Subject] = []
    for i in range(60):
        scene = held_out_tagger_scene(1000 + i)
        scene.picture.save(folder / f"{i:02}.png")
        subjects.append(scene.subject)
    told("caption", folder, capfd, captioners=[{"kind": "tagger", "threshold": 0.5}])
    right = 0
    for subject, caption in zip(subjects, captions_in(folder).values(), strict=True):
        tags = set(caption.split(", "))
        for word, others in ((subject.colour, COLOURS), (subject.object, TAGGED_OBJECTS), (subject.place, PLACES)):
            right += tags & set(others) == {word}
    assert right / (3 * len(subjects)) >= 0.98


def test_a_second_time_nothing_is_done_and_undo_gives_all_back(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "2.txt").write_bytes(b"by hand \r\n")
    assert told("caption", folder, capfd, trigger="sks")[-1] == {"event": "captioned", "written": 5, "skipped": 1, "failed": 0}
    written = captions_in(folder)
    assert all(caption.startswith("sks, ") for name, caption in written.items() if name != "2.txt")
    assert {"event": "captioned", "written": 0, "skipped": 6, "failed": 0} in told("caption", folder, capfd, trigger="sks")
    events = told("captions", folder, capfd, undo=1)
    assert {"event": "log", "text": "5 captions taken back"} in events
    assert {path.name: path.read_bytes() for path in folder.glob("*.txt")} == {"2.txt": b"by hand \r\n"}


@pytest.mark.parametrize("existing", ["append", "prepend", "replace"])
def test_a_run_that_was_cut_off_goes_on(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, existing: str
) -> None:
    for i in range(6):
        (folder / f"{i}.txt").write_text("old one", "utf-8")
    asked: list[int] = []

    class DiesAtTheSecond:
        def describe(self, pictures):
            asked.append(len(pictures))
            if len(asked) == 2:
                raise MemoryError("killed")
            return [Described(("new",)) for _ in pictures]

    monkeypatch.setattr(caption_command, "open_captioner", lambda settings, device: DiesAtTheSecond())
    monkeypatch.setattr(caption_command, "_WRITTEN_AT_ONCE", 2)
    told("caption", folder, capfd, status=1, existing=existing, batch=2)
    told("caption", folder, capfd, existing=existing, batch=2)
    assert sum(asked[1:]) == 6 - asked[0] + asked[1]
    made = {"append": "old one, new", "prepend": "new, old one", "replace": "new"}[existing]
    assert set(captions_in(folder).values()) == {made}
    told("captions", folder, capfd, undo=1)
    assert set(captions_in(folder).values()) == {"old one"}


def test_no_caption_at_all_is_an_error(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    events = told("caption", folder, capfd, status=2)
    assert events[-1]["detail"] == "0 captions were written for 6 pictures; the lines above say why."
    assert captions_in(folder) == {}


def test_a_broken_picture_and_a_missing_tagger_are_told(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "broken.png").write_bytes(b"no picture")
    events = told("caption", folder, capfd)
    assert events[-1] == {"event": "captioned", "written": 6, "skipped": 0, "failed": 1}
    assert any("broken.png: cannot be read as a picture" in str(event.get("text")) for event in events)
    for path in folder.glob("*.txt"):
        path.unlink()
    events = told("caption", folder, capfd, status=2, captioners=[{"kind": "tagger", "model": str(folder)}])
    assert "model.onnx" in str(events[-1]["detail"])
    events = told("caption", folder, capfd, status=2, captioners=[{"kind": "tagger"}], device="cuda:7")
    assert events[-1]["detail"] == 'device is "cuda:7"; here there is cpu.'


def test_edits_by_a_rule_show_their_difference_first(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    told("caption", folder, capfd)
    before = captions_in(folder)
    edit = {"edits": [{"kind": "add", "tags": ["sks"], "where": "first"}], "trigger": "sks"}
    shown = [event for event in told("captions", folder, capfd, preview=True, **edit) if event["event"] == "difference"]
    assert len(shown) == 6
    assert captions_in(folder) == before
    last = told("captions", folder, capfd, **edit)[-1]
    assert (last["captions"], last["empty"]) == (6, 0)
    assert captions_in(folder) == {name: f"sks, {caption}" for name, caption in before.items()}
