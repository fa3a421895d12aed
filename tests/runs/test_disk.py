"""What happens when the disk is full, read-only, or gone? A clear error; and when there is room again, nothing finished is made twice."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib_extension.runs.blobs import Blobs
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.storage import DiskFull, ReadOnly, StorageError
from tests.runs.stub_backend import Stub, running_stub
from tests.runs.workshop import chain, recipe, workshop

ROOT = Path(__file__).parents[2]
Mount = Callable[[str], Path]


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as running:
        yield running


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Mount]:
    """Mounts a small file system with these options; only root can."""
    folder = tmp_path / "mounted"
    folder.mkdir()

    def mounted(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if os.name != "posix" or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("needs the right to mount")
        return folder

    yield mounted
    subprocess.run(["umount", "-l", str(folder)], capture_output=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


NOISY = recipe({"id": "base", "type": "txt2img", "prompt": "number {n}", "width": 512, "height": 512}, axes={"n": list(range(12))})


def test_a_full_disk_stops_the_run_with_what_to_do(stub: Stub, mount: Mount) -> None:
    folder = mount("size=600k")
    stub.padding = 60_000
    with workshop(folder, stub.url) as shop:
        run_id = shop.runner.add(NOISY)
        shop.runner.start(run_id)
        try:
            run = shop.runner.wait(run_id, 60)
            assert run.state == "failed"
            message = run.message
        except DiskFull as error:  # where not even the end could be written down
            message = str(error)
        assert "the disk is full or its limit is reached. Free some space." in message
        assert str(folder) not in message
        finished = [node for node in shop.ledger.nodes(run_id) if node.state == "done"]
        assert 0 < len(finished) < 12
        assert all(shop.blobs.get(blob) for node in finished for blob in node.pictures)

        remount(folder, "size=8m")
        calls = len(stub.calls)
        assert shop.resume(run_id).state == "done"
        assert len(stub.calls) - calls == 12 - len(finished)


def test_a_limit_on_the_size_of_files_is_told_as_a_full_disk(tmp_path: Path) -> None:
    code = (
        "import pathlib, resource, sys; from lib_extension.runs.blobs import Blobs; from lib_extension.runs.storage import DiskFull\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); blobs = Blobs(pathlib.Path(sys.argv[1]))\n"
        "blobs.put(bytes(900))\n"
        "try: blobs.put(bytes(1100))\n"
        "except DiskFull as error: print(error)\n"
        "print(len(list(blobs.names())), len(list(pathlib.Path(sys.argv[1], 'aside').iterdir())))"
    )
    if os.name != "posix":
        pytest.skip("such limits are POSIX")
    ended = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert "The pictures' folder cannot be written: the disk is full or its limit is reached." in ended.stdout
    assert ended.stdout.endswith("1 0\n")


def test_a_folder_that_becomes_read_only_is_told(stub: Stub, mount: Mount) -> None:
    folder = mount("size=8m")
    with workshop(folder, stub.url) as shop:
        first = shop.run(chain(3))
        shop.ledger.close()
        remount(folder, "ro")
        with pytest.raises(ReadOnly, match="the folder is read-only for this user"):
            shop.runner.add(chain(4))
        with pytest.raises(ReadOnly):
            shop.blobs.put(b"x")
        remount(folder, "rw")
        assert shop.run(chain(4)).state == "done"
        assert len(stub.calls) == 4
        assert first.state == "done"


def test_a_read_only_folder_cannot_be_begun_in(mount: Mount) -> None:
    folder = mount("size=1m")
    remount(folder, "ro")
    with pytest.raises(ReadOnly):
        Ledger(folder / "ledger.db")
    with pytest.raises(ReadOnly):
        Blobs(folder / "blobs")


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")
    with pytest.raises(StorageError, match="cannot be read or written"):
        Ledger(tmp_path / "data" / "ledger.db")
    with pytest.raises(StorageError, match="cannot be read or written"):
        Blobs(tmp_path / "data" / "blobs")


def test_a_folder_that_vanishes_during_the_run_is_told_and_made_anew(tmp_path: Path, stub: Stub) -> None:
    with workshop(tmp_path, stub.url) as shop:
        run = shop.run(chain(3))
        shutil.rmtree(tmp_path / "blobs")
        again = shop.run(chain(4))
        assert again.state == "failed"
        assert "The pictures' folder cannot be read or written" in again.message
    with workshop(tmp_path, stub.url) as shop:
        assert shop.resume(run.id).state == "done"
        assert shop.run(chain(4)).state == "done"


def test_a_ledger_damaged_between_two_runs_loses_nothing(tmp_path: Path, stub: Stub) -> None:
    with workshop(tmp_path, stub.url) as shop:
        run = shop.run(chain(4))
        before = shop.pictures(run)
    (tmp_path / "ledger.db").write_bytes(b"rubbish" * 2000)
    with workshop(tmp_path, stub.url) as shop:
        again = shop.resume(run.id)
        assert again.state == "done"
        assert len(stub.calls) == 4
        assert shop.pictures(again) == before
        (told,) = shop.events(again, "notice")
        assert "set aside as ledger.db.damaged-" in told.data["message"]


def test_a_ledger_damaged_during_the_run_is_made_anew_at_the_next_start(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 0.1
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(chain(6))
        shop.runner.start(run_id)
        while len(stub.calls) < 3:
            time.sleep(0.01)
        for name in ("ledger.db", "ledger.db-wal"):
            path = tmp_path / name
            path.write_bytes(b"\xff" * path.stat().st_size)
        with contextlib.suppress(StorageError):  # SQLite may not look at the file again before the run is done
            shop.runner.wait(run_id, 30)
    calls = len(stub.calls)
    with workshop(tmp_path, stub.url) as shop:
        restored = shop.ledger.runs.get(run_id)
        assert (restored.state, restored.message) == ("paused", "Made anew from the journal; resume it to see what of it is done.")
        assert shop.resume(run_id).state == "done"
        assert len(stub.calls) <= max(calls, 6) + 2  # those whose end was told to nobody
