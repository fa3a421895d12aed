"""How many singular values are kept? One function for each rule, all of values that fall; and a matrix cut by such a rule."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from lib_extension.spec.merging import Ranks
from trainer.merging.low_rank import Choose, Sampling, Truncated, truncated, truncated_randomly


def choose_of(ranks: Ranks, kernel: tuple[int, ...]) -> Choose:
    """The rule for a module whose weight has this kernel; at least one, and at most the highest rank asked for."""
    highest = ranks.highest(kernel)
    rules: dict[str, Callable[[Tensor, float], int]] = {
        "fixed": lambda s, energy: len(s),
        "sv_ratio": lambda s, energy: sv_ratio(s, ranks.amount),
        "sv_fro": lambda s, energy: sv_fro(s, ranks.amount, energy),
        "sv_cumulative": lambda s, energy: sv_cumulative(s, ranks.amount),
    }
    rule = rules[ranks.rule]
    return lambda s, energy: max(1, min(highest, rule(s, energy)))


def nearly_best(matrix: Tensor, ranks: Ranks, kernel: tuple[int, ...], iterations: int, seed: int) -> Truncated:
    """A whole matrix (out, in · kernel) cut by the rule: by a randomised SVD, or by a full one for the rule that asks for all values."""
    choose = choose_of(ranks, kernel)
    if ranks.rule == "sv_cumulative":
        return truncated(matrix, choose)
    return truncated_randomly(matrix, choose, Sampling(ranks.highest(kernel), iterations, seed))


def sv_ratio(s: Tensor, ratio: float) -> int:
    """Those of which the largest, divided by them, is at most `ratio`."""
    return int((s * ratio >= s[0]).sum()) if s[0] > 0 else 1


def sv_fro(s: Tensor, share: float, energy: float) -> int:
    """The fewest that hold this share of the Frobenius norm: √(Σσ² kept / energy)."""
    return _fewest(s.double().square(), share**2 * energy)


def sv_cumulative(s: Tensor, share: float) -> int:
    """The fewest that hold this share of the nuclear norm: Σσ kept / Σσ."""
    return _fewest(s.double(), share * float(s.double().sum()))


def _fewest(values: Tensor, wanted: float) -> int:
    """How many of the values, from the first on, make up the sum; all where they do not."""
    nearly = wanted * (1 - 1e-12)  # sums of the same values in another order may differ in their last digit
    return min(len(values), int((values.cumsum(0) < nearly).sum()) + 1)
