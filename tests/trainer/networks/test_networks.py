"""Does each network begin at nothing, train where it is wanted and as strongly as said, and go on from files?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from lib_extension.models.checkpoint import Checkpoint
from lib_extension.models.hashes import Hashes
from lib_extension.models.library import Found
from lib_extension.models.lora import LoraUse, apply
from lib_extension.spec.errors import BadFile, BadRequest, Mismatch
from lib_extension.spec.settings import from_json
from lib_extension.spec.training.loss import LossSettings
from lib_extension.spec.training.network import BlockSettings, NetworkSettings
from lib_extension.spec.training.optimizer import OptimizerSettings
from tests import tiny
from tests.trainer.models import load, pictures, shaken, step_loss, train
from trainer.families import FAMILIES
from trainer.lora_file import LoraTold, write_lora
from trainer.networks import attach, load_into, restore, state
from trainer.networks.network import layers_of, networks_of, scale_of
from trainer.optimizers import make_optimizer

KINDS = [
    NetworkSettings(kind="lora", rank=4),
    NetworkSettings(kind="lora", rank=4, conv_rank=2, dropout=0.1),
    NetworkSettings(kind="loha", rank=4, conv_rank=2),
    NetworkSettings(kind="loha", rank=4, conv_rank=2, tucker=True),
    NetworkSettings(kind="lokr", rank=2, conv_rank=2),
    NetworkSettings(kind="lokr", rank=2, conv_rank=2, decompose_both=True, tucker=True, factor=8),
    NetworkSettings(kind="dora", rank=4, conv_rank=2, dropout=0.1),
    NetworkSettings(kind="dora", rank=4, conv_rank=2, magnitudes="outputs"),
]


def named(settings: NetworkSettings) -> str:
    return "-".join(str(value) for name, value in vars(settings).items() if value != getattr(NetworkSettings(), name)) or settings.kind


def answer(checkpoint: Checkpoint) -> torch.Tensor:
    batch, family = pictures(), FAMILIES[checkpoint.family]
    with torch.no_grad():
        text = family.encode_text(checkpoint, batch.captions, 1, 0)
        return family.predict(checkpoint.unet, batch.latents, torch.tensor([10, 900]), text, batch)


@pytest.mark.parametrize("settings", KINDS, ids=named)
@pytest.mark.parametrize("family", ["sd1", "sd2", "sdxl"])
def test_begins_at_nothing_and_trains_alone(settings: NetworkSettings, family: str, request: pytest.FixtureRequest) -> None:
    folder = request.getfixturevalue(f"{family}_folder")
    base, checkpoint = load(folder), load(folder)
    settings = replace(settings, text_encoder=True, text_encoder_2=family == "sdxl")
    groups = attach(checkpoint, settings)
    torch.testing.assert_close(answer(checkpoint), answer(base), rtol=1e-5, atol=1e-5)
    assert {group.network for group in groups} == networks_of(checkpoint).keys()
    trained = {id(parameter) for group in groups for parameter in group.parameters}
    held = {name: parameter for model in networks_of(checkpoint).values() for name, parameter in model.named_parameters()}
    assert trained == {id(parameter) for parameter in held.values() if parameter.requires_grad}
    before = {name: tensor.clone() for name, tensor in state(checkpoint).items()}
    optimizer, _ = make_optimizer(OptimizerSettings(optimizer="AdamW", learning_rate=1e-3), groups)
    losses = train(checkpoint, optimizer, range(3))
    assert all(0 < loss < 100 for loss in losses)
    changed = [name for name, tensor in state(checkpoint).items() if not torch.equal(tensor, before[name])]
    assert {name.partition(".")[0] for name in changed} == networks_of(checkpoint).keys()
    restore(checkpoint, before)
    torch.testing.assert_close(answer(checkpoint), answer(base), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr", "dora"])
def test_loss_falls_in_a_hundred_steps(kind: str, sd1_folder: Path) -> None:
    """By the same noise before and after; only the last block is trained, as that is quicker."""
    checkpoint, blocks = load(sd1_folder), (BlockSettings("unet.up_blocks.3.*"), BlockSettings("*", 0))
    settings = NetworkSettings(kind=kind, rank=8, alpha=8.0, conv_rank=4, blocks=blocks)  # pyright: ignore[reportArgumentType]
    groups = attach(checkpoint, settings)
    optimizer, _ = make_optimizer(OptimizerSettings(optimizer="AdamW", learning_rate=3e-3), groups)

    def mean_loss() -> float:
        with torch.no_grad():
            return sum(step_loss(checkpoint, LossSettings(), pictures(), step).item() for step in range(5)) / 5

    before = mean_loss()
    train(checkpoint, optimizer, range(100))
    assert mean_loss() < 0.95 * before


def test_the_same_seed_begins_alike(sd1_folder: Path) -> None:
    torch.manual_seed(99)
    states = []
    for seed in (1, 1, 2):
        checkpoint = load(sd1_folder)
        attach(checkpoint, NetworkSettings(rank=2, targets="attention"), seed)
        states.append(state(checkpoint))
        torch.rand(3)
    name = next(name for name in states[0] if "lora_A" in name)
    assert torch.equal(states[0][name], states[1][name])
    assert not torch.equal(states[0][name], states[2][name])


def paths(checkpoint: Checkpoint, network: str = "unet") -> set[str]:
    return {path for path, _ in layers_of(networks_of(checkpoint)[network])}


def test_what_is_trained(sdxl_folder: Path) -> None:
    """The U-Net's transformers; with convolutions what lies around them; of attention its matrices; encoders as far as they are read."""
    found = {}
    for name, settings in {
        "blocks": NetworkSettings(rank=2),
        "conv": NetworkSettings(rank=2, conv_rank=1),
        "attention": NetworkSettings(rank=2, targets="attention", text_encoder=True, text_encoder_2=True),
    }.items():
        checkpoint = load(sdxl_folder)
        attach(checkpoint, settings)
        found[name] = paths(checkpoint)
        if settings.text_encoder:
            layers = {
                network: {int(path.split("layers.")[1].split(".")[0]) for path in paths(checkpoint, network)}
                for network in ("text_encoder", "text_encoder_2")
            }
            assert layers == {"text_encoder": {0, 1}, "text_encoder_2": {0, 1, 2}}  # the first's last layer is not read
    assert found["attention"] < found["blocks"] < found["conv"]
    assert {path.rpartition("attn")[2][2:] for path in found["attention"]} == {"to_q", "to_k", "to_v", "to_out.0"}
    assert all(".attentions." in path for path in found["blocks"])
    assert any(path.endswith("ff.net.0.proj") for path in found["blocks"])
    assert {"down_blocks.0.downsamplers.0.conv", "mid_block.resnets.0.time_emb_proj"} <= found["conv"]
    assert "conv_in" not in found["conv"]


def test_ranks_alphas_and_rates_by_pattern(sd1_folder: Path) -> None:
    checkpoint = load(sd1_folder)
    blocks = (
        BlockSettings("unet.mid_block.attentions.*", 8, 2.0, 0.5),
        BlockSettings("*.attn2.*", 0),
        BlockSettings("unet.conv_in", 3, 3.0),
        BlockSettings("unet.up_blocks.3.*", alpha=1.0),
    )
    groups = attach(checkpoint, NetworkSettings(rank=4, alpha=4.0, blocks=blocks))
    layers = dict(layers_of(checkpoint.unet))
    middle = [layer for path, layer in layers.items() if path.startswith("mid_block.")]
    assert {(layer.r["default"], scale_of(layer)) for layer in middle} == {(8, 0.25)}
    assert not any(".attn2." in path and not path.startswith("mid_block.") for path in layers)
    assert layers["conv_in"].lora_A["default"].weight.shape[0] == 3
    assert {scale_of(layer) for path, layer in layers.items() if path.startswith("up_blocks.3.")} == {0.25}
    assert {scale_of(layer) for path, layer in layers.items() if path.startswith("down_blocks.")} == {1.0}
    assert {(group.name, group.factor) for group in groups} == {("unet", 1.0), ("unet × 0.5", 0.5)}
    assert sum(len(group.parameters) for group in groups if group.factor == 0.5) == 2 * len(middle)


@pytest.mark.parametrize(("rank", "alpha", "stabilised", "scale"), [(16, 8.0, False, 0.5), (16, 8.0, True, 2.0), (4, 4.0, True, 2.0)])
def test_scale_is_alpha_by_rank_or_its_root(rank: int, alpha: float, stabilised: bool, scale: float, sd1_folder: Path) -> None:
    for kind in ("lora", "loha"):
        checkpoint = load(sd1_folder)
        attach(checkpoint, NetworkSettings(kind=kind, rank=rank, alpha=alpha, rank_stabilised=stabilised, targets="attention"))  # pyright: ignore[reportArgumentType]
        assert {scale_of(layer) for _, layer in layers_of(checkpoint.unet)} == {scale}


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (NetworkSettings(blocks=(BlockSettings("unet.mid_blok.*", 4),)), "fits no module"),
        (NetworkSettings(blocks=(BlockSettings("*", 0),)), "no module to be trained"),
        (NetworkSettings(text_encoder_2=True), "is sd1, with one encoder"),
    ],
)
def test_what_fits_nothing_is_refused(settings: NetworkSettings, told: str, sd1_folder: Path) -> None:
    with pytest.raises(BadRequest, match=told):
        attach(load(sd1_folder), settings)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"unet": False}, "trains nothing"),
        ({"kind": "loha", "dropout": 0.1}, "has none"),
        ({"tucker": True}, "for loha and lokr"),
        ({"kind": "lorra"}, 'Did you mean "lora"'),
    ],
)
def test_contradictions_are_refused(data: dict[str, object], told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        from_json(NetworkSettings, data)


@pytest.mark.parametrize("settings", KINDS, ids=named)
def test_goes_on_from_its_own_file_with_another_alpha(settings: NetworkSettings, sd1_folder: Path, tmp_path: Path) -> None:
    first = shaken(load(sd1_folder), replace(settings, alpha=3.0, text_encoder=True)).unet.eval()
    checkpoint = load(sd1_folder)
    checkpoint.unet = first
    file = write_lora(tmp_path, checkpoint, replace(settings, alpha=3.0), LoraTold("hat"), "fp32")
    second = load(sd1_folder)
    attach(second, replace(settings, alpha=1.0), seed=9)
    assert load_into(second, settings, file) == len(list(layers_of(first)))
    second.unet.eval()
    torch.testing.assert_close(answer(second), answer(checkpoint), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("naming", ["kohya", "diffusers", "peft"])
def test_goes_on_from_a_smaller_lora_of_any_naming(naming: str, sd1_folder: Path, tmp_path: Path) -> None:
    file = tiny.tiny_lora(tmp_path / "old.safetensors", naming=naming, rank=4)
    checkpoint, engine = load(sd1_folder), load(sd1_folder)
    settings = NetworkSettings(rank=6, alpha=2.0, conv_rank=8, text_encoder=True)
    attach(checkpoint, settings)
    assert load_into(checkpoint, settings, file) == len(tiny.LORA_MODULES)
    apply(engine, [LoraUse(Found(file, file.name, Hashes()), 1, 1)])
    torch.testing.assert_close(answer(checkpoint), answer(engine), rtol=1e-4, atol=1e-4)


def test_a_file_that_would_be_lost_in_part_is_refused(sd1_folder: Path, tmp_path: Path) -> None:
    file = tiny.tiny_lora(tmp_path / "old.safetensors")
    for settings, told in (
        (NetworkSettings(rank=4), "2 of its parts have no place"),  # its convolution and its text encoder's
        (NetworkSettings(rank=2, conv_rank=4, text_encoder=True), "rank 4"),
    ):
        checkpoint = load(sd1_folder)
        attach(checkpoint, settings)
        with pytest.raises(Mismatch, match=told):
            load_into(checkpoint, settings, file)
    checkpoint, settings = load(sd1_folder), NetworkSettings(kind="loha", rank=4, conv_rank=4, text_encoder=True)
    attach(checkpoint, settings)
    with pytest.raises(BadFile, match='of the kind "lora", not loha'):
        load_into(checkpoint, settings, file)


def test_doras_with_other_magnitudes_are_told_apart(sd1_folder: Path, tmp_path: Path) -> None:
    settings = NetworkSettings(kind="dora", rank=2, targets="attention")
    file = write_lora(tmp_path, shaken(load(sd1_folder), settings), settings, LoraTold("hat"), "fp32")
    other = replace(settings, magnitudes="outputs")
    checkpoint = load(sd1_folder)
    attach(checkpoint, other)
    with pytest.raises(Mismatch, match=r"magnitudes are those of inputs; set network\.magnitudes so"):
        load_into(checkpoint, other, file)


def test_another_networks_weights_are_refused(sd1_folder: Path) -> None:
    first, second = load(sd1_folder), load(sd1_folder)
    attach(first, NetworkSettings(rank=2, targets="attention"))
    attach(second, NetworkSettings(rank=4, targets="attention"))
    with pytest.raises(BadFile, match="of another network"):
        restore(first, state(second))
    with pytest.raises(BadFile, match="of another network"):
        restore(first, {})


def test_dora_keeps_the_directions_and_trains_the_lengths(sd1_folder: Path) -> None:
    """With up at 0, twice the magnitude is twice the column: the layer answers as one with such a matrix."""
    checkpoint = load(sd1_folder)
    attach(checkpoint, NetworkSettings(kind="dora", rank=2, targets="attention"))
    layer = next(layer for _, layer in layers_of(checkpoint.unet))
    base, gains = layer.get_base_layer(), torch.linspace(0.5, 2, layer.in_features)
    held = layer.lora_magnitude_vector["default"]
    held.weight.data *= gains
    inputs = torch.randn(3, layer.in_features)
    torch.testing.assert_close(layer(inputs), torch.nn.functional.linear(inputs, base.weight * gains, base.bias), rtol=1e-5, atol=1e-5)


def test_a_whole_lokr_file_says_its_strength_itself(sd1_folder: Path, tmp_path: Path) -> None:
    """No reader scales two whole factors, so alpha / rank must be in them."""
    settings = NetworkSettings(kind="lokr", rank=64, alpha=16.0, targets="attention")
    tensors = load_file(write_lora(tmp_path, shaken(load(sd1_folder), settings), settings, LoraTold("hat"), "fp32"))
    other = {name: torch.tensor(1.0) if name.endswith("alpha") else tensor for name, tensor in tensors.items()}
    save_file(other, tmp_path / "other.safetensors")
    made = []
    for file in ("hat.safetensors", "other.safetensors"):
        engine = load(sd1_folder)
        apply(engine, [LoraUse(Found(tmp_path / file, file, Hashes()), 1, 1)])
        made.append(answer(engine))
    assert torch.equal(*made)
