"""Is every tensor of the checkpoints mixed that should be, and none that must stay as it is?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_extension.spec.errors import BadFile, Mismatch
from tests.trainer.merging.loras import Told, lora
from trainer.merging import bake, extract

Tensors = dict[str, Tensor]

NOISE = {
    "betas": torch.linspace(0.0292, 0.11, 1000).square(),
    "alphas_cumprod": (1 - torch.linspace(0.0292, 0.11, 1000).square()).cumprod(0),
    "log_one_minus_alphas_cumprod": torch.randn(1000),
    "model_ema.decay": torch.tensor(0.9999),
    "denoiser.sigmas": torch.linspace(0.03, 14.6, 1000),
}
TEXT = "cond_stage_model.transformer.text_model."
FIRST = "model.diffusion_model.input_blocks.0.0.weight"


def other(tensors: Tensors, seed: int = 1) -> Tensors:
    """Different values under the same names."""
    generator = torch.Generator().manual_seed(seed)
    return {n: t + torch.randn(t.shape, generator=generator) * 0.1 if t.is_floating_point() else t for n, t in tensors.items()}


def saved(tensors: Tensors, file: Path) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, file)
    return file


def mixed(a: Path, b: Path, *arguments: str) -> tuple[Tensors, list[str]]:
    told = Told()
    assert bake.run([str(a), "--mix.other.file", str(b), *arguments, "--output.folder", str(a.parent / "out")], told) == 0
    return load_file(told.result()), told.warnings()


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_noise_levels_stay_as_they_are(precision: str, sd1_file: Path, tmp_path: Path) -> None:
    a = saved({**load_file(sd1_file), **NOISE}, tmp_path / "a.safetensors")
    b = saved(other(load_file(a)), tmp_path / "b.safetensors")
    told = Told()
    bake.run([str(a), str(lora(tmp_path / "one.safetensors")), "--output.precision", precision, "--output.folder", str(tmp_path)], told)
    for found in (load_file(told.result()), mixed(a, b, "--output.precision", precision)[0]):
        for name, tensor in NOISE.items():
            assert found[name].dtype == torch.float32
            assert torch.equal(found[name], tensor)
        assert found[FIRST].dtype == {"fp16": torch.float16, "bf16": torch.bfloat16}[precision]


def test_text_encoders_meet_by_either_name(sd1_file: Path, tmp_path: Path) -> None:
    a = load_file(sd1_file)
    b = other(a)
    renamed = saved({name.replace(TEXT, "cond_stage_model.transformer."): tensor for name, tensor in b.items()}, tmp_path / "b.safetensors")
    here = saved(a, tmp_path / "a.safetensors")
    found, warnings = mixed(here, renamed, "--mix.share", "1")
    assert not warnings
    assert all(torch.allclose(found[name], b[name], atol=1e-6) for name in a)
    back, _ = mixed(renamed, here, "--mix.share", "1")
    assert all(torch.allclose(back[name.replace(TEXT, "cond_stage_model.transformer.")], a[name], atol=1e-6) for name in a)
    told = Told()
    extract.run([str(here), str(renamed), "--output.folder", str(tmp_path / "out")], told)
    assert any(name.startswith("lora_te_") for name in load_file(told.result()))


def test_what_only_a_has_is_told(sd1_file: Path, tmp_path: Path) -> None:
    tensors = load_file(sd1_file)
    a = saved({**tensors, **NOISE, "model_ema.diffusion_modelx": torch.ones(3)}, tmp_path / "a.safetensors")
    kept = [name for name in tensors if not name.startswith("model.diffusion_model.") and tensors[name].is_floating_point()]
    b = saved({name: tensor for name, tensor in other(tensors).items() if name not in kept}, tmp_path / "b.safetensors")
    found, (warning,) = mixed(a, b)
    assert re.fullmatch(rf'{len(kept)} tensors of "a" stay as they are, as "b" has none of their names, such as .+\.', warning)
    assert all(torch.equal(found[name], tensors[name]) for name in kept)


@pytest.mark.skipif(not hasattr(torch, "float8_e4m3fn"), reason="only newer versions have 8-bit floats")
def test_8_bit_floats_are_refused_before_work(sd1_file: Path, tmp_path: Path) -> None:
    tensors = load_file(sd1_file)
    small = {name: tensor.to(torch.float8_e4m3fn) if "diffusion_model" in name else tensor for name, tensor in tensors.items()}
    a = saved(small, tmp_path / "a.safetensors")
    for arguments in ([str(a), "--mix.other.file", str(sd1_file)], [str(sd1_file), "--mix.other.file", str(a)]):
        with pytest.raises(BadFile, match=r'of "a" is of the type F8_E4M3.*in fp16'):
            bake.run([*arguments, "--output.folder", str(tmp_path / "out")], Told())
    with pytest.raises(BadFile, match=r'of "a" is of the type F8_E4M3.*in fp16'):
        bake.run([str(a), str(lora(tmp_path / "one.safetensors")), "--output.folder", str(tmp_path / "out")], Told())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("channels", [(9, 4, 4), (9, 9, 4), (9, 4, 9), (9, 9, 9), (8, 4, 4)])
def test_inpainting_models_share_their_first_channels(channels: tuple[int, int, int], sd1_file: Path, tmp_path: Path) -> None:
    """What only A has stays, as in the WebUI."""
    tensors = load_file(sd1_file)
    files, firsts = [], []
    for number, count in enumerate(channels):
        first = torch.randn(tensors[FIRST].shape[0], count, 3, 3, generator=torch.Generator().manual_seed(number))
        files.append(saved({**tensors, FIRST: first}, tmp_path / f"{number}.safetensors"))
        firsts.append(first)
    found, _ = mixed(*files[:2], "--mix.kind", "difference", "--mix.minus.file", str(files[2]), "--mix.share", "0.7")
    a, b, c = firsts
    shared = min(channels)
    wanted = torch.cat([a[:, :shared] + 0.7 * (b[:, :shared] - c[:, :shared]), a[:, shared:]], dim=1)
    torch.testing.assert_close(found[FIRST], wanted, rtol=0, atol=1e-5)


def test_a_must_be_the_one_for_inpainting(sd1_file: Path, tmp_path: Path) -> None:
    tensors = load_file(sd1_file)
    wide = saved({**tensors, FIRST: tensors[FIRST].repeat(1, 3, 1, 1)[:, :9]}, tmp_path / "wide.safetensors")
    with pytest.raises(Mismatch, match="do not fit each other"):
        mixed(sd1_file, wide)
