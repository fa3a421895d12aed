"""Are merges carried out as jobs, by whichever Python has torch, and looked at before?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_extension.jobs.checking import check_merging
from lib_extension.jobs.jobs import Jobs
from lib_extension.jobs.kind import Around
from lib_extension.jobs.merging import MERGING, tensor_python
from lib_extension.setup.environment import Environment
from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging.warnings import TOTAL
from tests.jobs.test_jobs import ended

MODULE = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "Lora"
    folder.mkdir(parents=True)
    for number, name in enumerate(("watch", "beach")):
        down, up = torch.full((2, 32), 0.1 + number), torch.full((32, 2), 0.2)
        save_file(
            {f"{MODULE}.lora_down.weight": down, f"{MODULE}.lora_up.weight": up, f"{MODULE}.alpha": torch.tensor(2.0)},
            folder / f"{name}.safetensors",
        )
    return tmp_path / "models"


@pytest.fixture
def jobs(tmp_path: Path, models: Path) -> Iterator[Jobs]:
    jobs = Jobs(tmp_path / "jobs", Environment(tmp_path / "nowhere"), MERGING)
    jobs.around = Around(tmp_path, models)
    yield jobs
    jobs.close()


def test_without_the_worker_s_environment_this_python_does_it(tmp_path: Path):
    environment = Environment(tmp_path / "worker")
    assert tensor_python(environment) == sys.executable
    environment.python.parent.mkdir(parents=True)
    environment.python.touch()
    assert tensor_python(environment) == sys.executable  # half made
    (environment.folder / "atelier.json").write_text("{}")
    assert tensor_python(environment) == str(environment.python)


def test_a_merge_tells_its_result_by_name_alone(jobs: Jobs, models: Path):
    config = {"loras": [{"file": "watch", "weight": 0.5}, {"file": "beach", "weight": 0.5}], "output": {"name": "both"}}
    job = ended(jobs, jobs.add("merge", config).id)
    assert (job.standing.state, job.standing.problem) == ("done", "")
    account = jobs.account(job.id)
    assert [one["file"] for one in account.findings if one["event"] == "result"] == ["both.safetensors"]
    assert load_file(models / "Lora" / "both.safetensors")[f"{MODULE}.lora_down.weight"].shape == (4, 32)
    assert job.config["loras"][0]["file"] == "watch"  # as it was asked for: done again, it is found anew
    assert str(models) not in str(account.told()) + str(job.config)


def test_a_file_is_looked_into_with_its_plot_among_the_job_s_pictures(jobs: Jobs):
    job = ended(jobs, jobs.add("inspect", {"file": "watch", "plot": "elsewhere.png"}).id)
    assert job.standing.state == "done"
    assert [one["file"] for one in jobs.account(job.id).pictures] == ["blocks.png"]
    assert jobs.file(job.id, "blocks.png").read_bytes().startswith(b"\x89PNG")
    assert any("lora" in line for line in jobs.account(job.id).lines)


def test_what_is_strange_is_said_before(jobs: Jobs, models: Path):
    told = check_merging(jobs, "merge", {"loras": [{"file": "watch"}, {"file": "beach"}]})
    assert (told.problem, told.family) == ("", "unknown")
    (warning,) = told.warnings
    assert warning["text"] == "The weights add up to 2; over 1, pictures easily become overdone."
    assert (warning["said"], warning["values"]) == (TOTAL, {"total": "2"})
    assert sorted(path.name for path in (models / "Lora").iterdir()) == ["beach.safetensors", "watch.safetensors"]
    assert jobs.all() == []


@pytest.mark.parametrize("name", ["日本", "café"])
def test_names_of_every_script_are_looked_at(name: str, jobs: Jobs, models: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")  # as Windows has it
    monkeypatch.delenv("PYTHONUTF8", raising=False)
    (models / "Lora" / "watch.safetensors").rename(models / "Lora" / f"{name}.safetensors")
    told = check_merging(jobs, "merge", {"loras": [{"file": name}, {"file": name}]})
    assert (told.problem, told.name) == ("", f"{name}-{name}")
    assert any(f'"{name}"' in warning["text"] for warning in told.warnings)


def test_what_cannot_be_is_said_before(jobs: Jobs, models: Path):
    assert check_merging(jobs, "resize", {"file": "wacth"}).problem.endswith('Did you mean "watch"?')
    assert "rank" in check_merging(jobs, "resize", {"file": "watch", "ranks": {"rank": 0}}).problem
    (models / "Lora" / "bad.safetensors").write_bytes(b"\xff" * 40)
    assert '"bad.safetensors"' in check_merging(jobs, "convert", {"file": "bad"}).problem
    with pytest.raises(BadRequest):
        check_merging(jobs, "worker", {})
