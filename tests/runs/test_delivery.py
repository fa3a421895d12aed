from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from lib_extension.runs.storage import StorageError
from lib_extension.session.asked import Asked
from tests.runs.stub_backend import running_stub
from tests.runs.test_outputs import hashes
from tests.runs.workshop import chain, recipe
from tests.session.rooms import places, room

ROOT = Path(__file__).parents[2]
PLACES = recipe(
    {"id": "base", "type": "txt2img", "prompt": "a watch {place}"},
    {"id": "redo", "type": "img2img", "takes": "base"},
    axes={"place": ["here", "there", "above"]},
)


def until(happens: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not happens():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_pictures_come_into_the_folder_while_the_run_goes_on(tmp_path: Path):
    with running_stub(delay=0.4) as stub, room(tmp_path / "home", stub.url) as session:
        run_id, _ = session.add(Asked(recipe=PLACES))
        session.start(run_id)
        folder = tmp_path / "home/outputs" / run_id
        until(lambda: (folder / "manifest.json").is_file())
        assert session.ledger.runs.get(run_id).state == "running"
        early = hashes(folder)
        assert 0 < len(early) < 6
        assert {file["file"] for file in json.loads((folder / "manifest.json").read_text())["files"]} == set(early)
        names = session.delivered(run_id)
        assert len(names) == 6
        assert early.items() <= hashes(folder).items()
        session.write_outputs(session.ledger.runs.get(run_id), tmp_path / "at the end")
    assert hashes(tmp_path / "at the end") == hashes(folder)
    assert (tmp_path / "at the end/manifest.json").read_bytes() == (folder / "manifest.json").read_bytes()


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is not there")
def test_a_killed_process_leaves_what_was_done_and_resuming_brings_the_rest(tmp_path: Path):
    (tmp_path / "tiny.json").write_text(json.dumps({"name": "tiny", "stages": PLACES.stages, "axes": PLACES.axes}))
    words = ["--home", str(tmp_path / "home"), "--output", str(tmp_path / "out")]
    with running_stub(delay=0.4) as stub:
        command = [sys.executable, "-m", "lib_extension", "run", str(tmp_path / "tiny.json"), "--backend", stub.url, *words]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            until(lambda: (tmp_path / "out/manifest.json").is_file())
            process.send_signal(signal.SIGKILL)
        early = hashes(tmp_path / "out")
        assert 0 < len(early) < 6
        stub.delay = 0
        done = subprocess.run([sys.executable, "-m", "lib_extension", "resume", *words], cwd=ROOT, stdout=subprocess.DEVNULL, check=False)
        assert done.returncode == 0
        assert len(stub.calls) <= 7  # six, and the one that was cut off
    found = hashes(tmp_path / "out")
    assert early.items() <= found.items()
    assert len(found) == 6


def test_a_run_goes_on_though_its_folder_cannot_be_written_and_the_end_tells_it(tmp_path: Path):
    (tmp_path / "out").write_text("a file")
    with running_stub(delay=0.3) as stub, room(tmp_path / "home", stub.url) as session:
        run_id, _ = session.add(Asked(recipe=chain(4)))
        session.start(run_id, tmp_path / "out")
        with pytest.raises(StorageError, match="The output folder"):
            session.delivered(run_id)
        assert session.ledger.runs.get(run_id).state == "done"
        notices = [event.data["message"] for event in session.ledger.events.after(run_id) if event.kind == "notice"]
        assert len(notices) == 1
        assert "The output folder" in notices[0]
        session.start(run_id, tmp_path / "elsewhere")
        assert len(session.delivered(run_id)) == 4


def test_a_picture_keeps_its_name_when_the_one_before_it_fails(tmp_path: Path):
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "x", "batch_size": 2},
        {"id": "redo", "type": "img2img", "takes": "base", "batch_size": 2},
    ]
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run_id, _ = session.add(Asked(recipe=recipe(*stages)))
        session.runner.start(run_id)
        until(lambda: stub.calls)
        session.runner.wait(run_id, 30)
        session.ledger.results.forget([next(node.key for node in session.ledger.nodes(run_id) if node.place == "redo/0/0")])
        names = session.write_outputs(session.ledger.runs.get(run_id), tmp_path / "out")
    assert names == ["01-base/001-1.png", "01-base/001-2.png", "02-redo/001-3.png", "02-redo/001-4.png"]


def test_what_an_earlier_run_left_goes_only_when_the_next_one_is_at_its_end(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        first, _ = session.add(Asked(recipe=chain(3)))
        session.start(first, tmp_path / "out")
        session.delivered(first)
        stub.delay = 0.8
        second, _ = session.add(Asked(recipe=chain(2, s1={"denoising_strength": 0.6})))
        session.start(second, tmp_path / "out")
        until(lambda: json.loads((tmp_path / "out/manifest.json").read_text())["run"] == second)
        assert session.runner.is_at_work(second)
        assert (tmp_path / "out/03-s2/001-1.png").is_file()
        assert session.delivered(second) == ["01-s0/001-1.png", "02-s1/001-1.png"]
    assert sorted(hashes(tmp_path / "out")) == ["01-s0/001-1.png", "02-s1/001-1.png"]


def test_a_choice_that_comes_as_the_folder_is_closed_opens_it_again(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run_id, _ = session.add(Asked(recipe=places()))
        session.start(run_id)
        session.runner.wait(run_id, 30)
        for item in (1, 2):
            session.choose(run_id, "pick", [1], item)
            session.start(run_id)
        session.runner.wait(run_id, 30)
        until(lambda: session.ledger.runs.get(run_id).state == "done")
        assert len([name for name in session.delivered(run_id) if name.startswith("03-refine")]) == 2


def test_a_picture_that_is_found_damaged_at_the_end_is_made_again(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        run_id, _ = session.add(Asked(recipe=chain(3)))
        session.start(run_id)
        session.delivered(run_id)
        before = hashes(session.home.outputs(run_id))
        for place in ("s0/0/0", "s2/0/0"):
            (blob,) = next(node.pictures for node in session.ledger.nodes(run_id) if node.place == place)
            path = session.blobs.path(blob)
            path.write_bytes(bytes(path.stat().st_size))
        session.start(run_id)
        assert len(session.delivered(run_id)) == 3
        assert (len(stub.calls), session.ledger.runs.get(run_id).state) == (5, "done")
        assert hashes(session.home.outputs(run_id)) == before


@pytest.mark.skipif(os.name != "posix", reason="times of files are set as there")
def test_what_a_killed_process_left_half_written_is_swept(tmp_path: Path):
    with running_stub() as stub, room(tmp_path / "home", stub.url) as session:
        folder = tmp_path / "out/01-s0"
        folder.mkdir(parents=True)
        for name, age in ((".0123456789abcdef.part", 3600), (".fedcba9876543210.part", 1), (".mine.part", 3600)):
            (folder / name).write_bytes(b"half")
            os.utime(folder / name, (time.time() - age, time.time() - age))
        run_id, _ = session.add(Asked(recipe=chain(1)))
        session.start(run_id, tmp_path / "out")
        session.delivered(run_id)
    assert sorted(file.name for file in folder.iterdir()) == [".fedcba9876543210.part", ".mine.part", "001-1.png"]
