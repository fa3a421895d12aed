from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from lib_extension.api.coalescing import PLAIN, coalesced, written
from lib_extension.runs.records import Event
from tests.api.large import finished, large_run
from tests.api.serving import served
from tests.runs.stub_backend import running_stub

KINDS = ("state", "planned", "started", "finished", "failed", "retry", "review", "chosen", "notice")


def happening(id: int, kind: str, stage: str = "base") -> Event:
    """An event as the ledger has it."""
    data: dict[str, Any] = {"stage": stage, "key": f"{id:064}", "place": f"{stage}/{id}/0", "backend": "http://127.0.0.1:7860"}
    if kind == "finished":
        data["pictures"] = [f"{id:064x}"]
    if kind == "state":
        data = {"state": "running", "message": ""}
    return Event(id=id, run="a run", at=1.0, kind=kind, data=data)


def test_few_events_are_told_one_by_one():
    events = [happening(id, kind) for id, kind in enumerate(KINDS, 1)]
    assert coalesced(events) == events


def test_many_are_told_by_their_numbers_and_what_matters_is_told_by_itself():
    events = [happening(1, "state"), happening(2, "planned"), happening(3, "failed")]
    events += [happening(4 + 2 * number + after, kind) for number in range(100) for after, kind in enumerate(("started", "finished"))]
    events += [happening(300, "planned"), happening(301, "state")]
    told = coalesced(events)
    assert [(event.id, event.kind) for event in told] == [(1, "state"), (3, "failed"), (203, "progress"), (300, "planned"), (301, "state")]
    progress = told[2].data
    assert progress["stages"] == {"base": {"started": 100, "finished": 100}}
    assert progress["pictures"] == [f"{id:064x}" for id in (197, 199, 201, 203)]
    assert sum(len(written(event)) for event in told) < PLAIN


@given(st.lists(st.sampled_from(KINDS), max_size=60), st.integers(1, 60))
def test_ids_grow_and_nothing_is_lost(kinds: list[str], stages: int):
    events = [happening(id, kind, f"stage{id % stages}") for id, kind in enumerate(kinds, 1)]
    told = coalesced(events)
    ids = [event.id for event in told]
    assert ids == sorted(set(ids))
    assert not events or ids[-1] >= max((event.id for event in events if event.kind != "planned"), default=0)
    counted = sum(
        count for event in told if event.kind == "progress" for counts in event.data["stages"].values() for count in counts.values()
    )
    by_themselves = sum(event.kind not in ("progress", "planned") for event in told)
    assert counted + by_themselves == sum(kind != "planned" for kind in kinds)


def test_a_run_of_sixty_stages_and_two_hundred_items_tells_less_than_twenty_kilobytes_a_second(tmp_path: Path):
    """As fast as it can be: thousands of stages are found to be done while somebody looks."""
    with running_stub() as stub, served(tmp_path, stub.url) as server:
        run_id = large_run(server.session)
        ledger = server.session.ledger
        ledger.runs.set_state(run_id, "running")
        ended = threading.Event()

        def happen() -> None:
            key = 0
            while not ended.is_set():
                with ledger.database.write() as connection:
                    rows = [(run_id, 1.0, "finished", finished(key + number)) for number in range(40)]
                    connection.executemany("INSERT INTO events (run, at, kind, data) VALUES (?, ?, ?, ?)", rows)
                key += 40
                time.sleep(0.02)
            ledger.events.add(run_id, "state", state="done", message="")

        thread = threading.Thread(target=happen)
        with server.client.stream("GET", f"/atelier/v1/runs/{run_id}/events") as answer:
            thread.start()
            begun, size = time.monotonic(), 0
            for text in answer.iter_text():
                size += len(text)
                if time.monotonic() - begun > 4:
                    ended.set()
        seconds = time.monotonic() - begun
        thread.join()
        happened = ledger.events.last_id(run_id)
    assert happened > 2000
    assert size / seconds < 20_000, (size, seconds, happened)
