"""Do filters mean what they say, and do edits change only what they are about?"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.captions.counts import balance, count, fused_with
from lib_extension.captions.edits import differences
from lib_extension.captions.files import Captioned
from lib_extension.captions.filters import matching
from lib_extension.spec.captions import CaptionEdit, CaptionFilter
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, read_value

TEXTS = ("red, watch, beach", "blue, watch", "red,mug ,  beach", "a sentence about a watch", "")


def captions(*texts: str) -> list[Captioned]:
    return [Captioned(Path(f"{i}.png"), Path(f"{i}.txt"), text, f"{i}.png") for i, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, "01234"),
        ({"has": ["red"]}, "02"),
        ({"has": ["red", "watch"]}, "0"),
        ({"has": ["red", "watch"], "match": "any"}, "012"),
        ({"has": ["red, watch"]}, "0"),
        ({"lacks": ["watch"]}, "234"),
        ({"has": ["beach"], "lacks": ["watch"]}, "2"),
        ({"text": "WATCH"}, "013"),
        ({"pattern": "^$"}, "4"),
        ({"pattern": r"\bmug\b", "has": ["blue"], "match": "any"}, "12"),
        ({"names": ["1.png", "3.png"], "text": "watch"}, "13"),
    ],
)
def test_a_filter_means(wanted: dict[str, object], found: str) -> None:
    assert "".join(one.name[0] for one in matching(captions(*TEXTS), from_json(CaptionFilter, wanted))) == found


def test_a_pattern_that_is_none_says_where() -> None:
    with pytest.raises(BadRequest, match=r'pattern is "\(a", which is no regular expression: .*position 0'):
        from_json(CaptionFilter, {"pattern": "(a"})
    with pytest.raises(BadRequest, match=r'by is "\\2"'):
        read_value(CaptionEdit, {"kind": "text", "find": "(a)", "by": r"\2", "pattern": True})


def test_one_that_cannot_be_read_is_never_meant() -> None:
    broken = Captioned(Path("a.png"), Path("a.txt"), "", "a.png", "It is not a text.")
    assert matching([broken], CaptionFilter()) == []


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        ({"kind": "add", "tags": ["atelier", "red"], "where": "first"}, "atelier, blue, red strap, watch"),
        ({"kind": "add", "tags": ["new, newer"]}, "blue, red strap, watch, new, newer"),
        ({"kind": "remove", "tags": ["blue", "none"]}, "red strap, watch"),
        ({"kind": "replace", "tag": "watch", "by": ["clock", "blue"]}, "blue, red strap, clock"),
        ({"kind": "replace", "tag": "strap", "by": ["band"]}, None),
        ({"kind": "text", "find": "strap", "by": "band"}, "blue, red band, watch"),
        ({"kind": "text", "find": r"(\w+) strap", "by": r"\1 band", "pattern": True}, "blue, red band, watch"),
        ({"kind": "sort", "keep": 1, "order": "by name"}, None),
        ({"kind": "sort"}, None),
        ({"kind": "set", "text": " all new "}, "all new"),
    ],
)
def test_an_edit_makes(edit: dict[str, object], after: str | None) -> None:
    if edit.get("kind") == "add" and "red" in str(edit["tags"]):
        after = "atelier, red, blue, red strap, watch"
    found = differences(captions("blue, red strap, watch"), [read_value(CaptionEdit, edit)])
    assert [change.after for change in found] == ([] if after is None else [after])


def test_tidying_takes_doubles_spaces_and_underscores() -> None:
    tidy = read_value(CaptionEdit, {"kind": "tidy", "underscores": True})
    (change,) = differences(captions("red_strap,, red  strap , ^_^"), [tidy])
    assert change.after == "red strap, ^_^"


def test_sorting_by_frequency_counts_all_of_them() -> None:
    sort = read_value(CaptionEdit, {"kind": "sort", "order": "most frequent first", "keep": 1})
    found = differences(captions("t, a, b, c", "t, c", "t, c, b"), [sort])
    assert [change.after for change in found] == ["t, c, b, a"]


def test_captions_that_an_edit_is_not_about_stay_as_they_were_written() -> None:
    odd = "red ,,  blue"
    for edit in ({"kind": "remove", "tags": ["green"]}, {"kind": "add", "tags": ["red"]}, {"kind": "replace", "tag": "x", "by": ["y"]}):
        assert differences(captions(odd), [read_value(CaptionEdit, edit)]) == []


def test_edits_follow_each_other() -> None:
    edits = [read_value(CaptionEdit, e) for e in ({"kind": "remove", "tags": ["a"]}, {"kind": "add", "tags": ["a"]})]
    assert [change.after for change in differences(captions("a, b"), edits)] == ["b, a"]
    assert differences(captions("b, a"), edits) == []


@given(st.lists(st.text("ab, _()", max_size=20), max_size=5), st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3))
def test_adding_and_removing_is_as_if_nothing_had_been(texts: list[str], tags: list[str]) -> None:
    add = read_value(CaptionEdit, {"kind": "add", "tags": tags})
    remove = read_value(CaptionEdit, {"kind": "remove", "tags": tags})
    once = [change.after for change in differences(captions(*texts), [add, remove])]
    for text in once:
        assert not set(tags) & {part.strip() for part in text.split(",")}
    again = differences(captions(*once), [remove])
    assert again == []


def test_counts_tell_tags_empties_and_folders() -> None:
    counts = count(captions(*TEXTS))
    assert (counts.captions, counts.empty) == (5, 1)
    assert counts.tags[:3] == (("beach", 2), ("red", 2), ("watch", 2))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (("a/1.png", "a/2.png", "3.png"), (("a", 2, 0), ("", 1, 0))),
        (("10_dog/1.png", "2_cat/1.png", "2_cat/2.png"), (("10_dog", 1, 10), ("2_cat", 2, 2))),
        (("10_dog/1.png", "2_cat/1.png", "2_cat/2.png", "3.png"), (("2_cat", 2, 0), ("", 1, 0), ("10_dog", 1, 0))),
        (("10_dog/1.png", "2_cat/in/1.png", "2_cat/in/2.png"), (("2_cat/in", 2, 0), ("10_dog", 1, 0))),
        (("10_dog/1.png", "0_cat/1.png"), (("0_cat", 1, 0), ("10_dog", 1, 0))),
        ((), ()),
    ],
)
def test_folders_are_told_with_their_pictures_and_repeats(names: tuple[str, ...], told: tuple[tuple[str, int, int], ...]) -> None:
    assert balance([Captioned(Path("x"), Path("x"), "", name) for name in names]) == told


def test_tags_that_never_come_without_the_trigger_are_fused() -> None:
    told = captions("sks, red, studio", "sks, red, beach", "sks, red, night", "sks watch, blue", "blue, red")
    assert fused_with("sks", told[:3]) == [("red", 1.0)]
    assert fused_with("sks", told, share=0.75) == [("red", 0.75)]
    assert fused_with("sks", told[:2]) == []
    assert fused_with("", told) == []


@pytest.mark.parametrize("text", ["a photo of my watch on a desk, studio", "My Watch, studio", "(my watch:1.1), studio"])
def test_a_trigger_of_several_words_is_found_anywhere(text: str) -> None:
    told = captions(*[f"{text}, {number}" for number in range(3)], "my watches, blue", "amy watch")
    assert ("studio", 1.0) in fused_with("my watch", told)
