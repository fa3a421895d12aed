"""Does a training run that was stopped go on as if it had not been?"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from tests.demo_model.runs import Run, Shadow, learning_rate


def train(folder: Path, steps: int) -> nn.Linear:
    """Train a line until ``steps``, going on from what ``folder`` holds."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1)
    run = Run(folder, {"model": model, "optimizer": optimizer})
    while run.step < steps:
        drawn = torch.randn((8, 3), generator=run.generator("batch"))
        loss = (model(drawn) - drawn.sum(1, keepdim=True)).square().mean()
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        run.step += 1
        run.log(2, loss=loss.item())
    run.save()
    return model


def test_a_resumed_run_is_the_same_run(tmp_path: Path) -> None:
    straight = train(tmp_path / "straight", 6)
    train(tmp_path / "stopped", 2)
    train(tmp_path / "stopped", 4)
    resumed = train(tmp_path / "stopped", 6)
    assert torch.equal(straight.weight, resumed.weight)
    assert torch.equal(straight.bias, resumed.bias)


def test_the_log_has_a_line_for_every_second_step(tmp_path: Path) -> None:
    train(tmp_path, 6)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4, 6]
    assert lines[-1]["loss"] < lines[0]["loss"]


def test_nothing_half_written_is_left(tmp_path: Path) -> None:
    train(tmp_path, 2)
    assert {file.name for file in tmp_path.iterdir()} == {"state.pt", "log.jsonl"}


@pytest.mark.parametrize(("step", "rate"), [(0, 0.0), (5, 1.0), (100, 0.01)])
def test_learning_rate(step: int, rate: float) -> None:
    assert learning_rate(step, 100, 1.0) == pytest.approx(rate)


def test_a_shadow_hands_its_gradients_to_the_model() -> None:
    model = nn.Linear(2, 1)
    shadow = Shadow(model)
    assert isinstance(shadow.copy, nn.Linear)
    with torch.no_grad():
        model.weight.fill_(3.0)
    shadow.pull()
    assert shadow.copy.weight.dtype == torch.bfloat16
    assert shadow.copy.weight[0, 0] == 3.0
    shadow.copy(torch.tensor([[1.0, 2.0]], dtype=torch.bfloat16)).sum().backward()
    shadow.push_gradients()
    assert model.weight.grad is not None
    assert torch.equal(model.weight.grad, torch.tensor([[1.0, 2.0]]))
    assert shadow.copy.weight.grad is None
