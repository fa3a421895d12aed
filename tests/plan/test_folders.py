"""A recipe's files: within its folder, however the name is written."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.plan.folders import Folder, plain_name
from lib_extension.spec.errors import AtelierError, BadRequest, NotFound, TooLarge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    inside = tmp_path / "recipes"
    (inside / "inputs").mkdir(parents=True)
    (inside / "inputs" / "watch.png").write_bytes(b"watch")
    (tmp_path / "secret.txt").write_bytes(b"secret")
    (tmp_path / "recipes-other").mkdir()
    (tmp_path / "recipes-other" / "x").write_bytes(b"secret")
    return inside


@pytest.mark.parametrize("name", ["inputs/watch.png", "./inputs/watch.png", "inputs//watch.png"])
def test_files_below_are_read(folder: Path, name: str):
    assert Folder(folder).read(name, 5) == b"watch"


@pytest.mark.parametrize(
    "name",
    [
        *("/etc/passwd", "//server/share", "\\\\server\\share", "..", "../secret.txt", "inputs/../../secret.txt", "..\\secret.txt"),
        *(
            "C:\\secret.txt",
            "C:secret.txt",
            "C:/secret.txt",
            "file:///etc/passwd",
            "inputs/watch.png:stream",
            "a\0b",
            "",
            " ",
            ".",
            "./",
            "a\nb",
        ),
        *("inputs/..", "x" * 300, "con?", "a|b", "~/\\x"),
    ],
)
def test_names_that_could_lead_elsewhere_are_refused(folder: Path, name: str):
    with pytest.raises(BadRequest, match="is refused: it must lead to a file in the recipe's folder"):
        Folder(folder).read(name, 100)


def test_links_are_followed_within_the_folder_only(folder: Path):
    (folder / "inner.png").symlink_to(folder / "inputs" / "watch.png")
    (folder / "out.txt").symlink_to(folder.parent / "secret.txt")
    (folder / "away").symlink_to(folder.parent / "recipes-other", target_is_directory=True)
    (folder / "round").symlink_to(folder / "round")
    assert Folder(folder).read("inner.png", 100) == b"watch"
    for name in ("out.txt", "away/x"):
        with pytest.raises(BadRequest, match="is a link that leads out of the recipe's folder"):
            Folder(folder).read(name, 100)
    with pytest.raises(NotFound):
        Folder(folder).read("round", 100)


def test_what_is_no_file_is_refused_without_waiting_for_it(folder: Path):
    os.mkfifo(folder / "pipe")
    for name in ("pipe", "inputs"):
        with pytest.raises(NotFound, match="is no file"):
            Folder(folder).read(name, 100)


def test_missing_and_large_files_are_told_without_the_folder(folder: Path):
    with pytest.raises(NotFound) as missing:
        Folder(folder).read("inputs/vase.png", 100)
    assert str(missing.value) == 'The file "inputs/vase.png" cannot be read from the recipe\'s folder: No such file or directory.'
    with pytest.raises(TooLarge, match="more than 4 bytes"):
        Folder(folder).read("inputs/watch.png", 4)


@given(st.text(alphabet="ab./\\:~ \0é", max_size=12) | st.text(max_size=20))
def test_any_name_stays_below_or_is_refused(name: str):
    try:
        path = plain_name(name)
    except AtelierError:
        return
    root = Path("/recipes")
    assert Path(os.path.normpath(root / path)).is_relative_to(root)
    assert not {"\\", ":"} & set(name)
