"""Does a network train on weights held in 8 and 4 bits, and on those of half precision, nearly as on whole ones?"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.training.network import NetworkSettings
from lib_extension.spec.training.optimizer import OptimizerSettings
from tests.trainer.models import load, train
from trainer.frozen import check_base, quantise
from trainer.lora_file import LoraTold, write_lora
from trainer.networks import attach, state
from trainer.optimizers import make_optimizer

ADAMW = OptimizerSettings(optimizer="AdamW", learning_rate=1e-3)


@pytest.mark.parametrize("kind", ["lora", "dora"])
@pytest.mark.parametrize("base", ["8bit", "nf4"])
def test_trains_on_quantised_weights(base: str, kind: str, sd1_folder: Path, tmp_path: Path) -> None:
    settings = NetworkSettings(kind=kind, rank=4, conv_rank=2, text_encoder=True)  # pyright: ignore[reportArgumentType]
    whole, small = load(sd1_folder), load(sd1_folder)
    matrices = quantise(small, base)
    assert matrices > 100
    held = [parameter for parameter in small.unet.parameters() if parameter.dtype in (torch.int8, torch.uint8)]
    assert len(held) == matrices
    losses = {}
    for name, checkpoint in {"whole": whole, "small": small}.items():
        optimizer, _ = make_optimizer(ADAMW, attach(checkpoint, settings))
        losses[name] = train(checkpoint, optimizer, range(3))
    assert losses["small"] == pytest.approx(losses["whole"], rel=0.05)
    assert losses["small"] != losses["whole"]
    assert state(small).keys() == state(whole).keys()
    assert all(tensor.dtype == torch.float32 for tensor in state(small).values())
    assert write_lora(tmp_path, small, settings, LoraTold("hat")).is_file()


def test_trains_on_half_precision(sd1_folder: Path) -> None:
    """The base in bf16, the network in float32."""
    checkpoint = load(sd1_folder, torch.bfloat16)
    optimizer, _ = make_optimizer(ADAMW, attach(checkpoint, NetworkSettings(rank=4, conv_rank=2, text_encoder=True)))
    assert all(0 < loss < 100 for loss in train(checkpoint, optimizer, range(3)))
    assert {tensor.dtype for tensor in state(checkpoint).values()} == {torch.float32}


@pytest.mark.parametrize("kind", ["lora", "loha", "lokr", "dora"])
def test_gradient_checkpointing_changes_no_loss(kind: str, sd1_folder: Path) -> None:
    losses = []
    for saves in (False, True):
        checkpoint = load(sd1_folder)
        groups = attach(checkpoint, NetworkSettings(kind=kind, rank=4, conv_rank=2))  # pyright: ignore[reportArgumentType]
        if saves:
            checkpoint.unet.enable_gradient_checkpointing()
        losses.append(train(checkpoint, make_optimizer(ADAMW, groups)[0], range(3)))
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_nothing_is_swapped_unasked(sd1_folder: Path) -> None:
    assert quantise(load(sd1_folder), "as precision") == 0


def test_networks_that_need_the_weights_themselves_are_refused() -> None:
    with pytest.raises(BadRequest, match=r'memory\.base "nf4" goes with lora and dora'):
        check_base("nf4", NetworkSettings(kind="loha"))
    check_base("nf4", NetworkSettings())
    check_base("as precision", NetworkSettings(kind="loha"))
