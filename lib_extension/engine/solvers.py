"""How is a latent walked from noise to picture along falling noise levels, each step by itself?

Each solver is a function of (walk, x, sigmas). Names are those of the papers: k-diffusion (Karras et al., arXiv:2206.00364), DPM-Solver
(2206.00927), DPM-Solver++ (2211.01095), Restart (2306.14878), CFG++ (2406.08070).
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from torch import Tensor

from lib_extension.engine.walk import Walk, ancestral, churned, noised, noised_on_path, slope_of, steps_of, toward


def euler(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in steps_of(sigmas):
        x, sigma = churned(walk, x, sigma, len(sigmas) - 1)
        x = x + slope_of(x, walk.denoise(x, sigma), sigma) * (after - sigma)
        walk.done(i)
    return x


def euler_ancestral(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """With levels and ``eta`` of DDIM this is DDIM: in sigma the two are one formula."""
    for i, sigma, after in steps_of(sigmas):
        down, up = ancestral(sigma, after, walk.eta)
        x = x + slope_of(x, walk.denoise(x, sigma), sigma) * (down - sigma)
        x = noised(walk, x, up)
        walk.done(i)
    return x


def ddim_cfgpp(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """CFG++: the guided estimate, but the way back to the next level by the negative prompt's noise."""
    for i, sigma, after in steps_of(sigmas):
        down, up = ancestral(sigma, after, walk.eta)
        denoised = walk.denoise(x, sigma)
        x = denoised + slope_of(x, walk.negative(), sigma) * down
        x = noised(walk, x, up)
        walk.done(i)
    return x


def heun(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in steps_of(sigmas):
        x, sigma = churned(walk, x, sigma, len(sigmas) - 1)
        x = _heun_step(walk, x, sigma, after)
        walk.done(i)
    return x


def dpm2(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """DPM-Solver-2: a midpoint step, the middle taken in log sigma."""
    for i, sigma, after in steps_of(sigmas):
        x, sigma = churned(walk, x, sigma, len(sigmas) - 1)
        x = _midpoint(walk, x, sigma, after)
        walk.done(i)
    return x


def dpm2_ancestral(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in steps_of(sigmas):
        down, up = ancestral(sigma, after, walk.eta)
        x = noised(walk, _midpoint(walk, x, sigma, down), up)
        walk.done(i)
    return x


def dpmpp_2s_ancestral(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in steps_of(sigmas):
        down, up = ancestral(sigma, after, walk.eta)
        denoised = walk.denoise(x, sigma)
        if down > 0:
            middle = math.sqrt(sigma * down)
            halfway = toward(x, denoised, sigma, middle)
            denoised = walk.denoise(halfway, middle)
        x = noised(walk, toward(x, denoised, sigma, down), up)
        walk.done(i)
    return x


def dpmpp_sde(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in steps_of(sigmas):
        denoised = walk.denoise(x, sigma)
        if after == 0:
            x = denoised
        else:
            middle = math.sqrt(sigma * after)
            down, up = ancestral(sigma, middle, walk.eta)
            halfway = noised_on_path(walk, toward(x, denoised, sigma, down), up, sigma, middle)
            # With the middle of the step (r = 1/2) the first estimate drops out of DPM-Solver++(2S)'s formula.
            down, up = ancestral(sigma, after, walk.eta)
            x = noised_on_path(walk, toward(x, walk.denoise(halfway, middle), sigma, down), up, sigma, after)
        walk.done(i)
    return x


def restart(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """Heun steps that go back up to sigma 2 and down again, from 20 steps on; the number of steps stays."""
    pairs = _restart_pairs(sigmas)
    last = pairs[0][0]
    for i, (sigma, after) in enumerate(pairs):
        if sigma > last:
            x = noised(walk, x, math.sqrt(sigma**2 - last**2))
        x = _heun_step(walk, x, sigma, after)
        last = after
        walk.done(i)
    return x


def lcm(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    for i, sigma, after in steps_of(sigmas):
        x = noised(walk, walk.denoise(x, sigma), after)
        walk.done(i)
    return x


def dpm_fast(walk: Walk, x: Tensor, sigmas: list[float]) -> Tensor:
    """DPM-Solver-fast: as many evaluations as levels, in steps of order 3 and lower ones last. Only the ends of ``sigmas`` count."""
    evaluations = len(sigmas) - 1
    high, low = sigmas[0], next(sigma for sigma in reversed(sigmas) if sigma > 0)
    steps = evaluations // 3 + 1
    places = np.exp(np.linspace(math.log(high), math.log(low), steps + 1)).tolist()
    orders = [3] * (steps - 2) + [2, 1] if evaluations % 3 == 0 else [3] * (steps - 1) + [evaluations % 3]
    for i, order in enumerate(orders):
        down = max(ancestral(places[i], places[i + 1], walk.eta)[0], low)
        x = _single_step(walk, x, places[i], down, order)
        x = noised(walk, x, math.sqrt(max(places[i + 1] ** 2 - down**2, 0.0)))
        walk.done(min(3 * i + order, evaluations) - 1)
    return x


def _heun_step(walk: Walk, x: Tensor, sigma: float, after: float) -> Tensor:
    slope = slope_of(x, walk.denoise(x, sigma), sigma)
    ahead = x + slope * (after - sigma)
    if after == 0:
        return ahead
    return x + (slope + slope_of(ahead, walk.denoise(ahead, after), after)) / 2 * (after - sigma)


def _midpoint(walk: Walk, x: Tensor, sigma: float, after: float) -> Tensor:
    slope = slope_of(x, walk.denoise(x, sigma), sigma)
    if after == 0:
        return x + slope * (after - sigma)
    middle = math.sqrt(sigma * after)
    halfway = x + slope * (middle - sigma)
    return x + slope_of(halfway, walk.denoise(halfway, middle), middle) * (after - sigma)


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


def _single_step(walk: Walk, x: Tensor, sigma: float, after: float, order: int) -> Tensor:
    """DPM-Solver-1, -2 (r = 1/2) or -3 (r = 1/3, 2/3) in noise prediction, for t = −log sigma."""
    h = math.log(sigma / after)
    slope = slope_of(x, walk.denoise(x, sigma), sigma)
    if order == 1:
        return x - after * math.expm1(h) * slope
    if order == 2:
        middle = math.sqrt(sigma * after)
        halfway = x - middle * math.expm1(h / 2) * slope
        bend = slope_of(halfway, walk.denoise(halfway, middle), middle) - slope
        return x - after * math.expm1(h) * (slope + bend)
    third, two_thirds = sigma * math.exp(-h / 3), sigma * math.exp(-2 * h / 3)
    first = x - third * math.expm1(h / 3) * slope
    bend = slope_of(first, walk.denoise(first, third), third) - slope
    second = x - two_thirds * math.expm1(2 * h / 3) * slope - two_thirds * 2 * (math.expm1(2 * h / 3) / (2 * h / 3) - 1) * bend
    bend = slope_of(second, walk.denoise(second, two_thirds), two_thirds) - slope
    return x - after * math.expm1(h) * slope - after * 1.5 * (math.expm1(h) / h - 1) * bend
