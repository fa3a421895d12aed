"""Every trainer's names lead to the same modules of the model, on real topologies."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
import torch
from diffusers import UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from lib_extension.formats.lora_keys import ParsedLora, lora_modules, resolve
from lib_extension.models.ldm_names import UnetLayout, unet_pairs

SMALL = {"block_out_channels": (32, 32, 32, 32), "norm_num_groups": 8, "cross_attention_dim": 8, "attention_head_dim": 8}
SMALL_XL = {
    "block_out_channels": (32, 32, 32),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),  # SDXL's own depth: from ten on, numbers have two digits
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 8,
    "projection_class_embeddings_input_dim": 64,
    "norm_num_groups": 8,
    "cross_attention_dim": 8,
    "attention_head_dim": 8,
}


def unet(config: dict[str, object]) -> nn.Module:
    with torch.device("meta"):
        return UNet2DConditionModel(**config)  # type: ignore[arg-type]


def text_encoder() -> nn.Module:
    with torch.device("meta"):
        return CLIPTextModel(CLIPTextConfig(vocab_size=10, hidden_size=8, intermediate_size=8, num_hidden_layers=2, num_attention_heads=1))


def trainable(network: str, module: nn.Module) -> list[str]:
    return [f"{network}.{name}" for name, inner in module.named_modules() if isinstance(inner, (nn.Linear, nn.Conv2d))]


@pytest.fixture(scope="module")
def sd1() -> list[str]:
    return trainable("unet", unet(SMALL)) + trainable("text_encoder", text_encoder())


@pytest.fixture(scope="module")
def sdxl() -> list[str]:
    return trainable("unet", unet(SMALL_XL)) + trainable("text_encoder", text_encoder()) + trainable("text_encoder_2", text_encoder())


def kohya_name(path: str, first_text_encoder: str = "lora_te") -> str:
    """As sd-scripts: a prefix, and the path with underscores. Files were made with the level text_model, whatever transformers has now."""
    network, _, inside = path.partition(".")
    if network == "unet":
        return "lora_unet_" + inside.replace(".", "_")
    prefix = {"text_encoder": first_text_encoder, "text_encoder_2": "lora_te2"}[network]
    return f"{prefix}_text_model_" + inside.removeprefix("text_model.").replace(".", "_")


def kohya_keys(names: Iterable[str]) -> list[str]:
    return [f"{name}.{part}" for name in names for part in ("lora_down.weight", "lora_up.weight", "alpha")]


def assert_all_found(names: dict[str, str], keys: list[str], modules: list[str]) -> None:
    """`names`: the path that each of the file's modules must lead to."""
    resolution = resolve(keys, modules)
    assert resolution.unmatched == ()
    assert {lora.name: path for path, lora in resolution.modules.items()} == names


def test_kohya_sd1(sd1: list[str]):
    names = {kohya_name(path): path for path in sd1}
    assert len(names) == len(sd1)
    assert_all_found(names, kohya_keys(names), sd1)


def test_kohya_sdxl_with_diffusers_names(sdxl: list[str]):
    names = {kohya_name(path, "lora_te1"): path for path in sdxl}
    assert_all_found(names, kohya_keys(names), sdxl)


@pytest.mark.parametrize("config", [SMALL, SMALL_XL], ids=["sd1", "sdxl"])
def test_kohya_with_ldm_names(config: dict[str, object]):
    """sd-scripts trains SDXL on ldm's U-Net. The names are made by the converter of whole checkpoints, which knows nothing of LoRAs."""
    model = unet(config)
    modules = trainable("unet", model)
    pairs = sorted(unet_pairs(UnetLayout.of_diffusers(model.state_dict())), key=lambda pair: -len(pair[1]))
    names = {}
    for path in modules:
        inside = path.removeprefix("unet.")
        old, new = next((old, new) for old, new in pairs if inside == new or inside.startswith(new + "."))
        names["lora_unet_" + (old + inside[len(new) :]).replace(".", "_")] = path
    assert len(names) == len(modules)
    assert_all_found(names, kohya_keys(names), modules)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (
            "lora_unet_input_blocks_4_1_transformer_blocks_1_attn1_to_out_0",
            "unet.down_blocks.1.attentions.0.transformer_blocks.1.attn1.to_out.0",
        ),
        (
            "lora_unet_input_blocks_8_1_transformer_blocks_9_ff_net_0_proj",
            "unet.down_blocks.2.attentions.1.transformer_blocks.9.ff.net.0.proj",
        ),
        ("lora_unet_middle_block_1_proj_in", "unet.mid_block.attentions.0.proj_in"),
        ("lora_unet_middle_block_2_emb_layers_1", "unet.mid_block.resnets.1.time_emb_proj"),
        ("lora_unet_input_blocks_3_0_op", "unet.down_blocks.0.downsamplers.0.conv"),
        ("lora_unet_output_blocks_2_2_conv", "unet.up_blocks.0.upsamplers.0.conv"),
        ("lora_unet_output_blocks_8_0_skip_connection", "unet.up_blocks.2.resnets.2.conv_shortcut"),
        ("lora_unet_input_blocks_0_0", "unet.conv_in"),
        ("lora_unet_out_2", "unet.conv_out"),
        ("lora_unet_label_emb_0_0", "unet.add_embedding.linear_1"),
        ("lora_te2_text_model_encoder_layers_1_mlp_fc1", "text_encoder_2.encoder.layers.1.mlp.fc1"),
    ],
)
def test_names_met_in_files_for_sdxl(sdxl: list[str], name: str, path: str):
    modules = [re.sub(r"^(text_encoder(_2)?)\.(text_model\.)?", r"\1.", known) for known in sdxl]
    assert_all_found({name: path}, kohya_keys([name]), modules)


@pytest.mark.parametrize("level", ["", "text_model."])
def test_text_encoders_with_and_without_their_upper_level(level: str):
    """transformers 5 dropped `text_model.`; files and models may differ in it."""
    modules = [f"text_encoder.{level}encoder.layers.0.self_attn.q_proj"]
    for name in ("lora_te_text_model_encoder_layers_0_self_attn_q_proj", "lora_te1_encoder_layers_0_self_attn_q_proj"):
        assert_all_found({name: modules[0]}, kohya_keys([name]), modules)


def test_peft_as_peft_writes_it():
    model = unet(SMALL)
    model.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_out.0", "conv1", "proj_in"]))  # type: ignore[operator]
    keys = list(get_peft_model_state_dict(model))
    modules = trainable("unet", unet(SMALL))
    changed = {path for path in modules if path.endswith((".to_q", ".to_out.0", ".conv1", ".proj_in"))}
    for prefix in ("unet.", "base_model.model.", "base_model.model.unet.", ""):
        resolution = resolve([prefix + key for key in keys], modules)
        assert set(resolution.modules) == changed
        assert resolution.unmatched == ()


ATTENTION = "down_blocks.0.attentions.1.transformer_blocks.0.attn1"
LAYER = "encoder.layers.1.self_attn"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ([f"unet.{ATTENTION}.to_q.lora.down.weight", f"unet.{ATTENTION}.to_q.lora.up.weight"], f"unet.{ATTENTION}.to_q"),
        (
            [f"unet.{ATTENTION}.processor.to_q_lora.down.weight", f"unet.{ATTENTION}.processor.to_q_lora.up.weight"],
            f"unet.{ATTENTION}.to_q",
        ),
        ([f"{ATTENTION}.processor.to_out_lora.down.weight", f"{ATTENTION}.processor.to_out_lora.up.weight"], f"unet.{ATTENTION}.to_out.0"),
        ([f"unet.{ATTENTION}.to_v.lora_A.default.weight", f"unet.{ATTENTION}.to_v.lora_B.default.weight"], f"unet.{ATTENTION}.to_v"),
        (
            [f"text_encoder.text_model.{LAYER}.q_proj.lora_linear_layer.{part}.weight" for part in ("down", "up")],
            f"text_encoder.{LAYER}.q_proj",
        ),
        ([f"text_encoder.text_model.{LAYER}.to_out_lora.{part}.weight" for part in ("down", "up")], f"text_encoder.{LAYER}.out_proj"),
        (
            [f"lora_te_{LAYER.replace('.', '_')}_k_proj_lora_linear_layer.{part}.weight" for part in ("down", "up")],
            f"text_encoder.{LAYER}.k_proj",
        ),
        ([f"base_model.model.text_model.{LAYER}.v_proj.lora_{part}.weight" for part in "AB"], f"text_encoder.{LAYER}.v_proj"),
        (["diffusion_model.input_blocks.2.1.transformer_blocks.0.attn1.to_k.lora_down.weight"], f"unet.{ATTENTION}.to_k"),
    ],
)
def test_diffusers_names_new_and_old(sd1: list[str], keys: list[str], path: str):
    modules = [known.replace("text_encoder.text_model.", "text_encoder.") for known in sd1]
    resolution = resolve(keys, modules)
    assert list(resolution.modules) == [path]
    assert resolution.unmatched == ()
    assert resolution.modules[path].parts == dict(zip(("down", "up"), keys, strict=False))


def test_what_fits_nothing_is_listed(sd1: list[str]):
    keys = [*kohya_keys(["lora_unet_down_blocks_9_resnets_0_conv1", "lora_transformer_single_blocks_0"]), "bundle_emb.x.string", "x"]
    resolution = resolve(keys, sd1)
    assert resolution.modules == {}
    assert sorted(resolution.unmatched) == [
        "bundle_emb.x.string",
        "lora_transformer_single_blocks_0",
        "lora_unet_down_blocks_9_resnets_0_conv1",
        "x",
    ]


def test_two_names_for_one_module_are_not_added_up(sd1: list[str]):
    names = ["lora_unet_conv_in", "lora_unet_input_blocks_0_0"]
    resolution = resolve(kohya_keys(names), sd1)
    assert resolution.modules["unet.conv_in"].name == "lora_unet_conv_in"
    assert resolution.unmatched == ("lora_unet_input_blocks_0_0",)


@pytest.mark.parametrize(
    ("parts", "method"),
    [
        (("lora_down.weight", "lora_up.weight", "alpha"), "lora"),
        (("lora_down.weight", "lora_mid.weight", "lora_up.weight"), "lora"),
        (("lora_A.weight", "lora_B.weight", "lora_magnitude_vector"), "dora"),
        (("lora_down.weight", "lora_up.weight", "dora_scale"), "dora"),
        (("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "alpha"), "hada"),
        (("lokr_w1", "lokr_w2_a", "lokr_w2_b"), "lokr"),
        (("oft_blocks",), "oft"),
        (("diff", "diff_b"), "diff"),
        (("diff_b",), "diff"),
        (("diff_b", "hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"), "hada"),
        (("diff_b", "lokr_w1", "lokr_w2"), "lokr"),
        (("diff_b", "oft_blocks"), "oft"),
        (("lora_A.weight", "lora_B.weight", "lora_B.bias"), "lora"),
        (("lora_A.weight", "lora_B.bias"), ""),
        (("lora_down.weight", "alpha"), ""),
    ],
)
def test_method(parts: tuple[str, ...], method: str):
    (lora,) = lora_modules(f"lora_unet_conv_in.{part}" for part in parts).values()
    assert lora.method == method


def test_parts():
    assert lora_modules(kohya_keys(["lora_unet_conv_in"])) == {
        "lora_unet_conv_in": ParsedLora(
            "lora_unet_conv_in",
            {"down": "lora_unet_conv_in.lora_down.weight", "up": "lora_unet_conv_in.lora_up.weight", "alpha": "lora_unet_conv_in.alpha"},
        )
    }
