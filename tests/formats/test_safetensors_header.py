"""Headers are read as the safetensors library reads them, and every lie in one is refused."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import save_file

from lib_extension.formats.safetensors_header import TensorInfo, read_header
from lib_extension.spec.errors import BadFile

GOOD = {"a": {"dtype": "F16", "shape": [2, 3], "data_offsets": [0, 12]}, "b": {"dtype": "I64", "shape": [], "data_offsets": [12, 20]}}


def write(path: Path, header: Any, data: bytes = bytes(20), length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def test_reads_names_types_shapes_and_metadata(tmp_path: Path):
    header = read_header(write(tmp_path / "x.safetensors", {"__metadata__": {"ss_base": "sd_v1"}, **GOOD}))
    assert header.tensors == {"a": TensorInfo("F16", (2, 3), (0, 12)), "b": TensorInfo("I64", (), (12, 20))}
    assert header.metadata == {"ss_base": "sd_v1"}
    assert header.data_start == (tmp_path / "x.safetensors").stat().st_size - 20


def test_reads_what_the_library_writes(tmp_path: Path):
    tensors = {"w": np.ones((4, 5), np.float16), "empty": np.zeros((0, 3), np.float32), "n": np.array(7, np.int64)}
    save_file(tensors, tmp_path / "x.safetensors", {"k": "v"})
    header = read_header(tmp_path / "x.safetensors")
    assert {name: tensor.shape for name, tensor in header.tensors.items()} == {name: array.shape for name, array in tensors.items()}
    start, end = header.tensors["w"].offsets
    stored = (tmp_path / "x.safetensors").read_bytes()[header.data_start :][start:end]
    assert np.array_equal(np.frombuffer(stored, np.float16).reshape(4, 5), tensors["w"])


def changed(**values: Any) -> dict[str, Any]:
    return {**GOOD, "a": {**GOOD["a"], **values}}


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"no json at all", "is not JSON"),
        (b'{"a": ', "is not JSON"),
        (b"[1]", "is not JSON"),
        (b"{" + b'"a":{' * 50_000, "is not JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "is not JSON"),
        (b'{"\xff": 1}', "is not JSON"),
        (b'{"a": {"dtype": "F16", "dtype": "F32"}}', "twice"),
        ({"a": 5}, "is not dtype, shape and data_offsets"),
        ({"__metadata__": {"a": 5}}, "metadata"),
        ({"__metadata__": 5}, "metadata"),
        (changed(dtype="F17"), "type"),
        (changed(dtype=["F16"]), "type"),
        (changed(shape=[2, -3]), "whole numbers"),
        (changed(shape=[2, 3.0]), "whole numbers"),
        (changed(shape=[True, 6]), "whole numbers"),
        (changed(shape="23"), "whole numbers"),
        (changed(shape=[2**62, 2**62]), "larger than any file"),
        (changed(shape=[2, 4]), "does not fill its 12 bytes"),
        (changed(data_offsets=[0, 2**70]), "whole numbers"),
        (changed(data_offsets=[12, 0]), "does not fill"),
        (changed(data_offsets=[0]), "whole numbers"),
        ({"a": GOOD["a"], "b": {**GOOD["b"], "data_offsets": [4, 12]}}, "another tensor's"),
        ({"a": GOOD["a"]}, "its tensors need 12 bytes, and 20 are there"),
        ({"b": GOOD["b"]}, "belong to no tensor"),
        ({**GOOD, "c": {"dtype": "U8", "shape": [9], "data_offsets": [20, 29]}}, "its tensors need 29 bytes, and 20 are there"),
    ],
)
def test_lies_are_refused(tmp_path: Path, header: Any, reason: str):
    with pytest.raises(BadFile, match=reason) as caught:
        read_header(write(tmp_path / "my lora.safetensors", header))
    assert str(caught.value).startswith('"my lora.safetensors" is not a sound safetensors file')
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("length", [2**64 - 1, 200_000_000, 10_000])
def test_a_header_longer_than_the_file(tmp_path: Path, length: int):
    with pytest.raises(BadFile, match=f"says its header has {length} bytes"):
        read_header(write(tmp_path / "x.safetensors", GOOD, length=length))


@pytest.mark.parametrize("content", [b"", b"1234567", bytes(8)])
def test_files_too_short(tmp_path: Path, content: bytes):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(BadFile):
        read_header(tmp_path / "x.safetensors")


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path):
    with pytest.raises(BadFile, match=r'^"x\.safetensors" cannot be read: No such file') as caught:
        read_header(tmp_path / "x.safetensors")
    assert str(tmp_path) not in str(caught.value)


def test_of_a_large_file_only_the_header_is_read(tmp_path: Path):
    """Only the header is read: 7 GB of zeros, which a sparse file holds without needing the disk."""
    tensors = {
        f"layer.{i}.weight": {"dtype": "F16", "shape": [1750, 1000], "data_offsets": [i * 3_500_000, (i + 1) * 3_500_000]}
        for i in range(2000)
    }
    path = write(tmp_path / "big.safetensors", tensors, data=b"")
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size + 7_000_000_000)
    tracemalloc.start()
    try:
        assert len(read_header(path).tensors) == 2000
        assert tracemalloc.get_traced_memory()[1] < 20_000_000  # bytes, of 7 GB
    finally:
        tracemalloc.stop()


numbers = st.integers(-1, 24) | st.sampled_from([2**31, 2**63, 2**64])
entries = st.fixed_dictionaries(
    {
        "dtype": st.sampled_from(["F16", "F32", "U8", "F4", "X"]),
        "shape": st.lists(numbers, max_size=3),
        "data_offsets": st.lists(numbers, max_size=3),
    }
)
headers = st.dictionaries(st.text(max_size=3), entries | st.none() | st.integers(), max_size=3)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(header=headers, data=st.binary(max_size=24))
def test_what_is_taken_the_library_takes_too(tmp_path: Path, header: Any, data: bytes):
    path = write(tmp_path / "x.safetensors", header, data)
    try:
        read = read_header(path)
    except BadFile:
        return
    with safetensors.safe_open(path, framework="numpy") as file:
        assert set(file.keys()) == set(read.tensors)
        assert all(tuple(file.get_slice(name).get_shape()) == tensor.shape for name, tensor in read.tensors.items())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(content=st.binary(max_size=64) | st.binary(max_size=40).map(lambda tail: (20).to_bytes(8, "little") + b'{"a":{"dtype":' + tail))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes):
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    try:
        read_header(path)
    except BadFile:
        pass
