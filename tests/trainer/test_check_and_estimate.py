"""Is every mistake found at once, and does the estimate hold against what is measured?"""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

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
from trainer.rehearsal import Living, Rehearsed, rehearse


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


@pytest.mark.skipif(torch.accelerator.is_available(), reason="says what there is to say without a GPU")
@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (["memory.precision=fp16"], "memory.precision is fp16, which cpu does not train in"),
        (["memory.base=nf4", "network.kind=loha"], 'memory.base "nf4" goes with lora and dora; this network is a "loha"'),
        (["memory.attention=xformers"], "xformers attention runs on CUDA devices only"),
        (["evaluation.on=true", "evaluation.tagger=no/such/folder"], "tagger"),
        (['data.captions.separator=""'], "captions.separator is empty"),
        (['data.concepts[0].extensions=["txt"]'], 'extensions has "txt"; endings of caption files begin with a dot'),
        (["data.cache_folder={pictures}/cache"], "holds the cache folder"),
    ],
    ids=["fp16", "quantised", "xformers", "tagger", "separator", "endings", "cache"],
)
def test_what_a_training_would_refuse_the_check_does(wrong: list[str], said: str, sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    before = sorted(tmp_path.rglob("*"))
    told = carried_out("check", config, *(one.replace("{pictures}", str(tmp_path / "pictures")) for one in wrong))
    assert told.status == 2
    mistakes = [event["text"] for event in told.events if event["event"] == "mistake"]
    assert sum(said in one for one in mistakes) == 1, mistakes
    assert sorted(tmp_path.rglob("*")) == before


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


def test_an_estimate_counts_what_is_encoded_together_and_what_a_sample_takes(sd1_folder: Path, tmp_path: Path) -> None:
    values = read_file(config_file(tmp_path, sd1_folder, run={"samples": [{"prompt": "a disc", "width": 128, "height": 128}]}))
    config = from_json(TrainingConfig, values)
    base = find_base(config.model, Placement(), tmp_path)

    def told(config: TrainingConfig, on_gpu: bool) -> Rehearsed:
        return rehearse(config, base.load(leave_out=("unet", "vae", "text")), "fp32", 1, (256, 256), on_gpu)

    alone, together = told(config, on_gpu=False), told(config, on_gpu=True)
    assert 10 < together.encoding_peak / alone.encoding_peak < 17  # sixteen pictures of 256 pixels are one of 1,024
    assert together.encoding == pytest.approx(alone.encoding, rel=0.01)
    vae: Any = base.load(leave_out=("unet", "text")).vae
    with Living() as living, torch.no_grad():
        vae.decode(torch.zeros(1, 4, 16, 16))
    weights = sum(4 * one.numel() for one in vae.parameters())
    assert alone.drawing == pytest.approx(living.peak + weights, rel=0.05)
    values["run"] |= {"samples": []}
    assert told(from_json(TrainingConfig, values), on_gpu=False).drawing == 0


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
