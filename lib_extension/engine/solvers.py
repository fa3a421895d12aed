"""How is a latent walked from noise to picture along falling noise levels?

Each solver is a function of (walk, x, sigmas): ``x`` is (B, C, h, w), a latent plus sigma times noise; ``walk.denoise(x, sigma)``
estimates the noiseless latent. Names are those of the papers: k-diffusion (Karras et al., arXiv:2206.00364), DPM-Solver
(2206.00927), DPM-Solver++ (2211.01095), PNDM (2202.09778), UniPC (2302.04867), Restart (2306.14878), CFG++ (2406.08070).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Churn:
    """Karras et al., algorithm 2: extra noise between ``t_min`` and ``t_max``."""

    churn: float = 0.0
    t_min: float = 0.0
    t_max: float = math.inf
    noise: float = 1.0


@dataclass(frozen=True)
class Walk:
    """What a solver may call. ``noise()`` gives fresh noise of x's shape; ``done(i)`` is told after step i (from 0)."""

    denoise: Callable[[Tensor, float], Tensor]
    noise: Callable[[], Tensor]
    done: Callable[[int], None]
    negative: Callable[[], Tensor]  # The last noiseless estimate by the negative prompt alone.
    eta: float = 1.0
    churn: Churn = Churn()


Solver = Callable[[Walk, Tensor, list[float]], Tensor]


def euler(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in _steps(sigmas):
        x, sigma = _churned(walk, x, sigma, len(sigmas) - 1)
        x = x + _slope(x, walk.denoise(x, sigma), sigma) * (after - sigma)
        walk.done(i)
    return x


def euler_ancestral(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """With levels and ``eta`` of DDIM this is DDIM: in sigma the two are one formula."""
    for i, sigma, after in _steps(sigmas):
        down, up = _ancestral(sigma, after, walk.eta)
        x = x + _slope(x, walk.denoise(x, sigma), sigma) * (down - sigma)
        x = _noised(walk, x, up)
        walk.done(i)
    return x


def ddim_cfgpp(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """CFG++: the guided estimate, but the way back to the next level by the negative prompt's noise."""
    for i, sigma, after in _steps(sigmas):
        down, up = _ancestral(sigma, after, walk.eta)
        denoised = walk.denoise(x, sigma)
        x = denoised + _slope(x, walk.negative(), sigma) * down
        x = _noised(walk, x, up)
        walk.done(i)
    return x


def heun(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in _steps(sigmas):
        x, sigma = _churned(walk, x, sigma, len(sigmas) - 1)
        x = _heun_step(walk, x, sigma, after)
        walk.done(i)
    return x


def dpm2(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """DPM-Solver-2: a midpoint step, the middle taken in log sigma."""
    for i, sigma, after in _steps(sigmas):
        x, sigma = _churned(walk, x, sigma, len(sigmas) - 1)
        x = _midpoint(walk, x, sigma, after)
        walk.done(i)
    return x


def dpm2_ancestral(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in _steps(sigmas):
        down, up = _ancestral(sigma, after, walk.eta)
        x = _noised(walk, _midpoint(walk, x, sigma, down), up)
        walk.done(i)
    return x


def lms(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """Linear multistep of order 4 with exact coefficients for uneven levels."""
    slopes: list[Tensor] = []
    for i, sigma, after in _steps(sigmas):
        slopes = [_slope(x, walk.denoise(x, sigma), sigma), *slopes[:3]]
        weights = _adams_bashforth(sigmas[: i + 1][::-1][: len(slopes)], sigma, after)
        x = x + sum(weight * slope for weight, slope in zip(weights, slopes, strict=True))
        walk.done(i)
    return x


def plms(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """PNDM's pseudo linear multistep: Adams-Bashforth weights for even steps, whatever the levels are."""
    table = ((3 / 2, -1 / 2), (23 / 12, -16 / 12, 5 / 12), (55 / 24, -59 / 24, 37 / 24, -9 / 24))
    slopes: list[Tensor] = []
    for i, sigma, after in _steps(sigmas):
        slope = _slope(x, walk.denoise(x, sigma), sigma)
        slopes = [slope, *slopes[:3]]
        if len(slopes) == 1:
            ahead = x + slope * (after - sigma)
            mixed = (slope + _slope(ahead, walk.denoise(ahead, after), after)) / 2 if after > 0 else slope
        else:
            mixed = _weighted(table[len(slopes) - 2], slopes)
        x = x + mixed * (after - sigma)
        walk.done(i)
    return x


def dpmpp_2m(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    before: Tensor | None = None
    for i, sigma, after in _steps(sigmas):
        denoised = walk.denoise(x, sigma)
        if before is None or after == 0:
            ahead = denoised
        else:
            r = math.log(sigmas[i - 1] / sigma) / math.log(sigma / after)
            ahead = denoised + (denoised - before) / (2 * r)
        x = x * (after / sigma) + ahead * (1 - after / sigma)
        before = denoised
        walk.done(i)
    return x


def dpmpp_2s_ancestral(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in _steps(sigmas):
        down, up = _ancestral(sigma, after, walk.eta)
        denoised = walk.denoise(x, sigma)
        if down > 0:
            middle = math.sqrt(sigma * down)
            halfway = _toward(x, denoised, sigma, middle)
            denoised = walk.denoise(halfway, middle)
        x = _noised(walk, _toward(x, denoised, sigma, down), up)
        walk.done(i)
    return x


def dpmpp_sde(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in _steps(sigmas):
        denoised = walk.denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * after)
            down, up = _ancestral(sigma, middle, walk.eta)
            halfway = _noised(walk, _toward(x, denoised, sigma, down), up)
            # With the middle of the step (r = 1/2) the first estimate drops out of DPM-Solver++(2S)'s formula.
            down, up = _ancestral(sigma, after, walk.eta)
            x = _noised(walk, _toward(x, walk.denoise(halfway, middle), sigma, down), up)
        walk.done(i)
    return x


def dpmpp_2m_sde(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    return _dpmpp_2m_sde(walk, x, sigmas, heun_form=False)


def dpmpp_2m_sde_heun(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    return _dpmpp_2m_sde(walk, x, sigmas, heun_form=True)


def dpmpp_3m_sde(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    before: list[Tensor] = []
    widths: list[float] = []
    for i, sigma, after in _steps(sigmas):
        denoised = walk.denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            width = math.log(sigma / after)
            eased = width * (walk.eta + 1)
            x = math.exp(-eased) * x - math.expm1(-eased) * denoised
            phi_2 = math.expm1(-eased) / eased + 1
            if len(before) == 2:
                r0, r1 = widths[0] / width, widths[1] / width
                d1_0 = (denoised - before[0]) / r0
                d1_1 = (before[0] - before[1]) / r1
                d1 = d1_0 + (d1_0 - d1_1) * r0 / (r0 + r1)
                d2 = (d1_0 - d1_1) / (r0 + r1)
                x = x + phi_2 * d1 - (phi_2 / eased - 0.5) * d2
            elif before:
                x = x + phi_2 * (denoised - before[0]) / (widths[0] / width)
            x = _noised(walk, x, after * math.sqrt(-math.expm1(-2 * width * walk.eta)))
            widths = [width, *widths[:1]]
        before = [denoised, *before[:1]]
        walk.done(i)
    return x


def restart(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """Heun steps that go back up to sigma 2 and down again, from 20 steps on; the number of steps stays."""
    pairs = _restart_pairs(sigmas)
    last = pairs[0][0]
    for i, (sigma, after) in enumerate(pairs):
        if sigma > last:
            x = _noised(walk, x, math.sqrt(sigma**2 - last**2))
        x = _heun_step(walk, x, sigma, after)
        last = after
        walk.done(i)
    return x


def lcm(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in _steps(sigmas):
        x = _noised(walk, walk.denoise(x, sigma), after)
        walk.done(i)
    return x


def unipc(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """UniPC-3 (B(h) = h, data prediction): each step is predicted, and corrected by the estimate that the next step needs anyway."""
    estimates = [walk.denoise(x, sigmas[0])]
    visited = [sigmas[0]]
    last = len(sigmas) - 1
    for i in range(1, last + 1):
        order = min(3, i, last - i + 1)
        start, after = x, sigmas[i]
        x = _unipc_update(start, estimates[-order:], visited[-order:], after, None)
        if i < last:
            estimate = walk.denoise(x, after)
            x = _unipc_update(start, estimates[-order:], visited[-order:], after, estimate)
            estimates, visited = [*estimates[-2:], estimate], [*visited[-2:], after]
        walk.done(i - 1)
    return x


def dpm_fast(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """DPM-Solver-fast: as many evaluations as levels, in steps of order 3 and lower ones last. Only the ends of ``sigmas`` count."""
    evaluations = len(sigmas) - 1
    high, low = sigmas[0], next(sigma for sigma in reversed(sigmas) if sigma > 0)
    steps = evaluations // 3 + 1
    places = np.exp(np.linspace(math.log(high), math.log(low), steps + 1)).tolist()
    orders = [3] * (steps - 2) + [2, 1] if evaluations % 3 == 0 else [3] * (steps - 1) + [evaluations % 3]
    for i, order in enumerate(orders):
        down = max(_ancestral(places[i], places[i + 1], walk.eta)[0], low)
        x = _single_step(walk, x, places[i], down, order)
        x = _noised(walk, x, math.sqrt(max(places[i + 1] ** 2 - down**2, 0.0)))
        walk.done(min(3 * i + order, evaluations) - 1)
    return x


def _steps(sigmas: list[float]) -> list[tuple[int, float, float]]:
    return [(i, sigmas[i], sigmas[i + 1]) for i in range(len(sigmas) - 1)]


def _slope(x: Tensor, denoised: Tensor, sigma: float) -> Tensor:
    """dx/dsigma, which is also the noise in x."""
    return (x - denoised) / sigma


def _toward(x: Tensor, denoised: Tensor, sigma: float, after: float) -> Tensor:
    """One exact step of the ODE if ``denoised`` stayed as it is."""
    return x * (after / sigma) + denoised * (1 - after / sigma)


def _noised(walk: Walk, x: Tensor, amount: float) -> Tensor:
    return x + walk.noise() * (amount * walk.churn.noise) if amount > 0 else x


def _ancestral(sigma: float, after: float, eta: float) -> tuple[float, float]:
    """Down to the first level without noise, then up to ``after`` by noise of the second size."""
    up = min(after, eta * math.sqrt(after**2 * (sigma**2 - after**2)) / sigma)
    return math.sqrt(max(after**2 - up**2, 0.0)), up


def _churned(walk: Walk, x: Tensor, sigma: float, steps: int) -> tuple[Tensor, float]:
    churn = walk.churn
    gamma = min(churn.churn / steps, math.sqrt(2) - 1) if churn.t_min <= sigma <= churn.t_max else 0.0
    if gamma == 0:
        return x, sigma
    raised = sigma * (1 + gamma)
    return _noised(walk, x, math.sqrt(raised**2 - sigma**2)), raised


def _heun_step(walk: Walk, x: Tensor, sigma: float, after: float) -> Tensor:
    slope = _slope(x, walk.denoise(x, sigma), sigma)
    ahead = x + slope * (after - sigma)
    if after == 0:
        return ahead
    return x + (slope + _slope(ahead, walk.denoise(ahead, after), after)) / 2 * (after - sigma)


def _midpoint(walk: Walk, x: Tensor, sigma: float, after: float) -> Tensor:
    slope = _slope(x, walk.denoise(x, sigma), sigma)
    if after == 0:
        return x + slope * (after - sigma)
    middle = math.sqrt(sigma * after)
    halfway = x + slope * (middle - sigma)
    return x + _slope(halfway, walk.denoise(halfway, middle), middle) * (after - sigma)


def _adams_bashforth(known: list[float], sigma: float, after: float) -> list[float]:
    """Integrals from ``sigma`` to ``after`` of the Lagrange polynomials through ``known``, newest first."""
    weights = []
    for i, place in enumerate(known):
        others = [other for j, other in enumerate(known) if j != i]
        scale = math.prod(place - other for other in others)
        integral = np.polynomial.Polynomial.fromroots(others).integ() if others else np.polynomial.Polynomial([0.0, 1.0])
        weights.append(float(integral(after) - integral(sigma)) / scale)
    return weights


def _weighted(weights: tuple[float, ...], tensors: list[Tensor]) -> Tensor:
    return torch.stack([weight * tensor for weight, tensor in zip(weights, tensors, strict=True)]).sum(0)


def _dpmpp_2m_sde(walk: Walk, x: Tensor, sigmas: list[float], *, heun_form: bool) -> Tensor:
    before: Tensor | None = None
    width_before = 0.0
    for i, sigma, after in _steps(sigmas):
        denoised = walk.denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            width = math.log(sigma / after)
            eased = walk.eta * width
            kept = -math.expm1(-width - eased)
            x = (after / sigma) * math.exp(-eased) * x + kept * denoised
            if before is not None:
                r = width_before / width
                share = kept / (-width - eased) + 1 if heun_form else 0.5 * kept
                x = x + share * (denoised - before) / r
            x = _noised(walk, x, after * math.sqrt(-math.expm1(-2 * eased)))
            width_before = width
        before = denoised
        walk.done(i)
    return x


def _restart_pairs(sigmas: list[float]) -> list[tuple[float, float]]:
    steps = len(sigmas) - 1
    if steps < 20:
        return list(pairwise(sigmas))
    length, times = (steps // 4, 2) if steps >= 36 else (9, 1)
    levels = _karras_between(sigmas[0], sigmas[-2], steps - length * times)
    bottom = int(np.argmin(np.abs(np.array(levels) - 0.1)))
    top = int(np.argmin(np.abs(np.array(levels) - 2.0)))
    again = _karras_between(levels[top], levels[bottom], length + 1)[:-1]
    pairs = []
    for i in range(len(levels) - 1):
        pairs.append((levels[i], levels[i + 1]))
        if i + 1 == bottom and top < bottom:
            pairs += list(pairwise(again)) * times
    return pairs


def _karras_between(high: float, low: float, n: int) -> list[float]:
    return [*(np.linspace(high ** (1 / 7), low ** (1 / 7), n) ** 7).tolist(), 0.0]


def _unipc_update(x: Tensor, estimates: list[Tensor], visited: list[float], after: float, corrected_by: Tensor | None) -> Tensor:
    """Equations 3 and 5 of the paper from the level visited last to ``after``, for a latent that is not scaled (alpha = 1)."""
    sigma, newest = visited[-1], estimates[-1]
    h = math.log(sigma / after)
    ratios = [math.log(sigma / other) / h for other in reversed(visited[:-1])]  # negative: they lie behind
    differences = [(estimate - newest) / ratio for estimate, ratio in zip(reversed(estimates[:-1]), ratios, strict=True)]
    if corrected_by is not None:
        ratios.append(1.0)
        differences.append(corrected_by - newest)
    base = x * (after / sigma) - math.expm1(-h) * newest
    if not differences:
        return base
    weights = _unipc_weights(ratios, -h)
    return base + h * _weighted(tuple(weights), differences)


def _unipc_weights(ratios: list[float], h: float) -> list[float]:
    """The coefficients rho that make the step exact for polynomials; a single one is 1/2 by the paper's choice."""
    if len(ratios) == 1:
        return [0.5]
    phi = math.expm1(h) / h - 1
    rows, right = [], []
    for k in range(1, len(ratios) + 1):
        rows.append([ratio ** (k - 1) for ratio in ratios])
        right.append(phi * math.factorial(k) / h)
        phi = phi / h - 1 / math.factorial(k + 1)
    return np.linalg.solve(np.array(rows), np.array(right)).tolist()


def _single_step(walk: Walk, x: Tensor, sigma: float, after: float, order: int) -> Tensor:
    """DPM-Solver-1, -2 (r = 1/2) or -3 (r = 1/3, 2/3) in noise prediction, for t = −log sigma."""
    h = math.log(sigma / after)
    slope = _slope(x, walk.denoise(x, sigma), sigma)
    if order == 1:
        return x - after * math.expm1(h) * slope
    if order == 2:
        middle = math.sqrt(sigma * after)
        halfway = x - middle * math.expm1(h / 2) * slope
        bend = _slope(halfway, walk.denoise(halfway, middle), middle) - slope
        return x - after * math.expm1(h) * (slope + bend)
    third, two_thirds = sigma * math.exp(-h / 3), sigma * math.exp(-2 * h / 3)
    first = x - third * math.expm1(h / 3) * slope
    bend = _slope(first, walk.denoise(first, third), third) - slope
    second = x - two_thirds * math.expm1(2 * h / 3) * slope - two_thirds * 2 * (math.expm1(2 * h / 3) / (2 * h / 3) - 1) * bend
    bend = _slope(second, walk.denoise(second, two_thirds), two_thirds) - slope
    return x - after * math.expm1(h) * slope - after * 1.5 * (math.expm1(h) / h - 1) * bend
