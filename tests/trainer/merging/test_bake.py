"""Is a baked checkpoint what loading the LoRAs at those weights gives, in the engine and in the WebUI's arithmetic?"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_extension.models.checkpoint import Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.models.lora import LoraUse, apply
from lib_extension.spec.errors import BadFile, BadRequest, Mismatch
from tests.trainer.merging.loras import MODULES, Told, lora, webui_weights
from trainer.merging import bake, extract


def baked(folder: Path, *arguments: str) -> Path:
    told = Told()
    assert bake.run([*arguments, "--output.folder", str(folder)], told) == 0
    return told.result()


def state(path: Path, uses: tuple[tuple[Path, float], ...] = ()) -> dict[str, Tensor]:
    """All weights of a loaded checkpoint with LoRAs applied by the engine."""
    checkpoint = load_checkpoint(Found(path, path.name, Hashes()), Placement())
    apply(checkpoint, [LoraUse(Found(file, file.name, Hashes()), weight, weight) for file, weight in uses])
    networks = (checkpoint.unet, *checkpoint.text_encoders)
    return {f"{n}.{name}": tensor for n, network in enumerate(networks) for name, tensor in network.state_dict().items()}


def number_changed(one: Path, two: Path) -> int:
    """How many tensors differ."""
    theirs = load_file(two)
    return sum(not torch.equal(tensor, theirs[name]) for name, tensor in load_file(one).items())


def assert_alike(one: dict[str, Tensor], two: dict[str, Tensor], atol: float = 2e-5) -> None:
    assert one.keys() == two.keys()
    for name, tensor in one.items():  # torch's own comparison takes a thousand times as long
        assert torch.equal(tensor, two[name]) or (tensor.float() - two[name].float()).abs().max() <= atol, name


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr", "full", "dora", "mixed"])
def test_baking_is_loading(kind: str, sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / f"{kind}.safetensors", kind)
    found = baked(tmp_path / "out", str(sd1_file), f"{file}:0.8")
    assert_alike(load_file(found), webui_weights(sd1_file, [(file, 0.8)]))
    assert_alike(state(found), state(sd1_file, ((file, 0.8),)))
    assert number_changed(sd1_file, found) == len(MODULES)


def test_several_add_up(sd1_file: Path, tmp_path: Path) -> None:
    one, two = lora(tmp_path / "one.safetensors"), lora(tmp_path / "two.safetensors", "mixed", rank=3, alpha=6, seed=8)
    found = baked(tmp_path / "out", str(sd1_file), f"{one}:0.7", f"{two}:-0.4")
    assert_alike(load_file(found), webui_weights(sd1_file, [(one, 0.7), (two, -0.4)]))


def test_unet_text_encoder_and_blocks_apart(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    base, whole = load_file(sd1_file), webui_weights(sd1_file, [(file, 1.0)])
    config = {
        "checkpoint": {"file": str(sd1_file)},
        "loras": [{"file": str(file), "weight": 0.5, "unet": 2, "text_encoder": 0.4, "blocks": "MIDD"}],
        "output": {"folder": str(tmp_path / "out")},
    }
    (tmp_path / "bake.json").write_text(json.dumps(config))
    told = Told()
    bake.run([str(tmp_path / "bake.json")], told)
    found = load_file(told.result())
    weights = {"input_blocks.1.1": 0, "output_blocks.11.1": 0, "middle_block": 1, "input_blocks.4.1": 0, "cond_stage": 0.2}
    for name, tensor in base.items():
        weight = next((weight for part, weight in weights.items() if part in name), 0)
        torch.testing.assert_close(found[name], tensor + weight * (whole[name] - tensor), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("dtype", "atol"), [(torch.float16, 1e-3), (torch.bfloat16, 8e-3)])
def test_half_precision(dtype: torch.dtype, atol: float, sd1_file: Path, tmp_path: Path) -> None:
    half = {name: tensor.to(dtype) if tensor.is_floating_point() else tensor for name, tensor in load_file(sd1_file).items()}
    save_file(half, tmp_path / "half.safetensors")
    file = lora(tmp_path / "one.safetensors", dtype=dtype)
    found = load_file(baked(tmp_path / "out", str(tmp_path / "half.safetensors"), f"{file}:0.8"))
    expected = webui_weights(tmp_path / "half.safetensors", [(file, 0.8)])
    assert {tensor.dtype for tensor in found.values() if tensor.is_floating_point()} == {dtype}
    for name, tensor in found.items():  # computed in float32 and rounded once
        assert torch.equal(tensor, expected[name].to(tensor.dtype)) or (tensor.float() - expected[name]).abs().max() <= atol * 2
    other = load_file(baked(tmp_path / "out", str(sd1_file), f"{file}:0.8", "--output.precision", "fp16"))
    assert {tensor.dtype for tensor in other.values() if tensor.is_floating_point()} == {torch.float16}


def test_a_folder_stays_a_folder(sd1_folder: Path, sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors", "mixed")
    found = baked(tmp_path / "out", str(sd1_folder), f"{file}:0.8")
    assert found.is_dir()
    assert_alike(state(found), state(sd1_folder, ((file, 0.8),)))
    assert {p.relative_to(found) for p in found.rglob("*") if p.is_file()} == {
        p.relative_to(sd1_folder) for p in sd1_folder.rglob("*") if p.is_file()
    }


@pytest.mark.parametrize("family", ["sd2", "sdxl"])
def test_other_families(family: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With open_clip's joint matrices, whose query, key and value are changed one by one."""
    path: Path = request.getfixturevalue(f"{family}_file")
    generator = torch.Generator().manual_seed(3)
    encoder, width = ("te", 32) if family == "sd2" else ("te2", 48)
    modules = {f"lora_{encoder}_text_model_encoder_layers_1_self_attn_{part}_proj": (width, width) for part in "qv"}
    modules[f"lora_{encoder}_text_model_encoder_layers_0_mlp_fc1"] = (4 * width, width)
    attention = {"sd2": "input_blocks_4_1_transformer_blocks_0_attn1_to_q", "sdxl": "output_blocks_1_1_transformer_blocks_1_attn1_to_q"}
    modules[f"lora_unet_{attention[family]}"] = (32, 32) if family == "sd2" else (64, 64)
    tensors = {}
    for module, (out, into) in modules.items():
        tensors[f"{module}.lora_down.weight"] = torch.randn(3, into, generator=generator)
        tensors[f"{module}.lora_up.weight"] = torch.randn(out, 3, generator=generator)
        tensors[f"{module}.alpha"] = torch.tensor(1.5)
    save_file(tensors, tmp_path / "lora.safetensors")
    found = baked(tmp_path / "out", str(path), f"{tmp_path / 'lora.safetensors'}:0.6")
    assert_alike(state(found), state(path, ((tmp_path / "lora.safetensors", 0.6),)))
    assert number_changed(path, found) == 3


def test_metadata_tells_where_it_comes_from(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    found = baked(tmp_path / "out", str(sd1_file), f"{file}:0.8", "--output.notes", "for a test")
    with safe_open(found, "pt") as opened:
        metadata = opened.metadata()
    told = json.loads(metadata["atelier.merge"])
    assert [(source["name"], source["sha256"]) for source in told["sources"]] == [
        ("sd1", Hashes().sha256(sd1_file)),
        ("one", Hashes().sha256(file)),
    ]
    assert told["sources"][1]["weight"] == 0.8
    assert str(tmp_path) not in json.dumps(metadata)
    assert metadata["modelspec.description"] == "for a test"


def test_checkpoints_are_mixed(sd1_file: Path, tmp_path: Path) -> None:
    a = load_file(sd1_file)
    b, c = ({n: t + torch.randn_like(t) * 0.1 if t.is_floating_point() else t for n, t in a.items()} for _ in range(2))
    save_file(b, tmp_path / "b.safetensors")
    save_file(c, tmp_path / "c.safetensors")
    mix = [str(sd1_file), "--mix.other.file", str(tmp_path / "b.safetensors"), "--mix.share", "0.3"]
    expected = {name: a[name] * 0.7 + b[name] * 0.3 if a[name].is_floating_point() else a[name] for name in a}
    assert_alike(load_file(baked(tmp_path / "out", *mix)), expected)
    difference = [*mix, "--mix.kind", "difference", "--mix.minus.file", str(tmp_path / "c.safetensors")]
    expected = {name: a[name] + 0.3 * (b[name] - c[name]) if a[name].is_floating_point() else a[name] for name in a}
    assert_alike(load_file(baked(tmp_path / "out", *difference)), expected)
    found = load_file(baked(tmp_path / "out", *mix, "--mix.blocks", ",".join(["0"] * 13 + ["1"] + ["0"] * 12)))
    changed = {name for name in a if not torch.equal(a[name], found[name])}
    assert changed
    assert all(name.startswith("model.diffusion_model.middle_block.") for name in changed)
    file = lora(tmp_path / "one.safetensors")
    both = load_file(baked(tmp_path / "out", *mix, "loras[0].file=" + str(file), "loras[0].weight=0.5"))
    save_file({n: t.contiguous() for n, t in load_file(baked(tmp_path / "out", *mix)).items()}, tmp_path / "mixed.safetensors")
    assert_alike(both, webui_weights(tmp_path / "mixed.safetensors", [(file, 0.5)]))


def test_what_does_not_fit_is_refused_before_work(sd1_file: Path, sdxl_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    with pytest.raises(Mismatch, match=r'"one".*"sdxl"'):
        baked(tmp_path / "out", str(sdxl_file), str(file))
    with pytest.raises(Mismatch, match='"sd1" is sd1 and "sdxl" is sdxl'):
        baked(tmp_path / "out", str(sd1_file), "--mix.other.file", str(sdxl_file))
    tensors = load_file(file)
    name = next(name for name in tensors if name.endswith("lora_up.weight"))
    save_file({**tensors, name: torch.full_like(tensors[name], float("nan"))}, tmp_path / "nan.safetensors")
    with pytest.raises(BadFile, match='"nan" is damaged'):
        baked(tmp_path / "out", str(sd1_file), str(tmp_path / "nan.safetensors"))
    save_file({**tensors, name: tensors[name][:-1].contiguous()}, tmp_path / "small.safetensors")
    with pytest.raises(Mismatch, match="another size"):
        baked(tmp_path / "out", str(sd1_file), str(tmp_path / "small.safetensors"))
    with pytest.raises(BadFile, match="no LoRA, but a checkpoint"):
        baked(tmp_path / "out", str(sd1_file), str(sd1_file))
    with pytest.raises(BadRequest, match="nothing to bake"):
        baked(tmp_path / "out", str(sd1_file))
    assert not (tmp_path / "out").exists()


def test_damage_and_overflow_leave_nothing_behind(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    tensors = load_file(sd1_file)
    name = "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn1.to_q.weight"
    save_file({**tensors, name: torch.full_like(tensors[name], float("inf"))}, tmp_path / "bad.safetensors")
    with pytest.raises(BadFile, match="file is damaged"):
        baked(tmp_path / "out", str(tmp_path / "bad.safetensors"), str(file))
    save_file({**tensors, name: torch.full_like(tensors[name], 1e5)}, tmp_path / "large.safetensors")
    with pytest.raises(BadFile, match="precision bf16"):
        baked(tmp_path / "out", str(tmp_path / "large.safetensors"), str(file), "--output.precision", "fp16")
    assert not list((tmp_path / "out").iterdir())


def test_only_a_check(sd1_file: Path, tmp_path: Path) -> None:
    file = lora(tmp_path / "one.safetensors")
    told = Told()
    bake.run([str(sd1_file), f"{file}:0.8", f"{file}:0.7", "--check", "--output.folder", str(tmp_path / "out")], told)
    assert any("same LoRA" in warning for warning in told.warnings())
    assert any("add up to 1.5" in warning for warning in told.warnings())
    assert not (tmp_path / "out").exists()


def test_what_describes_the_network_stays_beside_it(sd1_file: Path, tmp_path: Path) -> None:
    base = tmp_path / "base.safetensors"
    base.write_bytes(sd1_file.read_bytes())
    base.with_suffix(".yaml").write_text("model: {}")
    file = lora(tmp_path / "one.safetensors")
    path = baked(tmp_path / "out", str(base), str(file), "--output.name", "baked")
    assert path.with_suffix(".yaml").read_text() == "model: {}"
    path.with_suffix(".yaml").write_text("mine")
    path.unlink()
    assert baked(tmp_path / "out", str(base), str(file), "--output.name", "baked") == path
    assert path.with_suffix(".yaml").read_text() == "mine"


def test_what_describes_the_network_is_there_first(sd1_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole, so that a checkpoint is never without it; and not at all where the checkpoint's own name is taken meanwhile."""
    base = tmp_path / "base.safetensors"
    base.write_bytes(sd1_file.read_bytes())
    base.with_suffix(".yaml").write_text("model: {}")
    file, link = lora(tmp_path / "one.safetensors"), os.link

    def taken(source: Path, target: Path) -> None:
        if target.name == "baked.safetensors":
            assert target.with_suffix(".yaml").read_text() == "model: {}"
            target.write_text("mine")
        link(source, target)

    monkeypatch.setattr(os, "link", taken)
    baked(tmp_path / "out", str(base), str(file), "--output.name", "baked")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"baked.safetensors", "baked-2.safetensors", "baked-2.yaml"}


def test_a_u_net_alone_is_told(sd1_file: Path, tmp_path: Path) -> None:
    unet = "model.diffusion_model."
    names = {name: tensor for name, tensor in load_file(sd1_file).items() if name.startswith(unet)}
    save_file({name.removeprefix(unet): tensor for name, tensor in names.items()}, tmp_path / "unet.safetensors")
    arguments = [str(tmp_path / "unet.safetensors"), str(lora(tmp_path / "one.safetensors"))]
    with pytest.raises(BadFile, match=r'"unet.safetensors" is a U-Net alone\. Name the checkpoint'):
        baked(tmp_path / "out", *arguments)
    with pytest.raises(BadFile, match="is a U-Net alone"):
        extract.run([str(sd1_file), arguments[0], "--output.folder", str(tmp_path)], Told())


def test_a_checkpoint_is_hashed_once(sd1_file: Path, tmp_path: Path, hashes: Path) -> None:
    base, file = tmp_path / "base.safetensors", lora(tmp_path / "one.safetensors")
    base.write_bytes(sd1_file.read_bytes())
    digest = hashlib.sha256(base.read_bytes()).hexdigest()

    def told() -> str:
        with safe_open(baked(tmp_path / "out", str(base), str(file)), "pt") as opened:
            return json.loads(opened.metadata()["atelier.merge"])["sources"][0]["sha256"]

    assert told() == digest
    assert digest in hashes.read_text("utf-8")
    hashes.write_text(hashes.read_text("utf-8").replace(digest, "a" * 64), "utf-8")
    assert told() == "a" * 64  # it was not read for that again
    os.utime(base, ns=(10**18, 10**18))
    assert told() == digest
