"""What does each type of LoRA add to a module's weight, as a product of two factors?

LoRA and LoCon are one (Hu et al. 2021, arXiv:2106.09685). LoHa and LoKr are, exactly, products of a higher rank; a full difference is
one of full rank. Others, DoRA among them, depend on the weight that they change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import prod

import torch
from torch import Tensor

from lib_extension.spec.errors import BadFile

Parts = Mapping[str, Tensor]
PRODUCTS = ("lora", "hada", "lokr", "diff")  # methods whose change is known without the weight


@dataclass(frozen=True)
class Factors:
    """scale · up @ down, and the shape (out, in, *kernel) that it stands for."""

    up: Tensor  # (out, rank)
    down: Tensor  # (rank, in · kernel)
    kernel: tuple[int, ...] = ()  # () for a matrix
    scale: float = 1.0

    @property
    def rank(self) -> int:
        """Of the factors; the product's may be lower."""
        return self.up.shape[1]

    @property
    def inner(self) -> int:
        """How many values the module takes."""
        return self.down.shape[1] // prod(self.kernel)

    def times(self, weight: float) -> Factors:
        """Stronger by that much."""
        return replace(self, scale=self.scale * weight)

    def scaled(self) -> Factors:
        """The same with the scale 1, which goes into `up`."""
        return replace(self, up=self.up * self.scale, scale=1.0) if self.scale != 1 else self

    def balanced(self) -> Factors:
        """The same with columns and rows that are as large as each other up to powers of two, which no rounding comes with.

        Trained factors differ by thousands, the more after a low alpha went into one of them, and fp16 holds small values coarsely.
        """
        scaled = self.scaled()
        columns, rows = scaled.up.abs().amax(0), self.down.abs().amax(1)
        ratio = torch.where((columns > 0) & (rows > 0), rows / columns, 1.0)
        powers = torch.exp2((ratio.log2() / 2).round().clamp(-60, 60))
        return replace(scaled, up=scaled.up * powers, down=self.down / powers[:, None])

    def dense(self) -> Tensor:
        """(out, in · kernel)."""
        return self.scaled().up @ self.down

    def energy(self) -> float:
        """The squared Frobenius norm of the product, without the product itself: scale² tr((upᵀup)(down downᵀ))."""
        return self.scale**2 * float(((self.up.T @ self.up) * (self.down @ self.down.T)).double().sum())


def factors_of(method: str, parts: Parts, scale: float | None, kernel: tuple[int, ...] = (), name: str = "") -> Factors:
    """The change of a module, with its scale. `scale`: what metadata says; None: alpha / rank. `kernel` where the parts do not show it.

    Raises BadFile for parts that do not fit each other, and for a method that is no product; `name` is for its message.
    """
    makers = {"lora": _lora, "hada": _hada, "lokr": _lokr, "diff": _full}
    if method not in makers:
        raise BadFile(f'"{name}" is of the type {method or "that lacks parts"}, which cannot be written as a product of two factors.')
    values = {part: tensor.float() for part, tensor in parts.items()}
    try:
        factors, rank = makers[method](values, kernel)
    except (RuntimeError, IndexError, KeyError, ValueError) as error:
        raise BadFile(f'The parts of "{name}" do not fit each other: {_shapes(parts)}.') from error
    return factors.times(scale_of(parts, rank) if scale is None else scale)


def of_matrix(matrix: Tensor, kernel: tuple[int, ...] = ()) -> Factors:
    """A whole matrix (out, in · kernel), which it is times 1."""
    identity = torch.eye(min(matrix.shape))
    return Factors(identity, matrix, kernel) if matrix.shape[0] <= matrix.shape[1] else Factors(matrix, identity, kernel)


def scale_of(parts: Parts, rank: int) -> float:
    """alpha / rank; 1 without alpha, and where no rank is."""
    return parts["alpha"].item() / rank if "alpha" in parts and rank else 1.0


def _lora(parts: Parts, kernel: tuple[int, ...]) -> tuple[Factors, int]:
    up, down = parts["up"].flatten(1), parts["down"]
    rank = down.shape[0]
    if "mid" in parts:  # (rank, rank, h, w) between two 1×1 convolutions
        mid = parts["mid"]
        wide = torch.einsum("abhw,bi->aihw", mid, down.flatten(1))
        return _checked(Factors(up, wide.flatten(1), tuple(mid.shape[2:]))), rank
    return _checked(Factors(up, down.flatten(1), tuple(down.shape[2:]))), rank


def _hada(parts: Parts, kernel: tuple[int, ...]) -> tuple[Factors, int]:
    """(A₁B₁) ∘ (A₂B₂) (FedPara, arXiv:2108.06098) = (A₁ • A₂)(B₁ ∗ B₂), with all products of a column with a column, a row with a row."""
    if "hada_t1" in parts:
        kernel = tuple(parts["hada_t1"].shape[2:])
    (up1, down1), (up2, down2) = (_half(parts, number) for number in (1, 2))
    up = (up1[:, :, None] * up2[:, None, :]).flatten(1)  # (out, r₁ r₂)
    down = (down1[:, None, :] * down2[None, :, :]).flatten(0, 1)  # (r₁ r₂, in)
    return _checked(Factors(up, down, kernel)), parts["hada_w1_b"].shape[0]


def _half(parts: Parts, number: int) -> tuple[Tensor, Tensor]:
    a, b = parts[f"hada_w{number}_a"], parts[f"hada_w{number}_b"]
    if f"hada_t{number}" in parts:  # Tucker: t (r, r, h, w), a (r, out), b (r, in)
        return a.T, torch.einsum("ijhw,jn->inhw", parts[f"hada_t{number}"], b).flatten(1)
    return a.flatten(1), b.flatten(1)


def _lokr(parts: Parts, kernel: tuple[int, ...]) -> tuple[Factors, int]:
    """W₁ ⊗ W₂ (LyCORIS, arXiv:2309.14859) = (U₁ ⊗ U₂)(V₁ ⊗ V₂) for any factors of the two."""
    first, rank1 = _kronecker_side(parts, "lokr_w1")
    second, rank2 = _kronecker_side(parts, "lokr_w2")
    if "lokr_t2" in parts:
        kernel = tuple(parts["lokr_t2"].shape[2:])
    elif "lokr_w2" in parts:
        kernel = tuple(parts["lokr_w2"].shape[2:])
    up, down = (_kronecker(small, large) for small, large in zip(first, second, strict=True))
    return _checked(Factors(up, down, kernel)), rank2 or rank1


def _kronecker(a: Tensor, b: Tensor) -> Tensor:
    """(a₁ b₁, a₂ b₂) of two matrices; torch.kron fails where a side of 1 has an odd stride."""
    return (a[:, None, :, None] * b[None, :, None, :]).reshape(a.shape[0] * b.shape[0], a.shape[1] * b.shape[1])


def _kronecker_side(parts: Parts, name: str) -> tuple[tuple[Tensor, Tensor], int]:
    """One of the two as factors, and the rank that the file says it has, 0 for a whole one."""
    if name in parts:
        whole = of_matrix(parts[name].flatten(1))
        return (whole.up, whole.down), 0
    a, b = parts[f"{name}_a"], parts[f"{name}_b"]
    if f"{name[:-2]}t{name[-1]}" in parts:  # Tucker: t (r, r, h, w), a (r, out), b (r, in)
        return (a.T, torch.einsum("ijhw,jn->inhw", parts[f"{name[:-2]}t{name[-1]}"], b).flatten(1)), b.shape[0]
    return (a, b.flatten(1)), b.shape[0]


def _full(parts: Parts, kernel: tuple[int, ...]) -> tuple[Factors, int]:
    whole = parts["diff"]
    return _checked(of_matrix(whole.flatten(1), tuple(whole.shape[2:]))), 0


def _checked(factors: Factors) -> Factors:
    if factors.up.ndim != 2 or factors.down.ndim != 2 or factors.up.shape[1] != factors.down.shape[0]:
        raise ValueError
    if factors.down.shape[1] % prod(factors.kernel):
        raise ValueError
    return factors


def _shapes(parts: Parts) -> str:
    return ", ".join(f"{part} {'×'.join(map(str, tensor.shape)) or 'a number'}" for part, tensor in parts.items())
