"""What a file is, and its family, on names and shapes of published files and on models of any width."""

from __future__ import annotations

from pathlib import Path

import pytest

from lib_extension.formats.base_model import Kind, family_of_checkpoint, what_is
from lib_extension.formats.safetensors_header import read_header
from tests.formats.published import header

BLOCK = "input_blocks.1.1"
NEW_BLOCK = "down_blocks.0.attentions.0"
SHARED = ("sd1", "sd2", "sdxl")


def network(prefix: str, block: str, *, linear: bool, text_width: int, **more: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    shapes = {
        prefix + ("time_embed.0.weight" if block.startswith("input") else "time_embedding.linear_1.weight"): (1280, 320),
        f"{prefix}{block}.proj_in.weight": (320, 320) if linear else (320, 320, 1, 1),
        f"{prefix}{block}.transformer_blocks.0.attn2.to_k.weight": (320, text_width),
    }
    return shapes | {prefix + name.replace("__", "."): shape for name, shape in more.items()}


LDM = "model.diffusion_model."
XL = {"label_emb__0__0__weight": (1280, 2816)}
NEW_XL = {"add_embedding__linear_1__weight": (1280, 2816)}


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        (network(LDM, BLOCK, linear=False, text_width=768), Kind("checkpoint", "sd1", "ldm")),
        (network(LDM, BLOCK, linear=False, text_width=64), Kind("checkpoint", "sd1", "ldm")),
        (network(LDM, BLOCK, linear=True, text_width=1024), Kind("checkpoint", "sd2", "ldm")),
        (network(LDM, "input_blocks.4.1", linear=True, text_width=2048, **XL), Kind("checkpoint", "sdxl", "ldm")),
        (network(LDM, "input_blocks.4.1", linear=True, text_width=1280, **XL), Kind("checkpoint", "unknown", "ldm")),  # the refiner
        ({LDM + "double_blocks.0.img_attn.qkv.weight": (9216, 3072)}, Kind("checkpoint", "flux", "ldm", side=1024)),
        ({LDM + "joint_blocks.0.x_block.attn.qkv.weight": (4608, 1536)}, Kind("checkpoint", "sd3", "ldm", side=1024)),
        ({LDM + "something.else": (1,)}, Kind("checkpoint", "unknown", "ldm")),
        (network("", BLOCK, linear=False, text_width=768), Kind("unet", "sd1", "ldm")),
        (network("", NEW_BLOCK, linear=True, text_width=1024), Kind("unet", "sd2", "diffusers")),
        (network("", NEW_BLOCK, linear=True, text_width=2048, **NEW_XL), Kind("unet", "sdxl", "diffusers")),
        (
            network("control_model.", BLOCK, linear=False, text_width=768) | {"control_model.zero_convs.0.0.weight": (320, 320, 1, 1)},
            Kind("controlnet", "sd1", "ldm"),
        ),
        (network("", BLOCK, linear=True, text_width=1024, input_hint_block__0__weight=(16, 3, 3, 3)), Kind("controlnet", "sd2", "ldm")),
        (
            network("", NEW_BLOCK, linear=True, text_width=2048, controlnet_cond_embedding__conv_in__weight=(16, 3, 3, 3), **NEW_XL),
            Kind("controlnet", "sdxl", "diffusers"),
        ),
        ({"body.0.block1.weight": (320, 320, 3, 3), "conv_in.weight": (320, 192, 3, 3)}, Kind("t2i-adapter", "sd1")),
        ({"ip_adapter.1.to_k_ip.weight": (320, 768)}, Kind("ip-adapter", "sd1")),
        ({"first_stage_model.decoder.conv_in.weight": (512, 4, 3, 3)}, Kind("vae", naming="ldm", among=SHARED)),
        ({"first_stage_model.encoder.conv_in.weight": (128, 3, 3, 3)}, Kind("vae", naming="ldm")),
        ({"encoder.down.0.block.0.conv1.weight": (128, 128, 3, 3)}, Kind("vae", naming="ldm")),
        ({"encoder.down_blocks.0.resnets.0.conv1.weight": (128, 128, 3, 3)}, Kind("vae", naming="diffusers")),
        ({"text_model.encoder.layers.0.mlp.fc1.weight": (1, 1)}, Kind("text-encoder")),
        ({"emb_params": (4, 768)}, Kind("embedding", "sd1")),
        ({"emb_params": (4, 64)}, Kind("embedding", "unknown")),
        ({"clip_l": (4, 768), "clip_g": (4, 1280)}, Kind("embedding", "sdxl")),
        ({"conv_first.weight": (64, 3, 3, 3), "body.0.rdb1.conv1.weight": (32, 64, 3, 3)}, Kind("upscaler")),
        ({}, Kind("unknown")),
        ({"anything": ()}, Kind("unknown")),
        ({"anything": (4, 768, 1)}, Kind("unknown")),
        ({"<a-cat>": (768,)}, Kind("embedding", "sd1", "diffusers")),
        ({"<a-cat>": (2, 1024)}, Kind("embedding", "sd2", "diffusers")),
        ({"<a-cat>": (768,), "<a-dog>": (768,)}, Kind("unknown")),
    ],
)
def test_what_is(shapes: dict[str, tuple[int, ...]], kind: Kind):
    assert what_is(header(shapes)) == kind


OLD = "lora_unet_down_blocks_0_attentions_0"
DOWN = "lora_down.weight"


@pytest.mark.parametrize(
    ("shapes", "kind"),
    [
        ({f"{OLD}_transformer_blocks_0_attn2_to_k.{DOWN}": (4, 768)}, Kind("lora", "sd1", "kohya", "lora")),
        ({f"{OLD}_transformer_blocks_0_attn2_to_k.{DOWN}": (4, 1024)}, Kind("lora", "sd2", "kohya", "lora")),
        ({f"lora_unet_input_blocks_4_1_transformer_blocks_0_attn2_to_v.{DOWN}": (4, 2048)}, Kind("lora", "sdxl", "kohya", "lora")),
        ({f"lora_te2_text_model_encoder_layers_0_mlp_fc1.{DOWN}": (4, 1280)}, Kind("lora", "sdxl", "kohya", "lora")),
        ({f"lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_q.{DOWN}": (4, 640)}, Kind("lora", "sdxl", "kohya", "lora")),
        (
            {f"{OLD}_transformer_blocks_0_attn2_to_k.{DOWN}": (4, 64), f"{OLD}_proj_in.{DOWN}": (4, 64, 1, 1)},
            Kind("lora", "sd1", "kohya", "lora"),
        ),
        ({f"{OLD}_proj_in.{DOWN}": (4, 64)}, Kind("lora", "sd2", "kohya", "lora")),
        ({f"lora_te_text_model_encoder_layers_0_self_attn_q_proj.{DOWN}": (4, 768)}, Kind("lora", "sd1", "kohya", "lora")),
        (
            {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k.lora.down.weight": (4, 768)},
            Kind("lora", "sd1", "diffusers", "lora"),
        ),
        (
            {"unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k_lora.down.weight": (4, 1024)},
            Kind("lora", "sd2", "diffusers", "lora"),
        ),
        (
            {"base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.lora_A.weight": (4, 2048)},
            Kind("lora", "sdxl", "peft", "lora"),
        ),
        ({"transformer.single_transformer_blocks.0.attn.to_q.lora_A.weight": (4, 3072)}, Kind("lora", "flux", "peft", "lora")),
        ({f"lora_unet_double_blocks_0_img_attn_qkv.{DOWN}": (4, 3072)}, Kind("lora", "flux", "kohya", "lora")),
        ({f"lora_unet_joint_blocks_0_x_block_attn_qkv.{DOWN}": (4, 1536)}, Kind("lora", "sd3", "kohya", "lora")),
        ({f"{OLD}_proj_out.hada_w1_a": (4, 4)}, Kind("lora", "unknown", "kohya", "loha")),
    ],
)
def test_what_lora_is(shapes: dict[str, tuple[int, ...]], kind: Kind):
    assert what_is(header(shapes)) == kind


def test_networks_as_diffusers_saves_them(sd1_folder: Path, sd2_folder: Path, sdxl_folder: Path, controlnet_folder: Path):
    for family, folder in (("sd1", sd1_folder), ("sd2", sd2_folder), ("sdxl", sdxl_folder)):
        read = read_header(next((folder / "unet").glob("*.safetensors")))
        assert what_is(read) == Kind("unet", family, "diffusers")  # type: ignore[arg-type]
        assert family_of_checkpoint(read) == family
    assert what_is(read_header(next(controlnet_folder.glob("*.safetensors")))) == Kind("controlnet", "sd1", "diffusers")
    assert what_is(read_header(next((sd1_folder / "vae").glob("*.safetensors")))) == Kind("vae", naming="diffusers", among=SHARED)
    assert what_is(read_header(next((sd1_folder / "text_encoder").glob("*.safetensors")))) == Kind("text-encoder")
