"""Which stage does a free backend take next, and what does a failure take along?"""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib_extension.plan.graph import Facts, Plan
from lib_extension.plan.make import make_plan
from lib_extension.runs.course import Course, Lane
from tests.runs.workshop import recipe

BASE = {"id": "base", "type": "txt2img", "prompt": "number {n}"}
REDO = {"id": "redo", "type": "img2img", "takes": "base"}


def plan(*stages: dict[str, Any], items: int = 1, **more: Any) -> Plan:
    return make_plan(recipe(*stages, axes={"n": list(range(items))}, **more), {}, {}, Facts(backend="x 1"))


def lanes(*names: str, helper: bool = False) -> list[Lane]:
    backend: Any = object()  # a lane only asks whether there is one
    own = [Lane("here", None)] + [Lane(name, backend) for name in names]
    return own + ([Lane("helper", backend, helper=True)] if helper else [])


def begun(planned: Plan, among: list[Lane], done: set[str] = frozenset()) -> Course:  # type: ignore[assignment]
    course = Course(planned, among, done)
    for key in course.free:
        assert course.offer(key) == ""
    return course


def walk(course: Course, lane: Lane) -> list[str]:
    """The places that one lane does, if it does all."""
    order = []
    while (node := course.take(lane)) is not None:
        lane.checkpoint = node.checkpoint
        order.append(node.place)
        for key in course.made(node.key):
            course.offer(key)
    return order


def test_a_stage_is_free_when_all_that_it_needs_is_made() -> None:
    planned, among = plan(BASE, REDO, items=2), lanes("a")
    course = begun(planned, among)
    first = course.take(among[1])
    second = course.take(among[1])
    assert first
    assert second
    assert (first.place, second.place, course.take(among[1])) == ("base/0/0", "base/1/0", None)
    assert [planned.by_key[key].place for key in course.made(second.key)] == ["redo/1/0"]
    assert course.made(second.key) == []


def test_what_is_done_is_not_handed_out() -> None:
    planned, among = plan(BASE, REDO, items=2), lanes("a")
    done = {node.key for node in planned.nodes if node.id == "base"}
    assert walk(begun(planned, among, done), among[1]) == ["redo/0/0", "redo/1/0"]
    assert begun(planned, among, set(planned.by_key)).take(among[1]) is None


def test_a_lane_stays_with_its_checkpoint() -> None:
    varied = {**BASE, "checkpoint": "{c}"}
    planned = make_plan(recipe(varied, axes={"n": [1, 2], "c": ["x", "y"]}), {}, {}, Facts())
    among = lanes("a")
    assert walk(begun(planned, among), among[1]) == ["base/0/0", "base/2/0", "base/1/0", "base/3/0"]
    among[1].checkpoint = "y"
    assert walk(begun(planned, among), among[1])[:2] == ["base/1/0", "base/3/0"]


def test_two_lanes_share_the_checkpoints_out() -> None:
    planned = make_plan(recipe({**BASE, "checkpoint": "{c}"}, axes={"c": ["x", "y"], "n": [1, 2]}), {}, {}, Facts())
    among = lanes("a", "b")
    course = begun(planned, among)
    first = course.take(among[1])
    assert first
    among[1].at_work, among[1].checkpoint = first, first.checkpoint
    second = course.take(among[2])
    assert second
    assert (first.checkpoint, second.checkpoint) == ("x", "y")


def test_what_asks_nobody_is_done_here_only() -> None:
    sheet = {"id": "sheet", "type": "sheet", "takes": "base"}
    planned, among = plan(BASE, sheet), lanes("a", helper=True)
    course = begun(planned, among)
    assert course.take(among[0]) is None
    assert course.take(among[2]) is None
    base = course.take(among[1])
    assert base
    for key in course.made(base.key):
        course.offer(key)
    assert course.take(among[1]) is None
    found = course.take(among[0])
    assert found
    assert found.id == "sheet"


def test_a_refusal_counts_for_all_stages_with_these_settings() -> None:
    planned, among = plan(BASE, REDO, items=3), lanes("a", "b")
    course = begun(planned, among)
    bases = [course.take(among[1]) for _ in range(3)]
    for base in bases:
        assert base
        for key in course.made(base.key):
            course.offer(key)
    first = course.take(among[1])
    assert first
    course.refuse(among[1], first, "a: no such sampler.", for_helper=False)
    assert course.offer(first.key) == ""  # b may have it
    course.refuse(among[2], first, "b: no such sampler.", for_helper=False)
    assert course.offer(first.key) == "a: no such sampler. b: no such sampler."
    others = [node for node in planned.nodes if node.id == "redo" and node is not first]
    assert [course.offer(node.key) for node in others] == ["a: no such sampler. b: no such sampler."] * 2


def test_the_helper_takes_what_only_a_network_answers() -> None:
    planned, among = plan(BASE), lanes("a", helper=True)
    course = begun(planned, among)
    node = course.take(among[1])
    assert node
    course.refuse(among[1], node, "a: has no such networks.", for_helper=True)
    assert course.offer(node.key) == ""
    assert course.take(among[1]) is None
    assert course.take(among[2]) is node


def test_without_a_backend_nothing_that_needs_one_can_be_made() -> None:
    planned = plan(BASE)
    course = Course(planned, lanes(), ())
    assert course.offer(course.free[0]) == "There is no backend that could make it."


@given(items=st.integers(1, 4), length=st.integers(1, 5), failing=st.integers(0, 19))
def test_a_failure_takes_all_that_needs_it_along_and_nothing_else(items: int, length: int, failing: int) -> None:
    stages = [BASE] + [{**REDO, "id": f"s{i}", "takes": f"s{i - 1}" if i else "base"} for i in range(length - 1)]
    planned, among = plan(*stages, items=items), lanes("a")
    course = begun(planned, among)
    node = planned.nodes[failing % len(planned.nodes)]
    out = course.fail(node.key)
    item = node.items[0]
    later = {one.key for one in planned.nodes if one.items[0] == item and planned.nodes.index(one) > planned.nodes.index(node)}
    assert set(out) == later
    done = walk(course, among[1])
    assert len(done) == len(planned.nodes) - len(out) - 1
