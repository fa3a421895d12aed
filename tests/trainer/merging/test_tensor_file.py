"""Are sound files read rightly, and all others refused with the reason?"""

from __future__ import annotations

import hashlib
import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from lib_extension.spec.errors import BadFile, NotFound
from trainer.merging.lora_file import LoraFile
from trainer.merging.model import Model
from trainer.merging.tensor_file import TensorFile


def _file(folder: Path, header: object, data: bytes = b"\0" * 8, *, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "bad.safetensors"
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def _told(start: int, end: int, shape: list[int] | None = None) -> dict[str, object]:
    return {"dtype": "F32", "shape": [(end - start) // 4] if shape is None else shape, "data_offsets": [start, end]}


@pytest.mark.parametrize(
    ("header", "length", "reason"),
    [
        ({"a": _told(0, 8)}, 10**6, "it says its header has 1000000 bytes"),
        ({"a": _told(0, 8), "b": _told(4, 8)}, None, "another tensor's too"),
        ({"a": _told(0, 16)}, None, "need 16 bytes, and 8 are there"),
        ({"a": _told(4, 8)}, None, "belong to no tensor"),
        ({"a": _told(0, 8, [3])}, None, "does not fill"),
        (b'{"a": 1, "a": 2}', None, "stands twice"),
        (b'{"a": ', None, "not JSON"),
        (b"{" + b" " * 100_000_001, None, "longer than 100000000"),
    ],
)
def test_malformed_files_are_refused(header: object, length: int | None, reason: str, tmp_path: Path) -> None:
    path = _file(tmp_path, header, length=length)
    for opening in (TensorFile, LoraFile, Model):
        with pytest.raises(BadFile, match=reason):
            opening(path)


def test_pickles_are_never_opened(tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return (Path.touch, (tmp_path / "sprung",))

    for name in ("a.ckpt", "a.pt", "a.bin", "a.safetensors"):
        (tmp_path / name).write_bytes(pickle.dumps(Trap()))
        for opening in (TensorFile, LoraFile, Model):
            with pytest.raises(BadFile):
                opening(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r'no file "x\.safetensors"'):
        TensorFile(tmp_path / "x.safetensors")


def test_values(tmp_path: Path) -> None:
    tensors = {"a": torch.randn(6, 2, 3), "b": torch.randn(4).bfloat16(), "n": torch.tensor(7.0), "none": torch.zeros(0, 2)}
    save_file(tensors, tmp_path / "x.safetensors")
    with TensorFile(tmp_path / "x.safetensors") as file:
        assert all(torch.equal(file.tensor(name), tensor) for name, tensor in tensors.items())
        assert torch.equal(file.rows("a", 2, 3), tensors["a"][2:5].reshape(3, 6))
        assert torch.equal(file.rows("n", 0, 1), torch.tensor([[7.0]]))
        digest = hashlib.sha256((tmp_path / "x.safetensors").read_bytes()).hexdigest()
        assert file.sha256() == digest


def test_a_file_that_is_cut_off_meanwhile(tmp_path: Path) -> None:
    save_file({"a": torch.randn(600)}, tmp_path / "x.safetensors")
    with TensorFile(tmp_path / "x.safetensors") as file:
        with (tmp_path / "x.safetensors").open("r+b") as other:
            other.truncate(200)
        with pytest.raises(BadFile, match="became shorter"):
            file.tensor("a")
