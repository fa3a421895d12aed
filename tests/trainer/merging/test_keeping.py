"""How many singular values does each rule keep?"""

from __future__ import annotations

import pytest
import torch

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.merging import Ranks
from lib_extension.spec.settings import from_json
from trainer.merging.keeping import choose_of

S = torch.tensor([8.0, 4.0, 2.0, 1.0, 1.0])  # squares 64 16 4 1 1, their sum 86; sum 16


@pytest.mark.parametrize(
    ("rule", "amount", "kept"),
    [
        ("fixed", 0, 4),
        ("sv_ratio", 2, 2),
        ("sv_ratio", 8, 4),
        ("sv_ratio", 1, 1),
        ("sv_fro", 0.85, 1),
        ("sv_fro", 0.9, 2),
        ("sv_fro", 1, 4),
        ("sv_cumulative", 0.5, 1),
        ("sv_cumulative", 0.51, 2),
        ("sv_cumulative", 0.875, 3),
    ],
)
def test_rules(rule: str, amount: float, kept: int) -> None:
    ranks = from_json(Ranks, {"rank": 4, "rule": rule, "amount": amount})
    assert choose_of(ranks, ())(S, float(S.square().sum())) == kept


def test_convolutions_have_their_own_rank() -> None:
    choose = {kernel: choose_of(Ranks(rank=4, conv_rank=2), kernel)(S, 86) for kernel in ((), (1, 1), (3, 3))}
    assert choose == {(): 4, (1, 1): 4, (3, 3): 2}


def test_zeros_keep_one() -> None:
    for rule, amount in (("sv_ratio", 4), ("sv_fro", 0.9), ("sv_cumulative", 0.9)):
        assert choose_of(from_json(Ranks, {"rule": rule, "amount": amount}), ())(torch.zeros(3), 0.0) == 1


@pytest.mark.parametrize(("rule", "amount"), [("sv_ratio", 0.5), ("sv_fro", 0), ("sv_cumulative", 1.5)])
def test_amounts_that_mean_nothing_are_refused(rule: str, amount: float) -> None:
    with pytest.raises(BadRequest, match=rule):
        from_json(Ranks, {"rule": rule, "amount": amount})
