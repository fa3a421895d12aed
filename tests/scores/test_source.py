"""Several scores come to one number, by their weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from jsonschema_rs import Draft202012Validator, meta

from lib_extension.scores import SCORES, ScoreGiven, make_scores, needs_network, read_score, references, score_schema
from lib_extension.spec.calls import Call, ModelEmbedding, ModelTags
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import to_json
from lib_extension.stages.stage import Answer
from tests.masks.asked import carried_out, picture

GREY, BLACK = picture(np.full((8, 8), 127)), picture(np.zeros((8, 8)))
EVERY: list[dict[str, Any]] = [
    {"kind": "sharpness"},
    {"kind": "exposure", "weight": 3},
    {"kind": "edges", "of": "base"},
    {"kind": "duplicates"},
    {"kind": "tags", "words": "watch"},
    {"kind": "consistency", "reference": "front"},
]


def answer(call: Call) -> Answer:
    return Answer(facts={"watch": 0.9} if isinstance(call, ModelTags) else {"embeddings": [[1.0, 0.0]] * 3})


def test_overall_is_the_mean_by_weight_and_less_is_better_where_it_is():
    scores = [read_score(score) for score in ({"kind": "exposure", "weight": 3}, {"kind": "duplicates"})]
    scored, _ = carried_out(make_scores(scores, ScoreGiven((GREY, GREY, BLACK))))
    assert [one.values["duplicates"] for one in scored[:2]] == [0, 1]
    assert scored[0].overall == pytest.approx(1, abs=1e-4)
    assert scored[1].overall == pytest.approx(3 / 4, abs=1e-4)
    for one in scored:
        assert one.overall == pytest.approx((3 * one.values["exposure"] + 1 - one.values["duplicates"]) / 4)


def test_two_of_a_kind_keep_both_values():
    scores = [read_score({"kind": "edges", "of": name}) for name in ("base", "front", "base")]
    (one,), _ = carried_out(make_scores(scores, ScoreGiven((GREY,), {"base": GREY, "front": BLACK})))
    assert list(one.values) == ["edges", "edges 2", "edges 3"]


def test_without_scores_and_without_weights_all_are_equal():
    (one, two), _ = carried_out(make_scores([], ScoreGiven((GREY, BLACK))))
    assert one.overall == two.overall == 0
    (one, two), _ = carried_out(make_scores([read_score({"kind": "exposure", "weight": 0})], ScoreGiven((GREY, BLACK))))
    assert one.overall == two.overall == 0
    assert one.values["exposure"] > two.values["exposure"]


def test_every_score_is_read_written_and_made():
    assert {score["kind"] for score in EVERY} == SCORES.keys()
    defs: dict[str, Any] = {}
    schema = {**score_schema(defs), "$defs": defs}
    meta.validate(schema)
    for score in EVERY:
        read = read_score(score)
        assert read_score(to_json(read)) == read
        assert Draft202012Validator(schema).is_valid(score)
        assert needs_network(read) == (score["kind"] in ("tags", "consistency"))
    assert [references(read_score(score)) for score in EVERY] == [(), (), ("base",), (), (), ("front",)]
    given = ScoreGiven((GREY, BLACK), {"base": GREY, "front": GREY})
    scored, calls = carried_out(make_scores([read_score(score) for score in EVERY], given), answer)
    assert [type(call) for call in calls] == [ModelTags, ModelTags, ModelEmbedding]
    assert all(0 <= value <= 1 for one in scored for value in (*one.values.values(), one.overall))


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ({"kind": "sharpnes"}, r"stages.pick.scores\[0\].kind is 'sharpnes'.*Did you mean \"sharpness\""),
        ({"kind": "sharpness", "wieght": 2}, r"stages.pick.scores\[0\].wieght is not known. Did you mean \"weight\""),
        ({"kind": "sharpness", "weight": -1}, "between 0 and 100"),
        ({"kind": "edges"}, r"stages.pick.scores\[0\].of is missing"),
        ({}, r"stages.pick.scores\[0\]"),
        ("sharpness", "must be an object"),
    ],
)
def test_errors_name_the_place(score: object, message: str):
    with pytest.raises(BadRequest, match=message):
        read_score(score, "stages.pick.scores[0]")
