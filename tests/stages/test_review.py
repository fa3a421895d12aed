"""Pictures are scored and passed on as they are; the scores choose, or a person does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageFilter

from lib_extension.spec.errors import BadRequest
from lib_extension.stages import STAGES
from lib_extension.stages.review import automatic_choice, check_choice
from lib_extension.stages.stage import Picture
from tests.stages.painting import asked, photo, run, stage, stored

SHARP = {"kind": "sharpness"}


def blurred(radius: float) -> Picture:
    return stored(photo(96, 96).filter(ImageFilter.GaussianBlur(radius)))


def test_the_sharpest_is_chosen_and_nothing_is_changed():
    pictures = [blurred(3), blurred(0), blurred(6), blurred(1)]
    settings = stage("review", scores=[SHARP], auto="top 2")
    outcome, calls = asked(settings, *pictures)
    assert calls == []
    assert [picture.png for picture in outcome.pictures] == [picture.png for picture in pictures]
    assert all(set(picture.facts["scores"]) == {"sharpness"} for picture in outcome.pictures)
    assert automatic_choice(settings, outcome.pictures) == (1, 3)


@pytest.mark.parametrize("auto", ["", "by hand"])
def test_without_scores_a_person_chooses(auto: str):
    settings = stage("review", keep=1, auto=auto)
    outcome = run(settings, photo(20, 20), photo(20, 20, 1))
    assert [picture.facts for picture in outcome.pictures] == [{}, {}]
    assert automatic_choice(settings, outcome.pictures) is None
    assert STAGES["review"].count(settings, 2) == 2


def test_by_hand_the_scores_are_shown_and_choose_nothing():
    settings = stage("review", scores=[SHARP], auto="by hand")
    outcome = run(settings, photo(20, 20), photo(20, 20, 1))
    assert all("overall" in picture.facts for picture in outcome.pictures)
    assert automatic_choice(settings, outcome.pictures) is None


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=12), st.integers(1, 5))
def test_the_best_in_their_order_ties_to_the_first(overall: list[float], top: int):
    pictures = [Picture(b"", facts={"overall": value}) for value in overall]
    chosen = automatic_choice(stage("review", scores=[SHARP], auto=f"top {top}"), pictures)
    assert chosen is not None
    assert len(chosen) == min(top, len(overall))
    assert list(chosen) == sorted(chosen)
    left = [place for place in range(len(overall)) if place not in chosen]
    assert all((overall[kept], -kept) > (overall[other], -other) for kept in chosen for other in left)


@pytest.mark.parametrize(
    ("keep", "chosen", "message"),
    [
        (0, [4], '"s" has 4 pictures, 0 to 3; 4 was chosen'),
        (0, [-1], "-1 was chosen"),
        (0, [], "Nothing was chosen"),
        (2, [1], "asks for 2 pictures; 1 were chosen"),
        (2, [0, 1, 2], "asks for 2 pictures; 3 were chosen"),
    ],
)
def test_choices_that_cannot_be(keep: int, chosen: list[int], message: str):
    with pytest.raises(BadRequest, match=message):
        check_choice(stage("review", keep=keep), 4, chosen)


def test_choices_come_in_order_and_once():
    assert check_choice(stage("review"), 4, [3, 0, 3]) == (0, 3)
    assert check_choice(stage("review", keep=9), 2, [1, 0]) == (0, 1)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"auto": "best"}, 'it must be "top" and a number, such as "top 1"; "by hand"; or empty'),
        ({"auto": "top 0", "scores": [SHARP]}, 'it must be "top" and a number'),
        ({"auto": "top 1"}, 'no "scores" to choose by'),
        ({"auto": "top 1", "scores": [SHARP], "keep": 2}, "but keep is 2"),
        ({"scores": [{"kind": "sharpnes"}]}, 'Did you mean "sharpness"'),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], message: str):
    with pytest.raises(BadRequest, match=message):
        stage("review", **settings)


def test_what_it_names_and_whether_it_needs_a_network():
    kind = STAGES["review"]
    settings = stage("review", scores=[{"kind": "edges", "of": "map"}, {"kind": "consistency", "reference": "front"}])
    assert kind.references(settings) == ("map", "front")
    assert not kind.local(settings)
    assert kind.local(stage("review", scores=[SHARP]))
