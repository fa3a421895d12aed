"""Names of files work on every system, and no two are the same."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.stages.file_names import safe_name, safe_path, unused

DEVICES = {"con", "prn", "aux", "nul", *(f"{name}{number}" for name in ("com", "lpt") for number in range(10))}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("beach", "beach"),
        ("a: b?", "a_ b_"),
        ("  dots. . ", "dots"),
        ("CON", "CON_"),
        ("nul.tar", "nul_.tar"),
        ("com1 ", "com1_"),
        ("LPT¹", "LPT¹_"),
        ("console", "console"),
        ("a/b\\c", "a_b_c"),
        ("tab\tnew\nline\0", "tab_new_line_"),
        ("..", ""),
        ("", ""),
        ("é", "é"),
        ("海" * 100, "海" * 40),
        ("lone \ud800", "lone _"),
    ],
)
def test_names(text: str, name: str):
    assert safe_name(text) == name


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("beach/watch", "beach/watch"),
        ("../../etc/passwd", "etc/passwd"),
        ("/absolute", "absolute"),
        ("C:\\Windows", "C_/Windows"),
        ("a//./b/", "a/b"),
        ("..", "picture"),
        ("aux/con", "aux_/con_"),
    ],
)
def test_paths(text: str, path: str):
    assert safe_path(text) == path


@given(st.text(max_size=300))
def test_any_text_becomes_a_path_that_stays_inside(text: str):
    path = safe_path(text)
    for part in path.split("/"):
        assert part
        assert part not in (".", "..")
        assert not re.search(r'[<>:"\\|?*\x00-\x1f]', part)
        assert not part.endswith((".", " "))
        assert not part.startswith(" ")
        assert part.split(".")[0].strip().lower() not in DEVICES
        assert len(part.encode()) <= 121


@given(st.lists(st.sampled_from(["a.png", "A.PNG", "a-2.png", "straße.png", "STRASSE.png"]), max_size=12))
def test_no_two_are_the_same_whatever_their_case(paths: list[str]):
    used: set[str] = set()
    given_out = [unused(path, used) for path in paths]
    assert len({path.casefold() for path in given_out}) == len(paths)
    assert all(path.endswith((".png", ".PNG")) for path in given_out)
