"""How much of a singular value decomposition is kept?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from lib_extension.spec.errors import BadRequest
from lib_extension.spec.settings import Settings, field

RankRule = Literal["fixed", "sv_ratio", "sv_fro", "sv_cumulative"]


@dataclass(frozen=True, kw_only=True)
class Ranks(Settings):
    """The rank of every module: the same for all, or as many singular values σ₁ ≥ σ₂ ≥ … as a rule asks for."""

    rank: int = field(32, label="Rank", minimum=1, maximum=1024, help="With a rule: the highest.")
    conv_rank: int = field(0, label="Rank of convolutions", minimum=0, maximum=1024, help="Larger than 1×1; 0: the same.", advanced=True)
    rule: RankRule = field(
        "fixed",
        label="Rule",
        help="sv_ratio: σ₁/σ at most `amount`. sv_fro: √(Σσ² kept / Σσ²) at least `amount`. sv_cumulative: Σσ kept / Σσ at least that.",
    )
    amount: float = field(0.0, label="Amount", minimum=0, help="Such as 10 for sv_ratio, 0.9 for sv_fro and sv_cumulative.")

    def check(self) -> None:
        """BadRequest for an amount that the rule cannot use."""
        if self.rule == "sv_ratio" and self.amount < 1:
            raise BadRequest(f"amount is {self.amount:g}; for the rule sv_ratio it must be at least 1, such as 10.")
        if self.rule in ("sv_fro", "sv_cumulative") and not 0 < self.amount <= 1:
            raise BadRequest(f"amount is {self.amount:g}; for the rule {self.rule} it must be over 0 and at most 1, such as 0.9.")

    def highest(self, kernel: tuple[int, ...]) -> int:
        """The most that a module whose weight has this kernel, () for a matrix, may get."""
        return self.conv_rank if self.conv_rank and any(size > 1 for size in kernel) else self.rank
