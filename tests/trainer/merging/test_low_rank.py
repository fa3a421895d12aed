"""Is a truncation the best there is (Eckart-Young), and its stated error the true one?"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from trainer.merging.low_rank import Sampling, truncated, truncated_product, truncated_randomly


def _random(*sizes: int, seed: int) -> torch.Tensor:
    return torch.randn(*sizes, generator=torch.Generator().manual_seed(seed))


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 24), st.integers(1, 24), st.integers(0, 99))
def test_the_product_of_factors_is_truncated_best(out: int, into: int, rank: int, kept: int, seed: int) -> None:
    up, down = _random(out, rank, seed=seed), _random(rank, into, seed=seed + 1)
    found = truncated_product(up, down, lambda s, energy: kept)
    whole = up.double() @ down.double()
    s = torch.linalg.svdvals(whole)
    kept = min(kept, rank, out, into)
    best = s[kept:].square().sum().sqrt()
    missed = torch.linalg.norm(whole - found.up.double() @ found.down.double())
    assert found.up.shape == (out, kept)
    assert found.down.shape == (kept, into)
    torch.testing.assert_close(missed, best, rtol=1e-3, atol=1e-5 * float(s[0]))
    torch.testing.assert_close(torch.tensor(found.energy), s.square().sum().float(), rtol=1e-4, atol=0)
    assert abs(found.lost**0.5 - float(best)) <= 1e-3 * float(best) + 1e-5 * float(s[0])


def test_factors_that_depend_on_each_other_are_no_problem() -> None:
    up, down = _random(30, 4, seed=1), _random(4, 20, seed=2)
    found = truncated_product(torch.cat([up, up, torch.zeros(30, 2)], 1), torch.cat([down, down, torch.ones(2, 20)]), lambda s, energy: 4)
    torch.testing.assert_close(found.up @ found.down, 2 * up @ down, rtol=1e-4, atol=1e-4)
    assert found.error < 1e-5


def test_nothing_stays_nothing() -> None:
    found = truncated_product(torch.zeros(30, 4), torch.zeros(4, 20), lambda s, energy: 2)
    assert not (found.up @ found.down).any()
    assert found.error == 0


@given(st.integers(60, 120), st.integers(60, 120), st.integers(1, 12), st.integers(0, 3), st.integers(0, 99))
def test_a_random_svd_states_its_true_error_and_is_nearly_the_best(out: int, into: int, kept: int, iterations: int, seed: int) -> None:
    change = _random(out, 6, seed=seed) @ _random(6, into, seed=seed + 1) + 0.02 * _random(out, into, seed=seed + 2)
    found = truncated_randomly(change, lambda s, energy: kept, Sampling(kept, iterations, seed))
    true = torch.linalg.norm(change - found.up @ found.down) / torch.linalg.norm(change)
    best = truncated(change, lambda s, energy: kept)
    assert abs(found.error - float(true)) < 2e-3
    assert float(true) <= best.error * (1.5 if iterations == 0 else 1.05) + 1e-4


def test_the_same_seed_gives_the_same() -> None:
    change = _random(80, 90, seed=3)
    one, two = (truncated_randomly(change, lambda s, energy: 8, Sampling(8, 1, 5)) for _ in range(2))
    assert torch.equal(one.up, two.up)
    assert torch.equal(one.down, two.down)


@pytest.mark.parametrize("steps", [1e-1, 1e-3, 1e-6])
def test_factors_of_very_different_sizes_are_truncated_as_well(steps: float) -> None:
    """Whether or not what squaring costs in precision is affordable."""
    sizes = torch.logspace(0, float(torch.tensor(steps).log10()), 8)
    up, down = _random(40, 8, seed=1) * sizes, sizes[:, None] * _random(8, 30, seed=2)
    found = truncated_product(up, down, lambda s, energy: 3)
    whole = up.double() @ down.double()
    best = torch.linalg.svdvals(whole)[3:].square().sum().sqrt()
    missed = torch.linalg.norm(whole - found.up.double() @ found.down.double())
    torch.testing.assert_close(missed, best, rtol=1e-3, atol=1e-6 * float(torch.linalg.norm(whole)))
