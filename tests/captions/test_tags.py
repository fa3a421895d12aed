"""Do captions and tags turn into each other without loss?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.captions.tags import caption_of, escaped, spaced, tags_of, without_twins

TAGS = st.lists(st.text(st.characters(exclude_characters=",\n", exclude_categories=("Cs",)), min_size=1).map(str.strip).filter(bool))

FACES = "0_0 (o)_(o) +_+ +_- ._. <o>_<o> <|>_<|> =_= >_< 3_3 6_9 >_o @_@ ^_^ o_o u_u x_x |_| ||_|| \\(o\\)_\\(o\\)"


@given(TAGS)
def test_tags_come_back_from_their_caption(tags: list[str]) -> None:
    assert tags_of(caption_of(tags)) == [stripped for tag in tags if (stripped := tag.strip())]


@pytest.mark.parametrize(
    ("caption", "tags"),
    [("", []), (" , ,", []), ("a watch on a beach", ["a watch on a beach"]), ("red,  watch ,\nbeach", ["red", "watch", "beach"])],
)
def test_tags_of(caption: str, tags: list[str]) -> None:
    assert tags_of(caption) == tags


@pytest.mark.parametrize(
    ("tag", "read"),
    [("red_strap", "red strap"), ("^_^", "^_^"), ("o_o", "o_o"), ("0_0", "0_0"), (">_<", ">_<"), ("a_b_c", "a b c"), ("1_girl", "1 girl")],
)
def test_underscores_become_spaces_but_in_faces(tag: str, read: str) -> None:
    assert spaced(tag) == read


@pytest.mark.parametrize("tag", FACES.split())
def test_the_faces_that_taggers_know_keep_their_underscore(tag: str) -> None:
    assert spaced(tag) == tag


@pytest.mark.parametrize(("tag", "prompt"), [("saber (fate)", r"saber \(fate\)"), (r"a \(b\)", r"a \(b\)"), ("plain", "plain")])
def test_brackets_are_escaped_once(tag: str, prompt: str) -> None:
    assert escaped(tag) == prompt
    assert escaped(escaped(tag)) == prompt


def test_twins_stand_where_the_first_stood() -> None:
    assert without_twins(["b", "a", "b"]) == ["b", "a"]
