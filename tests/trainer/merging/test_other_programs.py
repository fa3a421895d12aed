"""Do ComfyUI and InvokeAI find a place for every tensor of a LoRA that is written here? By their rules, restated.

ComfyUI (comfy/lora.py): a module's key is "lora_unet_" and its name in the checkpoint, or in diffusers, with underscores; of text encoders,
"lora_te_" or "lora_te1_" and the layer's name for the first, "lora_te2_" for SDXL's second. What stands after the key is a part of a LoRA.

InvokeAI (backend/patches/lora_conversions): what stands before the first point is the module; of SD 1 and SD 2 its name in diffusers with
underscores, of SDXL that, or for all of the U-Net's its name in the checkpoint, which begins with one of a table's; text encoders as above.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.trainer.merging.loras import Told
from trainer.merging import convert, extract

PARTS = {"lora_up.weight", "lora_down.weight", "lora_mid.weight", "alpha"}
OF_SDXL = re.compile(r"(input_blocks_\d_[01]|middle_block_[012]|output_blocks_\d_[012]|time_embed_[02]|label_emb_0_[02]|out_[02])(_|$)")
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
    assert_known_to_invokeai(told.result(), folder, family)

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


def assert_known_to_invokeai(lora: Path, folder: Path, family: str) -> None:
    modules = {name.partition(".")[0] for name in load_file(lora)}
    unet = {name.removeprefix("lora_unet_") for name in modules if name.startswith("lora_unet_")}
    files = (folder / "unet").glob("*.safetensors")
    names = {name.rpartition(".")[0].replace(".", "_") for file in files for name in load_file(file)}
    assert unet
    assert unet <= names or (family == "sdxl" and all(OF_SDXL.match(name) for name in unet))
    encoders = ("lora_te1_", "lora_te2_") if family == "sdxl" else ("lora_te_",)
    assert all(name.startswith((*encoders, "lora_unet_")) for name in modules)
