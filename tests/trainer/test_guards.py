"""What if numbers end, or memory does?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from torch import nn

from lib_extension.models.checkpoint import Placement
from lib_extension.spec.settings import from_json
from lib_extension.spec.training import TrainingConfig
from tests.trainer.runs import carried_out, config_file
from trainer.base_model import find_base
from trainer.checkpoint import saved_states
from trainer.config_file import read_file
from trainer.encoders import LateEncoders
from trainer.guard import OVERFLOW, SKIPPED, Guard
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
    for saving in ("memory.parts=2", "memory.precision=auto", "memory.base=8bit", "memory.base=nf4"):
        assert f"It goes on with {saving}" in told.logged
    assert "nothing left to save memory by" in told.error
    assert saved_states(tmp_path / "runs/disc/states")[-1][0] == 1


def refusing(monkeypatch: pytest.MonkeyPatch, kind: type, method: str, most: int) -> None:
    """The device's memory is too small for more than so many at a time."""
    plain = getattr(kind, method)

    def limited(self: object, values: torch.Tensor, *rest: object, **more: object) -> object:
        if len(values) > most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return plain(self, values, *rest, **more)

    monkeypatch.setattr(kind, method, limited)


def test_pictures_that_do_not_fit_together_are_encoded_in_halves(sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = find_base(from_json(TrainingConfig, read_file(config_file(tmp_path, sd1_folder))).model, Placement(), tmp_path)
    vae = LateEncoders(base, tmp_path).for_caches().latents
    assert vae is not None
    pixels = torch.rand(5, 3, 64, 64) * 2 - 1
    whole = vae.encode(pixels)
    refusing(monkeypatch, AutoencoderKL, "encode", 2)
    torch.testing.assert_close(vae.encode(pixels), whole)
    refusing(monkeypatch, AutoencoderKL, "encode", 0)
    with pytest.raises(torch.OutOfMemoryError):
        vae.encode(pixels)


def test_full_memory_before_the_first_step_is_told_the_same_way(sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, AutoencoderKL, "encode", 0)
    told = carried_out("train", config_file(tmp_path, sd1_folder))
    assert told.status == 1
    assert "memory is full before the first step. What was saved before is whole. Change one of these" in told.error


def test_samples_that_cannot_be_written_stop_nothing(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder, run={"steps": 2, "samples": [{"prompt": "a disc", "steps": 1}]})
    assert carried_out("train", config, "run.steps=1").status == 0
    (tmp_path / "runs/disc/samples/step-000002-1.png").mkdir()
    told = carried_out("train", config)
    assert told.status == 0
    assert "The samples of step 2 could not be written: " in told.logged


def test_samples_that_do_not_fit_stop_nothing(sd1_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, AutoencoderKL, "decode", 0)
    config = config_file(tmp_path, sd1_folder, run={"steps": 2, "samples": [{"prompt": "a disc", "steps": 1, "width": 96, "height": 64}]})
    told = carried_out("train", config)
    assert told.status == 0, told.error
    assert "No samples are drawn after step 2: the GPU's memory is too small for 96 × 64 pixels." in told.logged


def test_after_a_saving_the_run_goes_on(sd1_folder: Path, tmp_path: Path) -> None:
    """Whoever does what the message says must not be told that this is another run."""
    config = config_file(tmp_path, sd1_folder, data={"cache_latents": False, "cache_text": False})
    with memory_full(at=3, with_checkpointing=True):
        assert carried_out("train", config).status == 1
    for saving in ("data.cache_latents=true", "data.cache_text=true", "memory.base=nf4", "memory.precision=bf16"):
        told = carried_out("train", config, saving, "run.steps=3")
        assert told.status == 0, (saving, told.error)


def test_only_what_can_be_is_advised(sd1_folder: Path, tmp_path: Path) -> None:
    values = read_file(config_file(tmp_path, sd1_folder, memory={"gradient_checkpointing": True, "parts": 2, "precision": "bf16"}))
    values["data"] |= {"cache_latents": False, "cache_text": False, "augmentation": {"hue": 5}, "captions": {"shuffle": True}}
    values["network"] |= {"kind": "loha", "targets": "blocks"}
    assert savings(from_json(TrainingConfig, values)) == ()


def test_gradients_that_overflow_while_fp16_finds_its_scale_are_no_sign_of_a_bad_rate() -> None:
    guard = Guard(patience=2)
    inf, nan = float("inf"), float("nan")
    assert [guard.skips(0.5, inf, scale) for scale in (65536.0, 32768.0, 16384.0)] == [OVERFLOW] * 3
    assert not guard.is_over
    assert guard.skips(0.5, 1.0, 8192.0) == ""
    assert [guard.skips(nan, nan, 8192.0), guard.skips(0.5, inf, 1.0)] == [SKIPPED] * 2
    assert guard.is_over


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
