"""Does a VAE of its own load from every layout, with the checkpoint's scale?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib_extension.models.checkpoint import Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.models.vae import load_vae
from lib_extension.spec.errors import BadFile
from tests import ldm_files, tiny


def found(path: Path) -> Found:
    return Found(path, path.name, Hashes())


def test_layouts_are_the_same_vae(sd1_folder: Path, tmp_path: Path) -> None:
    checkpoint = load_checkpoint(found(sd1_folder), Placement())
    folder = tiny.tiny_vae(tmp_path / "folder", seed=7, scaling_factor=0.13025)
    file = ldm_files.write_vae(folder, tmp_path / "ldm.safetensors")
    vaes = [load_vae(found(path), checkpoint) for path in (folder, folder / "diffusion_pytorch_model.safetensors", file)]
    latents = torch.FloatTensor(torch.randn(1, 4, 4, 4))
    with torch.no_grad():
        pictures = [vae.decode(latents, return_dict=False)[0] for vae in vaes]
        own = checkpoint.vae.decode(latents, return_dict=False)[0]
    assert torch.equal(pictures[0], pictures[1])
    assert torch.equal(pictures[0], pictures[2])
    assert not torch.equal(pictures[0], own)
    assert {vae.config["scaling_factor"] for vae in vaes} == {0.18215}
    with pytest.raises(BadFile, match="is missing"):
        load_vae(found(tiny.tiny_lora(tmp_path / "lora.safetensors")), checkpoint)
