"""What is the best matrix of a lower rank (Eckart and Young 1936), of a product of two factors, or of any large matrix?

A product up @ down of rank r needs no SVD of its own size: with up = Q₁R₁ and downᵀ = Q₂R₂ it is Q₁ (R₁R₂ᵀ) Q₂ᵀ, and the SVD of the
r × r core R₁R₂ᵀ gives its singular values. R comes from the Cholesky factors of upᵀup and of down downᵀ, in double precision, which
takes half the time of a QR decomposition; where these are too near to singular, from that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Choose = Callable[[Tensor, float], int]  # singular values, the largest first, and the squares' sum of all there are → how many are kept
_INDEPENDENT = 1e-5  # smallest pivot over the largest, squared still far over float64's 2e-16
OVERSAMPLING = 8  # Halko et al. recommend 5 to 10


@dataclass(frozen=True)
class Truncated:
    """A matrix of lower rank, as two factors that share its singular values evenly, and how far it is from what it stands for."""

    up: Tensor  # (out, rank)
    down: Tensor  # (rank, in)
    energy: float  # the squared Frobenius norm of the whole
    lost: float  # that of the difference

    @property
    def error(self) -> float:
        """The difference's Frobenius norm over the whole's."""
        return Missed(self.energy, self.lost).error


@dataclass
class Missed:
    """How far many matrices are from what they stand for, all together, in squared Frobenius norms."""

    energy: float = 0.0
    lost: float = 0.0

    def add(self, energy: float, lost: float) -> None:
        """One more."""
        self.energy += energy
        self.lost += lost

    @property
    def error(self) -> float:
        """The differences' Frobenius norm over that of all there is; 0 of nothing."""
        return (self.lost / self.energy) ** 0.5 if self.energy > 0 else 0.0

    @property
    def told(self) -> str:
        """The error, for people."""
        return f"{100 * self.error:.2g} %"


def truncated_product(up: Tensor, down: Tensor, choose: Choose) -> Truncated:
    """The best of all matrices of the chosen rank for up (out, r) @ down (r, in)."""
    rank = up.shape[1]
    if rank >= min(up.shape[0], down.shape[1]):
        return truncated(up @ down, choose)
    return _by_cholesky(up, down, choose) or _by_reflections(up, down, choose)


def _by_cholesky(up: Tensor, down: Tensor, choose: Choose) -> Truncated | None:
    """None where double precision does not hold what squaring costs."""
    left, right = _cholesky(up), _cholesky(down.T)  # L = Rᵀ
    if left is None or right is None:
        return None
    u, s, vh = torch.linalg.svd((left.T @ right).float())
    kept = _within(choose(s, _sum_of_squares(s)), len(s))
    roots = s[:kept].sqrt()
    new_up = up @ _solved(left, u[:, :kept] * roots)  # Q₁U√S = up R₁⁻¹U√S
    new_down = _solved(right, vh[:kept].T * roots).T @ down
    return Truncated(new_up, new_down, *_energies(s, kept))


def _cholesky(factor: Tensor) -> Tensor | None:
    """L of factorᵀ factor = LLᵀ, float64; None where the columns nearly depend on each other."""
    wide = factor.double()
    lower, failed = torch.linalg.cholesky_ex(wide.T @ wide)
    pivots = lower.diagonal()
    return None if failed.item() or not pivots.min() > _INDEPENDENT * pivots.max() else lower


def _solved(lower: Tensor, columns: Tensor) -> Tensor:
    """L⁻ᵀ columns, float32."""
    return torch.linalg.solve_triangular(lower.T, columns.double(), upper=True).float()


def _by_reflections(up: Tensor, down: Tensor, choose: Choose) -> Truncated:
    rank = up.shape[1]
    left, left_scales = torch.geqrf(up)  # Q stays a product of reflections: only the kept columns are ever multiplied with it
    right, right_scales = torch.geqrf(down.T)
    core = left[:rank].triu() @ right[:rank].triu().T  # (r, r)
    u, s, vh = torch.linalg.svd(core)
    kept = _within(choose(s, _sum_of_squares(s)), rank)
    roots = s[:kept].sqrt()
    new_up = _below(u[:, :kept] * roots, up.shape[0])  # (out, kept)
    new_down = _below(vh[:kept].T * roots, down.shape[1])  # (in, kept)
    new_up = torch.ormqr(left, left_scales, new_up)
    new_down = torch.ormqr(right, right_scales, new_down)
    return Truncated(new_up, new_down.T, *_energies(s, kept))


def truncated(matrix: Tensor, choose: Choose) -> Truncated:
    """The same of a whole matrix (out, in), by its full SVD."""
    u, s, vh = torch.linalg.svd(matrix, full_matrices=False)
    kept = _within(choose(s, _sum_of_squares(s)), len(s))
    roots = s[:kept].sqrt()
    return Truncated(u[:, :kept] * roots, roots[:, None] * vh[:kept], *_energies(s, kept))


@dataclass(frozen=True)
class Sampling:
    """How a randomised SVD looks for the range: of how many directions, how often, and which random ones."""

    rank: int  # the most that will be kept
    iterations: int
    seed: int


def truncated_randomly(matrix: Tensor, choose: Choose, sampling: Sampling) -> Truncated:
    """Nearly the best of a whole matrix (out, in), by a randomised SVD: Halko, Martinsson and Tropp 2011 (arXiv:0909.4061),
    algorithms 4.4 and 5.1.

    Its error is exact, not estimated: as QQᵀ projects, ‖A − QQᵀA‖² = ‖A‖² − ‖QᵀA‖².
    """
    size = min(matrix.shape)
    directions = sampling.rank + OVERSAMPLING
    if directions * 2 >= size:
        return truncated(matrix, choose)
    generator = torch.Generator().manual_seed(sampling.seed)
    found = matrix @ torch.randn(matrix.shape[1], directions, generator=generator)  # (out, directions)
    for _ in range(sampling.iterations):
        found = matrix @ torch.linalg.qr(matrix.T @ torch.linalg.qr(found).Q).Q
    q = torch.linalg.qr(found).Q
    inside = q.T @ matrix  # (directions, in)
    energy = squares(matrix)
    part = truncated_product(q, inside, lambda s, _: choose(s, energy))
    return Truncated(part.up, part.down, energy, max(0.0, energy - part.energy) + part.lost)


def squares(matrix: Tensor) -> float:
    """The squared Frobenius norm, row by row, as float32 alone loses digits over millions of values. NaN or infinite where a value is."""
    return float(torch.linalg.vector_norm(matrix, dim=1).double().square().sum())


def _energies(s: Tensor, kept: int) -> tuple[float, float]:
    squares = s.double().square()
    return float(squares.sum()), float(squares[kept:].sum())


def _sum_of_squares(s: Tensor) -> float:
    return float(s.double().square().sum())


def _within(count: int, most: int) -> int:
    return max(1, min(count, most))


def _below(top: Tensor, rows: int) -> Tensor:
    """`top` with rows of zeros below, column after column in memory, as LAPACK wants it."""
    whole = top.new_zeros(top.shape[1], rows).T
    whole[: len(top)] = top
    return whole
