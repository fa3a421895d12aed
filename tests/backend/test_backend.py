"""Are calls stopped, watched and lost as they should be, with other people's calls on the same host left alone?"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib_extension.backend.backend import Backend
from lib_extension.backend.connection import Connection
from lib_extension.backend.errors import Missing, Unreachable
from lib_extension.backend.parse import parse_backend
from lib_extension.backend.pool import Pool
from lib_extension.spec.calls import ModelTags
from lib_extension.spec.errors import BadRequest, Interrupted
from tests.backend.asked import OPENED, PLAIN, asking, backend_over
from tests.backend.misbehaving import LoraFile, Misbehaving
from tests.backend.test_hosts import Engine

ROOT = Path(__file__).parents[2]
STEPS, STEP = 1000, 0.01  # seconds each
LONG = asking(steps=STEPS)


def until(true: Callable[[], object], seconds: float = 5) -> None:
    """Waits, and fails where it never comes."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextmanager
def in_thread(work: Callable[[], object]) -> Iterator[None]:
    """Done beside; its error is not looked at."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(work)
        yield


def others_call(webui: Misbehaving, steps: int = 30) -> tuple[int, object]:
    """Somebody else's, sent to the same host."""
    return webui.generate("txt2img", {"prompt": "theirs", "steps": steps, "width": 64, "height": 64, "seed": 1})


def test_a_cancelled_call_ends_within_a_step() -> None:
    webui = Misbehaving(step_seconds=STEP)
    backend, cancelled = backend_over(webui), threading.Event()
    backend.inventory()
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(backend.call, LONG, "task(ours)", cancelled.is_set)
        until(lambda: webui.task == "task(ours)")
        cancelled.set()
        with pytest.raises(Interrupted):
            call.result(STEPS * STEP / 2)
    assert backend.progress("task(ours)") is None


def test_what_was_cancelled_before_is_not_sent() -> None:
    webui = Misbehaving()
    with pytest.raises(Interrupted):
        backend_over(webui).call(PLAIN, cancelled=lambda: True)
    assert webui.calls == []


@pytest.mark.parametrize("tells_tasks", [True, False])
def test_a_waiting_call_is_given_up_and_the_running_one_left_alone(tells_tasks: bool) -> None:
    webui = Misbehaving(step_seconds=STEP, tells_tasks=tells_tasks)
    backend, cancelled = backend_over(webui), threading.Event()
    backend.inventory()
    with ThreadPoolExecutor(2) as threads:
        theirs = threads.submit(others_call, webui)
        until(lambda: webui.state["job_count"])
        ours = threads.submit(backend.call, asking(steps=200), "task(ours)", cancelled.is_set)
        until(lambda: webui.waiting)
        assert not backend.interrupt("task(ours)")
        cancelled.set()
        with pytest.raises(Interrupted):
            ours.result(1)
        status, answer = theirs.result(5)
        assert status == 200
        assert not webui.state["interrupted"] or webui.task == "task(ours)"
        if tells_tasks:  # its turn comes, and it is stopped then: a WebUI has no way to take it out of the line
            until(lambda: "task(ours)" in webui.done)
            assert webui.state["interrupted"]
        assert answer == others_call(Misbehaving())[1]


def test_a_host_without_tasks_is_interrupted_only_where_nothing_else_ran() -> None:
    webui = Misbehaving(step_seconds=STEP, tells_tasks=False)
    backend = backend_over(webui)
    backend.inventory()
    with in_thread(lambda: backend.call(LONG, "task(ours)")):
        until(lambda: webui.state["job_count"])
        until(lambda: backend.progress("task(ours)"))
        assert backend.interrupt("task(ours)")


def test_progress_is_told_of_our_calls_alone() -> None:
    webui = Misbehaving(step_seconds=STEP)
    backend = backend_over(webui)
    backend.inventory()
    with in_thread(lambda: backend.call(asking(steps=40), "task(ours)")):
        until(lambda: webui.task == "task(ours)")
        told = backend.progress("task(ours)")
        assert told is not None
        assert (told.state, told.share) == ("running", 0.25)
        assert backend.progress("task(other)") is None
        assert not backend.interrupt("task(other)")


def test_a_skip_that_leaves_no_trace_is_seen_while_it_happens() -> None:
    """A WebUI puts `skipped` back with the next picture; it is asked every second."""
    webui = Misbehaving(step_seconds=STEP)
    backend = backend_over(webui)
    backend.inventory()
    with ThreadPoolExecutor(1) as threads:
        call = threads.submit(backend.call, asking(steps=150), "task(ours)")
        until(lambda: webui.task == "task(ours)")
        webui.state["skipped"] = True
        time.sleep(1.2)
        webui.state["skipped"] = False
        with pytest.raises(Exception, match="interrupted or skipped the call"):
            call.result(5)


@contextmanager
def served(step_seconds: float = 0.0) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A process with a WebUI, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "tests.backend.misbehaving", "a1111", str(port), str(step_seconds)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        backend = parse_backend(f"http://127.0.0.1:{port}")
        until(lambda: reachable(backend), 20)
        backend.close()
        yield f"http://127.0.0.1:{port}", process
    finally:
        process.kill()
        process.wait()


def reachable(backend: Backend) -> bool:
    try:
        backend.identity()
    except Unreachable:
        return False
    return True


def test_a_backend_that_dies_is_unreachable_and_another_takes_the_call() -> None:
    other = backend_over(Misbehaving())
    with served(STEP) as (url, process):
        pool = Pool([parse_backend(url), other])
        first = pool.backends[0]
        assert first.identity() == other.identity()
        assert pool.eligible(PLAIN) == (first, other)
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(first.call, LONG, "task(ours)")
            until(lambda: (told := first.progress("task(ours)")) and told.state == "running")
            process.kill()
            with pytest.raises(Unreachable, match=f"{url} does not answer"):
                call.result(5)
        assert pool.eligible(PLAIN) == (other,)
        assert other.call(PLAIN).pictures
        pool.close()


def test_the_same_call_gives_the_same_file_over_http() -> None:
    with served() as (url, _):
        backend = parse_backend(url)
        assert backend.call(PLAIN).pictures == backend_over(Misbehaving()).call(PLAIN).pictures
        backend.close()


def test_a_pool_asks_only_those_that_have_everything() -> None:
    with_model, without = Misbehaving(), Misbehaving()
    without.lists["/sdapi/v1/sd-models"]["response"].pop(0)
    pool = Pool([backend_over(without), backend_over(with_model)])
    wanted = asking(override_settings={"sd_model_checkpoint": "tiny2"})
    assert pool.eligible(wanted) == (pool.backends[1],)
    assert pool.eligible(PLAIN) == pool.backends
    assert 'no checkpoint "tiny2"' in pool.why_none(wanted)


def test_networks_are_asked_of_the_helper() -> None:
    helper = backend_over(Engine())
    call = ModelTags(image="x")
    pool = Pool([backend_over(Misbehaving())], helper)
    assert pool.eligible(call) == (helper,)
    assert pool.eligible(PLAIN) == pool.backends
    assert "only the embedded engine" in Pool([backend_over(Misbehaving())]).why_none(call)


def test_an_engine_among_the_backends_lets_the_helper_sleep() -> None:
    """Reached by its address, nobody knows beforehand that it is one."""

    def woken() -> Connection:
        raise AssertionError("the helper was started")

    engine = backend_over(Engine())
    pool = Pool([backend_over(Misbehaving()), engine], Backend("engine:none", woken))
    assert pool.eligible(ModelTags(image="x")) == (engine,)


def test_a_closed_backend_is_reached_again() -> None:
    backend = backend_over(Misbehaving())
    first = backend.call(PLAIN)
    backend.close()
    assert backend.call(PLAIN) == first


def test_missing_things_are_errors_of_their_own() -> None:
    with pytest.raises(Missing):
        backend_over(Misbehaving()).call(asking(sampler_name="nosuch"))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(BadRequest, match="cannot be written as JSON"):
        backend_over(Misbehaving()).call(asking(cfg_scale=float("nan")))


def test_a_first_try_of_a_lora_is_cancelled_like_the_call_itself() -> None:
    webui = Misbehaving(step_seconds=STEP, loras={"style": LoraFile("aa11")})
    backend, cancelled = backend_over(webui), threading.Event()
    backend.inventory()
    with ThreadPoolExecutor(2) as threads:
        theirs = threads.submit(others_call, webui, 100)
        until(lambda: webui.state["job_count"])
        ours = threads.submit(backend.call, asking(prompt="a <lora:style:1>"), "task(ours)", cancelled.is_set)
        until(lambda: webui.waiting)
        cancelled.set()
        with pytest.raises(Interrupted):
            ours.result(0.5)
        assert theirs.result(5)[0] == 200


@pytest.mark.parametrize(
    ("text", "spec"),
    [
        ("engine", "engine:demo"),
        ("engine:C:/models/my model.safetensors", "engine:C:/models/my model.safetensors"),
        (" http://127.0.0.1:7860/ ", "http://127.0.0.1:7860"),
        ("https://me:s%40cret@webui.example/sd", "https://webui.example/sd"),
    ],
)
def test_a_backend_is_known_by_a_name_without_a_password(text: str, spec: str) -> None:
    assert parse_backend(text).spec == spec


@pytest.mark.parametrize("text", ["", "demo", "ftp://x", "http://", "http://[", "webui", "webui:x", "me:secret@host"])
def test_what_is_no_backend_is_refused_without_showing_a_password(text: str) -> None:
    with pytest.raises(BadRequest, match=r"is no backend|runs in none") as caught:
        parse_backend(text)
    assert "secret" not in str(caught.value)


def test_a_password_in_an_address_is_used() -> None:
    with served() as (url, _):
        host = url.removeprefix("http://")
        OPENED.append(parse_backend(f"http://me:secret@{host}"))
        assert OPENED[-1].identity().host == "a1111"
