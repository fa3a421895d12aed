"""Are the two factors of every type the change that the engine computes from its parts?"""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lib_extension.formats.lora_keys import lora_modules
from lib_extension.models.lora_delta import delta
from lib_extension.spec.errors import BadFile
from tests.trainer.merging.loras import parts
from trainer.merging.factors import Factors, factors_of

TYPES = st.sampled_from(["float32", "float16", "bfloat16"])
KERNELS = st.sampled_from([(), (1, 1), (3, 3)])


def _named(kind: str, shape: tuple[int, ...], rank: int, alpha: float, seed: int, dtype: str) -> tuple[str, dict[str, torch.Tensor]]:
    tensors = parts(kind, shape, rank, alpha, torch.Generator().manual_seed(seed))
    files = {f"lora_unet_x.{name}": tensor.to(getattr(torch, dtype)) for name, tensor in tensors.items()}
    module = lora_modules(files)["lora_unet_x"]
    return module.method, {part: files[key] for part, key in module.parts.items()}


@given(st.sampled_from(["lora", "loha", "lokr", "full"]), KERNELS, st.integers(1, 9), st.floats(0.25, 64), st.integers(0, 99), TYPES)
def test_factors_are_the_change(kind: str, kernel: tuple[int, ...], rank: int, alpha: float, seed: int, dtype: str) -> None:
    shape = (24, 16, *kernel)
    method, of = _named(kind, shape, rank, alpha, seed, dtype)
    factors = factors_of(method, of, None, kernel)
    expected = delta(of, torch.zeros(shape)).flatten(1)
    torch.testing.assert_close(factors.dense(), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))
    assert factors.kernel == kernel
    assert factors.inner == 16
    torch.testing.assert_close(factors.energy(), float(expected.double().square().sum()), rtol=1e-3, atol=1e-6)


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_convolutions_in_tucker_form(rank: int, other: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)

    def random(*sizes: int) -> torch.Tensor:
        return torch.randn(*sizes, generator=generator)

    plain = {"up": random(12, rank, 1, 1), "mid": random(rank, rank, 3, 3), "down": random(rank, 8, 1, 1), "alpha": torch.tensor(2.0)}
    hada = {
        f"hada_{name}": random(*size)
        for n in "12"
        for name, size in ((f"t{n}", (rank, rank, 3, 3)), (f"w{n}_a", (rank, 12)), (f"w{n}_b", (rank, 8)))
    }
    kron = {"lokr_w1_a": random(4, other), "lokr_w1_b": random(other, 2), "lokr_t2": random(rank, rank, 3, 3), "lokr_w2_a": random(rank, 3)}
    kron["lokr_w2_b"] = random(rank, 4)
    for method, of in (("lora", plain), ("hada", hada), ("lokr", kron)):
        expected = delta(of, torch.zeros(12, 8, 3, 3)).flatten(1)
        factors = factors_of(method, of, None)
        assert factors.kernel == (3, 3)
        torch.testing.assert_close(factors.dense(), expected, rtol=1e-3, atol=1e-3)


def test_what_metadata_says_of_the_strength_counts() -> None:
    of = {"up": torch.ones(3, 2), "down": torch.ones(2, 4), "alpha": torch.tensor(8.0)}
    assert factors_of("lora", of, 0.25).dense()[0, 0] == 0.5
    assert factors_of("lora", of, None).dense()[0, 0] == 8


def test_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(BadFile, match='"x" do not fit each other: up 3×2'):
        factors_of("lora", {"up": torch.ones(3, 2), "down": torch.ones(5, 4)}, None, (), "x")
    with pytest.raises(BadFile, match="type oft"):
        factors_of("oft", {"oft_blocks": torch.ones(3, 2)}, None, (), "x")


def test_weights_multiply() -> None:
    factors = Factors(torch.ones(3, 2), torch.ones(2, 4))
    weaker = factors.times(-0.5)
    assert torch.equal(weaker.dense(), -0.5 * factors.dense())
    assert torch.equal(weaker.scaled().up, -0.5 * factors.up)
    assert weaker.energy() == 0.25 * factors.energy()
    assert factors.scaled() is factors


@given(st.floats(1e-6, 1e6), st.integers(0, 99))
def test_balanced_factors_have_the_same_product(scale: float, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    up, down = torch.randn(12, 5, generator=generator), torch.randn(5, 7, generator=generator)
    up[:, 2], down[3] = 0, 0
    factors = Factors(up, down, (), scale)
    balanced = factors.balanced()
    assert torch.equal(balanced.dense(), factors.dense())
    sizes = balanced.up.abs().amax(0) / balanced.down.abs().amax(1)
    assert all(0.49 < float(sizes[n]) < 2.1 for n in (0, 1, 4))
