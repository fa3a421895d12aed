"""Do all layouts of a ControlNet load to the same network, and is one for another model refused?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import ControlNetModel
from safetensors.torch import load_file, save_file

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.controlnet import load_controlnet
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.spec.errors import BadFile, Mismatch
from tests import ldm_files, tiny


def found(path: Path) -> Found:
    return Found(path, path.name, Hashes())


@pytest.fixture(scope="module")
def checkpoint(sd1_folder: Path) -> Checkpoint:
    return load_checkpoint(found(sd1_folder), Placement())


@torch.no_grad()
def answer(net: ControlNetModel) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    latents, hint = torch.randn(1, 4, 8, 8, generator=generator), torch.rand(1, 3, 64, 64, generator=generator)
    text = torch.randn(1, 77, net.config["cross_attention_dim"], generator=generator)
    down, middle = net(latents, torch.tensor([500]), text, hint, return_dict=False)
    return [*down, middle]


@pytest.mark.parametrize("layout", ["diffusers file", "cldm", "cldm without prefix"])
def test_files_are_the_same_as_the_folder(layout: str, controlnet_folder: Path, checkpoint: Checkpoint, tmp_path: Path) -> None:
    file = controlnet_folder / "diffusion_pytorch_model.safetensors"
    if layout != "diffusers file":
        prefix = "control_model." if layout == "cldm" else ""
        file = ldm_files.write_controlnet(controlnet_folder, tmp_path / "control.safetensors", prefix=prefix)
    expected = answer(load_controlnet(found(controlnet_folder), checkpoint))
    assert expected[0].abs().max() > 0.01
    for ours, theirs in zip(answer(load_controlnet(found(file), checkpoint)), expected, strict=True):
        assert torch.equal(ours, theirs)


def test_other_widths_are_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    wide = tiny.tiny_sd1(tmp_path / "wide", channels=(64, 64, 64, 64))
    net = tiny.tiny_controlnet(tmp_path / "net", wide)
    message = 'The ControlNet "net" does not fit the checkpoint "tiny_sd1" .*64/64/64/64 wide, the checkpoint\'s 32/32/64/64'
    with pytest.raises(Mismatch, match=message):
        load_controlnet(found(net), checkpoint)
    file = ldm_files.write_controlnet(net, tmp_path / "net.safetensors")
    with pytest.raises(Mismatch, match=message):
        load_controlnet(found(file), checkpoint)


def test_what_is_no_controlnet_is_refused(controlnet_folder: Path, checkpoint: Checkpoint, tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="is no ControlNet; it looks like a lora"):
        load_controlnet(found(tiny.tiny_lora(tmp_path / "lora.safetensors")), checkpoint)
    file = ldm_files.write_controlnet(controlnet_folder, tmp_path / "control.safetensors", prefix="")
    save_file(load_file(file) | {"lora_controlnet": torch.zeros(1)}, file)
    with pytest.raises(BadFile, match="only a ControlNet's difference"):
        load_controlnet(found(file), checkpoint)
    (tmp_path / "old.pth").write_bytes(b"")
    with pytest.raises(BadFile, match="is a pickle"):
        load_controlnet(found(tmp_path / "old.pth"), checkpoint)
