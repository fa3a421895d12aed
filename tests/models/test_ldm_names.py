"""Are all tensors renamed as diffusers itself renames them, and back?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import AutoencoderKL, ControlNetModel, UNet2DConditionModel
from diffusers.loaders.single_file_utils import create_diffusers_clip_model_from_ldm
from safetensors.torch import load_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from lib_extension.models import ldm_names, text_names
from tests import ldm_files
from tests.ldm_files import weights

Folders = dict[str, Path]
Tensors = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def folders(sd1_folder: Path, sd2_folder: Path, sdxl_folder: Path) -> Folders:
    return {"sd1": sd1_folder, "sd2": sd2_folder, "sdxl": sdxl_folder}


@pytest.fixture(scope="module")
def single_files(folders: Folders, tmp_path_factory: pytest.TempPathFactory) -> Folders:
    where = tmp_path_factory.mktemp("single")
    return {family: ldm_files.write_checkpoint(folder, where / f"{family}.safetensors", family) for family, folder in folders.items()}


FAMILIES = pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])


def same(ours: Tensors, theirs: Tensors) -> bool:
    return ours.keys() == theirs.keys() and all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def part(file: Path, prefix: str) -> Tensors:
    return {name.removeprefix(prefix): tensor for name, tensor in load_file(file).items() if name.startswith(prefix)}


@FAMILIES
def test_unet_as_diffusers(family: str, folders: Folders, single_files: Folders) -> None:
    theirs = UNet2DConditionModel.from_single_file(
        str(single_files[family]), config=str(folders[family]), subfolder="unet", local_files_only=True
    )
    assert same(ldm_names.unet_to_diffusers(part(single_files[family], "model.diffusion_model.")), theirs.state_dict())


@FAMILIES
def test_vae_as_diffusers(family: str, folders: Folders, single_files: Folders) -> None:
    theirs = AutoencoderKL.from_single_file(str(single_files[family]), config=str(folders[family]), subfolder="vae", local_files_only=True)
    assert same(ldm_names.vae_to_diffusers(part(single_files[family], "first_stage_model.")), theirs.state_dict())


@pytest.mark.parametrize(
    ("family", "subfolder", "prefix", "kind"),
    [
        ("sd1", "text_encoder", "cond_stage_model.transformer.", CLIPTextModel),
        ("sd2", "text_encoder", "cond_stage_model.model.", CLIPTextModel),
        ("sdxl", "text_encoder", "conditioner.embedders.0.transformer.", CLIPTextModel),
        ("sdxl", "text_encoder_2", "conditioner.embedders.1.model.", CLIPTextModelWithProjection),
    ],
)
def test_text_encoder_as_diffusers(
    family: str, subfolder: str, prefix: str, kind: type[CLIPTextModel], folders: Folders, single_files: Folders
) -> None:
    theirs = create_diffusers_clip_model_from_ldm(
        kind, load_file(single_files[family]), subfolder=subfolder, config=str(folders[family]), local_files_only=True
    )
    tensors = part(single_files[family], prefix)
    open_clip = prefix.endswith(".model.")
    ours = text_names.open_clip_to_transformers(tensors, family == "sd2") if open_clip else text_names.clip_to_transformers(tensors)
    expected = text_names.clip_to_transformers(theirs.state_dict())
    assert expected.keys() <= ours.keys()
    assert all(torch.equal(tensor, ours[name]) for name, tensor in expected.items())


def test_controlnet_as_diffusers(controlnet_folder: Path, tmp_path: Path) -> None:
    file = ldm_files.write_controlnet(controlnet_folder, tmp_path / "control.safetensors")
    theirs = ControlNetModel.from_single_file(str(file), config=str(controlnet_folder), local_files_only=True)
    assert same(ldm_names.controlnet_to_diffusers(part(file, "control_model.")), theirs.state_dict())


@FAMILIES
def test_there_and_back(family: str, folders: Folders) -> None:
    unet, vae = weights(folders[family] / "unet"), weights(folders[family] / "vae")
    assert same(ldm_names.unet_to_diffusers(ldm_names.unet_to_ldm(unet)), unet)
    assert same(ldm_names.vae_to_diffusers(ldm_names.vae_to_ldm(vae)), vae)


def test_controlnet_there_and_back(controlnet_folder: Path) -> None:
    net = weights(controlnet_folder)
    assert same(ldm_names.controlnet_to_diffusers(ldm_names.controlnet_to_ldm(net)), net)


def test_known_names() -> None:
    """A few as the published SD1 checkpoint has them."""
    pairs = dict(ldm_names.unet_pairs(ldm_names.UnetLayout(2, (True, True, True, False))))
    assert pairs["input_blocks.3.0.op"] == "down_blocks.0.downsamplers.0.conv"
    assert pairs["input_blocks.11.0.in_layers.2"] == "down_blocks.3.resnets.1.conv1"
    assert pairs["output_blocks.2.1.conv"] == "up_blocks.0.upsamplers.0.conv"
    assert pairs["output_blocks.5.2.conv"] == "up_blocks.1.upsamplers.0.conv"
    assert pairs["output_blocks.11.1"] == "up_blocks.3.attentions.2"
    vae = dict(ldm_names.vae_pairs(4, 2))
    assert vae["decoder.up.3.block.0"] == "decoder.up_blocks.0.resnets.0"
    assert vae["encoder.mid.attn_1.proj_out"] == "encoder.mid_block.attentions.0.to_out.0"
