from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.spec.training.data import CaptionSettings
from tests.trainer.data.drawn import example
from trainer.data.captions import caption_at, plain_caption, possible_captions, tags_of
from trainer.data.chance import Turn

TAGS = st.lists(st.text("abcdefgh ", min_size=1, max_size=8).filter(str.strip).map(str.strip), min_size=1, max_size=12, unique=True)


def at(epoch: int = 0, repeat: int = 0, seed: int = 0) -> Turn:
    return Turn(seed, epoch, "mugs/0.png", repeat)


def texts(caption: str, count: int = 300, *, trigger: str = "", **settings: object) -> list[str]:
    one = example(caption, trigger=trigger, captions=CaptionSettings(**settings))  # pyright: ignore[reportArgumentType]
    return [caption_at(one, at(epoch)) for epoch in range(count)]


def test_a_caption_stays_as_it_is_unless_something_is_asked():
    assert set(texts("A mug,on  a table. ", 3)) == {"A mug,on  a table."}


@given(TAGS, st.integers(0, 5), st.integers(0, 2**32), st.integers(0, 20), st.integers(0, 5))
def test_shuffling_is_pure_keeps_all_tags_and_the_first_in_place(tags: list[str], keep: int, seed: int, epoch: int, repeat: int):
    one = example(", ".join(tags), captions=CaptionSettings(shuffle=True, keep_tokens=keep))
    text = caption_at(one, at(epoch, repeat, seed))
    assert text == caption_at(one, at(epoch, repeat, seed))
    found = tags_of(text, one.concept.captions)
    assert found[:keep] == tags[:keep]
    assert sorted(found) == sorted(tags)


def test_shuffling_differs_by_epoch_repeat_and_picture():
    one = example(", ".join("abcdefgh"), captions=CaptionSettings(shuffle=True))
    other = example(", ".join("abcdefgh"), captions=CaptionSettings(shuffle=True), name="mugs/1.png")
    assert len({caption_at(one, at(epoch, repeat)) for epoch in range(3) for repeat in range(3)}) == 9
    assert caption_at(one, at()) != caption_at(other, Turn(0, 0, "mugs/1.png", 0))


def test_dropout_drops_its_share_of_captions_whole():
    dropped = texts("a mug", 2000, trigger="sks", dropout=0.2).count("")
    assert 330 < dropped < 470


def test_tag_dropout_drops_its_share_and_never_the_kept():
    counts = Counter(tag for text in texts("a, b, c, d", 1000, tag_dropout=0.3, keep_tokens=1) for tag in text.split(", "))
    assert counts["a"] == 1000
    assert all(630 < counts[tag] < 770 for tag in "bcd")


def test_all_captions_are_dropped_in_every_nth_epoch():
    assert texts("x", 7, drop_every=3) == ["x", "x", "", "x", "x", "", "x"]


@pytest.mark.parametrize(
    ("caption", "trigger", "expected"),
    [
        ("a mug", "sks", "sks, a mug"),
        ("sks, a mug", "sks", "sks, a mug"),
        ("a photo of sks mug", "sks mug", "a photo of sks mug"),
        ("category", "cat", "cat, category"),
        ("", "sks", "sks"),
    ],
)
def test_trigger_words_are_put_in_front_where_they_are_missing(caption: str, trigger: str, expected: str):
    assert texts(caption, 1, trigger=trigger) == [expected]


def test_a_trigger_that_is_a_tag_is_neither_moved_nor_dropped():
    assert {text.split(", ")[0] for text in texts("a, b, sks, c", trigger="sks", shuffle=True, tag_dropout=0.5)} == {"sks"}


def test_variants_are_as_many_as_asked_and_can_be_listed():
    settings = CaptionSettings(shuffle=True, tag_dropout=0.2, dropout=0.1, variants=4)
    one = example(", ".join("abcdefgh"), trigger="sks", captions=settings)
    seen = {caption_at(one, at(epoch, repeat, 7)) for epoch in range(40) for repeat in range(3)}
    assert seen == set(possible_captions(one, 7))
    assert len(seen) == 5


def test_kept_parts_between_separators_stay_where_they_are():
    found = {*texts("one, two ||| a, b, c ||| end", shuffle=True, keep_separator="|||")}
    assert all(text.startswith("one, two, ") and text.endswith(", end") for text in found)
    assert len(found) == 6


def test_joined_tags_move_together():
    assert {*texts("a;;;b, c", shuffle=True, joined_separator=";;;")} == {"a, b, c", "c, a, b"}


@pytest.mark.parametrize(("lines", "expected"), [("joined", {"one two"}), ("first", {"one"}), ("random", {"one", "two"})])
def test_captions_of_several_lines(lines: str, expected: set[str]):
    assert {*texts("one\n\n two \n", lines=lines)} == expected


def test_wildcards_become_one_of_their_words():
    assert {*texts("a {red|blue} mug", wildcards=True)} == {"a red mug", "a blue mug"}


def test_prefix_and_suffix():
    assert texts("a mug", 1, prefix="photo of", suffix="here") == ["photo of a mug here"]


def test_the_plain_caption_has_nothing_of_chance():
    settings = CaptionSettings(shuffle=True, tag_dropout=0.9, dropout=1.0, lines="random", wildcards=True, keep_tokens=1)
    assert plain_caption(example("a, b, c\nd", trigger="sks", captions=settings)) == "sks, a, b, c"
