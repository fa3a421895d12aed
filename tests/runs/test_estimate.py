"""Is the time that is left told from what was learnt, and nothing where nothing was?"""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.plan import Facts, make_plan
from lib_extension.runs.estimate import Costs, Left, Paces, Timing, cost_of, learn, seconds_left
from lib_extension.runs.ledger import Ledger
from lib_extension.runs.records import Result
from lib_extension.runs.retries import Patience, Retries
from lib_extension.stages import load_recipe

KNOWN = {
    ("a 1", "txt2img"): Timing(count=2, cost=10, seconds=20),
    ("a 1", "inpaint"): Timing(count=2, cost=10, seconds=40),
    ("a 1", "mask"): Timing(count=4, cost=0, seconds=2),
    ("a 1", "upscale"): Timing(count=1, cost=10, seconds=500),
    ("", "sheet"): Timing(count=1, cost=0, seconds=0.5),
}


@pytest.mark.parametrize(
    ("left", "seconds"),
    [
        ([], 0.0),
        ([Left("txt2img", 5, "a 1")] * 3, 30.0),
        ([Left("txt2img", 5, "a 1"), Left("upscale", 4, "a 1")], 210.0),  # ran once, and may have loaded the model: better than nothing
        ([Left("mask", 0, "b 2")], 0.5),  # by the engine that helps
        ([Left("txt2img", 5, "a 1"), Left("review", 0, "a 1")], 10.0),  # quick beside it
        ([Left("review", 0, "a 1")], None),
        ([Left("mask", 0, "a 1"), Left("sheet", 0, "")], 1.0),
        ([Left("export", 0, "")], 0.0),  # what is made here is quick
        ([Left("txt2img", 5, "b 2")], None),  # a backend that nobody knows
    ],
)
def test_seconds_left(left: list[Left], seconds: float | None) -> None:
    assert seconds_left(left, KNOWN) == seconds


def test_what_never_ran_takes_as_long_as_what_draws_beside_it() -> None:
    left = [Left("img2img", 3, "a 1"), Left("review", 0, "a 1")]
    known = {kind: timing for kind, timing in KNOWN.items() if kind != ("a 1", "upscale")}
    assert seconds_left(left, known) == 3 * 60 / 20
    assert seconds_left(left, {("a 1", "mask"): Timing(4, 0, 2)}) is None, "what draws nothing does not tell"


def test_a_first_call_at_work_tells_by_its_steps_what_all_of_its_kind_take() -> None:
    paces = Paces()
    assert paces.look({"k": 0.0}, 0) == {}, "the model is loaded"
    assert paces.look({"k": 0.1}, 60) == {}
    assert paces.look({"k": 0.15}, 61) == {}
    assert paces.look({"k": 0.35}, 65) == {"k": pytest.approx(20)}
    assert paces.look({}, 80) == {}
    assert paces.look({"k": 0.9}, 90) == {}, "tried again, it begins anew"
    told = {("a 1", "txt2img"): Timing(1, 10, 20.0)}
    assert seconds_left([Left("txt2img", 5, "a 1")], {}, paces=told) == 10
    assert seconds_left([Left("img2img", 5, "a 1")], {}, paces=told) == 10
    once = {("a 1", "txt2img"): Timing(1, 10, 80.0)}
    assert seconds_left([Left("txt2img", 5, "a 1")], once, paces=told) == 10, "that which loaded the model is not believed"
    assert seconds_left([Left("txt2img", 5, "a 1")], KNOWN, paces={("a 1", "txt2img"): Timing(1, 10, 90)}) == 10, "many know better"


def test_what_a_first_stage_took_to_load_the_model_is_forgotten(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")

    def timed(*stages: tuple[float, float]) -> Timing:
        """Of (cost, seconds)."""
        type = f"kind {len(ledger.timings.known())}"
        with ledger.database.write() as connection:
            for cost, seconds in stages:
                learn(connection, Result(key="k", type=type, pictures=(), backend="a 1", cost=cost, seconds=seconds))
        return ledger.timings.known()["a 1", type]

    assert timed((10, 60), (10, 20)) == Timing(2, 20, 40)
    assert timed((10, 60), (20, 40)).estimate(10) == 20, "by what it costs"
    assert timed((10, 20), (10, 60)).estimate(10) == pytest.approx(74 / 1.7), "the machine has become slower"
    assert timed((0, 3), (0, 1)).estimate(0) == 1
    assert timed((10, 20), (10, 20), *[(10, 100)] * 3).estimate(10) > 60, "a loaded machine shows soon"
    ledger.close()


def test_backends_side_by_side_halve_it() -> None:
    assert seconds_left([Left("txt2img", 5, "a 1")] * 4, KNOWN, side_by_side=2) == 20.0


@pytest.mark.parametrize(("scale", "factor"), [(1, 1), (2, 4)])
def test_what_is_drawn_as_large_as_what_it_takes_costs_by_that_size(scale: float, factor: float) -> None:
    stages = [
        {"id": "base", "type": "txt2img", "width": 128, "height": 64, "steps": 10},
        {"id": "redo", "type": "img2img", "takes": "base", "width": 0, "height": 0, "steps": 10, "scale": scale},
        {"id": "edges", "type": "control", "takes": "redo", "module": "canny"},
        {"id": "last", "type": "img2img", "takes": "redo", "width": 0, "height": 0, "steps": 10},
        {"id": "fixed", "type": "img2img", "takes": "redo", "width": 64, "height": 64, "steps": 10},
    ]
    made = make_plan(load_recipe({"name": "x", "settings": {"seed": 7}, "stages": stages}), {}, {}, Facts())
    costs = Costs(made)
    found = {node.id: costs.of(node) for node in made.nodes}
    megapixel_steps = 128 * 64 / 1e6 * 10
    full = made.nodes[1].stage.denoising_strength  # the share of the steps that is walked
    assert found["base"] == pytest.approx(megapixel_steps)
    assert found["redo"] == pytest.approx(megapixel_steps * full * factor)
    assert found["last"] == pytest.approx(megapixel_steps * full * factor)
    assert found["fixed"] == pytest.approx(megapixel_steps * full / 2)
    assert cost_of(made.nodes[1], 0) == pytest.approx(512 * 512 / 1e6 * 10 * full * factor)


def test_waits_double_up_to_the_longest() -> None:
    patience = Patience(first=1, longest=5)
    assert [patience.wait(tried) for tried in range(1, 6)] == [1, 2, 4, 5, 5]


def test_a_webui_that_restarts_is_waited_for() -> None:
    """One with many extensions needs two minutes on a busy machine."""
    patience = Patience()
    assert sum(patience.wait(tried) for tried in range(1, patience.tries)) > 120


def test_a_stage_is_tried_so_often_and_a_lane_until_it_answers() -> None:
    retries = Retries(Patience(first=100, longest=1000, tries=3, stage_tries=3))
    assert [retries.broke("k"), retries.broke("k"), retries.broke("k")] == [100, 200, None]
    assert retries.waiting == {"k"}
    assert retries.due() == []
    assert [retries.silent("a"), retries.silent("a")] == [100, 200]
    retries.answered("a")
    assert [retries.silent("a"), retries.silent("a"), retries.silent("a")] == [100, 200, None]
    assert retries.is_away("a")
    assert not retries.is_away("b")
    retries.forget_past()
    assert retries.is_away("a")


def test_what_is_due_comes_once() -> None:
    retries = Retries(Patience(first=0))
    retries.broke("k")
    assert retries.due() == ["k"]
    assert retries.due() == []
    assert retries.next_due() == float("inf")
