"""Does captioning a folder write what the pictures show, go on where it was, and can it be taken back?"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.demo_model.objects import COLOURS
from tests.demo_model.places import PLACES
from tests.demo_model.scenes import TAGGED_OBJECTS, Subject, held_out_tagger_scene, tagger_scene
from tests.trainer.disks import Mount, remount
from tests.trainer.runs import started
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


def told(command: str, folder: Path, capfd: pytest.CaptureFixture[str], status: int = 0, **more: object) -> list[dict[str, Any]]:
    return asked(command, folder.parent, capfd, status, **{"folder": str(folder), "journal": str(folder.parent / "journal"), **more})


def asked(command: str, place: Path, capfd: pytest.CaptureFixture[str], status: int = 0, **settings: object) -> list[dict[str, Any]]:
    config = place / "config.json"
    config.write_text(json.dumps(settings), "utf-8")
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


class Vision(BaseHTTPRequestHandler):
    """A server of OpenAI's API that says the same of each picture; it stalls after so many."""

    asked = 0
    stalls_after = 66
    refuses_after, refusal = 1000, 401
    meanwhile: tuple[Callable[[], object], ...] = ()  # what happens while it answers

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        Vision.asked += 1
        for happens in Vision.meanwhile:
            happens()
        if Vision.asked > Vision.stalls_after:
            time.sleep(1)
            return
        told = json.dumps({"choices": [{"message": {"content": "new"}}]}).encode()
        self.send_response(200 if Vision.asked <= Vision.refuses_after else Vision.refusal)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the tests' output."""


@pytest.fixture
def vision() -> Iterator[str]:
    """Its address."""
    Vision.asked, Vision.stalls_after, Vision.refuses_after, Vision.refusal = 0, 66, 1000, 401
    Vision.meanwhile = ()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Vision)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_a_run_that_was_killed_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str], vision: str) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for i in range(72):
        Image.new("RGB", (16, 16), (i, 0, 0)).save(folder / f"{i:02}.png")
        (folder / f"{i:02}.txt").write_bytes(b"old one \r\n")
    settings = {"existing": "append", "batch": 2, "captioners": [{"kind": "endpoint", "model": "m", "url": vision}]}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"folder": str(folder), "journal": str(tmp_path / "journal"), **settings}), "utf-8")
    with started("caption", config) as process:
        limit = time.monotonic() + 120
        while Vision.asked <= Vision.stalls_after:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < limit
            time.sleep(0.01)
        process.kill()
    before = list(captions_in(folder).values())
    written = before.count("old one, new")
    assert before == ["old one, new"] * written + ["old one"] * (72 - written)
    assert written >= 64
    Vision.asked, Vision.stalls_after = 0, 1000
    rest = {"event": "captioned", "written": 72 - written, "skipped": written, "failed": 0}
    assert told("caption", folder, capfd, **settings)[-1] == rest
    assert Vision.asked == 72 - written
    assert set(captions_in(folder).values()) == {"old one, new"}
    told("captions", folder, capfd, undo=1)
    assert {path.read_bytes() for path in folder.glob("*.txt")} == {b"old one \r\n"}


def test_odd_names_links_in_circles_and_long_captions(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "dätä 猫"
    (folder / "in").mkdir(parents=True)
    (folder / "in" / "circle").symlink_to(folder)
    (folder / "self").symlink_to(folder / "self")
    for i, name in enumerate(("猫.png", "in/größe 😀.png", "a.png", "a.jpg")):
        tagger_scene(i).picture.save(folder / name)
    many = [f"tag number {i}" for i in range(5000)]
    (folder / "猫.txt").write_text(", ".join(many), "utf-8")
    before = (folder / "猫.txt").read_bytes()
    events = told("caption", folder, capfd, existing="append")
    assert events[-1] == {"event": "captioned", "written": 3, "skipped": 0, "failed": 1}
    assert [event["text"] for event in events if event["event"] == "log"] == [
        '"a.png" and "a.jpg" have the caption a.txt between them. Give one of them another name.'
    ]
    assert set((folder / "猫.txt").read_text("utf-8").strip().split(", ")) > set(many)
    assert (folder / "in" / "größe 😀.txt").is_file()
    told("captions", folder, capfd, undo=1)
    assert (folder / "猫.txt").read_bytes() == before
    assert not (folder / "in" / "größe 😀.txt").exists()


def test_disks_that_are_full_or_cannot_be_written(tmp_path: Path, capfd: pytest.CaptureFixture[str], mount: Mount) -> None:
    folder = mount("size=2m,nr_inodes=12") / "data"
    folder.mkdir()
    for i in range(6):
        tagger_scene(i).picture.save(folder / f"{i}.png")
    journal = {"journal": str(tmp_path / "journal"), "batch": 2}
    events = asked("caption", tmp_path, capfd, folder=str(folder), **journal)
    last = events[-1]
    assert last["written"] + last["failed"] == 6
    assert 0 < len(captions_in(folder)) == last["written"] < 6
    assert "No space left on device" in str(events)
    assert all(captions_in(folder).values())
    remount(folder.parent, "nr_inodes=100")
    assert asked("caption", tmp_path, capfd, folder=str(folder), **journal)[-1]["written"] == last["failed"]
    before = captions_in(folder)
    remount(folder.parent, "ro")
    events = asked("caption", tmp_path, capfd, status=2, folder=str(folder), existing="replace", trigger="sks", **journal)
    assert "0 captions were written for 6 pictures" in str(events[-1]["detail"])
    assert "Read-only file system" in str(events)
    assert captions_in(folder) == before


def test_no_caption_at_all_is_an_error(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in folder.iterdir():
        path.write_bytes(b"no picture")
    events = told("caption", folder, capfd, status=2)
    assert events[-1]["detail"] == "0 captions were written for 6 pictures; the lines above say why."
    assert captions_in(folder) == {}


def test_captions_that_cannot_be_read_are_no_captions(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for path in sorted(folder.iterdir()):
        path.with_suffix(".txt").write_bytes(b"\0")
    events = told("caption", folder, capfd, status=2)
    assert events[-2] == {"event": "captioned", "written": 0, "skipped": 0, "failed": 6}
    assert events[-1]["detail"] == "0 captions were written for 6 pictures; the lines above say why."
    for path in sorted(folder.glob("*.png"))[:5]:
        path.with_suffix(".txt").write_text("sound")
    events = told("caption", folder, capfd, status=2)
    assert events[-2] == {"event": "captioned", "written": 0, "skipped": 5, "failed": 1}


def test_a_caption_that_two_pictures_share_is_there(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tagger_scene(9).picture.save(folder / "0.jpg")
    assert told("caption", folder, capfd)[-1] == {"event": "captioned", "written": 6, "skipped": 0, "failed": 1}
    assert {"event": "captioned", "written": 0, "skipped": 7, "failed": 0} in told("caption", folder, capfd)


def test_a_captioner_that_fails_beside_another_is_told_and_asked_again(
    folder: Path, capfd: pytest.CaptureFixture[str], vision: str
) -> None:
    both: dict[str, Any] = {"captioners": [{"kind": "tagger"}, {"kind": "endpoint", "model": "m", "url": vision}]}
    Vision.refuses_after, Vision.refusal = 4, 400
    events = told("caption", folder, capfd, **both)
    assert events[-1] == {"event": "captioned", "written": 4, "skipped": 0, "failed": 2}
    assert sum("answered 400" in str(event.get("text")) for event in events) == 2
    Vision.refuses_after = 1000
    assert told("caption", folder, capfd, **both)[-1] == {"event": "captioned", "written": 2, "skipped": 4, "failed": 0}
    assert all(caption.startswith("new, ") for caption in captions_in(folder).values())


def test_what_was_said_is_written_when_the_server_refuses_the_rest(folder: Path, capfd: pytest.CaptureFixture[str], vision: str) -> None:
    Vision.refuses_after = 4
    settings: dict[str, Any] = {"captioners": [{"kind": "endpoint", "model": "m", "url": vision, "at_once": 3}]}
    events = told("caption", folder, capfd, status=2, **settings)
    assert "answered 401" in events[-1]["detail"]
    assert events[-2] == {"event": "captioned", "written": 4, "skipped": 0, "failed": 2}
    assert list(captions_in(folder).values()) == ["new"] * 4
    Vision.refuses_after = 1000
    assert told("caption", folder, capfd, **settings)[-1] == {"event": "captioned", "written": 2, "skipped": 4, "failed": 0}
    assert len(captions_in(folder)) == 6


@pytest.mark.parametrize(("problem", "status"), [(RuntimeError("CUDA out of memory"), 1), (KeyboardInterrupt(), 3)])
def test_what_was_said_is_written_when_something_breaks(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, problem: BaseException, status: int
) -> None:
    class Breaks:
        said = 0

        def describe(self, pictures: Sequence[Image.Image]) -> list[Described]:
            if self.said == 4:
                raise problem
            self.said += len(pictures)
            return [Described(sentence="new")] * len(pictures)

    monkeypatch.setattr(caption_command, "open_captioner", lambda *_: Breaks())
    told("caption", folder, capfd, status=status, batch=2)
    assert list(captions_in(folder).values()) == ["new"] * 4
    monkeypatch.undo()
    assert told("caption", folder, capfd)[-1]["skipped"] == 4


@pytest.mark.parametrize("existing", ["skip", "compare"])
def test_it_stops_between_two_pictures(
    folder: Path, capfd: pytest.CaptureFixture[str], vision: str, monkeypatch: pytest.MonkeyPatch, existing: str
) -> None:
    stop = folder.parent / "stop"
    monkeypatch.setenv("ATELIER_STOP_FILE", str(stop))
    if existing == "compare":
        (folder / "0.txt").write_text("red")
        stop.touch()
        told("caption", folder, capfd, status=3, existing=existing)
        assert not (folder.parent / "journal").exists()
        return
    Vision.meanwhile = (lambda: Vision.asked == 4 and stop.touch(),)
    settings: dict[str, Any] = {"captioners": [{"kind": "endpoint", "model": "m", "url": vision}]}
    events = told("caption", folder, capfd, status=3, **settings)
    assert events[-2] == {"event": "captioned", "written": 4, "skipped": 0, "failed": 0}
    assert len(captions_in(folder)) == Vision.asked == 4
    stop.unlink()
    assert told("caption", folder, capfd, **settings)[-1]["written"] == 2
    told("captions", folder, capfd, undo=1)
    assert captions_in(folder) == {}, "both parts are one edit"


def test_a_run_goes_on_after_another_edit(folder: Path, capfd: pytest.CaptureFixture[str], vision: str) -> None:
    for number in range(6):
        (folder / f"{number}.txt").write_text("old")
    Vision.refuses_after = 4
    settings: dict[str, Any] = {"existing": "append", "captioners": [{"kind": "endpoint", "model": "m", "url": vision}]}
    told("caption", folder, capfd, status=2, **settings)
    told("captions", folder, capfd, filter={"names": ["0.png"]}, edits=[{"kind": "set", "text": "by hand"}])
    Vision.refuses_after = 1000
    assert told("caption", folder, capfd, **settings)[-1] == {"event": "captioned", "written": 2, "skipped": 4, "failed": 0}
    assert list(captions_in(folder).values()) == ["by hand"] + ["old, new"] * 5
    told("captions", folder, capfd, undo=3)
    assert list(captions_in(folder).values()) == ["old"] * 6


def test_a_relative_folder_is_the_same_from_everywhere(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    place = folder.parent
    journal: dict[str, Any] = {"journal": str(folder.parent / "journal")}
    asked("caption", place, capfd, folder=folder.name, **journal)
    assert len(captions_in(folder)) == 6
    asked("captions", place, capfd, folder=folder.name, edits=[{"kind": "add", "tags": ["x"]}], **journal)
    monkeypatch.chdir(folder)
    assert {"event": "log", "text": "6 captions taken back"} in asked("captions", place, capfd, folder=".", undo=2, **journal)
    assert captions_in(folder) == {}


def test_a_caption_with_another_ending_is_seen(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "0.caption").write_text("by hand", "utf-8")
    assert told("caption", folder, capfd)[-1] == {"event": "captioned", "written": 5, "skipped": 1, "failed": 0}
    assert not (folder / "0.txt").exists()
    told("caption", folder, capfd, existing="append", trigger="sks")
    assert (folder / "0.caption").read_text("utf-8").startswith("sks, by hand, ")


def test_captions_of_other_programs(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    tagger_scene(0).picture.save(folder / "0.jpg")
    file = folder.parent / "meta.json"
    file.write_text(json.dumps({"0.jpg": "first", "0.png": "second", "1": "third", "9": "none"}), "utf-8")
    events = told("captions", folder, capfd, read=str(file))
    assert captions_in(folder) == {"0.txt": "first", "1.txt": "third"}
    logged = [event.get("text") for event in events]
    assert '"9" is named there, and is no picture of the folder, or not surely one' in logged
    assert any(str(text).startswith('0.png: "0.png" and "0.jpg" have the caption') for text in logged)
    events = told("captions", folder, capfd, export={"into": str(folder.parent / "out"), "form": "kohya", "name": "x"})
    assert any(str(event.get("text")).startswith("0.png is left out: ") for event in events)
    for path in folder.glob("*.txt"):
        path.unlink()
    told("captions", folder, capfd, read=str(folder.parent / "out" / "dataset.toml"))
    assert captions_in(folder) == {"0.txt": "first", "1.txt": "third"}


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
