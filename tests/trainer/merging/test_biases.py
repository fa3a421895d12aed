"""Do changes of biases come along, beside those of the weights and alone?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_extension.spec.errors import Mismatch
from tests.trainer.merging.loras import Told, parts
from tests.trainer.merging.test_bake import baked
from trainer.merging import bake, convert, merge, resize

FF = "lora_te_text_model_encoder_layers_1_mlp_fc1"
FF_THERE = "cond_stage_model.transformer.text_model.encoder.layers.1.mlp.fc1"


def with_bias(file: Path, kind: str, bias: Tensor | None = None) -> Path:
    of = parts(kind, (128, 32), 4, 2.0, torch.Generator().manual_seed(1))
    of["diff_b"] = torch.randn(128, generator=torch.Generator().manual_seed(2)) if bias is None else bias
    save_file({f"{FF}.{part}": tensor for part, tensor in of.items()}, file)
    return file


def of_peft(file: Path) -> Path:
    """As peft writes it with lora_bias=True; its bias is scaled as the product is."""
    generator = torch.Generator().manual_seed(3)
    of = {"lora_A.weight": torch.randn(4, 32, generator=generator), "lora_B.weight": torch.randn(128, 4, generator=generator)}
    of |= {"lora_B.bias": torch.randn(128, generator=generator), "alpha": torch.tensor(2.0)}
    save_file({f"text_encoder.text_model.encoder.layers.1.mlp.fc1.{part}": tensor for part, tensor in of.items()}, file)
    return file


def changes(base: Path, found: Path) -> tuple[Tensor, Tensor]:
    before, after = load_file(base), load_file(found)
    return after[f"{FF_THERE}.weight"] - before[f"{FF_THERE}.weight"], after[f"{FF_THERE}.bias"] - before[f"{FF_THERE}.bias"]


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr", "full"])
def test_a_bias_beside_a_weight_of_any_type(kind: str, sd1_file: Path, tmp_path: Path) -> None:
    file = with_bias(tmp_path / "one.safetensors", kind)
    told = Told()
    merge.run([f"{file}:0.5", "--output.folder", str(tmp_path)], told)
    weight, bias = changes(sd1_file, baked(tmp_path / "out", str(sd1_file), f"{file}:0.5"))
    assert weight.any()
    torch.testing.assert_close(bias, 0.5 * load_file(file)[f"{FF}.diff_b"], rtol=0, atol=1e-6)
    for one, two in zip(changes(sd1_file, baked(tmp_path / "out", str(sd1_file), str(told.result()))), (weight, bias), strict=True):
        torch.testing.assert_close(one, two, rtol=0, atol=1e-4)


def test_pefts_bias_is_as_strong_as_its_product(sd1_file: Path, tmp_path: Path) -> None:
    file = of_peft(tmp_path / "peft.safetensors")
    name = "text_encoder.text_model.encoder.layers.1.mlp.fc1.lora_B.bias"
    wanted = changes(sd1_file, baked(tmp_path / "out", str(sd1_file), f"{file}:0.8"))
    torch.testing.assert_close(wanted[1], 0.8 * 0.5 * load_file(file)[name], rtol=0, atol=1e-6)
    for run, more in ((merge.run, []), (resize.run, ["--ranks.rank", "4"]), (convert.run, ["--naming", "kohya"])):
        told = Told()
        run([str(file), *more, "--output.folder", str(tmp_path / "made")], told)
        assert any(key.endswith(".diff_b") for key in load_file(told.result()))
        for one, two in zip(changes(sd1_file, baked(tmp_path / "out", str(sd1_file), f"{told.result()}:0.8")), wanted, strict=True):
            torch.testing.assert_close(one, two, rtol=0, atol=1e-4)


def test_biases_of_joint_matrices(sd2_file: Path, tmp_path: Path) -> None:
    """open_clip keeps those of query, key and value in one."""
    (name,) = (name for name in load_file(sd2_file) if name.endswith("resblocks.1.attn.in_proj_bias"))
    before = load_file(sd2_file)[name]
    third = len(before) // 3
    shifts = {part: torch.full((third,), float(n + 1)) for n, part in enumerate("kv")}
    tensors = {f"lora_te_text_model_encoder_layers_1_self_attn_{part}_proj.diff_b": shift for part, shift in shifts.items()}
    save_file(tensors, tmp_path / "one.safetensors")
    found = load_file(baked(tmp_path / "out", str(sd2_file), str(tmp_path / "one.safetensors")))[name]
    torch.testing.assert_close(found - before, torch.cat([torch.zeros(third), *shifts.values()]), rtol=0, atol=1e-6)


def test_biases_that_do_not_fit(sd1_file: Path, tmp_path: Path) -> None:
    small = with_bias(tmp_path / "small.safetensors", "lora", torch.zeros(127))
    with pytest.raises(Mismatch, match="another size"):
        baked(tmp_path / "out", str(sd1_file), str(small))
    query = "lora_unet_mid_block_attentions_0_transformer_blocks_0_attn1_to_q"
    of = parts("lora", (64, 64), 4, 2.0, torch.Generator().manual_seed(1)) | {"diff_b": torch.ones(64)}
    save_file({f"{query}.{part}": tensor for part, tensor in of.items()}, tmp_path / "query.safetensors")
    told = Told()
    bake.run([str(sd1_file), str(tmp_path / "query.safetensors"), "--output.folder", str(tmp_path / "out")], told)
    assert told.warnings() == [f'1 parts of "query" have no place in "sd1", such as {query}.diff_b.']
