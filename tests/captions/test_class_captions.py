"""Do captions lose their trigger word, and nothing else?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.captions.class_captions import class_captions, without_trigger
from lib_extension.captions.files import Captioned
from lib_extension.spec.errors import BadRequest


def captioned(*texts: str) -> list[Captioned]:
    return [Captioned(Path(f"{i}.png"), Path(f"{i}.txt"), text, f"{i}.png") for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("caption", "instead", "told"),
    [
        ("sks, red hair, beach", "", "red hair, beach"),
        ("sks, red hair, beach", "woman", "woman, red hair, beach"),
        ("a photo of SKS watch on a table.", "", "a photo of watch on a table."),
        ("A photo of sks.", "", "A photo of."),
        ("A photo of sks.", "a watch", "A photo of a watch."),
        ("sksy, asks, my_sks", "", "sksy, asks, my_sks"),
        ("watch, sks", "watch", "watch"),
        ("sks", "", ""),
        ("sks.", "", ""),
        ("storybook  style, a mug", "", "storybook  style, a mug"),
        ("ohwx woman, hat", "", "hat"),
        (r"saber \(fate\), sks", "", r"saber \(fate\)"),
        ("größe, 赤い sks, 猫", "", "größe, 赤い, 猫"),
    ],
)
def test_without_trigger(caption: str, instead: str, told: str) -> None:
    assert without_trigger(caption, ["sks", "ohwx", "ohwx woman"], instead) == told


def test_what_replaces_it_is_no_pattern() -> None:
    assert without_trigger(r"a (sks)", ["(sks)"], r"\1 mug") == r"a \1 mug"


def test_each_caption_that_says_something() -> None:
    assert class_captions(captioned("sks, hat", "", "sks", "beach"), "sks") == ["hat", "beach"]
    assert class_captions(captioned("sks, hat"), "") == ["sks, hat"]
    with pytest.raises(BadRequest, match='No caption has the trigger word "skx"'):
        class_captions(captioned("sks, hat"), "skx")
    with pytest.raises(BadRequest, match="say nothing besides"):
        class_captions(captioned("sks", ""), "sks")
