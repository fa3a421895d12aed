"""Scores that ask a network: tags of the prompt, and consistency over a set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from lib_extension.pictures.png import decode_picture
from lib_extension.scores import SCORES, ScoreGiven, read_score
from lib_extension.scores.consistency import AT_ONCE
from lib_extension.scores.tags import known_words
from lib_extension.spec.calls import Call, ModelEmbedding, ModelTags
from lib_extension.spec.errors import AtelierError
from lib_extension.stages.stage import Answer, Picture
from tests.masks.asked import carried_out, picture


def asked(
    score: dict[str, Any], pictures: Sequence[Picture], answer: Callable[[Call], Answer], **others: Picture
) -> tuple[list[float], list[Call]]:
    read = read_score(score)
    measured, calls = carried_out(SCORES[read.kind].work(read, ScoreGiven(tuple(pictures), others)), answer)
    return measured.values, calls


KNOWN = ("red", "blue", "watch", "beach", "side view", "view", "arms raised", "hat (straw)", "1girl")


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a red watch on a beach", {"red", "watch", "beach"}),
        ("A (RED:1.3) watch, [blue:0.5]", {"red", "watch", "blue"}),
        ("watches, reddish, sidewatch", set()),
        ("a watch, side view", {"watch", "side view"}),
        ("side_view", {"side view"}),
        ("view from the side", {"view"}),
        ("side, view", {"view"}),
        ("arms   raised", {"arms raised"}),
        ("<lora:red watch:0.8> on a beach", {"beach"}),
        ("straw, hat (straw)", {"hat (straw)"}),
        (r"hat \(straw\), 1girl", {"hat (straw)", "1girl"}),
        ("", set()),
    ],
)
def test_words_of_a_prompt(prompt: str, words: set[str]):
    assert set(known_words(prompt, KNOWN)) == words


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.lists(st.text(max_size=6), max_size=5, unique=True))
def test_any_prompt_and_any_tags_are_read(prompt: str, known: list[str]):
    found = known_words(prompt, known)
    assert set(found) <= set(known)
    assert len(found) == len(set(found))


def tagger(*tags: Mapping[str, float]) -> Callable[[Call], Answer]:
    coming = iter(tags)

    def answer(call: Call) -> Answer:
        assert isinstance(call, ModelTags)
        return Answer(facts=next(coming))

    return answer


def prompted(prompt: str) -> Picture:
    return Picture(picture(np.zeros((4, 4, 3))).png, f"{prompt}\nNegative prompt: blue\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1")


def test_tags_are_the_share_of_known_words_that_are_found():
    pictures = [prompted("a red watch on a beach, masterpiece")] * 3
    seen = ({"red": 0.9, "watch": 0.35, "beach": 0.34, "blue": 1.0}, {"red": 1.0, "watch": 1.0, "beach": 1.0}, {"masterly": 1.0})
    found, calls = asked({"kind": "tags"}, pictures, tagger(*seen))
    assert found == [pytest.approx(2 / 3), 1.0, 0.5]
    assert len(calls) == 3


def test_words_can_be_given_and_pictures_are_sent_small():
    large = picture(Image.new("RGBA", (1024, 600), (0, 0, 0, 0)))
    found, (call,) = asked({"kind": "tags", "words": "side view, red", "threshold": 0.5}, [large], tagger({"side_view": 0.6, "red": 0.4}))
    assert found == [0.5]
    assert isinstance(call, ModelTags)
    sent = decode_picture(call.image, what="image")
    assert sent.size == (512, 300)
    assert sent.getpixel((9, 9)) == (255, 255, 255)


def embedder(vectors: Sequence[Sequence[float]]) -> Callable[[Call], Answer]:
    coming = iter(vectors)

    def answer(call: Call) -> Answer:
        assert isinstance(call, ModelEmbedding)
        return Answer(facts={"embeddings": [list(next(coming)) for _ in call.images]})

    return answer


def some(count: int) -> list[Picture]:
    return [picture(np.zeros((4, 4, 3)))] * count


def test_consistency_is_the_cosine_to_the_mean():
    found, _ = asked({"kind": "consistency"}, some(2), embedder([(1, 0), (0, 5)]))
    assert found == pytest.approx([np.sqrt(0.5)] * 2), "each counts as one long"
    found, _ = asked({"kind": "consistency"}, some(3), embedder([(1, 0)] * 3))
    assert found == pytest.approx([1] * 3)
    found, _ = asked({"kind": "consistency"}, some(4), embedder([(1, 0), (1, 0), (1, 0), (-1, 0)]))
    assert found == pytest.approx([1, 1, 1, 0])


def test_consistency_with_a_reference():
    vectors = [(1, 0), (0, 1), (3, 4), (0, 2)]
    found, calls = asked({"kind": "consistency", "reference": "base"}, some(3), embedder(vectors), base=some(1)[0])
    assert found == pytest.approx([0, 1, 0.8])
    assert len(calls) == 1


def test_many_pictures_go_in_several_calls():
    found, calls = asked({"kind": "consistency"}, some(2 * AT_ONCE + 1), embedder([(1, 1)] * 99))
    assert len(found) == 2 * AT_ONCE + 1
    assert [len(call.images) for call in calls if isinstance(call, ModelEmbedding)] == [AT_ONCE, AT_ONCE, 1]


def test_nothing_asks_nothing():
    assert asked({"kind": "consistency"}, [], embedder([])) == ([], [])


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [([[1.0, 0.0]], "2 pictures were sent for embeddings, but 1 came back"), ([[1.0], [1.0, 2.0]], "different networks")],
)
def test_a_wrong_answer_is_said(embeddings: list[list[float]], message: str):
    with pytest.raises(AtelierError, match=message):
        asked({"kind": "consistency"}, some(2), lambda call: Answer(facts={"embeddings": embeddings}))


def test_it_is_told_whose_judgement_it_is_and_that_of_two_is_none():
    def by(*networks: str) -> Callable[[Call], Answer]:
        coming = iter(networks)
        return lambda call: Answer(facts={"embeddings": [[1.0, 0.0]] * len(getattr(call, "images", ())), "network": next(coming)})

    read = read_score({"kind": "consistency"})
    measured, _ = carried_out(SCORES["consistency"].work(read, ScoreGiven(tuple(some(2)))), by("clip_vision"))
    assert measured.by == "clip_vision"
    with pytest.raises(AtelierError, match="different networks"):
        asked({"kind": "consistency"}, some(AT_ONCE + 1), by("clip_vision", "demo tagger"))


vectors = st.lists(st.lists(st.floats(-9, 9), min_size=3, max_size=3), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(vectors)
def test_consistency_stays_in_range(embeddings: list[list[float]]):
    found, _ = asked({"kind": "consistency"}, some(len(embeddings)), embedder(embeddings))
    assert len(found) == len(embeddings)
    assert all(0 <= value <= 1 for value in found)
