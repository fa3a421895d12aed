"""Is a file whole or not there, whatever happens while it is written, and never in another's place?"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lib_extension.formats.safetensors_header import read_header
from lib_extension.spec.errors import BadRequest
from trainer.merging import output_file
from trainer.merging.copying import copy
from trainer.merging.output_file import OutputFile, planned
from trainer.merging.tensor_file import TensorFile

ROOT = Path(__file__).parents[3]
TENSORS = {
    "a": torch.randn(3, 4),
    "b": torch.randn(5).half(),
    "c": torch.randn(2, 2).bfloat16(),
    "n": torch.tensor(3),
    "none": torch.zeros(0, 4),
}


def _write(folder: Path, name: str, metadata: dict[str, str] | None = None) -> Path:
    with OutputFile(folder, name, [planned(name, tensor) for name, tensor in TENSORS.items()], {"of": "first"}) as output:
        for tensor in TENSORS.values():
            output.write_tensor(tensor)
        return output.finish(metadata)


def test_safetensors_reads_it(tmp_path: Path) -> None:
    path = _write(tmp_path / "new", "x", {"of": "second", "ü": "\n" * 100})
    found = load_file(path)
    assert found.keys() == TENSORS.keys()
    assert all(torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype for name, tensor in TENSORS.items())
    with safe_open(path, "pt") as opened:
        assert opened.metadata() == {"of": "second", "ü": "\n" * 100}
    assert read_header(path).data_start % 8 == 0
    assert list(path.parent.iterdir()) == [path]


def test_names_that_are_taken_get_numbers(tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_text("mine")
    (tmp_path / "x-2.safetensors").symlink_to(tmp_path / "nowhere")
    assert _write(tmp_path, "x").name == "x-3.safetensors"
    assert (tmp_path / "x.safetensors").read_text() == "mine"


def test_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*names: object) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    assert [_write(tmp_path, "x").name for _ in range(2)] == ["x.safetensors", "x-2.safetensors"]


def test_what_is_left_undone_is_removed(tmp_path: Path) -> None:
    with OutputFile(tmp_path, "x", [planned("a", TENSORS["a"])], {}) as output:
        output.write_tensor(TENSORS["a"])
    assert not list(tmp_path.iterdir())


def test_a_full_disk_is_told_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(output_file.shutil, "disk_usage", lambda folder: usage._replace(free=1000))
    with pytest.raises(BadRequest, match="GB are free"):
        _write(tmp_path, "x")
    assert not list(tmp_path.iterdir())


def test_what_killed_processes_left_is_swept(tmp_path: Path) -> None:
    old, new, other = tmp_path / ".x-0123456789ab.part", tmp_path / ".y-0123456789ab.part", tmp_path / "z.part"
    for file in (old, new, other):
        file.write_text("half")
    folders = [tmp_path / f".{age}-0123456789ab.part" for age in ("older", "newer")]
    for folder in folders:
        folder.mkdir()
        (folder / "unet").write_text("half")
    for path in (old, other, folders[0]):
        os.utime(path, (1, 1))
    _write(tmp_path, "x")
    assert [path.exists() for path in (old, new, other, *folders)] == [False, True, True, False, True]


@pytest.mark.parametrize("without", [(), ("copy_file_range",), ("copy_file_range", "sendfile")])
def test_every_way_of_copying(without: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for call in without:
        monkeypatch.delattr(os, call)
    values = torch.randint(0, 255, (3 << 20,), dtype=torch.uint8)
    save_file({"a": values}, tmp_path / "source.safetensors")
    with TensorFile(tmp_path / "source.safetensors") as source, OutputFile(tmp_path, "x", [planned("a", values)], {}) as output:
        start = source.header.data_start
        copy(source, start, start + 1000, output)
        copy(source, start + 1000, start + (3 << 20), output)
        path = output.finish()
    assert torch.equal(load_file(path)["a"], values)


_SLOWLY = """
import sys, torch
from pathlib import Path
from trainer.merging.output_file import OutputFile, planned
tensors = [torch.full((200, 1000), float(n)) for n in range(10)]
print("begun", flush=True)
while True:
    with OutputFile(Path(sys.argv[1]), "x", [planned(str(n), t) for n, t in enumerate(tensors)], {"of": "new"}) as output:
        for tensor in tensors:
            output.write_tensor(tensor)
        output.finish({"of": "new", "more": "told at the end"})
"""


@pytest.mark.skipif(os.name != "posix", reason="no kill -9 elsewhere")
def test_killed_at_any_moment_nothing_is_half_there(tmp_path: Path) -> None:
    """A process that writes file after file is killed at 20 random moments of its work."""
    old = tmp_path / "x.safetensors"
    save_file({"old": torch.ones(3)}, old)
    before = old.read_bytes()
    chance = random.Random(1)
    for _ in range(20):
        process = subprocess.Popen([sys.executable, "-c", _SLOWLY, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()
        time.sleep(chance.random() * 0.15)
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
    assert old.read_bytes() == before
    written = [path for path in tmp_path.iterdir() if path.suffix == ".safetensors" and path != old]
    assert written
    for path in written:
        tensors = load_file(path)
        assert all(bool((tensors[str(n)] == n).all()) for n in range(10))
        assert read_header(path).metadata == {"of": "new", "more": "told at the end"}
    assert all(path.suffix == ".part" for path in tmp_path.iterdir() if path != old and path not in written)
