"""Does ComfyUI find a place for every tensor of a LoRA that is written here? By the rules of its comfy/lora.py, restated.

A module's key is "lora_unet_" and its name in the checkpoint, or in diffusers, with underscores; of text encoders, "lora_te_" or
"lora_te1_" and the layer's name for the first, "lora_te2_" for SDXL's second. What stands after the key is one of the parts of a LoRA.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.merging.loras import Told
from trainer.merging import convert, extract

PARTS = {"lora_up.weight", "lora_down.weight", "lora_mid.weight", "alpha"}
MATRICES = [*(f"self_attn_{name}" for name in ("q_proj", "k_proj", "v_proj", "out_proj")), "mlp_fc1", "mlp_fc2"]


def keys_of(checkpoint: Path, folder: Path, family: str) -> set[str]:
    """ComfyUI's table of keys for a model, from its names in the checkpoint and as diffusers has them."""
    unet = "model.diffusion_model."
    names = [name.removeprefix(unet) for name in load_file(checkpoint) if name.startswith(unet)]
    for file in (folder / "unet").glob("*.safetensors"):
        names += list(load_file(file))
    found = {f"lora_unet_{name.removesuffix('.weight').replace('.', '_')}" for name in names if name.endswith(".weight")}
    prefixes = ("lora_te1_", "lora_te2_") if family == "sdxl" else ("lora_te_", "lora_te1_")
    return found | {f"{prefix}text_model_encoder_layers_{layer}_{name}" for prefix in prefixes for layer in range(32) for name in MATRICES}


@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_every_tensor_has_its_place(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    base: Path = request.getfixturevalue(f"{family}_file")
    folder: Path = request.getfixturevalue(f"{family}_folder")
    generator = torch.Generator().manual_seed(1)
    tuned = {
        name: tensor + torch.randn(tensor.shape, generator=generator) if tensor.is_floating_point() else tensor
        for name, tensor in load_file(base).items()
    }
    save_file(tuned, tmp_path / "tuned.safetensors")
    told = Told()
    asked = ["--modules", "all", "--ranks.rank", "2", "--output.folder", str(tmp_path)]
    assert extract.run([str(base), str(tmp_path / "tuned.safetensors"), *asked], told) == 0
    assert_known(told.result(), keys_of(base, folder, family))

    there, back = Told(), Told()
    assert convert.run([str(told.result()), "--naming", "diffusers", "--output.folder", str(tmp_path)], there) == 0
    assert convert.run([str(there.result()), "--naming", "kohya", "--output.folder", str(tmp_path)], back) == 0
    assert load_file(back.result()).keys() == load_file(told.result()).keys()


def assert_known(lora: Path, keys: set[str]) -> None:
    modules: dict[str, set[str]] = {}
    for name in load_file(lora):
        module, _, part = name.partition(".")
        modules.setdefault(module, set()).add(part)
    assert modules.keys() - keys == set()
    assert all({"lora_up.weight", "lora_down.weight"} <= parts <= PARTS for parts in modules.values())
    networks = {module.split("_")[1] for module in modules}
    assert networks == ({"unet", "te1", "te2"} if any(key.startswith("lora_te2") for key in keys) else {"unet", "te"})
