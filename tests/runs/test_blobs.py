"""Are pictures whole or not there, whoever writes at the same time?"""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.runs.blobs import Blobs, LostBlob


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


def test_what_is_put_is_got_under_its_hash(blobs: Blobs) -> None:
    name = blobs.put(b"picture")
    assert name == hashlib.sha256(b"picture").hexdigest()
    assert blobs.get(name) == b"picture"
    assert blobs.missing({name: 7}) == set()


@given(contents=st.lists(st.binary(max_size=40), max_size=8))
def test_many_at_once_are_named_in_order(tmp_path_factory: pytest.TempPathFactory, contents: list[bytes]) -> None:
    blobs = Blobs(tmp_path_factory.mktemp("blobs"))
    assert [blobs.get(name) for name in blobs.put_all(contents)] == contents
    assert {name for name, _, _ in blobs.names()} == {hashlib.sha256(content).hexdigest() for content in contents}


def test_what_was_never_put_and_what_was_deleted_are_lost(blobs: Blobs) -> None:
    name = blobs.put(b"picture")
    blobs.remove(name)
    blobs.remove(name)
    with pytest.raises(LostBlob) as caught:
        blobs.get(name)
    assert caught.value.blob == name
    assert blobs.missing({name: 7}) == {name}


def test_a_file_that_changed_is_lost_and_can_be_put_again(blobs: Blobs) -> None:
    name = blobs.put(b"picture")
    blobs.path(name).write_bytes(b"PICTURE")  # as many bytes: only its hash tells
    with pytest.raises(LostBlob):
        blobs.get(name)
    assert blobs.put(b"picture") == name
    assert blobs.get(name) == b"picture"


def test_a_file_that_was_cut_off_is_missing(blobs: Blobs) -> None:
    name = blobs.put(b"picture")
    blobs.path(name).write_bytes(b"pict")
    assert blobs.missing({name: 7}) == {name}
    assert blobs.put(b"picture") == name
    assert blobs.get(name) == b"picture"


def test_nothing_half_written_has_a_name(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lib_extension.runs.blobs._flush", broken)
    with pytest.raises(Exception, match="disk is full"):
        blobs.put(b"picture")
    assert list(blobs.names()) == []
    assert blobs.sweep(-1) == 0  # what was written aside is gone as well


def test_what_a_killed_process_left_is_swept_once_it_is_old(blobs: Blobs, tmp_path: Path) -> None:
    left = tmp_path / "blobs" / "aside" / "half"
    left.write_bytes(b"pict")
    assert blobs.sweep(3600) == 0
    os.utime(left, (0, 0))
    assert blobs.sweep(3600) == 1
    assert not left.exists()


def test_many_threads_put_the_same(blobs: Blobs) -> None:
    contents = [bytes([i]) * 1000 for i in range(8)]
    names: list[list[str]] = []
    threads = [threading.Thread(target=lambda: names.append(blobs.put_all(contents))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert names == [names[0]] * 6
    assert [blobs.get(name) for name in names[0]] == contents
