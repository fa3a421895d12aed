"""The line before the engine: order, states, failures, a client that leaves."""

from __future__ import annotations

import threading
import time

import pytest

from lib_extension.engine.queue import MOST_WAITING, Queue, task_id
from lib_extension.spec.errors import Busy


def test_calls_run_one_at_a_time_in_the_order_of_their_arrival() -> None:
    queue = Queue()
    order: list[int] = []
    running = threading.Semaphore(1)

    def call(number: int) -> int:
        assert running.acquire(blocking=False)
        time.sleep(0.002)
        order.append(number)
        running.release()
        return number

    futures = [queue.submit(f"task-{number}", lambda number=number: call(number)) for number in range(20)]
    assert [future.result(5) for future in futures] == order == list(range(20))
    queue.close()


def test_states_follow_a_task_through_the_line() -> None:
    queue = Queue()
    go, started = threading.Event(), threading.Event()
    first = queue.submit("first", lambda: (started.set(), go.wait(5)))
    second = queue.submit("second", lambda: None)
    third = queue.submit("third", lambda: None)
    started.wait(5)
    assert [queue.state_of(name) for name in ("first", "second", "third", "other")] == ["active", "queued", "queued", "unknown"]
    assert queue.waiting() == ["second", "third"]
    go.set()
    for future in (first, second, third):
        future.result(5)
    assert [queue.state_of(name) for name in ("first", "second", "third")] == ["completed"] * 3
    assert queue.waiting() == []
    queue.close()


@pytest.mark.parametrize(("as_webui", "state"), [(False, "completed"), (True, "active")])
def test_a_failed_task_is_over_but_stays_active_where_the_webui_is_followed(as_webui: bool, state: str) -> None:
    queue = Queue(failed_stays_active=as_webui)
    failed = queue.submit("failing", lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        failed.result(5)
    assert queue.state_of("failing") == state
    assert queue.submit("next", lambda: "fine").result(5) == "fine"
    assert queue.state_of("failing") == ("unknown" if as_webui else "completed")
    queue.close()


def test_a_cancelled_future_does_not_stop_the_line() -> None:
    queue = Queue()
    go = threading.Event()
    ran: list[str] = []
    queue.submit("first", lambda: go.wait(5))
    left = queue.submit("left", lambda: ran.append("left"))
    left.cancel()
    last = queue.submit("last", lambda: ran.append("last"))
    go.set()
    last.result(5)
    assert ran[-1] == "last"
    queue.close()


def test_work_that_is_nobodys_task_is_not_shown() -> None:
    queue = Queue()
    go, started = threading.Event(), threading.Event()
    queue.submit("first", lambda: (started.set(), go.wait(5)))
    started.wait(5)
    unseen = queue.submit("refresh", lambda: None, shown=False)
    assert queue.waiting() == []
    go.set()
    unseen.result(5)
    assert queue.state_of("refresh") == "unknown"
    queue.close()


def test_closing_tells_those_who_wait_and_refuses_more() -> None:
    queue = Queue()
    go, started = threading.Event(), threading.Event()
    running = queue.submit("running", lambda: (started.set(), go.wait(5)))
    waiting = queue.submit("waiting", lambda: None)
    started.wait(5)
    queue.close()
    with pytest.raises(Busy, match="stopped before"):
        waiting.result(5)
    with pytest.raises(Busy, match="is stopping"):
        queue.submit("late", lambda: None)
    go.set()
    running.result(5)


def test_the_line_has_an_end() -> None:
    queue = Queue()
    go, started = threading.Event(), threading.Event()
    queue.submit("running", lambda: (started.set(), go.wait(5)))
    started.wait(5)
    for number in range(MOST_WAITING):
        queue.submit(str(number), lambda: None)
    with pytest.raises(Busy, match=f"{MOST_WAITING} calls"):
        queue.submit("one more", lambda: None)
    go.set()
    queue.close()


def test_ids_have_the_webuis_form() -> None:
    assert task_id("txt2img").startswith("task(txt2img-")
    assert len(task_id("txt2img")) == len("task(txt2img-OB2G7R5)")
    assert task_id("txt2img") != task_id("txt2img")
