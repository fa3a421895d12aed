"""Are jobs carried out one by one, stopped as asked, and remembered whatever happens to the process that carries them out?"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lib_extension.jobs import record
from lib_extension.jobs.jobs import Jobs, jobs_at
from lib_extension.jobs.record import ENDED, Job, Records, Standing
from lib_extension.spec.errors import BadRequest, NotFound
from tests.jobs.programs import KINDS

ROOT = Path(__file__).parents[2]


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path / "jobs", kinds=KINDS)
    yield jobs
    jobs.close()


def until(is_so: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def ended(jobs: Jobs, id: str) -> Job:
    until(lambda: jobs.get(id).standing.state in ENDED)
    return jobs.get(id)


def is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    return "State:\tZ" not in status


def test_what_a_program_tells_is_kept(jobs: Jobs):
    id = jobs.add("program", {"does": "learn", "steps": 5}).id
    job = ended(jobs, id)
    assert (job.standing.state, job.standing.problem, job.title) == ("done", "", "To learn")
    assert job.standing.started <= job.standing.ended
    account = jobs.account(id)
    assert account.progress == {"done": 5, "total": 5, "text": "Learning"}
    assert account.points == {"loss": [[1, 1], [2, 0.5], [3, 1 / 3], [4, 0.25], [5, 0.2]]}
    assert list(account.lines) == ["Beginning", "plain words", " 100%|##########"]
    assert list(account.pictures) == [{"file": "sample.png", "title": "step 5"}]
    assert jobs.file(id, "sample.png").read_bytes() == b"\x89PNG"


def test_one_is_at_work_at_a_time_and_the_oldest_first(jobs: Jobs):
    first, second, third = (jobs.add("program", {"does": does}).id for does in ("stop when asked", "learn", "learn"))
    until(lambda: jobs.get(first).standing.state == "running")
    assert [jobs.get(id).standing.state for id in (second, third)] == ["queued", "queued"]
    jobs.cancel(third)
    jobs.cancel(first)
    assert [ended(jobs, id).standing.state for id in (first, second, third)] == ["cancelled", "done", "cancelled"]
    assert jobs.get(second).standing.started >= jobs.get(first).standing.ended


def test_a_failed_one_says_why_and_does_not_hold_up_the_others(jobs: Jobs):
    failed, crashed, missing, odd, fine = (
        jobs.add(kind, {"does": does}).id
        for kind, does in (("program", "fail"), ("program", "crash"), ("missing", "learn"), ("odd", "learn"), ("program", "learn"))
    )
    assert ended(jobs, fine).standing.state == "done"
    assert jobs.get(failed).standing.problem == "The card's memory is full: choose a smaller batch."
    assert jobs.get(crashed).standing.problem == "Its program ended with status 1: RuntimeError: deep inside"
    assert jobs.get(missing).standing.state == "failed"
    assert jobs.get(odd).standing.problem == "It could not be started: settings of another time"


def test_a_turn_that_fails_does_not_end_the_queue(jobs: Jobs, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    all_of, failed = Records.all, threading.Event()

    def fail_once(records: Records) -> list[Job]:
        if threading.current_thread().name == "atelier-jobs" and not failed.is_set():
            failed.set()
            raise OSError("No space left on device")
        return all_of(records)

    monkeypatch.setattr(jobs, "_settle", lambda: None)
    monkeypatch.setattr(Records, "all", fail_once)
    first = jobs.add("program", {"does": "learn"}).id
    assert failed.wait(20)
    assert [ended(jobs, id).standing.state for id in (first, jobs.add("program", {"does": "learn"}).id)] == ["done", "done"]
    assert "No space left" in caplog.text


def test_a_job_that_is_removed_while_all_are_read_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    records = Records(tmp_path)
    one, other = (records.add("program", title, {"does": "learn"}, {}) for title in ("one", "other"))
    records.set(one.id, Standing("done"))
    read = record._read

    def removing(file: Path) -> dict[str, Any] | None:
        told = read(file)
        if file.parent.name == one.id:
            shutil.rmtree(file.parent, ignore_errors=True)
        return told

    monkeypatch.setattr(record, "_read", removing)
    assert [job.id for job in records.all()] == [other.id]


def test_a_program_that_is_asked_to_stop_ends_in_good_order(jobs: Jobs):
    id = jobs.add("program", {"does": "stop when asked"}).id
    until(lambda: "at work" in jobs.account(id).lines)
    jobs.cancel(id)
    assert ended(jobs, id).standing.state == "cancelled"
    assert jobs.file(id, "saved.txt").read_text() == "saved"
    jobs.cancel(id)
    assert jobs.get(id).standing.state == "cancelled", "cancelled twice is cancelled"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_one_that_does_not_stop_is_ended_with_its_children(jobs: Jobs):
    id = jobs.add("impatient", {"does": "never stop"}).id
    pids = pids_of(jobs, id)
    jobs.cancel(id)
    assert ended(jobs, id).standing.state == "cancelled"
    until(lambda: not any(map(is_alive, pids)))


def pids_of(jobs: Jobs, id: str) -> list[int]:
    until(lambda: jobs.account(id).lines)
    return [int(pid) for pid in re.findall(r"\d+", jobs.account(id).lines[0])]


SERVER = """
import sys, time
from pathlib import Path
from lib_extension.jobs.jobs import Jobs
from tests.jobs.programs import KINDS
jobs = Jobs(Path(sys.argv[1]), kinds=KINDS)
print(jobs.add("impatient", {"does": "never stop"}).id, jobs.add("program", {"does": "learn"}).id, flush=True)
time.sleep(600)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_killed_server_takes_its_program_along_and_the_queue_goes_on_with_the_next(tmp_path: Path):
    command = [sys.executable, "-c", SERVER, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        running, waiting = server.stdout.readline().split()
        here = Jobs(tmp_path, kinds=KINDS)  # as another program that has the same folder open
        pids = pids_of(here, running)
        time.sleep(0.3)
        assert (here.get(running).standing.state, here.get(waiting).standing.state) == ("running", "queued")
        os.kill(server.pid, signal.SIGKILL)
    until(lambda: not any(map(is_alive, pids)))
    assert ended(here, waiting).standing.state == "done"
    assert here.get(running).standing.state == "interrupted"
    assert "while this was at work" in here.get(running).standing.problem
    here.close()


def test_one_process_may_cancel_what_another_carries_out(jobs: Jobs, tmp_path: Path):
    id = jobs.add("program", {"does": "stop when asked"}).id
    until(lambda: "at work" in jobs.account(id).lines)
    other = Jobs(tmp_path / "jobs", kinds=KINDS)
    other.cancel(id)
    assert ended(jobs, id).standing.state == "cancelled"
    other.close()


def test_closing_interrupts_what_is_at_work_and_keeps_what_waits(tmp_path: Path):
    jobs = Jobs(tmp_path, kinds=KINDS)
    running, waiting = (jobs.add("impatient", {"does": does}).id for does in ("never stop", "learn"))
    until(lambda: jobs.account(running).lines)
    jobs.close()
    assert jobs.get(running).standing.state == "interrupted"
    assert jobs.get(waiting).standing.state == "queued"
    again = Jobs(tmp_path, kinds=KINDS)
    assert ended(again, waiting).standing.state == "done"
    again.close()


def test_one_that_is_at_work_cannot_be_removed_and_any_other_can(jobs: Jobs, tmp_path: Path):
    id = jobs.add("program", {"does": "stop when asked"}).id
    until(lambda: jobs.get(id).standing.state == "running")
    with pytest.raises(BadRequest, match="cancel it first"):
        jobs.remove(id)
    jobs.cancel(id)
    ended(jobs, id)
    jobs.remove(id)
    with pytest.raises(NotFound):
        jobs.get(id)
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == ["lock"]


@pytest.mark.parametrize("name", ["../config.json", "/etc/passwd", "missing.png", "", ".", "a\0b", "x" * 5000])
def test_only_files_of_its_own_are_handed_out(jobs: Jobs, name: str):
    id = jobs.add("program", {"does": "learn"}).id
    ended(jobs, id)
    with pytest.raises(NotFound):
        jobs.file(id, name)


@pytest.mark.parametrize("id", ["../jobs", "20260101-000000-aaaaaa", "", "x"])
def test_what_is_no_job_is_not_found(jobs: Jobs, id: str):
    for ask in (jobs.get, jobs.cancel, jobs.remove, jobs.account, jobs.folder):
        with pytest.raises(NotFound):
            ask(id)


def test_settings_are_checked_before_anything_is_queued(jobs: Jobs):
    with pytest.raises(BadRequest, match=r'no kind of job "programme"\. Did you mean "program"'):
        jobs.add("programme", {})
    with pytest.raises(BadRequest, match="steps"):
        jobs.add("program", {"does": "learn", "steps": 0})
    assert jobs.all() == []


def test_a_process_opens_a_folder_once(tmp_path: Path):
    first = jobs_at(tmp_path)
    assert jobs_at(tmp_path) is first
    first.close()
    assert jobs_at(tmp_path) is not first
