"""Is a training told where its files lie, kept inside the folders that it may use, and paused and stopped by its own files?"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lib_extension.jobs.jobs import STOPPED, Jobs
from lib_extension.jobs.kind import Around
from lib_extension.jobs.training import TRAINING, filled, lora_folder, needs, path_of, run_folder
from lib_extension.setup.environment import Environment
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json, to_json
from lib_extension.spec.training import TrainingConfig
from lib_extension.spec.training.presets import PRESETS
from tests.jobs.test_jobs import ended, until

# Does as the trainer does: takes away an old `stop`, and heeds `pause` and `stop` in its run's folder.
PROGRAM = """
import json, pathlib, sys, time
config = json.loads(pathlib.Path(sys.argv[1]).read_text())
run = pathlib.Path(config["output"]["folder"]) / config["name"]
run.mkdir(parents=True, exist_ok=True)
(run / "config.json").write_text("{}")
(run / "stop").unlink(missing_ok=True)
(run / "sample.png").write_bytes(b"\\x89PNG")
print(json.dumps({"event": "picture", "file": "sample.png", "title": ""}), flush=True)
step = 0
while not (run / "stop").exists():
    time.sleep(0.02)
    if not (run / "pause").exists():
        step += 1
        (run / "step").write_text(str(step))
sys.exit(3)
"""


def config(folder: Path) -> dict[str, Any]:
    return {"name": "disc", "model": {"checkpoint": "demo"}, "data": {"concepts": [{"folder": str(folder / "pictures")}]}}


@pytest.fixture
def jobs(tmp_path: Path) -> Iterator[Jobs]:
    (tmp_path / "program.py").write_text(PROGRAM)
    command = lambda environment, file: [sys.executable, str(tmp_path / "program.py"), str(file)]  # noqa: E731
    jobs = Jobs(tmp_path / "jobs", kinds={"train": replace(TRAINING["train"], command=command)})
    yield jobs
    jobs.close()


def test_a_training_waits_goes_on_and_stops_with_what_it_has(jobs: Jobs, tmp_path: Path):
    run = tmp_path / "training-runs" / "disc"
    id = jobs.add("train", config(tmp_path)).id
    until(lambda: (run / "step").exists())
    assert jobs.is_paused(jobs.get(id)) is False
    assert jobs.file(id, "sample.png").read_bytes() == b"\x89PNG"

    jobs.pause(id)
    assert jobs.is_paused(jobs.get(id)) is True
    time.sleep(0.3)
    before = (run / "step").read_text()
    time.sleep(0.3)
    assert (run / "step").read_text() == before
    jobs.pause(id, paused=False)
    until(lambda: (run / "step").read_text() not in ("", before))

    jobs.pause(id)
    jobs.stop(id)
    job = ended(jobs, id)
    assert (job.standing.state, job.standing.problem) == ("interrupted", STOPPED)

    again = jobs.add("train", jobs.get(id).config).id
    until(lambda: jobs.get(again).standing.state == "running" and not (run / "pause").exists())
    jobs.stop(again)  # perhaps before the program takes an old `stop` away
    assert ended(jobs, again).standing.state == "interrupted"
    jobs.remove(id)
    assert (run / "sample.png").is_file(), "what was trained outlives its job"


def test_only_what_is_at_work_is_paused(jobs: Jobs, tmp_path: Path):
    first, second = (jobs.add("train", config(tmp_path)).id for _ in range(2))
    with pytest.raises(BadRequest, match="at work"):
        jobs.pause(second)
    jobs.stop(second)  # waits still, so it is cancelled
    until(lambda: (tmp_path / "training-runs" / "disc" / "step").exists())
    jobs.stop(first)
    assert [ended(jobs, id).standing.state for id in (first, second)] == ["interrupted", "cancelled"]


def test_names_of_a_webui_become_paths(tmp_path: Path):
    file = tmp_path / "Stable-diffusion" / "sd1" / "base model.safetensors"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    around = Around(tmp_path, tmp_path)
    for name in ("sd1/base model.safetensors", "sd1/base model.safetensors [6ce0161689]", "base model", "base model [6ce0161689]"):
        assert path_of(name, "checkpoint", around) == str(file), name
    vae = tmp_path / "VAE" / "fine.safetensors"
    vae.parent.mkdir()
    vae.write_bytes(b"")
    assert path_of("fine.safetensors", "vae", around) == str(vae)
    assert path_of("demo [6ce0161689]", "checkpoint", around) == "demo"
    assert path_of("unknown", "start_from", around) == "unknown"
    assert path_of("/elsewhere/x.safetensors", "checkpoint", around) == "/elsewhere/x.safetensors"
    assert lora_folder(around) == ""
    (tmp_path / "Lora").mkdir()
    assert lora_folder(around) == str(tmp_path / "Lora")


def test_folders_out_of_bounds_are_refused(tmp_path: Path):
    around = Around(tmp_path, roots=(tmp_path,))
    assert run_folder(filled(config(tmp_path), around)) == tmp_path / "training-runs" / "disc"
    (tmp_path / "link").symlink_to("/")
    for part in (
        {"data": {"concepts": [{"folder": "/etc"}]}},
        {"data": {"concepts": [{"folder": str(tmp_path / ".." / "..")}]}},
        {"data": {"concepts": [{"folder": str(tmp_path / "link" / "etc")}]}},
        {"output": {"folder": "/tmp/elsewhere-entirely"}},
        {"output": {"lora_folder": "/etc"}},
        {"model": {"checkpoint": "/etc/passwd"}},
    ):
        with pytest.raises(BadRequest, match="outside of the folders"):
            filled(config(tmp_path) | part, around)
        filled(config(tmp_path) | part, Around(tmp_path))  # where only this machine is served


def test_what_makes_no_sense_is_passed_on_to_be_told_by_the_trainer(tmp_path: Path):
    for odd in ({"output": 1}, {"model": []}, {"data": {"concepts": 3}}, {"data": {"concepts": [None]}}, {"network": {"start_from": 5}}):
        filled(odd, Around(tmp_path, tmp_path, (tmp_path,)))


def test_the_memory_that_it_needs_is_the_base_models_and_a_steps(tmp_path: Path):
    file = tmp_path / "base.safetensors"
    file.write_bytes(b"0" * 1000)
    whole = to_json(from_json(TrainingConfig, config(tmp_path) | {"model": {"checkpoint": str(file)}}))
    assert needs(whole) == 1000 + (2 << 30)
    assert needs(whole | {"memory": {"device": "cpu"}}) == 0
    assert needs(whole | {"model": {"checkpoint": "nowhere"}}) == 9 << 30


def test_a_look_writes_what_the_trainer_reads(tmp_path: Path):
    file = tmp_path / "config.json"
    file.write_text('{"training": {"name": "x"}}')
    command = TRAINING["check"].command(Environment(tmp_path / "worker"), file)
    assert command[1:4] == ["-m", "trainer", "check"]
    assert Path(command[4]).read_text() == '{"name": "x"}'


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_a_preset_is_part_of_a_training(preset: Any, tmp_path: Path):
    whole = dict(preset.config) | {"name": "x", "model": {"checkpoint": "demo"}}
    whole["data"] = {**preset.config["data"], **config(tmp_path)["data"]}
    read = from_json(TrainingConfig, whole)
    assert read.network.rank == preset.config["network"]["rank"]
    assert read.run.steps % read.run.save_every == 0
