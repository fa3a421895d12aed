"""Is what was baked found again, and is the error that is told the true one?"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lib_extension.spec.errors import BadRequest, Mismatch
from tests.trainer.merging.loras import MODULES, Told, lora, webui_weights
from tests.trainer.merging.test_bake import assert_alike, baked, state
from trainer.merging import extract


def extracted(*arguments: str) -> Told:
    told = Told()
    assert extract.run(list(arguments), told) == 0
    return told


def test_what_was_baked_is_extracted(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    tuned = baked(tmp_path, str(sd1_file), f"{file}:0.8", "--output.name", "tuned")
    asked = [str(sd1_file), str(tuned), "--modules", "all", "--ranks.rank", "6", "--output.folder", str(tmp_path)]
    told = extracted(*asked, "--output.precision", "fp32")
    assert told.error() < 1e-3
    assert_alike(webui_weights(sd1_file, [(told.result(), 1.0)]), load_file(tuned), atol=2e-3)
    assert_alike(state(sd1_file, ((told.result(), 1.0),)), state(tuned), atol=2e-3)
    assert len({name.partition(".")[0] for name in load_file(told.result())}) == len(MODULES)


def test_a_lower_rank_loses_what_is_told(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", rank=8)
    tuned = baked(tmp_path, str(sd1_file), str(file), "--output.name", "tuned")
    told = extracted(
        str(sd1_file), str(tuned), "--modules", "all", "--ranks.rank", "3", "--output.folder", str(tmp_path), "--output.precision", "fp32"
    )
    base, wanted, found = load_file(sd1_file), load_file(tuned), webui_weights(sd1_file, [(told.result(), 1.0)])
    missed = sum(float((found[name] - wanted[name]).double().square().sum()) for name in base)
    energy = sum(float((wanted[name] - base[name]).double().square().sum()) for name in base)
    assert told.error() == pytest.approx((missed / energy) ** 0.5, rel=0.01)
    assert 0.1 < told.error() < 0.9


def test_by_energy(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", rank=8)
    tuned = baked(tmp_path, str(sd1_file), str(file), "--output.name", "tuned")
    told = extracted(str(sd1_file), str(tuned), "--ranks.rule", "sv_fro", "--ranks.amount", "0.9", "--output.folder", str(tmp_path))
    ranks = {tensor.shape[0] for name, tensor in load_file(told.result()).items() if name.endswith("down.weight")}
    assert max(ranks) < 8
    assert told.error() <= (1 - 0.81) ** 0.5 + 1e-3


@pytest.mark.parametrize("family", ["sd2", "sdxl"])
def test_text_encoders_of_other_families(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A change of a joint matrix is a LoRA of query, key and value apart."""
    path: Path = request.getfixturevalue(f"{family}_file")
    tensors = load_file(path)
    (name,) = [name for name in tensors if name.endswith("resblocks.1.attn.in_proj_weight")]
    rows, into = tensors[name].shape
    change = torch.cat(
        [torch.randn(rows // 3, 1) @ torch.randn(1, into), torch.zeros(rows // 3, into), torch.randn(rows // 3, 1) @ torch.randn(1, into)]
    )
    save_file({**tensors, name: tensors[name] + change}, tmp_path / "tuned.safetensors")
    told = extracted(
        str(path), str(tmp_path / "tuned.safetensors"), "--ranks.rank", "2", "--output.folder", str(tmp_path), "--output.precision", "fp32"
    )
    assert len(load_file(told.result())) == 2 * 3
    again = baked(tmp_path / "out", str(path), str(told.result()))
    torch.testing.assert_close(load_file(again)[name], tensors[name] + change, rtol=0, atol=1e-4)


def test_what_is_left_out_is_told_and_why(sd1_file: Path, tmp_path: Path) -> None:
    tensors = load_file(sd1_file)
    query, key = ("model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_" + part + ".weight" for part in "qk")
    convolution, vae = "model.diffusion_model.input_blocks.0.0.weight", "first_stage_model.decoder.conv_in.weight"
    gone = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn2.to_v.weight"
    changed = {name: tensors[name] + amount for name, amount in ((query, 0.1), (key, 1e-4), (convolution, 0.1), (vae, 0.1))}
    tuned = {name: tensor for name, tensor in (tensors | changed).items() if name != gone}
    save_file(tuned, tmp_path / "tuned.safetensors")
    told = extracted(str(sd1_file), str(tmp_path / "tuned.safetensors"), "--least", "0.01", "--output.folder", str(tmp_path))
    path = "unet.mid_block.attentions.0.transformer_blocks.0"
    assert {name.partition(".")[0] for name in load_file(told.result())} == {f"lora_{path}.attn1.to_q".replace(".", "_")}
    lines = [str(event["text"]) for event in told.events if event["event"] == "log"]
    same, small, only, other, _ = lines
    assert re.fullmatch(r"Left out: \d\d+ modules do not differ: \S+(, \S+){4} …\.", same)
    assert small == f"Left out: 1 modules differ by 0.01 at most: {path}.attn1.to_k."
    assert only == f'Left out: 1 modules are only in "sd1": {path}.attn2.to_v.'
    assert other == f"Left out: 2 tensors differ that are not among the chosen modules: {vae}, unet.conv_in.weight."
    with safe_open(told.result(), "pt") as file:
        counts = json.loads(file.metadata()["atelier.merge"])["left_out"]
    assert counts == {"same": int(same.split()[2]), "small": 1, "only_base": 1, "no_place": 2}


def test_another_precision_alone_is_no_difference_of_what_is_left_out(sd1_file: Path, tmp_path: Path) -> None:
    tensors = load_file(sd1_file)
    query = "model.diffusion_model.middle_block.1.transformer_blocks.0.attn1.to_q.weight"
    save_file({name: (tensor + (name == query)).half() for name, tensor in tensors.items()}, tmp_path / "tuned.safetensors")
    told = extracted(str(sd1_file), str(tmp_path / "tuned.safetensors"), "--least", "0.01", "--output.folder", str(tmp_path))
    assert not [event for event in told.events if "not among" in str(event.get("text"))]


def test_refusals(sd1_file: Path, sdxl_file: Path, tmp_path: Path) -> None:
    with pytest.raises(Mismatch, match='"sd1" is sd1 and "sdxl" is sdxl'):
        extracted(str(sd1_file), str(sdxl_file), "--output.folder", str(tmp_path))
    with pytest.raises(BadRequest, match="do not differ"):
        extracted(str(sd1_file), str(sd1_file), "--output.folder", str(tmp_path))
