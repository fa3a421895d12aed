"""While a generation runs: progress, the line, interrupting, what is answered meanwhile, and a client that leaves."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.engine.replay.recordings import picture
from tests.engine.running import Running

LONG: dict[str, Any] = {"prompt": "a cat", "steps": 150, "width": 128, "height": 128, "seed": 1, "sampler_name": "Euler"}
SHORT: dict[str, Any] = {**LONG, "steps": 1, "width": 64, "height": 64}
PATIENCE = 180.0


@pytest.fixture
def later() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def until(what: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < end, "did not happen"
        time.sleep(0.02)


def asked(engine: Running, body: dict[str, Any]) -> httpx.Response:
    return engine.client.post("/sdapi/v1/txt2img", json=body)


def progress(engine: Running) -> Any:
    return engine.json("GET", "/sdapi/v1/progress")


def task(engine: Running, id: str) -> Any:
    return engine.json("POST", "/internal/progress", {"id_task": id})


def started(engine: Running, later: ThreadPoolExecutor, id: str, body: dict[str, Any] = LONG) -> Future[httpx.Response]:
    answer = later.submit(asked, engine, {**body, "force_task_id": id})
    until(lambda: progress(engine)["state"]["sampling_step"] > 0 and task(engine, id)["active"])
    return answer


def test_progress_the_line_and_interrupting(strict: Running, later: ThreadPoolExecutor) -> None:
    first = started(strict, later, "first")
    second = later.submit(asked, strict, {**SHORT, "force_task_id": "second"})
    until(lambda: strict.json("GET", "/internal/pending-tasks") == {"size": 1, "tasks": ["second"]})

    now = progress(strict)
    assert 0.01 < now["progress"] < 1
    assert now["state"]["sampling_steps"] == 150
    assert now["state"]["job_count"] == 1
    assert task(strict, "second") == {
        "active": False,
        "queued": True,
        "completed": False,
        "progress": None,
        "eta": None,
        "live_preview": None,
        "id_live_preview": -1,
        "textinfo": "In queue: 1/1",
    }
    until(lambda: progress(strict)["current_image"] is not None)
    assert progress(strict)["current_image"].startswith("iVBOR")
    assert strict.json("GET", "/sdapi/v1/progress?skip_current_image=true")["current_image"] is None  # type: ignore[index]
    seen = task(strict, "first")
    assert seen["live_preview"].startswith("data:image/png;base64,iVBOR")
    again = strict.json("POST", "/internal/progress", {"id_task": "first", "id_live_preview": 10_000})
    assert isinstance(again, dict)

    before = progress(strict)["state"]["sampling_step"]
    assert strict.json("POST", "/sdapi/v1/interrupt") == {}
    answer = first.result(PATIENCE)
    assert answer.status_code == 409  # Strict gives no half-finished picture for a whole one.
    assert answer.json()["error"] == "Interrupted"
    assert before < 149
    assert second.result(PATIENCE).status_code == 200
    assert task(strict, "second")["completed"]
    assert task(strict, "never heard of")["textinfo"] == "Waiting..."


def test_lenient_answers_an_interrupted_call_with_what_there_is(lenient: Running, later: ThreadPoolExecutor) -> None:
    first = started(lenient, later, "interrupted", {**LONG, "n_iter": 3})
    lenient.json("POST", "/sdapi/v1/interrupt")
    answer = first.result(PATIENCE)
    assert answer.status_code == 200
    assert len(answer.json()["images"]) == 1
    assert progress(lenient)["state"]["interrupted"] is True
    assert asked(lenient, SHORT).status_code == 200
    assert progress(lenient)["state"]["interrupted"] is False


def test_calls_are_answered_in_the_order_in_which_they_came(strict: Running, later: ThreadPoolExecutor) -> None:
    first = started(strict, later, "long")
    order: list[int] = []
    lock = threading.Lock()

    def call(number: int) -> None:
        assert asked(strict, SHORT).status_code == 200
        with lock:
            order.append(number)

    calls = []
    for number in range(4):
        calls.append(later.submit(call, number))
        until(lambda number=number: strict.json("GET", "/internal/pending-tasks")["size"] == number + 1)  # type: ignore[index]
    strict.json("POST", "/sdapi/v1/interrupt")
    first.result(PATIENCE)
    for each in calls:
        each.result(PATIENCE)
    assert order == [0, 1, 2, 3]


def test_what_needs_no_checkpoint_is_answered_meanwhile(strict: Running, later: ThreadPoolExecutor) -> None:
    running = started(strict, later, "meanwhile", {**LONG, "n_iter": 20})
    body = {"controlnet_module": "canny", "controlnet_input_images": [picture(64, 64)], "controlnet_processor_res": 64}
    found = strict.json("POST", "/controlnet/detect", body)
    assert isinstance(found, dict)
    assert found["info"] == "Success"
    for path in ("/sdapi/v1/options", "/sdapi/v1/sd-models", "/sdapi/v1/memory", "/controlnet/model_list"):
        assert strict.client.get(path).status_code == 200
    strict.json("POST", "/sdapi/v1/options", {"send_size": True})
    assert not running.done()
    strict.json("POST", "/sdapi/v1/interrupt")
    running.result(PATIENCE)


def test_a_client_that_leaves_stops_nothing(strict: Running) -> None:
    with pytest.raises(httpx.ReadTimeout):
        strict.client.post("/sdapi/v1/txt2img", json={**LONG, "steps": 30, "force_task_id": "left"}, timeout=0.3)
    until(lambda: progress(strict)["state"]["sampling_step"] > 2)
    until(lambda: task(strict, "left")["completed"])


@pytest.mark.parametrize(("mode", "active", "completed"), [("strict", False, True), ("lenient", True, False)])
def test_a_failed_task(request: pytest.FixtureRequest, mode: str, active: bool, completed: bool) -> None:
    """The WebUI, and so lenient, goes on calling it active until another one starts."""
    engine: Running = request.getfixturevalue(mode)
    failing = {**SHORT, "prompt": "x", "width": 10**5, "height": 8, "force_task_id": "failing"}
    assert asked(engine, failing).status_code == 413
    state = task(engine, "failing")
    assert (state["active"], state["completed"]) == (active, completed)
    assert asked(engine, {**SHORT, "force_task_id": "fine"}).status_code == 200
    assert task(engine, "failing")["active"] is False
    assert task(engine, "fine")["completed"] is True


def test_unloading_and_reloading(strict: Running) -> None:
    before = asked(strict, SHORT).json()["images"]
    assert strict.json("POST", "/sdapi/v1/unload-checkpoint") == {}
    assert strict.json("GET", "/sdapi/v1/options")["sd_checkpoint_hash"] == ""  # type: ignore[index]
    assert strict.json("POST", "/sdapi/v1/reload-checkpoint") == {}
    assert asked(strict, SHORT).json()["images"] == before
    strict.json("POST", "/sdapi/v1/unload-checkpoint")
    assert asked(strict, SHORT).json()["images"] == before


def test_save_images_writes_files_and_a_grid(lenient: Running) -> None:
    answer = asked(lenient, {**SHORT, "n_iter": 2, "save_images": True}).json()
    assert len(answer["images"]) == 3
    assert asked(lenient, {**SHORT, "override_settings": {"samples_format": "webp"}}).json()["images"][0].startswith("UklGR")
    lenient.json("POST", "/sdapi/v1/options", {"samples_format": "png"})


def test_other_formats_and_png_info(strict: Running) -> None:
    for kind in ("jpg", "webp", "png"):
        body = {**SHORT, "override_settings": {"samples_format": kind}}
        image = asked(strict, body).json()["images"][0]
        read = strict.json("POST", "/sdapi/v1/png-info", {"image": image})
        assert isinstance(read, dict)
        assert read["info"].startswith("a cat\nSteps: 1, Sampler: Euler"), kind
        assert read["parameters"]["Seed"] == "1"
