"""Does each method compute what its paper says?"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from peft import LoraConfig, get_peft_model

from lib_extension.spec.merging import Concatenate, Dare, Linear, Prune, Ranks, Svd, Ties
from trainer.merging.factors import Factors
from trainer.merging.keeping import nearly_best
from trainer.merging.methods import METHODS, Meeting, lower_rank
from trainer.merging.methods.concatenate import concatenate
from trainer.merging.methods.dare import dare
from trainer.merging.methods.linear import linear
from trainer.merging.methods.prune import prune
from trainer.merging.methods.ties import elected, ties


def _factors(rank: int, seed: int, out: int = 20, into: int = 12) -> Factors:
    generator = torch.Generator().manual_seed(seed)
    return Factors(torch.randn(out, rank, generator=generator), torch.randn(rank, into, generator=generator))


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 99)), min_size=1, max_size=4))
def test_concatenated_factors_are_the_sum(sources: list[tuple[int, int]]) -> None:
    all_of_them = [_factors(rank, seed) for rank, seed in sources]
    together = concatenate(all_of_them)
    assert together.rank == min(12, sum(rank for rank, _ in sources))  # no matrix of this size has more
    torch.testing.assert_close(together.dense(), torch.stack([f.dense() for f in all_of_them]).sum(0), rtol=1e-5, atol=1e-4)


def test_linear_adds_factors() -> None:
    one, two = _factors(3, 1), _factors(5, 2)
    found = linear([one.times(0.25), two.times(-0.5)])
    up = torch.cat([one.up, torch.zeros(20, 2)], 1) * 0.5 + two.up * 0.5**0.5
    down = torch.cat([one.down, torch.zeros(2, 12)]) * 0.5 - two.down * 0.5**0.5
    torch.testing.assert_close(found.dense(), up @ down)
    torch.testing.assert_close(linear([one.times(0.8)]).dense(), 0.8 * one.dense())


# peft tells of what is wanted here: two adapters at once.
@pytest.mark.filterwarnings("ignore:Already found a `peft_config`:UserWarning")
def test_linear_is_pefts() -> None:
    """With different scales, which count for the products of one's up and the other's down."""
    model: Any = torch.nn.Sequential(torch.nn.Linear(12, 20))
    peft: Any = get_peft_model(model, LoraConfig(r=4, lora_alpha=1, target_modules=["0"]), "one")
    peft.add_adapter("two", LoraConfig(r=4, lora_alpha=32, target_modules=["0"]))
    layer = model[0]
    factors = {"one": _factors(4, 1), "two": _factors(4, 2)}
    for name, of in factors.items():
        layer.lora_A[name].weight.data, layer.lora_B[name].weight.data = of.down, of.up
    peft.base_model.add_weighted_adapter(["one", "two"], [0.7, -0.4], "both", combination_type="linear")
    found = linear([factors["one"].times(0.7 * 1 / 4), factors["two"].times(-0.4 * 32 / 4)])
    scale = layer.scaling["both"]
    torch.testing.assert_close(found.up @ found.down, scale * layer.lora_B["both"].weight @ layer.lora_A["both"].weight)
    torch.testing.assert_close(found.up, layer.lora_B["both"].weight)


def test_the_best_of_a_rank_whatever_the_factors_are() -> None:
    """Of as many as the matrix has rows, of fewer, and of more."""
    for rank in (5, 15, 24, 40):
        factors = _factors(rank, rank, 30, 24).times(0.3)
        met = lower_rank(factors, Ranks(rank=4))
        s = torch.linalg.svdvals(factors.dense().double())
        missed = (factors.dense() - met.factors.dense()).double().square().sum()
        torch.testing.assert_close(missed, s[4:].square().sum(), rtol=1e-4, atol=0)


def test_a_share_of_all_values_is_of_all_of_them() -> None:
    """Also of a matrix so large that only the largest of its values are looked for by other rules."""
    change = _factors(200, 1, 200, 200).dense()
    s = torch.linalg.svdvals(change)
    fewest = int((s.cumsum(0) < 0.3 * s.sum()).sum()) + 1
    assert 8 < fewest < 60
    ranks = Ranks(rank=60, rule="sv_cumulative", amount=0.3)
    assert nearly_best(change, ranks, (), 2, 0).up.shape[1] == fewest


def test_prune_keeps_the_largest() -> None:
    change = torch.tensor([[3.0, -1.0], [0.5, -4.0]])
    assert torch.equal(prune(change, 0.5), torch.tensor([[3.0, 0.0], [0.0, -4.0]]))
    assert torch.equal(prune(change, 1.0), change)
    assert not prune(change, 0.0).any()


@given(st.integers(1, 200), st.floats(0, 1), st.integers(0, 99))
def test_prune_keeps_as_many_as_asked(size: int, density: float, seed: int) -> None:
    change = torch.randperm(size, generator=torch.Generator().manual_seed(seed)).float() + 1
    assert int((prune(change, density) != 0).sum()) == round(density * size)


def test_ties_is_the_papers_example() -> None:
    """Signs are decided by sums of what is left after trimming; the mean is of those that agree only."""
    changes = torch.tensor([[4.0, -3.0, 1.0, 0.1], [2.0, 5.0, -0.2, 6.0], [-1.0, 4.0, 3.0, -5.0]])
    trimmed = torch.tensor([[4.0, -3.0, 0.0, 0.0], [0.0, 5.0, 0.0, 6.0], [0.0, 4.0, 0.0, -5.0]])
    assert torch.equal(torch.stack([prune(change, 0.5) for change in changes]), trimmed)
    assert torch.equal(ties(changes, 0.5), torch.tensor([4.0, 4.5, 0.0, 6.0]))
    assert torch.equal(elected(torch.tensor([[1.0], [-1.0]])), torch.tensor([0.0]))


def test_dare_keeps_the_expected_change() -> None:
    change = torch.full((400, 500), 0.25)
    dropped = dare(change, 0.3, torch.Generator().manual_seed(1))
    assert set(dropped.unique().tolist()) == {0.0, torch.tensor(0.25 / 0.3).item()}
    assert abs(float(dropped.mean()) - 0.25) < 0.005
    assert abs(float((dropped != 0).float().mean()) - 0.3) < 0.005
    assert torch.equal(dare(change, 1.0, torch.Generator()), change)
    assert not dare(change, 0.0, torch.Generator()).any()


def test_every_method_keeps_kernels_and_weights() -> None:
    meeting = Meeting("unet.x", [Factors(f.up, f.down, (1, 1)) for f in (_factors(3, 1), _factors(4, 2))], [0.5, -2.0])
    total = 0.5 * meeting.factors[0].dense() - 2 * meeting.factors[1].dense()
    whole = Ranks(rank=12)
    asked = {
        "concatenate": Concatenate(kind="concatenate"),
        "linear": Linear(kind="linear"),
        "svd": Svd(kind="svd", ranks=whole),
        "ties": Ties(kind="ties", density=1.0, ranks=whole),
        "dare": Dare(kind="dare", density=1.0, ranks=whole),
        "prune": Prune(kind="prune", density=1.0, ranks=whole),
    }
    assert asked.keys() == METHODS.keys()
    for kind, method in asked.items():
        met = METHODS[kind](meeting, method)
        assert met.factors.kernel == (1, 1)
        if kind not in ("linear", "ties"):
            torch.testing.assert_close(met.factors.dense(), total, rtol=1e-4, atol=1e-4)


def test_chance_depends_on_the_seed_and_the_module_only() -> None:
    factors, method = [_factors(3, 1)], Dare(kind="dare", density=0.4, seed=7, ranks=Ranks(rank=12))
    one, again = (METHODS["dare"](Meeting("unet.x", factors, [1.0]), method).factors.dense() for _ in range(2))
    other = METHODS["dare"](Meeting("unet.y", factors, [1.0]), method).factors.dense()
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
