"""Does a run make what its recipe says, each stage once, whatever fails meanwhile? Counted at the backend."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lib_extension.pictures.png import encode_png
from lib_extension.plan import explain
from lib_extension.spec.errors import BadRequest, NotFound
from tests.runs.stub_backend import Stub, running_stub
from tests.runs.workshop import Workshop, chain, recipe, workshop


@pytest.fixture
def stub() -> Iterator[Stub]:
    with running_stub() as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, stub: Stub) -> Iterator[Workshop]:
    with workshop(tmp_path, stub.url) as opened:
        yield opened


def wait_until(true: Callable[[], object], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def picture(colour: str = "red", size: tuple[int, int] = (64, 64)) -> bytes:
    return encode_png(Image.new("RGB", size, colour))


def test_stages_follow_each_other_and_run_once(shop: Workshop, stub: Stub) -> None:
    run = shop.run(chain(4))
    assert (run.state, run.message) == ("done", "")
    assert [path.rpartition("/")[2] for path, _ in stub.calls] == ["txt2img", "img2img", "img2img", "img2img"]
    assert [node.state for node in shop.ledger.nodes(run.id)] == ["done"] * 4
    again = shop.run(chain(4))
    assert again.state == "done"
    assert len(stub.calls) == 4
    assert shop.pictures(again) == shop.pictures(run)


@pytest.mark.parametrize("restart", [False, True])
@pytest.mark.parametrize("edited", range(5))
def test_an_edit_runs_the_stage_and_its_dependants(tmp_path: Path, stub: Stub, edited: int, restart: bool) -> None:
    before, after = chain(5), chain(5, **{f"s{edited}": {"steps": 5}})
    with workshop(tmp_path, stub.url) as shop:
        first = shop.run(before)
        count = len(stub.calls)
        if not restart:
            shop.run(after)
    if restart:
        with workshop(tmp_path, stub.url) as shop:
            shop.run(after)
    assert (first.state, count) == ("done", 5)
    assert [body["steps"] for body in stub.bodies[count:]] == [5, *[4] * (4 - edited)]


def test_a_changed_embedding_or_style_runs_what_names_it(shop: Workshop, stub: Stub) -> None:
    """Also a file that came after the first run: its name was plain words before."""
    named = recipe(
        {"id": "base", "type": "txt2img", "prompt": "a watch, (Brass2:1.2)"},
        {"id": "other", "type": "txt2img", "prompt": "a mug", "negative_prompt": "brassy"},
        {"id": "styled", "type": "txt2img", "prompt": "a mug", "styles": ["noir"]},
    )
    stub.embeddings, stub.styles = {"elsewhere": "00"}, {"noir": "black and white"}
    shop.run(named)
    assert len(stub.calls) == 3
    changes: list[tuple[dict[str, str], dict[str, str]]] = [
        ({"elsewhere": "11", "brass": "22"}, {"noir": "black and white"}),
        ({"elsewhere": "11", "brass": "33"}, {"noir": "black and white"}),
        ({"elsewhere": "11", "brass": "33"}, {"noir": "grey"}),
    ]
    for place, (stub.embeddings, stub.styles) in enumerate(changes):
        shop.run(named)
        assert len(stub.calls) == 4 + place
    assert [body.get("styles") for body in stub.bodies[3:]] == [[], [], ["noir"]]
    assert {body["prompt"] for body in stub.bodies[3:5]} == {"a watch, (Brass2:1.2)"}


def test_only_dependants_run_where_stages_branch(shop: Workshop, stub: Stub) -> None:
    def branches(steps: int) -> list[dict[str, Any]]:
        base = {"id": "base", "type": "txt2img", "prompt": "a watch"}
        left = {"id": "left", "type": "img2img", "takes": "base", "steps": steps}
        return [
            base,
            left,
            {"id": "right", "type": "img2img", "takes": "base", "seed": 3},
            {"id": "last", "type": "img2img", "takes": "left"},
        ]

    shop.run(recipe(*branches(4)))
    del stub.calls[:]
    shop.run(recipe(*branches(6)))
    assert len(stub.calls) == 2  # left, last


def test_equal_stages_of_different_items_and_recipes_run_once(shop: Workshop, stub: Stub) -> None:
    base = {"id": "base", "type": "txt2img", "prompt": "a {product}"}
    place = {"id": "place", "type": "img2img", "takes": "base", "prompt": "in {place}"}
    axes = {"product": ["watch", "lamp", "shoe"], "place": ["city", "forest", "beach", "snow"]}
    run = shop.run(recipe(base, place, axes=axes))
    assert run.state == "done"
    assert [path.rpartition("/")[2] for path, _ in stub.calls].count("txt2img") == 3
    assert len(stub.calls) == 3 + 12
    shop.run(recipe({**base, "id": "renamed"}, axes={"product": ["lamp"]}, name="another"))
    assert len(stub.calls) == 15


def test_as_few_checkpoint_changes_as_can_be(shop: Workshop, stub: Stub) -> None:
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "number {n}", "checkpoint": "first"},
        {"id": "redo", "type": "img2img", "takes": "base", "checkpoint": "second"},
    ]
    shop.run(recipe(*stages, axes={"n": [1, 2, 3, 4]}))
    used = [body["override_settings"]["sd_model_checkpoint"] for body in stub.bodies]
    assert used == ["first"] * 4 + ["second"] * 4


def test_what_fails_takes_only_its_dependants_along(shop: Workshop, stub: Stub) -> None:
    stub.behaviour["refuse"] = 1
    stages = [{"id": "base", "type": "txt2img", "prompt": "number {n}"}, {"id": "redo", "type": "img2img", "takes": "base"}]
    run = shop.run(recipe(*stages, axes={"n": [1, 2, 3]}))
    assert run.state == "failed"
    assert "A stage failed, 1 that need it did not run. base/0/0: " in run.message
    assert "The stub refuses." in run.message
    nodes = {node.place: (node.state, node.message) for node in shop.ledger.nodes(run.id)}
    assert [state for state, _ in nodes.values()] == ["failed", "done", "done", "left out", "done", "done"]
    assert nodes["redo/0/0"][1] == 'It needs "base", which failed.'
    assert len(stub.calls) == 4  # a refusal is not asked for again

    assert shop.resume(run.id).state == "done"
    assert len(stub.calls) == 6


def test_what_breaks_is_tried_again_and_then_fails(shop: Workshop, stub: Stub) -> None:
    stub.behaviour["break"] = 2
    run = shop.run(chain(2))
    assert run.state == "done"
    tried = shop.events(run, "retry")
    assert ["CUDA out of memory" in event.data["message"] for event in tried] == [True, True]
    assert tried[1].data["seconds"] >= tried[0].data["seconds"]

    stub.behaviour["break"] = 3
    run = shop.run(chain(2, s0={"seed": 8}))
    assert run.state == "failed"
    assert "CUDA out of memory" in run.message


def test_a_connection_that_is_cut_is_made_again(shop: Workshop, stub: Stub) -> None:
    stub.behaviour["cut"] = 2
    assert shop.run(chain(3)).state == "done"
    assert len(stub.calls) == 3


def test_a_backend_that_is_lost_costs_a_retry_elsewhere(tmp_path: Path, stub: Stub) -> None:
    with running_stub() as other, workshop(tmp_path, other.url, stub.url) as shop:
        shop.run(chain(1))  # both are known
        other.behaviour["cut"] = 10_000
        run = shop.run(recipe({"id": "base", "type": "txt2img", "prompt": "number {n}", "seed": 3}, axes={"n": list(range(6))}))
        assert run.state == "done"
        assert len(stub.calls) >= 6
        assert {event.data["backend"] for event in shop.events(run, "retry")} == {other.url}


def test_a_run_whose_only_backend_is_gone_says_so_and_goes_on_later(tmp_path: Path) -> None:
    with running_stub() as stub, workshop(tmp_path, stub.url) as shop:
        stub.behaviour["cut"] = 10_000
        run = shop.run(chain(3))
        assert run.state == "failed"
        assert stub.url in run.message
        told = [(event.kind, event.data["message"]) for event in shop.events(run, "retry", "notice")]
        assert [kind for kind, _ in told] == ["retry"] * 3 + ["notice"]  # of the last try it is not said that another follows
        assert "is left out of this run from here on" in told[-1][1]
        assert [node.state for node in shop.ledger.nodes(run.id)] == ["planned"] * 3
        stub.behaviour["cut"] = 0
        assert shop.resume(run.id).state == "done"


def test_a_backend_that_lacks_the_checkpoint_is_no_substitute(tmp_path: Path, stub: Stub) -> None:
    with running_stub(checkpoints=("first",)) as poor, workshop(tmp_path, poor.url, stub.url) as shop:
        base = {"id": "base", "type": "txt2img", "prompt": "number {n}", "checkpoint": "second"}
        run = shop.run(recipe(base, axes={"n": [1, 2, 3]}))
        assert run.state == "done"
        assert (len(poor.calls), len(stub.calls)) == (0, 3)
        run = shop.run(recipe({**base, "checkpoint": "third"}, axes={"n": [1]}))
        assert run.state == "failed"
        assert poor.url in run.message
        assert stub.url in run.message
        assert "third" in run.message


def test_a_run_whose_able_backend_is_lost_does_not_wait_for_one_that_is_not_able(tmp_path: Path, stub: Stub) -> None:
    with running_stub(checkpoints=("first",)) as poor, workshop(tmp_path, poor.url, stub.url) as shop:
        shop.run(chain(1, s0={"checkpoint": "second"}))
        stub.behaviour["cut"] = 10_000
        base = {"id": "base", "type": "txt2img", "prompt": "number {n}", "checkpoint": "second"}
        run = shop.run(recipe(base, axes={"n": [1, 2, 3]}))
        assert run.state == "failed"
        assert f"{stub.url} does not answer" in run.message
        assert {node.state for node in shop.ledger.nodes(run.id)} == {"planned"}


def test_a_choice_in_the_last_moment_is_not_lost(tmp_path: Path, stub: Stub) -> None:
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "number {n}"},
        {"id": "pick", "type": "review", "takes": "base"},
        {"id": "redo", "type": "img2img", "takes": "pick"},
    ]
    with workshop(tmp_path, stub.url) as shop:
        for n in range(6):  # so often that the choice comes at many moments of the end
            run_id = shop.runner.add(recipe(*stages, axes={"n": [n]}))
            shop.runner.start(run_id)
            wait_until(lambda run_id=run_id: shop.events(run_id, "review"))
            time.sleep(n * 0.001)
            shop.runner.choose(run_id, shop.events(run_id, "review")[0].data["key"], [0])
            shop.runner.start(run_id)
            wait_until(lambda run_id=run_id: shop.ledger.runs.get(run_id).state == "done")
        assert len(stub.calls) == 12


def test_a_waiting_review_holds_nothing_else_up(shop: Workshop, stub: Stub) -> None:
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "a watch", "batch_size": 3},
        {"id": "pick", "type": "review", "takes": "base", "keep": 1},
        {"id": "redo", "type": "img2img", "takes": "pick"},
        {"id": "side", "type": "txt2img", "prompt": "a lamp", "seed": 9},
    ]
    run = shop.run(recipe(*stages))
    assert (run.state, run.message) == ("waiting", "A choice is to be made: pick")
    assert len(stub.calls) == 2
    (asked,) = shop.events(run, "review")
    key = asked.data["key"]
    with pytest.raises(BadRequest, match="3 was chosen"):
        shop.runner.choose(run.id, key, [3])
    with pytest.raises(NotFound, match=r"no review .* \(pick/0/0\)"):
        shop.runner.choose(run.id, "other", [0])
    shop.runner.choose(run.id, key, [1])
    done = shop.resume(run.id)
    assert done.state == "done"
    assert len(stub.calls) == 3
    assert shop.run(recipe(*stages)).state == "done"  # chosen once
    assert len(stub.calls) == 3
    shop.runner.choose(run.id, key, [2])
    shop.resume(run.id)
    assert len(stub.calls) == 4


def test_a_choice_during_the_run_is_taken_up(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 0.15
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "a watch"},
        {"id": "pick", "type": "review", "takes": "base"},
        {"id": "redo", "type": "img2img", "takes": "pick"},
        {"id": "others", "type": "txt2img", "prompt": "number {n}"},
    ]
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(recipe(*stages, axes={"n": [1, 2, 3, 4]}))
        shop.runner.start(run_id)
        wait_until(lambda: any(node.stage == "pick" and node.state == "done" for node in shop.ledger.nodes(run_id)))
        key = next(node.key for node in shop.ledger.nodes(run_id) if node.stage == "pick")
        shop.runner.choose(run_id, key, [0])
        assert shop.runner.wait(run_id, 30).state == "done"
        assert len(stub.calls) == 6


def test_scores_decide_where_they_are_told_to(shop: Workshop, stub: Stub) -> None:
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "number {n}", "batch_size": 3},
        {"id": "pick", "type": "review", "takes": "base", "auto": "top 1", "scores": [{"kind": "exposure"}]},
        {"id": "redo", "type": "img2img", "takes": "pick"},
        {"id": "again", "type": "review", "takes": "redo", "auto": "top 1", "scores": [{"kind": "exposure"}]},
        {"id": "last", "type": "img2img", "takes": "again"},
    ]
    run = shop.run(recipe(*stages, axes={"n": [1, 2]}))
    assert run.state == "done"
    assert len(stub.calls) == 2 + 2 + 2
    assert len(shop.events(run, "chosen")) == 4


def test_nothing_found_leaves_out_what_needs_it(shop: Workshop, stub: Stub) -> None:
    source = {"kind": "colour", "colour": "#ff0000"}
    stages = [
        {"id": "mask", "type": "mask", "takes": "photo", "mask": source, "when_empty": "skip"},
        {"id": "redo", "type": "inpaint", "takes": "photo", "mask": "mask", "prompt": "a strap"},
        {"id": "side", "type": "img2img", "takes": "photo"},
    ]
    inputs = {"photo": {"type": "image"}}
    blue = shop.run(recipe(*stages, inputs=inputs), pictures={"photo": picture("blue")})
    assert blue.state == "done"
    assert len(stub.calls) == 1
    assert [node.stage for node in shop.ledger.nodes(blue.id)] == ["mask", "side"]
    assert shop.events(blue, "finished")[0].data["reason"]
    red = shop.run(recipe(*stages, inputs=inputs), pictures={"photo": picture("red")})
    assert red.state == "done"
    assert len(stub.calls) == 3


def test_cancel_interrupts_within_a_step_and_stores_nothing_of_it(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 20
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(chain(3))
        shop.runner.start(run_id)
        wait_until(lambda: stub.calls)
        begun = time.monotonic()
        shop.runner.cancel(run_id)
        assert shop.runner.wait(run_id, 15).state == "cancelled"
        assert time.monotonic() - begun < 10
        assert stub.interrupts == 1
        assert [node.state for node in shop.ledger.nodes(run_id)] == ["planned"] * 3
        assert list(shop.blobs.names()) == []
        stub.delay = 0
        whole = shop.resume(run_id)
        assert whole.state == "done"
        assert len(stub.calls) == 4  # the interrupted one again


def test_cancel_leaves_what_others_run_there_alone(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 2
    with workshop(tmp_path / "a", stub.url) as mine, workshop(tmp_path / "b", stub.url) as others:
        theirs = others.runner.add(chain(1))
        others.runner.start(theirs)
        wait_until(lambda: len(stub.calls) == 1)
        ours = mine.runner.add(chain(1, s0={"seed": 9}))
        mine.runner.start(ours)
        wait_until(lambda: len(stub.calls) == 2)
        mine.runner.cancel(ours)
        assert mine.runner.wait(ours, 15).state == "cancelled"
        assert others.runner.wait(theirs, 15).state == "done"


def test_pause_finishes_what_is_at_work(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 0.3
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(chain(3))
        shop.runner.start(run_id)
        wait_until(lambda: stub.calls)
        shop.runner.pause(run_id)
        assert shop.runner.wait(run_id, 15).state == "paused"
        assert [node.state for node in shop.ledger.nodes(run_id)] == ["done", "planned", "planned"]
        assert shop.resume(run_id).state == "done"
        assert len(stub.calls) == 3


@pytest.mark.parametrize(("wish", "state"), [("pause", "paused"), ("cancel", "cancelled")])
def test_another_process_can_stop_a_run(tmp_path: Path, stub: Stub, wish: str, state: str) -> None:
    stub.delay = 0.4
    with workshop(tmp_path, stub.url) as shop, workshop(tmp_path, stub.url) as other:
        run_id = shop.runner.add(chain(8))
        shop.runner.start(run_id)
        wait_until(lambda: stub.calls)
        getattr(other.runner, wish)(run_id)
        assert shop.runner.wait(run_id, 15).state == state
        assert len(stub.calls) < 8


def test_a_run_that_was_never_begun_can_be_cancelled(shop: Workshop) -> None:
    run_id = shop.runner.add(chain(2))
    shop.runner.cancel(run_id)
    assert shop.ledger.runs.get(run_id).state == "cancelled"


@pytest.mark.parametrize("harm", ["delete", "spoil", "cut off"])
def test_a_blob_that_is_lost_is_made_again_and_nothing_else(tmp_path: Path, stub: Stub, harm: str) -> None:
    with workshop(tmp_path, stub.url) as shop:
        run = shop.run(chain(4))
        before = shop.pictures(run)
        path = shop.blobs.path(shop.ledger.nodes(run.id)[1].pictures[0])
        data = path.read_bytes()
        {"delete": path.unlink, "spoil": lambda: path.write_bytes(data[::-1]), "cut off": lambda: path.write_bytes(data[:99])}[harm]()
        del stub.calls[:]
    with workshop(tmp_path, stub.url) as shop:
        again = shop.run(chain(4, s2={"steps": 9}))  # takes the picture that is lost
        assert again.state == "done"
        assert len(stub.calls) == 3  # s1, and the edited s2 and s3
        assert path.read_bytes() == data
        assert shop.resume(run.id).state == "done"
        assert len(stub.calls) == 3
        assert shop.pictures(run) == before


def test_an_input_picture_that_is_lost_is_named(tmp_path: Path, stub: Stub) -> None:
    with workshop(tmp_path, stub.url) as shop:
        inputs = {"photo": {"type": "image"}}
        run_id = shop.runner.add(recipe({"id": "redo", "type": "img2img", "takes": "photo"}, inputs=inputs), pictures={"photo": picture()})
        shop.blobs.remove(shop.ledger.runs.get(run_id).pictures["photo"])
        run = shop.resume(run_id)
        assert run.state == "failed"
        assert "input picture" in run.message


def test_a_picture_that_is_none_is_refused(shop: Workshop) -> None:
    with pytest.raises(BadRequest, match='The picture "photo"'):
        shop.runner.add(chain(1), pictures={"photo": b"no picture"})


def test_two_runs_share_a_backend_and_what_they_have_in_common(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 0.05
    with workshop(tmp_path, stub.url) as shop:
        ids = [shop.runner.add(chain(4)), shop.runner.add(chain(5)), shop.runner.add(chain(4, s0={"seed": 9}))]
        for run_id in ids:
            shop.runner.start(run_id)
        assert [shop.runner.wait(run_id, 30).state for run_id in ids] == ["done"] * 3
        assert len(stub.calls) == 5 + 4
        assert stub.most_at_once <= 1


def test_backends_work_side_by_side(tmp_path: Path, stub: Stub) -> None:
    with running_stub(delay=0.2) as other, workshop(tmp_path, stub.url, other.url) as shop:
        stub.delay = 0.2
        run = shop.run(recipe({"id": "base", "type": "txt2img", "prompt": "number {n}"}, axes={"n": list(range(8))}))
        assert run.state == "done"
        assert (len(stub.calls), len(other.calls)) == (4, 4)


def test_progress_is_told_with_the_time_that_is_left(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 0.2
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(chain(6))
        assert shop.runner.progress(run_id).stages == 6
        assert shop.runner.progress(run_id).seconds_left is None
        shop.runner.start(run_id)
        wait_until(lambda: shop.runner.progress(run_id).done >= 2)
        assert shop.runner.progress(run_id).seconds_left is not None, "one stage is enough to guess by"
        wait_until(lambda: shop.runner.progress(run_id).done >= 3)
        wait_until(lambda: list(shop.runner.progress(run_id).running.values()) == [0.5])
        progress = shop.runner.progress(run_id)
        assert progress.stages == 6
        assert 0.1 < (progress.seconds_left or 0) < 2.0
        shop.runner.wait(run_id, 30)
        ended = shop.runner.progress(run_id)
        assert (ended.done, ended.failed, ended.left_out, dict(ended.running), ended.seconds_left) == (6, 0, 0, {}, 0.0)


def test_a_preview_tells_what_would_run_and_why_and_writes_nothing(shop: Workshop, stub: Stub) -> None:
    shop.run(chain(4))
    edited = chain(4, s2={"denoising_strength": 0.35})
    planned = shop.runner.preview(edited)
    places = {node.place for node in planned.plan.nodes}
    told = explain(planned.plan, planned.done, shop.ledger.earlier_parts("test", places))
    assert [(one.node.id, one.state) for one in told] == [("s0", "cached"), ("s1", "cached"), ("s2", "will run"), ("s3", "will run")]
    assert told[2].why == "denoising_strength 0.40 → 0.35"
    assert told[3].why == "takes s2, which runs anew"
    assert len(shop.ledger.runs.all()) == 1
    assert len(stub.calls) == 4
    assert shop.runner.preview(chain(4)).done == {node.key for node in shop.ledger.nodes(shop.ledger.runs.all()[0].id)}


def test_a_preview_decides_by_scores_without_writing(shop: Workshop) -> None:
    stages = [
        {"id": "base", "type": "txt2img", "prompt": "a watch", "batch_size": 3},
        {"id": "pick", "type": "review", "takes": "base", "auto": "top 1", "scores": [{"kind": "exposure"}]},
        {"id": "redo", "type": "img2img", "takes": "pick"},
    ]
    run = shop.run(recipe(*stages))
    shop.ledger.runs.remove(run.id)  # and its choice
    assert len(shop.runner.preview(recipe(*stages)).done) == 3
    assert shop.ledger.runs.every_choice() == []


def test_what_cannot_be_planned_fails_the_run_with_its_reason(shop: Workshop, stub: Stub) -> None:
    run = shop.run(recipe({"id": "base", "type": "txt2img", "prompt": "{palce}"}, axes={"place": ["sea"]}))
    assert run.state == "failed"
    assert "palce" in run.message
    assert stub.calls == []


def test_a_broken_stage_does_not_break_the_run(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("lib_extension.stages.img2img.img2img_body", broken)
    run = shop.run(chain(3))
    assert run.state == "failed"
    assert "should not be (ZeroDivisionError)" in run.message
    assert [node.state for node in shop.ledger.nodes(run.id)] == ["done", "failed", "left out"]


def test_closing_at_once_waits_for_no_picture_and_keeps_no_half_of_one(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 20
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(chain(2))
        shop.runner.start(run_id)
        wait_until(lambda: stub.calls)
        begun = time.monotonic()
        shop.runner.close(at_once=True)
        assert time.monotonic() - begun < 5
    assert stub.interrupts
    stub.delay = 0
    with workshop(tmp_path, stub.url) as shop:
        assert shop.ledger.runs.get(run_id).state == "paused"
        assert [node.pictures for node in shop.ledger.nodes(run_id)] == [(), ()]
        assert shop.resume(run_id).state == "done"


def test_closing_pauses_what_runs(tmp_path: Path, stub: Stub) -> None:
    stub.delay = 0.2
    with workshop(tmp_path, stub.url) as shop:
        run_id = shop.runner.add(chain(5))
        shop.runner.start(run_id)
        wait_until(lambda: stub.calls)
    with workshop(tmp_path, stub.url) as shop:
        assert shop.ledger.runs.get(run_id).state == "paused"
        stub.delay = 0
        assert shop.resume(run_id).state == "done"
        assert len(stub.calls) == 5
        assert not [thread for thread in threading.enumerate() if thread.name.startswith(f"atelier {run_id}")]
