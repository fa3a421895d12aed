"""Is a converted LoRA the same one: bit for bit there and back, and to all that load it?"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers import UNet2DConditionModel
from peft import PeftModel
from safetensors.torch import load_file, save_file

from lib_extension.spec.errors import BadFile, BadRequest
from tests import tiny
from tests.trainer.merging.loras import Told, lora, webui_weights
from tests.trainer.merging.test_bake import assert_alike, state
from trainer.merging import convert, merge, resize
from trainer.merging.lora_names import kohya_name


def converted(file: Path, *arguments: str) -> Path:
    told = Told()
    assert convert.run([str(file), *arguments, "--output.folder", str(file.parent)], told) == 0
    return told.result()


@pytest.mark.parametrize("naming", ["diffusers", "peft"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_there_and_back(naming: str, dtype: torch.dtype, sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", rank=6, alpha=2.5, dtype=dtype)
    there = converted(file, "--naming", naming)
    assert_alike(state(sd1_file, ((converted(there, "--naming", "diffusers"), 0.7),)), state(sd1_file, ((file, 0.7),)))
    before, after = load_file(file), load_file(converted(there))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before)


@pytest.mark.parametrize("rank", [49, 98, 103, 107])
def test_alpha_there_and_back(rank: int, tmp_path: Path) -> None:
    """Whose division by the rank has no exact inverse."""
    file = lora(tmp_path / "one.safetensors", rank=rank, alpha=1, dtype=torch.float16)
    there = converted(file, "--naming", "peft")
    assert json.loads((there / "unet" / "adapter_config.json").read_text())["lora_alpha"] == 1
    before, after = load_file(file), load_file(converted(there))
    assert all(torch.equal(before[name], after[name]) and before[name].dtype == after[name].dtype for name in before)


def test_alpha_is_not_rounded(tmp_path: Path) -> None:
    """bf16 has 8 binary digits."""
    file = lora(tmp_path / "one.safetensors", alpha=289)
    assert {float(tensor) for name, tensor in load_file(converted(file, "--output.precision", "bf16")).items() if "alpha" in name} == {289}


def test_from_diffusers_there_and_back(tmp_path: Path) -> None:
    file = tiny.tiny_lora(tmp_path / "one.safetensors", naming="peft")
    before, after = load_file(file), load_file(converted(converted(file), "--naming", "diffusers"))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_what_has_no_other_name_stays(tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", "mixed")
    before, after = load_file(file), load_file(converted(file))
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    with pytest.raises(BadRequest, match="Choose the type lora"):
        converted(file, "--naming", "diffusers")


def test_peft_loads_its_folder(sd1_folder: Path, sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", rank=6, alpha=2.5)
    folder = converted(file, "--naming", "peft")
    unet = UNet2DConditionModel.from_pretrained(sd1_folder / "unet", local_files_only=True)
    merged = PeftModel.from_pretrained(unet, str(folder / "unet")).merge_and_unload()
    expected = state(sd1_file, ((file, 1.0),))
    for name, tensor in merged.state_dict().items():
        torch.testing.assert_close(tensor, expected[f"0.{name}"], rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize("kind", ["loha", "lokr", "full", "mixed"])
def test_other_types_become_lora(kind: str, sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / f"{kind}.safetensors", kind)
    told = Told()
    convert.run([str(file), "--type", "lora", "--ranks.rank", "700", "--output.folder", str(tmp_path)], told)
    assert told.error() < 1e-3
    assert all(re.search(r"\.(alpha|lora_(up|down)\.weight)$", name) for name in load_file(told.result()))
    assert_alike(webui_weights(sd1_file, [(told.result(), 0.8)]), webui_weights(sd1_file, [(file, 0.8)]), atol=2e-4)
    lower = Told()
    convert.run([str(file), "--type", "lora", "--ranks.rank", "3", "--output.folder", str(tmp_path)], lower)
    assert lower.error() > 0.01


def test_norms_of_doras(tmp_path: Path) -> None:
    of = {"lora_down.weight": torch.randn(2, 32), "lora_up.weight": torch.randn(48, 2), "alpha": torch.tensor(2.0)}
    name = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q"
    for scale in (torch.rand(48, 1), torch.rand(1, 32)):
        save_file({f"{name}.{part}": tensor for part, tensor in {**of, "dora_scale": scale}.items()}, tmp_path / "dora.safetensors")
        if scale.shape[0] == 1:
            with pytest.raises(BadRequest, match="a norm for each input"):
                converted(tmp_path / "dora.safetensors", "--naming", "diffusers")
        else:
            there = converted(tmp_path / "dora.safetensors", "--naming", "diffusers")
            assert any(key.endswith("lora_magnitude_vector") for key in load_file(there))
            assert torch.equal(load_file(converted(there))[f"{name}.dora_scale"], scale)


@pytest.mark.parametrize("run", [convert.run, resize.run])
def test_norms_of_outputs_are_told(run: Callable[[list[str], Told], int], tmp_path: Path) -> None:
    """As peft's are; A1111 takes a kohya file's norms for those of inputs."""
    of = {"lora_A.weight": torch.randn(2, 32), "lora_B.weight": torch.randn(48, 2), "lora_magnitude_vector": torch.rand(48)}
    name = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
    save_file({f"{name}.{part}": tensor for part, tensor in of.items()}, tmp_path / "dora.safetensors")
    told = Told()
    assert run([str(tmp_path / "dora.safetensors"), "--output.folder", str(tmp_path)], told) == 0
    found = load_file(told.result())
    assert found["lora_" + name.replace(".", "_") + ".dora_scale"].tolist() == of["lora_magnitude_vector"][:, None].tolist()
    (warning,) = told.warnings()
    assert "A1111" in warning
    by_input = Told()
    assert run([str(lora(tmp_path / "one.safetensors", "dora")), "--output.folder", str(tmp_path)], by_input) == 0
    assert not by_input.warnings()


def test_precision(tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    half, whole = load_file(converted(file, "--output.precision", "fp16")), load_file(file)
    assert all(torch.equal(tensor, whole[name].half()) for name, tensor in half.items())


def test_resizing_is_the_best_of_its_rank(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", rank=9)
    told = Told()
    resize.run([str(file), "--ranks.rank", "4", "--output.folder", str(tmp_path), "--output.name", "small"], told)
    base, whole, found = load_file(sd1_file), webui_weights(sd1_file, [(file, 1.0)]), webui_weights(sd1_file, [(told.result(), 1.0)])
    missed = energy = best = 0.0
    for name in base:
        change = (whole[name] - base[name]).double()
        if change.any():
            s = torch.linalg.svdvals(change.flatten(1))
            best, energy = best + float(s[4:].square().sum()), energy + float(s.square().sum())
            missed += float((found[name] - whole[name]).double().square().sum())
    assert missed == pytest.approx(best, rel=1e-3)
    assert told.error() == pytest.approx((best / energy) ** 0.5, rel=1e-3)


@pytest.mark.parametrize(
    ("path", "family", "name"),
    [
        (
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
            "sd1",
            "lora_unet_down_blocks_1_attentions_0_transformer_blocks_0_attn1_to_out_0",
        ),
        (
            "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0",
            "sdxl",
            "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_out_0",
        ),
        ("unet.up_blocks.0.upsamplers.0.conv", "sdxl", "lora_unet_output_blocks_2_2_conv"),
        ("text_encoder.text_model.encoder.layers.0.mlp.fc1", "sd1", "lora_te_text_model_encoder_layers_0_mlp_fc1"),
        ("text_encoder.text_model.encoder.layers.0.mlp.fc1", "sdxl", "lora_te1_text_model_encoder_layers_0_mlp_fc1"),
        ("text_encoder_2.text_model.encoder.layers.31.mlp.fc1", "sdxl", "lora_te2_text_model_encoder_layers_31_mlp_fc1"),
    ],
)
def test_kohyas_names(path: str, family: str, name: str) -> None:
    assert kohya_name(path, family) == name


@pytest.mark.parametrize("prefix", ["lora_te_", "lora_te1_"])
@pytest.mark.parametrize("run", [convert.run, resize.run, merge.run])
def test_a_text_encoder_alone_keeps_its_name(run: Callable[[list[str], Told], int], prefix: str, tmp_path: Path) -> None:
    """SDXL's first one is as large as SD1's, so that nothing else tells of which family it is."""
    of = {"lora_down.weight": torch.randn(2, 32), "lora_up.weight": torch.randn(128, 2), "alpha": torch.tensor(2.0)}
    name = f"{prefix}text_model_encoder_layers_1_mlp_fc1"
    save_file({f"{name}.{part}": tensor for part, tensor in of.items()}, tmp_path / "text.safetensors")
    told = Told()
    assert run([str(tmp_path / "text.safetensors"), "--output.folder", str(tmp_path)], told) == 0
    assert {key.partition(".")[0] for key in load_file(told.result())} == {name}


def test_parts_that_are_no_factors_fit_their_type_too(tmp_path: Path) -> None:
    name = "lora_te_text_model_encoder_layers_1_mlp_fc1.diff_b"
    save_file({name: torch.full((128,), 1e6)}, tmp_path / "bias.safetensors")
    with pytest.raises(BadFile, match=f"{name} gets values that its type cannot hold"):
        resize.run([str(tmp_path / "bias.safetensors"), "--output.precision", "fp16", "--output.folder", str(tmp_path)], Told())
