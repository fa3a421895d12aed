"""Is a base model trained in its own resolution where nobody says another, and is one that is far below it told?"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from tests.trainer.runs import carried_out, config_file
from trainer.data.resolution import own_resolution, with_resolution


def base(file: Path, said: str = "") -> Path:
    """What a header must have to be SDXL's."""
    shapes = {"input_blocks.0.0.weight": (320, 4, 3, 3), "label_emb.0.0.weight": (1, 2816), "attn2.to_k.weight": (1, 2048)}
    tensors = {f"model.diffusion_model.{name}": torch.zeros(shape) for name, shape in shapes.items()}
    save_file(tensors, file, {"modelspec.resolution": said} if said else None)
    return file


def test_the_base_models_own(tmp_path: Path, sd1_folder: Path) -> None:
    assert own_resolution(str(base(tmp_path / "base.safetensors"))) == 1024
    assert own_resolution(str(base(tmp_path / "wide.safetensors", "1216x832"))) == 1024
    assert own_resolution(str(sd1_folder)) == 64
    assert own_resolution("demo") == 128


@pytest.mark.parametrize("checkpoint", [None, 3, "", "nowhere.safetensors", "broken.safetensors", "."])
def test_of_what_is_no_model_it_is_not_known(checkpoint: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.safetensors").write_bytes(b"no header")
    config: dict[str, Any] = {"model": {"checkpoint": checkpoint}, "data": {}}
    assert with_resolution(config) == ()
    assert config["data"] == {"resolution": 512}


@pytest.mark.parametrize(
    ("data", "resolution", "noted"),
    [
        ({}, 1024, "data.resolution is 1024, as the base model's own."),
        ({"resolution": 0}, 1024, "data.resolution is 1024, as the base model's own."),
        ({"resolution": 768}, 768, ""),
        ({"resolution": 512}, 512, "data.resolution is 512, and the base model was made for 1024"),
        ({"resolution": "large"}, "large", ""),
    ],
)
def test_what_is_said_stays(data: dict[str, Any], resolution: object, noted: str, tmp_path: Path) -> None:
    config = {"model": {"checkpoint": str(base(tmp_path / "base.safetensors"))}, "data": dict(data)}
    notes = with_resolution(config)
    assert config["data"]["resolution"] == resolution
    assert [note.startswith(noted) for note in notes] == [True] * bool(noted)


@pytest.mark.parametrize("config", [{}, {"data": []}, {"data": None, "model": "demo"}])
def test_what_is_no_configuration_is_left(config: dict[str, Any]) -> None:
    assert with_resolution(config) == ()


def test_a_check_looks_at_the_sizes_that_are_trained_on(sd1_folder: Path, tmp_path: Path) -> None:
    config = config_file(tmp_path, sd1_folder)
    told = carried_out("check", config, "data.resolution=0")
    assert told.status == 0, told.error
    assert "data.resolution is 64, as the base model's own." in told.logged
    assert next(event["buckets"] for event in told.events if event["event"] == "found") == [[64, 64, 4]]
