"""Is what a tagger saw otherwise told of the captions that it was compared with, and of no others?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from lib_extension.captions.contradictions import FILE, Contradiction, of_captions, read, write
from lib_extension.captions.files import Captioned

ONE = Captioned(Path("a.png"), Path("a.txt"), "red, mug", "a.png")
FOUND = Contradiction(unseen=(("red", 0.02),), unsaid=(("blue", 0.93),))


def test_they_are_told_until_the_caption_changes(tmp_path: Path):
    other = replace(ONE, name="ö.png")
    write(tmp_path / "journal", [(ONE, FOUND), (other, Contradiction())])
    compared = read(tmp_path / "journal")
    assert of_captions([ONE, other], compared) == {"a.png": FOUND}
    assert of_captions([replace(ONE, text="blue, mug")], compared) == {}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pictures": 3}', '{"pictures": {"a.png": {"caption": "x", "unseen": [1], "unsaid": []}}}']
)
def test_nonsense_says_nothing(tmp_path: Path, text: str):
    assert read(tmp_path) == {}
    (tmp_path / FILE).write_text(text)
    assert read(tmp_path) == {}
