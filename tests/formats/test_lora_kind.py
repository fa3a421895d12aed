"""Which family, type and naming a LoRA has, over every naming that trainers write, on all modules of the published models."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lib_extension.formats.base_model import Kind, what_is
from lib_extension.formats.ldm_unet_names import ldm_name
from tests.formats import published
from tests.formats.published import Shapes, attention_modules, header, kohya, lora

UNETS = ("sd1", "sd2", "sdxl")
AB = ("lora_A", "lora_B")
DOWN = "lora_down.weight"


def sgm(family: str) -> Callable[[str], str]:
    """kohya's names for SDXL: ldm's modules."""
    paths = tuple(f"unet.{path}" for path in attention_modules(family, convolutions=True))
    return lambda path: kohya(ldm_name(path, paths)[0])


@pytest.mark.parametrize("family", UNETS)
@pytest.mark.parametrize(
    ("method", "convolutions", "told"),
    [
        ("lora", False, "lora"),
        ("lora", True, "locon"),
        ("loha", False, "loha"),
        ("loha", True, "loha"),
        ("lokr", True, "lokr"),
        ("dora", False, "dora"),
        ("full", True, "full"),
    ],
)
def test_types_in_kohyas_names(family: str, method: str, convolutions: bool, told: str):
    modules = attention_modules(family, convolutions=convolutions)
    for spell in (kohya, sgm(family)):
        assert what_is(header(lora(modules, spell, method))) == Kind("lora", family, "kohya", told)  # type: ignore[arg-type]


@pytest.mark.parametrize("family", UNETS)
@pytest.mark.parametrize(
    ("spell", "parts", "naming"),
    [
        (lambda path: f"unet.{path}", AB, "peft"),
        (lambda path: f"base_model.model.{path}", AB, "peft"),
        (lambda path: f"diffusion_model.{path}", AB, "peft"),
        (lambda path: f"unet.{path}.lora", ("down", "up"), "diffusers"),
        (lambda path: f"unet.{path.replace('.to_', '.processor.to_')}_lora", ("down", "up"), "diffusers"),
        (kohya, AB, "kohya"),
    ],
)
def test_namings(family: str, spell: Callable[[str], str], parts: tuple[str, str], naming: str):
    modules = attention_modules(family)
    assert what_is(header(lora(modules, spell, parts=parts))) == Kind("lora", family, naming, "lora")  # type: ignore[arg-type]


def test_peft_names_a_dora_by_its_magnitudes():
    shapes = lora(attention_modules("sd1"), lambda path: f"unet.{path}", parts=AB)
    magnitude = {"unet.down_blocks.0.attentions.0.proj_in.lora_magnitude_vector": (320,)}
    assert what_is(header(shapes | magnitude)) == Kind("lora", "sd1", "peft", "dora")


def te(number: str, width: int) -> Shapes:
    return {f"lora_te{number}_text_model_encoder_layers_0_self_attn_q_proj.{DOWN}": (8, width)}


@pytest.mark.parametrize(
    ("shapes", "family", "naming", "method"),
    [
        (te("", 768), "sd1", "kohya", "lora"),
        (te("", 1024), "sd2", "kohya", "lora"),
        (te("1", 768) | te("2", 1280), "sdxl", "kohya", "lora"),
        (te("1", 768), "unknown", "kohya", "lora"),  # the first encoder of SDXL, SD3 and Flux is the same
        (
            te("1", 768) | te("2", 1280) | {f"lora_te3_encoder_block_0_layer_0_SelfAttention_q.{DOWN}": (8, 4096)},
            "unknown",
            "kohya",
            "lora",
        ),
        ({f"lora_unet_double_blocks_0_img_attn_qkv.{DOWN}": (8, 3072)} | te("1", 768), "flux", "kohya", "lora"),
        ({f"lora_unet_single_blocks_0_linear1.{DOWN}": (8, 3072)}, "flux", "kohya", "lora"),
        ({f"lora_unet_double_blocks_0_img_mlp_fc1.{DOWN}": (8, 3072)}, "unknown", "kohya", "lora"),  # HunyuanVideo
        ({f"lora_unet_joint_blocks_0_context_block_attn_qkv.{DOWN}": (8, 1536)}, "sd3", "kohya", "lora"),
        ({f"lora_transformer_single_transformer_blocks_0_attn_to_q.{DOWN}": (8, 3072)}, "flux", "kohya", "lora"),
        ({f"lora_transformer_transformer_blocks_0_attn_add_q_proj.{DOWN}": (8, 1536)}, "unknown", "kohya", "lora"),
        ({f"lora_transformer_transformer_blocks_0_attn_to_q.{DOWN}": (8, 1536)}, "sd3", "kohya", "lora"),
        ({"transformer.transformer_blocks.0.attn.to_q.lora_A.weight": (8, 1536)}, "sd3", "peft", "lora"),
        ({"transformer.transformer_blocks.0.attn.to_k.lora_A.weight": (8, 2432)}, "sd3", "peft", "lora"),
        ({"transformer.transformer_blocks.0.attn.to_k.lora_A.weight": (8, 3072)}, "flux", "peft", "lora"),
        (
            {
                "transformer.transformer_blocks.0.attn.to_k.lora_A.weight": (8, 3072),
                "transformer.transformer_blocks.59.attn.to_k.lora_A.weight": (8, 3072),
            },
            "unknown",  # Qwen-Image has 60 blocks, Flux 19
            "peft",
            "lora",
        ),
        ({"transformer.transformer_blocks.0.attn.to_k.lora_A.weight": (8, 1152)}, "unknown", "peft", "lora"),  # PixArt
        ({"double_blocks.0.processor.qkv_lora1.down.weight": (16, 3072)}, "flux", "diffusers", "lora"),  # XLabs
        ({"diffusion_model.double_blocks.0.img_attn.qkv.lora_A.weight": (8, 3072)}, "flux", "peft", "lora"),
        (
            {"lycoris_transformer_blocks_0_attn_to_q.lokr_w1": (8, 8), "lycoris_transformer_blocks_0_attn_to_q.lokr_w2": (192, 192)},
            "sd3",
            "kohya",
            "lokr",
        ),
        ({"oft_unet_input_blocks_4_1_proj_in.oft_blocks": (4, 160, 160)}, "unknown", "kohya", "oft"),
        ({"lora_unet_mid_block_attentions_0_proj_in.a1.weight": (8, 1280)}, "unknown", "kohya", "glora"),
        ({"lora_unet_mid_block_attentions_0_proj_in.on_input": ()}, "unknown", "kohya", "ia3"),
        ({"lora_unet_mid_block_attentions_0_norm.w_norm": (1280,)}, "unknown", "kohya", "norm"),
        ({"lora_unet_conv_in.lora_mid.weight": (8, 8, 3, 3), f"lora_unet_conv_in.{DOWN}": (8, 4)}, "unknown", "kohya", "locon"),
    ],
)
def test_single_names(shapes: Shapes, family: str, naming: str, method: str):
    assert what_is(header(shapes)) == Kind("lora", family, naming, method)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metadata", "family"),
    [
        ({"ss_base_model_version": "sd_v1"}, "sd1"),
        ({"ss_base_model_version": "sd_v2_v"}, "sd2"),
        ({"ss_base_model_version": "sdxl_base_v1-0"}, "sdxl"),
        ({"ss_base_model_version": "sd3-medium"}, "sd3"),
        ({"ss_base_model_version": "flux1"}, "flux"),
        ({"modelspec.architecture": "stable-diffusion-v1/lora"}, "sd1"),
        ({"modelspec.architecture": "stable-diffusion-v2-768-v/lora"}, "sd2"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-base/lora"}, "sdxl"),
        ({"modelspec.architecture": "stable-diffusion-xl-v1-refiner/lora"}, "unknown"),
        ({"modelspec.architecture": "stable-diffusion-3-medium/lora"}, "sd3"),
        ({"modelspec.architecture": "flux-1-dev/lora"}, "flux"),
        ({"modelspec.architecture": "chroma/lora"}, "unknown"),
        ({}, "unknown"),
    ],
)
def test_metadata_tells_where_the_tensors_do_not(metadata: dict[str, str], family: str):
    assert what_is(header({"oft_unet_input_blocks_4_1_proj_in.oft_blocks": (4, 160, 160)}, metadata)).family == family


def test_tensors_are_believed_before_metadata():
    shapes = lora(attention_modules("sdxl"), kohya)
    assert what_is(header(shapes, {"ss_base_model_version": "sd_v1"})).family == "sdxl"


def test_whole_checkpoints_are_no_loras():
    for family in ("sd1", "sd2", "sdxl", "sd3", "flux"):
        assert what_is(header(published.ldm_checkpoint(family))).method == ""
