from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
import torch

from lib_extension.spec.errors import BadFile
from trainer.data.store import Store, key_of

KEY = key_of("a")
LATENT = {"latent": torch.arange(12.0).reshape(3, 4)}


def again(at: Path) -> Store:
    """The same folder by another process, which has nothing in memory."""
    return Store(at)


def test_what_was_put_comes_back(tmp_path: Path):
    store = Store(tmp_path)
    assert store.get(KEY) is None
    store.put(KEY, {**LATENT, "half": torch.ones(2, dtype=torch.bfloat16)})
    for one in (store, again(tmp_path)):
        found = one.get(KEY)
        assert found is not None
        assert torch.equal(found["latent"], LATENT["latent"])
        assert found["half"].dtype == torch.bfloat16


def test_keys_differ_by_every_part():
    keys = [key_of("a", 1), key_of("a", "1"), key_of("a1"), key_of("a", 1, None), key_of("b", 1), key_of("a\n1")]
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("length", [0, 4, 8, 30, -1])
def test_a_file_that_was_cut_off_counts_as_missing(tmp_path: Path, length: int):
    store = Store(tmp_path)
    store.put(KEY, LATENT)
    data = store.file(KEY).read_bytes()
    store.file(KEY).write_bytes(data[:length])
    assert again(tmp_path).get(KEY) is None


def test_any_changed_byte_of_the_values_is_seen(tmp_path: Path):
    store = Store(tmp_path)
    store.put(KEY, LATENT)
    data = bytearray(store.file(KEY).read_bytes())
    for place in range(len(data) - 48, len(data)):
        damaged = data.copy()
        damaged[place] ^= 1
        store.file(KEY).write_bytes(damaged)
        assert again(tmp_path).get(KEY) is None


def test_files_of_others_count_as_missing(tmp_path: Path):
    store = Store(tmp_path)
    store.put(KEY, LATENT)
    for data in (b"\xff" * 100, b"\x02\0\0\0\0\0\0\0{}", b"\x08\0\0\0\0\0\0\0[1, 2,3]"):
        store.file(KEY).write_bytes(data)
        assert again(tmp_path).get(KEY) is None


def test_what_must_be_there_is_told_by_name(tmp_path: Path):
    with pytest.raises(BadFile, match="a mug"):
        Store(tmp_path).need(KEY, "a mug")


def test_memory_is_bounded(tmp_path: Path):
    store = Store(tmp_path, memory=100)
    keys = [key_of(number) for number in range(5)]
    for number, key in enumerate(keys):
        store.put(key, {"latent": torch.full((12,), float(number))})  # 48 bytes
    for key in keys:
        store.file(key).unlink()
    assert [store.get(key) is not None for key in keys] == [False, False, False, True, True]


def test_what_a_killed_process_left_is_removed_after_a_while(tmp_path: Path):
    Store(tmp_path)
    old, new = tmp_path / "parts" / "old", tmp_path / "parts" / "new"
    old.write_bytes(b"x")
    new.write_bytes(b"x")
    then = time.time() - 7200
    os.utime(old, (then, then))
    Store(tmp_path)
    assert not old.exists()
    assert new.exists()
