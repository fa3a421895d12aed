"""Are pictures enlarged to the WebUI's sizes, and do ESRGAN files in all namings give the same network?"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from lib_extension.models.esrgan import TILE, Esrgan, enlarge, load_esrgan
from lib_extension.models.library import Library
from lib_extension.models.upscalers import upscale, upscaler_names
from lib_extension.spec.errors import BadFile, BadRequest
from tests import tiny

CPU = torch.device("cpu")


@pytest.fixture
def network() -> Esrgan:
    torch.manual_seed(0)
    return Esrgan(width=8, growth=4, blocks=2, doublings=1, unshuffle=1).eval().requires_grad_(False)


def published(network: Esrgan, naming: str) -> dict[str, torch.Tensor]:
    """The network's tensors under the names of Real-ESRGAN, BSRGAN or the first ESRGAN."""
    tensors = {re.sub(r"conv_up\.0", "conv_up1", name): tensor for name, tensor in network.state_dict().items()}
    if naming == "Real-ESRGAN":
        return {f"params_ema.{name}": tensor for name, tensor in tensors.items()}
    if naming == "BSRGAN":
        changes = [(r"^body\.", "RRDB_trunk."), ("rdb", "RDB"), ("conv_body", "trunk_conv"), ("conv_up", "upconv"), ("conv_hr", "HRconv")]
    else:
        changes = [
            (r"^body\.(\d)\.rdb(\d)\.conv(\d)", r"model.1.sub.\1.RDB\2.conv\3.0"),
            ("conv_body", "model.1.sub.2"),
            ("conv_first", "model.0"),
            ("conv_up1", "model.3"),
            ("conv_hr", "model.5"),
            ("conv_last", "model.7"),
        ]
    for old, new in changes:
        tensors = {re.sub(old, new, name): tensor for name, tensor in tensors.items()}
    return tensors


@pytest.mark.parametrize("naming", ["Real-ESRGAN", "BSRGAN", "ESRGAN"])
def test_namings(naming: str, network: Esrgan, tmp_path: Path) -> None:
    save_file(published(network, naming), tmp_path / "2x.safetensors")
    loaded = load_esrgan(tmp_path / "2x.safetensors", CPU)
    picture = torch.rand(1, 3, 9, 13)
    assert loaded.factor == 2
    assert torch.equal(loaded(picture), network(picture))


@pytest.mark.parametrize(("doublings", "unshuffle", "factor"), [(2, 1, 4), (2, 2, 2), (2, 4, 1), (0, 1, 1)])
def test_factors(doublings: int, unshuffle: int, factor: int) -> None:
    network = Esrgan(8, 4, 1, doublings, unshuffle).requires_grad_(False)
    assert network.factor == factor
    assert network(torch.rand(1, 3, 7, 10)).shape == (1, 3, 7 * factor, 10 * factor)


def test_tiles_join_without_seams(network: Esrgan) -> None:
    """With one block a pixel depends on 21 around it, a little beyond the margin; the rest of what it depends on weighs next to nothing."""
    picture = torch.rand(3, TILE + 40, TILE + 9)
    at_once = network(picture[None])[0].clamp(0, 1)
    torch.testing.assert_close(enlarge(network, picture), at_once, rtol=0, atol=2e-4)


def test_other_networks_and_pickles_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="is no ESRGAN upscaler"):
        load_esrgan(tiny.tiny_lora(tmp_path / "lora.safetensors"), CPU)
    (tmp_path / "ESRGAN").mkdir()
    (tmp_path / "ESRGAN" / "old.pth").write_bytes(b"")
    with pytest.raises(BadFile, match=r'"old\.pth" is a pickle'):
        upscale("old", Image.new("RGB", (8, 8)), 2, Library(tmp_path))


@pytest.mark.parametrize(
    ("name", "size", "scale", "expected"),
    [
        ("Lanczos", (64, 48), 2, (128, 96)),
        ("None", (64, 48), 1.5, (96, 72)),
        ("Nearest", (50, 30), 1.3, (64, 32)),  # 65×39, down to multiples of 8
        ("Nearest", (64, 64), 0.5, (32, 32)),
        ("Lanczos", (10, 10), 0.1, (8, 8)),
    ],
)
def test_sizes(name: str, size: tuple[int, int], scale: float, expected: tuple[int, int], tmp_path: Path) -> None:
    assert upscale(name, Image.new("RGB", size), scale, Library(tmp_path)).size == expected


def test_nearest_repeats_pixels(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (16, 8, 3), np.uint8))
    larger = np.asarray(upscale("Nearest", image, 3, Library(tmp_path)))
    assert np.array_equal(larger, np.asarray(image).repeat(3, 0).repeat(3, 1))


def test_a_file_enlarges_until_it_is_enough(network: Esrgan, tmp_path: Path) -> None:
    (tmp_path / "ESRGAN").mkdir()
    save_file(published(network, "ESRGAN"), tmp_path / "ESRGAN" / "mine.safetensors")
    library = Library(tmp_path)
    assert upscaler_names(library) == ["None", "Lanczos", "Nearest", "mine"]
    image = Image.effect_noise((16, 24), 50).convert("RGB")
    assert upscale("mine", image, 3, library).size == (48, 72)  # 4 times by the network, then back by Lanczos
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1) / 255
    expected = enlarge(network, pixels).mul(255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    assert np.array_equal(np.asarray(upscale("mine", image, 2, library)), expected)


def test_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match=r'no upscaler "Lanzcos"\. Did you mean "Lanczos"\?'):
        upscale("Lanzcos", Image.new("RGB", (8, 8)), 2, Library(tmp_path))
