"""Does every optimizer run, does training learn by it, and does a resumed one take the same steps bit for bit?"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import from_json
from lib_extension.spec.training import TrainingConfig
from lib_extension.spec.training.network import NetworkSettings
from lib_extension.spec.training.optimizer import OptimizerSettings
from tests.trainer.models import load, train
from trainer import optimizers
from trainer.networks import attach, restore, state
from trainer.networks.network import Group
from trainer.optimizers import for_use, make_optimizer

RATES = {  # at which a hundred steps show
    "auto": 1e-3,
    "AdamW8bit": 1e-3,
    "PagedAdamW8bit": 1e-3,
    "Lion8bit": 3e-4,
    "AdamW": 1e-3,
    "Adafactor": 1e-3,
    "Prodigy": 1.0,
    "ScheduleFree": 3e-3,
    "torch.optim.RAdam": 3e-3,
    "torch.optim.SGD": 0.1,
}
NETWORK = NetworkSettings(rank=16, targets="attention")  # some of its matrices are large enough for 8 bits


def settings_of(name: str) -> OptimizerSettings:
    return OptimizerSettings(optimizer=name, learning_rate=RATES[name], arguments={"momentum": 0.9} if name.endswith("SGD") else {})


@pytest.mark.parametrize("name", RATES)
def test_interrupted_twice_equals_never_bit_for_bit(name: str, sd1_folder: Path) -> None:
    through = load(sd1_folder)
    optimizer, _ = make_optimizer(settings_of(name), attach(through, NETWORK))
    losses = train(through, optimizer, range(6))
    kept: tuple[dict[str, Tensor], bytes] | None = None
    resumed_losses: list[float] = []
    for steps in (range(2), range(2, 3), range(3, 6)):
        checkpoint = load(sd1_folder)
        optimizer, _ = make_optimizer(settings_of(name), attach(checkpoint, NETWORK, seed=7))
        if kept:
            restore(checkpoint, kept[0])
            optimizer.load_state_dict(torch.load(io.BytesIO(kept[1]), weights_only=True))
        else:
            checkpoint = load(sd1_folder)
            optimizer, _ = make_optimizer(settings_of(name), attach(checkpoint, NETWORK))
        resumed_losses += train(checkpoint, optimizer, steps)
        file = io.BytesIO()
        torch.save(optimizer.state_dict(), file)
        kept = {path: tensor.clone() for path, tensor in state(checkpoint).items()}, file.getvalue()
    assert resumed_losses == losses
    assert kept is not None
    for path, tensor in state(through).items():
        assert torch.equal(tensor, kept[0][path]), path


@pytest.mark.parametrize("name", RATES)
def test_loss_falls(name: str) -> None:
    """A small network learns to answer 1 where it answered 0; 300 quick steps."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 64))
    inputs, wanted = torch.randn(32, 64), torch.randn(32, 64)
    group = Group("unet", "unet", 1.0, tuple(model.parameters()))
    optimizer, _ = make_optimizer(settings_of(name), [group])
    losses = []
    for _ in range(100):
        optimizer.zero_grad()
        loss = ((model(inputs) - wanted) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.97 * losses[0]


def one_group(network: str = "unet", factor: float = 1.0) -> Group:
    return Group(network, network, factor, (nn.Parameter(torch.ones(64, 64)),))


def test_each_group_has_its_own_rate() -> None:
    groups = [one_group(), one_group("unet", 0.1), one_group("text_encoder"), one_group("text_encoder_2")]
    optimizer, _ = make_optimizer(OptimizerSettings(optimizer="AdamW", learning_rate=1e-3, text_encoder_2_rate=2e-5), groups)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 1e-4, 5e-4, 2e-5])
    assert [group["initial_lr"] for group in optimizer.param_groups] == pytest.approx([1e-3, 1e-4, 5e-4, 2e-5])


def test_prodigy_has_one_rate() -> None:
    optimizer, _ = make_optimizer(OptimizerSettings(optimizer="Prodigy", learning_rate=1), [one_group(), one_group("text_encoder")])
    assert [group["lr"] for group in optimizer.param_groups] == [1, 1]
    with pytest.raises(BadRequest, match="Set it to 1"):
        from_json(OptimizerSettings, {"optimizer": "Prodigy"})


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"optimizer": {"text_encoder_rate": 5e-5}}, r"optimizer\.text_encoder_rate is 5e-05, but Prodigy finds one rate for all"),
        ({"optimizer": {"text_encoder_2_rate": 0}}, r"optimizer\.text_encoder_2_rate is 0, but Prodigy"),
        ({"network": {"blocks": [{"pattern": "*.to_k", "rate": 0.5}]}}, r"network\.blocks\[0\]\.rate is 0\.5, but Prodigy"),
    ],
)
def test_rates_that_prodigy_would_not_heed_are_refused(parts: dict[str, dict[str, Any]], told: str) -> None:
    def config(**optimizer: Any) -> dict[str, Any]:
        usual = {"name": "disc", "model": {"checkpoint": "demo"}, "data": {"concepts": [{"folder": "pictures"}]}}
        return usual | parts | {"optimizer": optimizer | parts.get("optimizer", {})}

    from_json(TrainingConfig, config())
    with pytest.raises(BadRequest, match=told):
        from_json(TrainingConfig, config(optimizer="Prodigy", learning_rate=1))
    from_json(OptimizerSettings, {"optimizer": "Prodigy", "learning_rate": 1, "text_encoder_rate": 1})


def test_8_bits_are_the_default_and_really_are_8() -> None:
    optimizer, note = make_optimizer(OptimizerSettings(), [one_group()])
    assert type(optimizer).__name__ == "AdamW8bit"
    assert note == ""
    (parameter,) = optimizer.param_groups[0]["params"]
    parameter.grad = torch.ones_like(parameter)
    optimizer.step()
    assert optimizer.state[parameter]["state1"].dtype == torch.uint8


class Broken(torch.optim.AdamW):
    def step(self, closure: object = None) -> None:
        raise RuntimeError("no kernel image is available\nfor execution")


def test_a_failing_8_bit_step_is_told_and_torchs_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(optimizers.CHOICES, "AdamW8bit", optimizers.Choice(f"{__name__}.Broken"))
    optimizer, note = make_optimizer(OptimizerSettings(), [one_group()])
    assert type(optimizer) is torch.optim.AdamW
    assert optimizer.defaults["fused"]
    assert "no kernel image is available. torch's AdamW is used instead" in note


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (OptimizerSettings(optimizer="torch.optim.Adaam"), "torch.optim.Adaam cannot be loaded"),
        (OptimizerSettings(optimizer="no.such.Package"), "no.such.Package cannot be loaded"),
        (OptimizerSettings(optimizer="torch.nn.Linear"), "no optimizer"),
        (OptimizerSettings(optimizer="AdamW", arguments={"beta": 1}), "does not take optimizer.arguments"),
        (OptimizerSettings(optimizer="torch.optim.LBFGS"), "trial step"),
    ],
)
def test_what_cannot_run_is_refused_with_its_reason(settings: OptimizerSettings, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        make_optimizer(settings, [one_group()])


def test_a_misspelt_name_is_told() -> None:
    with pytest.raises(BadRequest, match='Did you mean "AdamW8bit"'):
        from_json(OptimizerSettings, {"optimizer": "adamw8bits"})


@pytest.mark.parametrize("name", ["ScheduleFree", "AdamW"])
def test_weights_for_use_leave_training_as_it_was(name: str) -> None:
    group = one_group()
    optimizer: Optimizer = make_optimizer(settings_of(name), [group])[0]
    (parameter,) = group.parameters
    for number in range(3):
        parameter.grad = torch.full_like(parameter, 1.0 + number)
        optimizer.step()
    before = parameter.detach().clone()
    with for_use(optimizer):
        differs = not torch.equal(parameter, before)
    assert differs == (name == "ScheduleFree")
    assert torch.equal(parameter, before)
    optimizer.step()
