"""Is one set of weights of a folder baked, and is nothing beside it what the model was before?"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from lib_extension.spec.errors import BadRequest
from tests.trainer.merging.loras import Told, lora
from tests.trainer.merging.test_bake import assert_alike, baked, state
from trainer.merging import bake
from trainer.merging.model_folder import weights_of


@pytest.fixture
def folder(sd1_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(sd1_folder, tmp_path / "model")


def halved(file: Path) -> Path:
    """Beside a file, the same one in fp16."""
    half = file.with_name(f"{file.stem}.fp16.safetensors")
    save_file({name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in load_file(file).items()}, half)
    return half


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_other_variants_are_left_out(folder: Path, tmp_path: Path) -> None:
    before = names(folder)
    for network in ("unet", "text_encoder", "vae"):
        (file,) = (folder / network).glob("*.safetensors")
        halved(file)
        (folder / network / "pytorch_model.bin").write_bytes(b"\x80")
    (folder / "unet" / "diffusion_flax_model.msgpack").write_bytes(b"\x80")
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.fp16.json").write_text('{"weight_map": {"x": "part.fp16.safetensors"}}')
    (folder / "whole.safetensors").write_bytes(b"\0")
    (folder / ".git").mkdir()
    (folder / ".git" / "config").write_text("x")
    file = lora(tmp_path / "one.safetensors", "mixed")
    found = baked(tmp_path / "out", str(folder), f"{file}:0.8")
    assert names(found) == before
    assert_alike(state(found), state(folder, ((file, 0.8),)))


def test_the_variant_that_all_have_is_taken(folder: Path, tmp_path: Path) -> None:
    for network in ("unet", "text_encoder", "vae"):
        (file,) = (folder / network).glob("*.safetensors")
        halved(file)
        if network != "unet":
            file.unlink()
    assert {network: [file.name for file in files] for network, files in weights_of(folder).items()} == {
        "unet": ["diffusion_pytorch_model.fp16.safetensors"],
        "text_encoder": ["model.fp16.safetensors"],
        "vae": ["diffusion_pytorch_model.fp16.safetensors"],
    }
    found = baked(tmp_path / "out", str(folder), str(lora(tmp_path / "one.safetensors")))
    assert [name for name in names(found) if name.startswith("unet/") and name.endswith("s")] == [
        "unet/diffusion_pytorch_model.fp16.safetensors"
    ]


def test_parts_of_files_stay_together(folder: Path, tmp_path: Path) -> None:
    (file,) = (folder / "unet").glob("*.safetensors")
    tensors = list(load_file(file).items())
    shards = {f"diffusion_pytorch_model-0000{n + 1}-of-00002.safetensors": dict(tensors[n::2]) for n in range(2)}
    for name, part in shards.items():
        save_file(part, file.with_name(name))
    index = {"metadata": {}, "weight_map": {name: shard for shard, part in shards.items() for name in part}}
    (folder / "unet" / "diffusion_pytorch_model.safetensors.index.json").write_text(json.dumps(index))
    file.unlink()
    one = lora(tmp_path / "one.safetensors")
    found = baked(tmp_path / "out", str(folder), str(one))
    assert names(found) == names(folder)
    assert_alike(state(found), state(folder, ((one, 1.0),)))


@pytest.mark.parametrize("network", ["text_encoder", "unet", "safety_checker"])
def test_pickles_alone_are_refused(network: str, folder: Path, tmp_path: Path) -> None:
    for file in (folder / network).glob("*.safetensors"):
        file.unlink()
    (folder / network).mkdir(exist_ok=True)
    (folder / network / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(BadRequest, match=f'"{network}/pytorch_model.bin" of "model" is a pickle'):
        bake.run([str(folder), str(lora(tmp_path / "one.safetensors")), "--output.folder", str(tmp_path / "out")], Told())
    assert not (tmp_path / "out").exists()
