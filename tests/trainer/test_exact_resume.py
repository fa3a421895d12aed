"""Is a run that was interrupted, twice in a row, the same run as one that never was? With each optimizer, bit for bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from lib_extension.spec.training.optimizer import OPTIMIZERS
from tests.trainer.runs import Told, carried_out, config_file, trained_weights


def interrupted(config: Path, name: str, *stops: int) -> Told:
    """A run of four steps that ends after each of `stops` and goes on."""
    for steps in stops:
        assert (
            carried_out("train", config, f"name={name}", "output.folder=" + str(config.parent / "parts"), f"run.steps={steps}").status == 0
        )
    return carried_out("train", config, f"name={name}", "output.folder=" + str(config.parent / "parts"))


def assert_same_weights(one: Path, other: Path) -> None:
    first, second = trained_weights(one), trained_weights(other)
    assert first.keys() == second.keys()
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
    assert any(bool(tensor.any()) for name, tensor in first.items() if name.endswith("lora_up.weight"))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twice_interrupted_is_never_interrupted(optimizer: str, sd1_folder: Path, tmp_path: Path) -> None:
    rate = 1.0 if optimizer == "Prodigy" else 1e-3
    config = config_file(tmp_path, sd1_folder, optimizer={"optimizer": optimizer, "learning_rate": rate}, run={"steps": 4})
    whole = carried_out("train", config)
    assert whole.status == 0, whole.error
    parts = interrupted(config, "disc", 1, 2)
    assert parts.status == 0, parts.error
    assert_same_weights(tmp_path / "runs/disc/disc.safetensors", tmp_path / "parts/disc/disc-000004.safetensors")
    assert all(parts.points()[step] == loss for step, loss in whole.points().items() if step > 2)


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({"run": {"ema": 0.9}, "network": {"dropout": 0.3}, "memory": {"accumulation": 2}}, id="ema, dropout, accumulation"),
        pytest.param({"memory": {"precision": "bf16"}}, id="bf16"),
        pytest.param({"network": {"text_encoder": True}}, id="text encoder"),
        pytest.param(
            {"optimizer": {"optimizer": "ScheduleFree"}, "run": {"ema": 0.5, "save_every": 1, "keep_states": 1}}, id="saved often"
        ),
    ],
)
def test_whatever_else_changes_goes_on_too(parts: dict[str, dict[str, Any]], sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, **{**parts, "run": {"steps": 4, **parts.get("run", {})}})
    assert carried_out("train", config, "run.save_every=0").status == 0
    assert interrupted(config, "disc", 1, 3).status == 0
    assert_same_weights(tmp_path / "runs/disc/disc.safetensors", tmp_path / "parts/disc/disc-000004.safetensors")


def test_a_damaged_state_is_told(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    carried_out("train", config, "run.steps=1")
    optimizer = tmp_path / "runs/disc/states/step-000001/optimizer.pt"
    optimizer.write_bytes(optimizer.read_bytes()[:100])
    told = carried_out("train", config)
    assert told.status == 2
    assert '"step-000001"' in told.error
    assert "Delete its folder" in told.error
