"""Engines for a whole test session, over tiny models under the names that the recordings use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests import tiny
from tests.engine.running import Running, engine
from tests.ldm_files import write_checkpoint, write_controlnet


@pytest.fixture(scope="session")
def webui_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """tiny.safetensors, tiny2.safetensors, tiny_cn_canny.safetensors and tinylora.safetensors in the WebUI's folders."""
    models = tmp_path_factory.mktemp("webui") / "models"
    parts = tmp_path_factory.mktemp("parts")
    for seed, name in enumerate(("tiny", "tiny2")):
        folder = tiny.tiny_sd1(parts / name, seed=seed)
        write_checkpoint(folder, models / "Stable-diffusion" / f"{name}.safetensors", "sd1")
    net = tiny.tiny_controlnet(parts / "controlnet", parts / "tiny")
    write_controlnet(net, models / "ControlNet" / "tiny_cn_canny.safetensors")
    write_lora(models / "Lora" / "tinylora.safetensors", width=tiny.CHANNELS[0])
    return models


def write_lora(file: Path, *, width: int, rank: int = 4) -> Path:
    """A LoRA of one attention layer in kohya's names; another `width` than the model's makes it one for another architecture."""
    file.parent.mkdir(parents=True, exist_ok=True)
    module = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    generator = torch.Generator().manual_seed(0)
    tensors = {
        f"{module}.lora_down.weight": torch.randn(rank, width, generator=generator),
        f"{module}.lora_up.weight": torch.randn(width, rank, generator=generator),
        f"{module}.alpha": torch.tensor(float(rank)),
    }
    metadata = {"ss_output_name": "tinylora", "ss_network_module": "networks.lora", "ss_base_model_version": "sd_v1"}
    save_file(tensors, file, metadata)
    return file


@pytest.fixture(scope="session")
def lenient(webui_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("lenient")
    arguments = ["--lenient", "--models-dir", str(webui_models), "--model", "tiny", "--outputs-dir", str(folder / "outputs")]
    with engine(folder / "log", *arguments) as running:
        yield running


@pytest.fixture(scope="session")
def strict(webui_models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("strict")
    arguments = ["--models-dir", str(webui_models), "--model", "tiny", "--outputs-dir", str(folder / "outputs")]
    with engine(folder / "log", *arguments) as running:
        yield running
