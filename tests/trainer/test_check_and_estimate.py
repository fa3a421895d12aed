"""Is every mistake found at once, and does the estimate hold against what is measured?"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from lib_extension.models.checkpoint import Placement
from lib_extension.spec.settings import from_json
from lib_extension.spec.training import TrainingConfig
from tests.trainer.runs import carried_out, config_file
from trainer import networks
from trainer.base_model import find_base
from trainer.config_file import read_file
from trainer.estimate import Estimate, lines
from trainer.rehearsal import Living, rehearse


@pytest.mark.skipif(torch.accelerator.is_available(), reason="says what there is to say without a GPU")
def test_every_mistake_is_told_at_once(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    (tmp_path / "pictures/2.png").write_bytes(b"no picture")
    wrong = ["name=a/b", "run.stepz=1", "network.rank=0", "optimizer.optimizer=torch.optim.Nix", "memory.device=cuda", "model.vae=nowhere"]
    wrong += ["network.start_from=nothing.safetensors", "output.lora_folder=/no/such/folder", "optimiser.x=1"]
    told = carried_out("check", config, *wrong)
    assert told.status == 2
    mistakes = [event["text"] for event in told.events if event["event"] == "mistake"]
    for said in ("name has '/'", "run.stepz", "network.rank is 0", "torch.optim.Nix", '"cuda"', 'no VAE "nowhere"', "nothing.safetensors",
                 "/no/such/folder", "optimiser is not known", "2.png"):  # fmt: skip
        assert sum(said in one for one in mistakes) == 1, (said, mistakes)
    assert not (tmp_path / "runs").exists()


def test_what_is_right_is_told_too(sd1_folder: Path, tmp_path: Path) -> None:
    told = carried_out("check", config_file(tmp_path, sd1_folder))
    assert told.status == 0, told.error
    assert "4 pictures to train on" in told.logged
    assert "Nothing stands in the way" in told.logged


@pytest.mark.parametrize("family", ["sd1", "sdxl"])
def test_an_estimate_names_what_a_training_takes(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    config = config_file(tmp_path, request.getfixturevalue(f"{family}_folder"), optimizer={"optimizer": "Adafactor"})
    told = carried_out("estimate", config)
    assert told.status == 0, told.error
    estimate = next(event for event in told.events if event["event"] == "estimate")
    trained = carried_out("train", config, "run.steps=2")
    assert f"{estimate['trained_values']:,} values are trained" in trained.logged
    written = sum(path.stat().st_size for path in (tmp_path / "runs").rglob("*") if path.is_file())
    assert 0.4 < estimate["disk"] / written < 2.5
    assert estimate["memory"] > estimate["weights"] + estimate["step_peak"]
    assert estimate["seconds"] > 0


def test_an_estimate_says_whether_the_saves_can_be_compared(sdxl_folder: Path, tmp_path: Path) -> None:
    """The base draws as it is, however it was held while it was trained on."""
    on = {"on": True}
    whole, quantised, without = (
        next(event for event in carried_out("estimate", config_file(tmp_path, sdxl_folder, **more)).events if event["event"] == "estimate")
        for more in ({"evaluation": on}, {"evaluation": on, "memory": {"base": "nf4"}}, {})
    )
    saved = sum(tensor.numel() for file in sdxl_folder.rglob("*.safetensors") for tensor in load_file(file).values())
    assert 0.9 < whole["comparing"] / (4 * saved) < 1.1
    assert quantised["comparing"] == whole["comparing"]
    assert quantised["weights"] < whole["weights"]
    assert without["comparing"] == 0
    told = Estimate(**{one.name: whole[one.name] for one in fields(Estimate)} | {"memory_there": whole["comparing"] - 1})
    assert "Comparing the saves at the end takes more memory than there is" in " ".join(
        lines(told, from_json(TrainingConfig, read_file(tmp_path / "config.json")))
    )


def test_the_rehearsed_peak_is_that_of_a_real_step(sd1_folder: Path, tmp_path: Path) -> None:
    """Counted the same way, on tensors with values; a step's smallest tensors apart."""
    config = from_json(TrainingConfig, read_file(config_file(tmp_path, sd1_folder)))
    base = find_base(config.model, Placement(), tmp_path)
    rehearsed = rehearse(config, base.load(leave_out=("unet", "vae", "text")), "fp32", 2, (64, 64))
    checkpoint = base.load(leave_out=("vae", "text"))
    networks.attach(checkpoint, config.network)
    checkpoint.unet.train()
    with Living() as living:
        answer = checkpoint.unet(torch.zeros(2, 4, 8, 8), torch.zeros(2).long(), torch.zeros(2, 77, 32)).sample
        answer.square().mean().backward()
    gradients = 4 * sum(rehearsed.trained)
    assert rehearsed.peak == pytest.approx(living.peak - gradients, rel=0.1)
    checkpointed = read_file(tmp_path / "config.json")
    checkpointed["memory"] |= {"gradient_checkpointing": True}
    smaller = rehearse(from_json(TrainingConfig, checkpointed), base.load(leave_out=("unet", "vae", "text")), "fp32", 2, (64, 64))
    assert smaller.peak < 0.85 * rehearsed.peak
    assert smaller.operations > 1.2 * rehearsed.operations
