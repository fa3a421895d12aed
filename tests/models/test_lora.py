"""Are weights W + sum(weight * scale * up @ down), for every naming, and bit for bit the base model's again afterwards?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from peft import LoraConfig
from safetensors.torch import load_file, save_file
from torch import Tensor

from lib_extension.models.checkpoint import Checkpoint, Placement, load_checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.models.lora import LoraUse, apply
from lib_extension.spec.errors import BadFile, Mismatch
from tests import tiny

MATRIX, CONVOLUTION, TEXT = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", "mid_block.resnets.0.conv1", "layers.1.mlp.fc1"


@pytest.fixture(scope="module")
def checkpoint(sd1_folder: Path) -> Checkpoint:
    return load_checkpoint(Found(sd1_folder, sd1_folder.name, Hashes()), Placement())


@pytest.fixture(scope="module")
def kohya(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.tiny_lora(tmp_path_factory.mktemp("lora") / "kohya.safetensors")


@pytest.fixture(autouse=True)
def without_loras(checkpoint: Checkpoint) -> None:
    apply(checkpoint, [])


def use(file: Path, unet_weight: float = 1, te_weight: float = 1) -> LoraUse:
    return LoraUse(Found(file, file.name, Hashes()), unet_weight, te_weight)


def state(checkpoint: Checkpoint) -> dict[str, Tensor]:
    networks = (checkpoint.unet, *checkpoint.text_encoders)
    return {f"{n}.{name}": tensor.clone() for n, network in enumerate(networks) for name, tensor in network.state_dict().items()}


def changed(before: dict[str, Tensor], after: dict[str, Tensor]) -> set[str]:
    return {name for name in before if not torch.equal(before[name], after[name])}


def change_of(before: dict[str, Tensor], after: dict[str, Tensor], module: str) -> Tensor:
    (name,) = (name for name in before if name.endswith(f"{module}.weight"))
    return after[name] - before[name]


def test_adds_the_scaled_product(checkpoint: Checkpoint, kohya: Path) -> None:
    before = state(checkpoint)
    apply(checkpoint, [use(kohya, 0.8, 0.5)])
    after, file = state(checkpoint), load_file(kohya)
    assert len(changed(before, after)) == len(tiny.LORA_MODULES)
    name = f"lora_unet_{MATRIX.replace('.', '_')}"
    product = 0.8 * (2 / 4) * file[f"{name}.lora_up.weight"] @ file[f"{name}.lora_down.weight"]
    torch.testing.assert_close(change_of(before, after, MATRIX), product, rtol=0, atol=1e-6)
    name = f"lora_unet_{CONVOLUTION.replace('.', '_')}"
    down, up = file[f"{name}.lora_down.weight"], file[f"{name}.lora_up.weight"]
    picture = torch.randn(1, down.shape[1], 5, 5)
    in_two = 0.8 * (2 / 4) * torch.conv2d(torch.conv2d(picture, down, padding=1), up)
    at_once = torch.conv2d(picture, change_of(before, after, CONVOLUTION), padding=1)
    torch.testing.assert_close(at_once, in_two, rtol=0, atol=1e-4)
    name = f"lora_te_text_model_encoder_{TEXT.replace('.', '_')}"
    product = 0.5 * (2 / 4) * file[f"{name}.lora_up.weight"] @ file[f"{name}.lora_down.weight"]
    torch.testing.assert_close(change_of(before, after, TEXT), product, rtol=0, atol=1e-6)


@pytest.mark.parametrize("naming", ["diffusers", "peft"])
def test_other_namings_mean_the_same(naming: str, checkpoint: Checkpoint, kohya: Path, tmp_path: Path) -> None:
    apply(checkpoint, [use(kohya)])
    expected = state(checkpoint)
    apply(checkpoint, [use(tiny.tiny_lora(tmp_path / "other.safetensors", naming=naming))])
    for name, tensor in state(checkpoint).items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-6)


def test_base_weights_come_back_bit_for_bit(checkpoint: Checkpoint, kohya: Path, tmp_path: Path) -> None:
    before = state(checkpoint)
    other = tiny.tiny_lora(tmp_path / "other.safetensors", seed=9, strength=30)
    for uses in ([use(kohya)], [use(kohya, -1), use(other, 0.3, 2)], [use(other)], [use(other, 0, 0)]):
        apply(checkpoint, uses)
        assert changed(before, state(checkpoint)) or uses[0].unet_weight == 0
    apply(checkpoint, [])
    assert not changed(before, state(checkpoint))
    assert not checkpoint.base_weights


def test_two_add_up_and_order_does_not_matter(checkpoint: Checkpoint, kohya: Path, tmp_path: Path) -> None:
    before = state(checkpoint)
    other = tiny.tiny_lora(tmp_path / "other.safetensors", seed=9)
    apply(checkpoint, [use(kohya)])
    one = change_of(before, state(checkpoint), MATRIX)
    apply(checkpoint, [use(other, 0.5, 1)])
    two = change_of(before, state(checkpoint), MATRIX)
    apply(checkpoint, [use(kohya), use(other, 0.5, 1)])
    both = state(checkpoint)
    torch.testing.assert_close(change_of(before, both, MATRIX), one + two, rtol=0, atol=1e-6)
    apply(checkpoint, [use(other, 0.5, 1), use(kohya)])
    assert not changed(both, state(checkpoint))


def test_an_overwritten_file_is_read_again(checkpoint: Checkpoint, tmp_path: Path) -> None:
    file = tiny.tiny_lora(tmp_path / "lora.safetensors")
    apply(checkpoint, [use(file)])
    before = state(checkpoint)
    tiny.tiny_lora(file, seed=11, rank=5)
    apply(checkpoint, [use(file)])
    assert changed(before, state(checkpoint))


def test_gives_what_peft_gives(sd1_folder: Path, tmp_path: Path) -> None:
    """The same file through peft's own layers: the U-Net answers alike."""
    checkpoint = load_checkpoint(Found(sd1_folder, sd1_folder.name, Hashes()), Placement())
    with_peft = load_checkpoint(Found(sd1_folder, sd1_folder.name, Hashes()), Placement())
    torch.manual_seed(3)
    with_peft.unet.add_adapter(
        LoraConfig(r=4, lora_alpha=4, init_lora_weights=False, target_modules=["to_q", "to_out.0", "conv2", "proj_in"])
    )
    adapters = {name: tensor for name, tensor in with_peft.unet.state_dict().items() if "lora_" in name}
    file = tmp_path / "lora.safetensors"
    save_file({f"unet.{name.replace('.default', '')}": tensor for name, tensor in adapters.items()}, file)
    apply(checkpoint, [use(file)])
    inputs = torch.randn(1, 4, 8, 8), torch.tensor([300]), torch.randn(1, 77, tiny.TEXT_WIDTH)
    with torch.no_grad():
        torch.testing.assert_close(checkpoint.unet(*inputs).sample, with_peft.unet(*inputs).sample, rtol=0, atol=1e-4)


def test_lora_for_another_architecture_names_both_and_changes_nothing(checkpoint: Checkpoint, kohya: Path, tmp_path: Path) -> None:
    before = state(checkpoint)
    wide = {
        name: torch.zeros(4, 640) if "down.weight" in name else tensor for name, tensor in load_file(kohya).items() if "attn1_to_q" in name
    }
    save_file(wide, tmp_path / "wide.safetensors")
    with pytest.raises(Mismatch, match=r'The LoRA "wide".* does not fit the checkpoint "tiny_sd1"'):
        apply(checkpoint, [use(kohya), use(tmp_path / "wide.safetensors")])
    strange = {
        "lora_unet_blocks_7_attn_qkv.lora_down.weight": torch.zeros(4, 8),
        "lora_unet_blocks_7_attn_qkv.lora_up.weight": torch.zeros(8, 4),
    }
    save_file(strange, tmp_path / "strange.safetensors")
    with pytest.raises(Mismatch, match=r'The LoRA "strange".* does not fit the checkpoint "tiny_sd1"'):
        apply(checkpoint, [use(tmp_path / "strange.safetensors")])
    assert not changed(before, state(checkpoint))


def test_other_methods_and_pickles_are_refused(checkpoint: Checkpoint, tmp_path: Path) -> None:
    name = f"lora_unet_{MATRIX.replace('.', '_')}"
    save_file({f"{name}.oft_blocks": torch.zeros(4, 8, 8)}, tmp_path / "oft.safetensors")
    with pytest.raises(BadFile, match='"oft" is of the kind "oft"; LoRA, LoCon, LoHa'):
        apply(checkpoint, [use(tmp_path / "oft.safetensors")])
    save_file({f"{name}.hada_w1_a": torch.zeros(32, 4), f"{name}.hada_w1_b": torch.zeros(4, 32)}, tmp_path / "half.safetensors")
    with pytest.raises(Mismatch, match=r'"half".* does not fit'):
        apply(checkpoint, [use(tmp_path / "half.safetensors")])
    (tmp_path / "old.pt").write_bytes(b"")
    with pytest.raises(BadFile, match=r'"old\.pt" is a pickle'):
        apply(checkpoint, [use(tmp_path / "old.pt")])


def test_lora_split_in_three(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """A LoCon convolution with a core (rank, rank, 3, 3) equals its three convolutions one after the other."""
    name = f"lora_unet_{CONVOLUTION.replace('.', '_')}"
    down, mid, up = torch.randn(4, 64, 1, 1), torch.randn(4, 4, 3, 3), torch.randn(64, 4, 1, 1)
    tensors = {
        f"{name}.lora_down.weight": down,
        f"{name}.lora_mid.weight": mid,
        f"{name}.lora_up.weight": up,
        f"{name}.alpha": torch.tensor(4.0),
    }
    save_file(tensors, tmp_path / "core.safetensors")
    before = state(checkpoint)
    apply(checkpoint, [use(tmp_path / "core.safetensors")])
    picture = torch.randn(1, 64, 5, 5)
    in_three = torch.conv2d(torch.conv2d(torch.conv2d(picture, down), mid, padding=1), up)
    at_once = torch.conv2d(picture, change_of(before, state(checkpoint), CONVOLUTION), padding=1)
    torch.testing.assert_close(at_once, in_three, rtol=1e-4, atol=1e-3)


def test_other_methods_change_weights_by_their_own_sums(checkpoint: Checkpoint, tmp_path: Path) -> None:
    """Two of them at once, then none: the base comes back bit for bit."""
    before = state(checkpoint)
    name, chance = f"lora_unet_{MATRIX.replace('.', '_')}", torch.Generator().manual_seed(4)
    loha = {
        f"{name}.hada_w{n}_{part}": torch.randn(shape, generator=chance) for n in (1, 2) for part, shape in (("a", (32, 4)), ("b", (4, 32)))
    }
    save_file(loha | {f"{name}.alpha": torch.tensor(2.0)}, tmp_path / "loha.safetensors")
    lokr = {f"{name}.lokr_w1": torch.randn(4, 4, generator=chance), f"{name}.lokr_w2": torch.randn(8, 8, generator=chance)}
    save_file(lokr, tmp_path / "lokr.safetensors")
    apply(checkpoint, [use(tmp_path / "loha.safetensors", 0.5), use(tmp_path / "lokr.safetensors", -2)])
    first = (loha[f"{name}.hada_w1_a"] @ loha[f"{name}.hada_w1_b"]) * (loha[f"{name}.hada_w2_a"] @ loha[f"{name}.hada_w2_b"]) * 2 / 4
    second = torch.kron(lokr[f"{name}.lokr_w1"], lokr[f"{name}.lokr_w2"])
    torch.testing.assert_close(change_of(before, state(checkpoint), MATRIX), 0.5 * first - 2 * second, rtol=0, atol=1e-5)
    apply(checkpoint, [])
    assert not changed(before, state(checkpoint))


def test_dora_starts_from_what_the_loras_before_it_made(checkpoint: Checkpoint, kohya: Path, tmp_path: Path) -> None:
    name, before = f"lora_unet_{MATRIX.replace('.', '_')}", state(checkpoint)
    file, chance = tmp_path / "dora.safetensors", torch.Generator().manual_seed(6)
    up, down, lengths = torch.randn(32, 2, generator=chance), torch.randn(2, 32, generator=chance), torch.rand(1, 32, generator=chance)
    save_file({f"{name}.lora_up.weight": up, f"{name}.lora_down.weight": down, f"{name}.dora_scale": lengths}, file)
    apply(checkpoint, [use(kohya)])
    begun = state(checkpoint)
    apply(checkpoint, [use(kohya), use(file, 0.5)])
    (weight,) = (tensor for path, tensor in begun.items() if path.endswith(f"{MATRIX}.weight"))
    merged = weight + up @ down
    expected = 0.5 * (merged * lengths / merged.norm(dim=0, keepdim=True) - weight)
    torch.testing.assert_close(change_of(begun, state(checkpoint), MATRIX), expected, rtol=0, atol=1e-5)
    apply(checkpoint, [])
    assert not changed(before, state(checkpoint))


def test_full_differences_change_biases_too(checkpoint: Checkpoint, tmp_path: Path) -> None:
    before, name = state(checkpoint), f"lora_unet_{CONVOLUTION.replace('.', '_')}"
    save_file({f"{name}.diff": torch.full((64, 64, 3, 3), 0.25), f"{name}.diff_b": torch.full((64,), 0.5)}, tmp_path / "full.safetensors")
    apply(checkpoint, [use(tmp_path / "full.safetensors", 2)])
    after = state(checkpoint)
    assert {path.rpartition(".")[2] for path in changed(before, after)} == {"weight", "bias"}
    (bias,) = (path for path in before if path.endswith(f"{CONVOLUTION}.bias"))
    torch.testing.assert_close(after[bias] - before[bias], torch.ones(64), rtol=0, atol=1e-6)
    torch.testing.assert_close(change_of(before, after, CONVOLUTION), torch.full((64, 64, 3, 3), 0.5), rtol=0, atol=1e-6)
    apply(checkpoint, [])
    assert not changed(before, state(checkpoint))
    save_file({f"{name}.diff": torch.zeros(64, 64, 3, 3), f"{name}.diff_b": torch.zeros(65)}, tmp_path / "long.safetensors")
    with pytest.raises(Mismatch, match=r'"long".* another size'):
        apply(checkpoint, [use(tmp_path / "long.safetensors")])
