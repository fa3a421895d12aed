"""What if numbers end, or memory does?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn

from lib_extension.spec.settings import from_json
from lib_extension.spec.training import TrainingConfig
from tests.trainer.runs import carried_out, config_file
from trainer.checkpoint import saved_states
from trainer.config_file import read_file
from trainer.savings import savings


@contextmanager
def memory_full(at: int, with_checkpointing: bool = False) -> Iterator[None]:
    """The device's memory is full at the n-th pass, as long as gradients are not checkpointed, or always."""
    passes = 0

    def refuse(module: nn.Module, inputs: object) -> None:
        nonlocal passes
        if isinstance(module, UNet2DConditionModel):
            passes += 1
            if passes >= at and (with_checkpointing or not module.is_gradient_checkpointing):
                raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    hook = nn.modules.module.register_module_forward_pre_hook(refuse)
    try:
        yield
    finally:
        hook.remove()


def test_full_memory_is_told_with_what_to_change_and_the_state_is_saved(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    with memory_full(at=3):
        told = carried_out("train", config)
    assert told.status == 1
    assert "memory is full at step 3. All until then is saved" in told.error
    assert "memory.gradient_checkpointing=true (about 27 % slower, the same LoRA); memory.parts=2" in told.error
    assert saved_states(tmp_path / "runs/disc/states")[-1][0] == 2
    went_on = carried_out("train", config)
    assert "Going on from step 2 of 6." in went_on.logged
    assert list(went_on.points()) == [1, 2, 3, 4, 5, 6]


def test_memory_is_saved_by_itself_if_wanted(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    with memory_full(at=3):
        told = carried_out("train", config, "memory.auto_memory=true")
    assert told.status == 0, told.error
    assert list(told.points()) == [1, 2, 3, 4, 5, 6]
    assert "It goes on with memory.gradient_checkpointing=True" in told.logged
    frozen = from_json(TrainingConfig, read_file(tmp_path / "runs/disc/config.json"))
    assert frozen.memory.gradient_checkpointing


def test_when_nothing_helps_it_ends(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    with memory_full(at=2, with_checkpointing=True):
        told = carried_out("train", config, "memory.auto_memory=true")
    assert told.status == 1
    assert "memory.precision=auto" in told.error
    assert saved_states(tmp_path / "runs/disc/states")[-1][0] == 1


def test_savings_end(sd1_folder: Path, tmp_path: Path) -> None:
    values = read_file(config_file(tmp_path, sd1_folder))
    config = from_json(TrainingConfig, values)
    assert [one.setting for one in savings(config)][:2] == ["memory.gradient_checkpointing", "memory.parts"]
    values["memory"] |= {"gradient_checkpointing": True, "parts": 2, "base": "nf4", "precision": "bf16"}
    assert savings(from_json(TrainingConfig, values)) == ()


def poisoned(tmp_path: Path, model: Path, value: float) -> Path:
    """A copy of a model with one weight of its U-Net replaced."""
    copy = Path(shutil.copytree(model, tmp_path / "poisoned"))
    file = next((copy / "unet").glob("*.safetensors"))
    tensors = load_file(file)
    tensors["conv_in.weight"][0] = value
    save_file(tensors, file, {"format": "pt"})
    return copy


def test_steps_without_numbers_are_skipped_then_the_run_ends(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, poisoned(tmp_path, sd1_folder, float("nan")), run={"bad_steps": 2})
    told = carried_out("train", config)
    assert told.status == 1
    assert told.logged.count("was skipped") == 2
    assert "the checkpoint is damaged" in told.error
    assert "saved as step 2" in told.error


def test_a_rate_that_is_too_high_is_named(sd1_folder: Path, tmp_path: Path) -> None:
    optimizer = {"optimizer": "torch.optim.SGD", "learning_rate": 10.0, "max_grad_norm": 0, "arguments": {"momentum": 0.9}}
    config = config_file(tmp_path, sd1_folder, optimizer=optimizer, run={"steps": 300, "bad_steps": 3}, network={"alpha": 4096.0})
    told = carried_out("train", config)
    assert told.status == 1
    assert "optimizer.learning_rate of 10 is too high" in told.error
