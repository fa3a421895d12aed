"""Is nothing lost, whatever ends a run? Real processes, real signals, a real full disk."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest
import torch

from tests.trainer.runs import carried_out, config_file, events_in, started, trained_weights
from trainer.checkpoint import saved_states
from trainer.written import DiskFull

if sys.platform == "win32":
    pytest.skip("by POSIX signals and limits", allow_module_level=True)


def events_of(folder: Path) -> str:
    file = folder / "events.jsonl"
    return file.read_text() if file.exists() else ""


def wait_for(folder: Path, text: str, process: subprocess.Popen[str]) -> None:
    for _ in range(6000):
        if text in events_of(folder):
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    raise AssertionError(f"no {text} in {events_of(folder)[-500:]}")


def test_killed_at_random_moments_it_is_the_same_run(sd1_folder: Path, tmp_path: Path) -> None:
    """Each kill loses at most what came after the last save, and no file that was there."""
    config = config_file(tmp_path, sd1_folder, run={"steps": 14, "save_every": 2, "keep_states": 2})
    assert carried_out("train", config, "name=whole").status == 0
    folder, chance = tmp_path / "runs/disc", Random(7)
    for kill in range(3):
        process = started("train", config)
        wait_for(folder, f'"x": {4 * kill + 3}, ', process)
        time.sleep(chance.random() * 0.5)
        process.kill()
        process.communicate()
        states, files = saved_states(folder / "states"), sorted(path.name for path in folder.glob("*.safetensors"))
        last = max(event["x"] for event in events_in(events_of(folder)) if event["event"] == "point")
        assert states[-1][0] >= last - 2 - 1
        assert f"disc-{states[-1][0]:06d}.safetensors" in files
        for file in files:
            trained_weights(folder / file)
    assert carried_out("train", config).status == 0
    whole = trained_weights(tmp_path / "runs/whole/whole-000014.safetensors")
    killed = trained_weights(folder / "disc-000014.safetensors")
    assert all(torch.equal(whole[name], killed[name]) for name in whole)
    assert not list(folder.rglob("*.part"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_saves_and_ends_within_a_step(number: int, sd1_folder: Path, tmp_path: Path) -> None:
    config, folder = config_file(tmp_path, sd1_folder, run={"steps": 100_000}), tmp_path / "runs/disc"
    process = started("train", config)
    wait_for(folder, '"x": 2, ', process)
    process.send_signal(number)
    out, problems = process.communicate(timeout=120)
    assert process.returncode == 3, problems
    events = events_in(out)
    last = max(event["x"] for event in events if event["event"] == "point")
    assert saved_states(folder / "states")[-1][0] == last
    assert any("Stopped after step" in event.get("text", "") for event in events)
    assert "Traceback" not in problems


def test_it_waits_while_it_is_paused(sd1_folder: Path, tmp_path: Path) -> None:
    config, folder = config_file(tmp_path, sd1_folder, run={"steps": 100_000}), tmp_path / "runs/disc"
    process = started("train", config)
    wait_for(folder, '"x": 1, ', process)
    (folder / "pause").touch()
    wait_for(folder, '"paused"', process)
    assert saved_states(folder / "states")
    before = events_of(folder)
    time.sleep(1)
    assert events_of(folder) == before
    (folder / "pause").unlink()
    step = json.loads(before.splitlines()[-1])["done"]
    wait_for(folder, f'"x": {step + 1}, ', process)
    (folder / "stop").touch()
    process.communicate(timeout=120)
    assert process.returncode == 3


def test_two_at_a_time_in_one_folder_are_refused(sd1_folder: Path, tmp_path: Path) -> None:
    config, folder = config_file(tmp_path, sd1_folder, run={"steps": 100_000}), tmp_path / "runs/disc"
    process = started("train", config)
    wait_for(folder, '"x": 1, ', process)
    told = carried_out("train", config)
    process.kill()
    process.communicate()
    assert told.status == 1
    assert "at work in another process" in told.error


def test_a_full_disk_is_told_and_the_last_state_is_whole(sd1_folder: Path, tmp_path: Path) -> None:
    """A limit on the size of files refuses what a full disk would."""
    config, folder = config_file(tmp_path, sd1_folder, run={"steps": 2}), tmp_path / "runs/disc"
    assert carried_out("train", config).status == 0
    state = {path.name: path.read_bytes() for path in (folder / "states/step-000002").iterdir()}
    limit = max(map(len, state.values())) - 1000

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    command = [sys.executable, "-m", "trainer", "train", str(config), "run.steps=3"]
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        command, cwd=Path(__file__).parents[2], env=variables, preexec_fn=full, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    error = next(event for event in events_in(done.stdout) if event["event"] == "error")
    assert "could not be written" in error["detail"]
    assert {path.name: path.read_bytes() for path in (folder / "states/step-000002").iterdir()} == state
    assert [path.name for path in (folder / "states").iterdir()] == ["step-000002"]
    assert not list(folder.rglob("*.part"))
    assert carried_out("train", config, "run.steps=3").status == 0


def test_what_could_not_even_begin_begins_when_there_is_room(sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config, folder = config_file(tmp_path, sd1_folder, run={"steps": 1}), tmp_path / "runs/disc"

    def full(path: Path, data: bytes) -> None:
        path.with_name(f"{path.name}.1-2.part").write_bytes(data)  # as one that is killed leaves it
        raise DiskFull("No room.")

    with monkeypatch.context() as patched:
        patched.setattr("trainer.run_folder.write_bytes", full)
        assert carried_out("train", config).error == "No room."
    assert {path.name for path in folder.iterdir()} == {"lock", "config.json.1-2.part"}
    assert carried_out("train", config).status == 0


def test_it_ends_when_the_program_that_started_it_ends(sd1_folder: Path, tmp_path: Path) -> None:
    """Under the leash that jobs are started with: it saves, then ends."""
    config, folder = config_file(tmp_path, sd1_folder, run={"steps": 100_000}), tmp_path / "runs/disc"
    command = [sys.executable, "-m", "lib_extension.jobs.leash", str(tmp_path / "stop"), "60", sys.executable, "-m", "trainer", "train"]
    variables = {**os.environ, "OMP_NUM_THREADS": "1"}
    leash = subprocess.Popen(
        [*command, str(config)], cwd=Path(__file__).parents[2], env=variables, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    wait_for(folder, '"x": 1, ', leash)
    assert leash.stdin is not None
    leash.stdin.close()
    assert leash.wait(120) == 3
    last = max(event["x"] for event in events_in(events_of(folder)) if event["event"] == "point")
    assert saved_states(folder / "states")[-1][0] == last


def test_two_processes_are_one_with_twice_the_batch(sd1_folder: Path, tmp_path: Path) -> None:
    optimizer = {"optimizer": "torch.optim.SGD", "learning_rate": 0.5}
    config = config_file(tmp_path, sd1_folder, optimizer=optimizer, data={"batch_size": 3}, run={"steps": 3})
    # In parts of the same size, as sums of float32 over other numbers of pictures round otherwise.
    one = carried_out("train", config, "name=one", "data.batch_size=4", "memory.parts=2")
    # As for several GPUs: by --cpu, accelerate starts one process only, or wants MPI. Port 0 is any free one.
    launcher = ["-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--main_process_port", "0"]
    process = started("train", config, "name=two", "data.batch_size=2", launcher=launcher)
    out, problems = process.communicate(timeout=300)
    assert process.returncode == 0, problems
    two = {event["x"]: event["y"] for event in events_in(out) if event["event"] == "point" and event["series"] == "loss"}
    assert two == pytest.approx(one.points(), rel=1e-4)
    single = trained_weights(tmp_path / "runs/one/one.safetensors")
    double = trained_weights(tmp_path / "runs/two/two.safetensors")
    for name in single:
        torch.testing.assert_close(single[name], double[name], rtol=1e-5, atol=1e-8)
