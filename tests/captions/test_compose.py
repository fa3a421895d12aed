"""Does a caption say what it should, once, and with no stray comma?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.captions.compose import Said, chosen, composed, merged
from lib_extension.spec.captioning import CaptioningSettings
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json


def settings(**more: object) -> CaptioningSettings:
    return from_json(CaptioningSettings, {"folder": "x", **more})


@pytest.mark.parametrize(
    ("said", "more", "caption"),
    [
        (Said(("red", "mug")), {}, "red, mug"),
        (Said(("red", "mug")), {"trigger": "sks"}, "sks, red, mug"),
        (Said(("red", "sks", "mug")), {"trigger": "sks"}, "sks, red, mug"),
        (Said(("red",), "a mug on a table"), {"trigger": "sks"}, "sks, a mug on a table, red"),
        (Said((), "sks, a mug"), {"trigger": "sks"}, "sks, a mug"),
        (Said((), "a mug"), {"template": "{sentence}, {tags}, {trigger}"}, "a mug"),
        (Said(("red",)), {"template": "{trigger}, {folder}: {tags}"}, ": red"),
        (Said(("red",), folder="mugs"), {"template": "{folder}: {tags}"}, "mugs: red"),
        (Said(), {"trigger": "sks"}, ""),
    ],
)
def test_composed(said: Said, more: dict[str, object], caption: str) -> None:
    assert composed(said, settings(**more)) == caption


def test_aliases_undesired_and_implied_tags() -> None:
    asked = settings(
        aliases={"timepiece": "watch"},
        undesired=["Studio, plain"],
        implied={"red strap": ["strap"], "strap": ["band"], "a": ["b"], "b": ["a"]},
    )
    assert chosen(["timepiece", "watch", "studio", "red strap", "strap", "band", "c"], asked) == ["watch", "red strap", "c"]
    assert chosen(["a"], asked) == []  # two that imply each other: a circle ends, and says nothing


@pytest.mark.parametrize(
    ("existing", "caption"),
    [("append", "old one, red, mug"), ("prepend", "mug, old one, red"), ("replace", "red, mug")],
)
def test_merged_with_a_caption_that_is_there(existing: str, caption: str) -> None:
    assert merged("red, mug", "old one, red", existing) == caption
    assert merged("red, mug", "", existing) == "red, mug"


@pytest.mark.parametrize(
    ("new", "old", "append", "prepend"),
    [
        ("sks, red", "old one", "sks, old one, red", "sks, red, old one"),
        ("sks, red", "old, SKS, one", "sks, old, one, red", "sks, red, old, one"),
        ("sks, red", "sks, old", "sks, old, red", "sks, red, old"),
        ("sks, red", "red\nsks\nold,  one", "sks, red\nold,  one", "sks, red\nold,  one"),
        ("sks, red", "sks", "sks, red", "sks, red"),
        ("sks, red", "sks,red", "sks,red", "sks,red"),
        ("sks, red", "asks, old", "sks, asks, old, red", "sks, red, asks, old"),
        ("red, sks", "old", "old, red, sks", "red, sks, old"),
    ],
)
def test_the_trigger_stays_first(new: str, old: str, append: str, prepend: str) -> None:
    assert merged(new, old, "append", "sks") == append
    assert merged(new, old, "prepend", "sks") == prepend


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"template": "{tag}"}, r'template has "\{tag\}"; it may have \{trigger\}'),
        ({"template": "{tags"}, "template is"),
        ({"captioners": []}, "captioners is empty"),
        ({"captioners": [{"kind": "taggr"}]}, "tagger"),
        ({"captioners": [{"kind": "endpoint", "model": "x", "url": "ftp://x"}]}, "must begin with http"),
    ],
)
def test_what_cannot_be_is_said(more: dict[str, object], words: str) -> None:
    with pytest.raises(BadRequest, match=words):
        settings(**more)


@given(st.lists(st.text("abc ", min_size=1, max_size=4)), st.text("abc ", max_size=12), st.text("ab", max_size=3))
def test_there_is_never_an_empty_tag(tags: list[str], sentence: str, trigger: str) -> None:
    caption = composed(Said([tag for tag in tags if tag.strip()], sentence), settings(trigger=trigger))
    assert all(part.strip() for part in caption.split(",")) or not caption
