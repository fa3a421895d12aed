from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from trainer.data.weights_key import weights_key


def network(width: int = 70) -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(width, width), nn.Conv2d(3, 5, 3), nn.Linear(3, 1, bias=False))


def swapped(made: nn.Module) -> None:
    weight = next(made.parameters())
    weight[[3, 40]] = weight[[40, 3]].clone()


def nudged(made: nn.Module) -> None:
    weight = next(made.parameters())
    weight[5, 7] = torch.nextafter(weight[5, 7], torch.tensor(9.0))


def last_one_nudged(made: nn.Module) -> None:
    list(made.parameters())[-1][0, 2] += 1e-6


def negated(made: nn.Module) -> None:
    next(made.parameters()).neg_()


def halved(made: nn.Module) -> None:
    made.bfloat16()


def test_the_same_weights_have_the_same_key():
    assert weights_key([network()]) == weights_key([network()])
    assert weights_key([network()]) != weights_key([network(), network()])
    assert weights_key([network(70)]) != weights_key([network(71)])


@pytest.mark.parametrize("change", [swapped, nudged, last_one_nudged, negated, halved])
def test_any_change_is_seen(change: Callable[[nn.Module], None]):
    made = network()
    with torch.no_grad():
        change(made)
    assert weights_key([made]) != weights_key([network()])
